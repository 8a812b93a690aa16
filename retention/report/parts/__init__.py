"""What the retention report says beside its figures: the policy's words, the retention concept, the record
of processing, coverage, lineage, and what everything was made from.

Belongs here: a module per part, each giving plain data. Does not belong here: queries that count records
or evidence (`retention.report.figures`), and how anything looks.
"""
