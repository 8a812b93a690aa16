"""Locked (§ 8) and restricted (GDPR art. 18) records: kept, and out of everything else.

Belongs here: taking their rows out of copies, looking that none is left, who can read landing, the
logged read, and lifting a restriction. Does not belong here: placing a blocker (`retention.holds`),
what it does to a record's status (the models), and to a purge (`retention.purge.guards`).
"""
