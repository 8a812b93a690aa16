"""An independent reading of the retention rules, in plain Python.

It reads the landing tables and the policy file, decides every record by itself and is compared
with `retention.records`. It shares no code with the models, the sample or the engine.
"""
