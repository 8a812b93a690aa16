"""What fills landing schemas in Fivetran's place: the sample generator and exported real files.

Belongs here: writing landing tables. Does not belong here: classifying, planning or deleting what
has landed; that is the engine's (`retention`).
"""
