"""The rights of a person (§ 8, § 9): requests, what is found of a person, what is decided and done.

Belongs here: a module a right or a step. Does not belong here: how a record is deleted (`retention.purge`),
what a rule says (`retention.policy`), and the words of the command line.
"""
