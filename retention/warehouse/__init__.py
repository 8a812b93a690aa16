"""The PostgreSQL warehouse: reaching it, running it when none is named, and its own schema.

Belongs here: connections, the embedded server, migrations and quoting. Does not belong here: what
the tables mean.
"""
