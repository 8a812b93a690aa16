"""The stand-alone verifier of the evidence, and the formats that it shares with what writes them.

Belongs here: one file that an auditor copies, and its description for auditors. Does not belong here:
anything that needs the project, its database or its secrets.
"""
