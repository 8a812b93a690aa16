"""Objection to marketing, and withdrawn consent (§ 4, § 5, § 10; GDPR art. 7(3), 21).

Belongs here: contact points looked at, objections carried out, models that say they are for marketing, and
how far withdrawals have come. Does not belong here: the suppression list itself (`retention.suppressions`),
what a withdrawal erases (the models and the purge), and requests in general (`retention.rights.register`).
"""
