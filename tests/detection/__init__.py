"""The labelled set for detection, and the measurement of precision and recall against it.

Belongs here: labels, their split, generated tables with labels, and how a scan's answer is counted.
Does not belong here: the scan (`retention.detection`), and which columns are declared.
"""
