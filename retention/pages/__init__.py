"""The pages beside Dagster's: reports, deletion reports, the last check results, dbt's descriptions.

Belongs here: serving files that are there already to a browser on this machine, and an index of them. Does
not belong here: making any of them (`retention.report`, `orchestration.dbt_docs`), and who may reach the
server from elsewhere (the proxy with the login, `deploy/nginx`).

The server opens no database and knows no key. What it serves is chosen by the name of a file, never by the
folder that it lies in: whatever else comes to lie there stays unseen.
"""
