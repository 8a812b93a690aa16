"""What is told of the retention to those who answer for it.

Belongs here: the retention report (population, policy, purges, coverage) and the deletion report of
one plan. Does not belong here: anything that decides or changes data; both only read.

No report holds a personal value, or a record's key.
"""

#: What the files of a day's retention report are called.
NAME = "retention-report"
