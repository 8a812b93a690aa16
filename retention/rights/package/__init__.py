"""A person's own copy: what is held of them, made into one encrypted file (GDPR art. 15 and 20).

Belongs here: gathering rows under a disclosure, the look at what tells of others, the files, their
encryption, and their end. Does not belong here: whose a record is (`retention.rights.find`), who may see
rows (functions/27_disclosures.sql), and how a letter looks (`retention.rights.letters`).

No plain file is ever written: everything is made in memory, and what reaches the disk is encrypted.
"""
