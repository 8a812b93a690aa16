"""From a schema that landed to a proposed declaration of its tables, and a trial of it.

Belongs here: reading the catalogue of one schema, counting what speaks for a key or a link, the YAML that
is proposed, and the dry run of a classification with it. Does not belong here: what a declaration means
(`retention.declarations`), and what a column seems to hold (`retention.detection`).

Nothing proposed is in force: the file says `proposal: true` until a person takes that line out, and what
nobody decided in it is `follows: review`.
"""
