"""The figures of the retention report: rows, and the query that gave them.

Belongs here: a module per subject, each with the queries of its figures and nothing else; the shape of a
figure (`figure`); which figures a report has and in which order they are read (`sections`). Does not
belong here: what is read from files and the catalogue (`retention.report.parts`), and how anything looks.
"""
