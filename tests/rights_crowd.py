"""Very many persons, made inside the database, for measuring what rights cost at size.

Belongs here: the rows of a crowd, as plain as they can be: four or so records each, in eight tables of
three systems. Does not belong here: what is measured (`integration/test_rights_scale.py`), and lives that
mean something (`rights_stories`, the sample).
"""

from datetime import date
from typing import Any

import psycopg

from landing.sample.dates import at

#: Ids of the crowd begin here, beyond the sample's bulk.
FIRST = 10_000_000

_ROWS = (
    """
    insert into crm.person (id, created_at, first_name, last_name, email, phone, received_via_partner,
        _fivetran_deleted, _fivetran_synced)
    select id, day, 'Mange', 'Eksempelsen', 'mange' || n || '@example.org', (10000000 + n)::text,
        n %% 3 = 0, false, %(now)s
    from crowd
    """,
    """
    insert into crm.lead (id, person_id, partner_id, received_at, name, _fivetran_deleted, _fivetran_synced)
    select id, id, 1, day, 'Mange Eksempelsen', false, %(now)s from crowd where n %% 3 = 0
    """,
    """
    insert into crm.contact_event (id, person_id, channel, direction, outcome, automated, purpose,
        occurred_at, notes, _fivetran_deleted, _fivetran_synced)
    select id, id, 'email', 'inbound', 'received', false, 'inquiry', day + interval '1 day',
        'Spurte om noe', false, %(now)s
    from crowd where n %% 3 <> 0
    """,
    """
    insert into new_relic.page_view (id, person_id, session_id, ip_address, viewed_at, _fivetran_synced)
    select 'pv-' || id, id, 's' || id, '192.0.2.1', %(now)s - make_interval(days => n %% 300), %(now)s
    from crowd
    """,
    """
    insert into crm.assignment (id, person_id, type, state, title, opened_at, completed_at,
        _fivetran_start, _fivetran_end, _fivetran_active, _fivetran_deleted, _fivetran_synced)
    select id, id, 'ordinary_advice', 'completed', 'Rådgivning', day + interval '2 days',
        day + interval '3 days', day, '9999-12-31', true, false, %(now)s
    from crowd where n %% 10 = 1
    """,
    """
    insert into crm.assignment_document (id, assignment_id, file_name, created_at, _fivetran_deleted,
        _fivetran_synced)
    select id, id, 'avtale.pdf', day + interval '3 days', false, %(now)s from crowd where n %% 10 = 1
    """,
    """
    insert into stripe.customer (id, created, email, name, is_deleted, _fivetran_synced)
    select 'cus_' || id, day, 'mange' || n || '@example.org', 'Mange Eksempelsen', false, %(now)s
    from crowd where n %% 5 = 1
    """,
    """
    insert into stripe.charge (id, amount, created, customer_id, receipt_email, status, _fivetran_synced)
    select 'ch_' || id, 199000, day, 'cus_' || id, 'mange' || n || '@example.org', 'succeeded', %(now)s
    from crowd where n %% 5 = 1
    """,
    """
    insert into crm.rights_request (id, person_id, right_asserted, state, received_at, _fivetran_deleted,
        _fivetran_synced)
    select id, id, 'erasure', 'received', %(now)s - interval '2 days', false, %(now)s
    from crowd where n %% %(every)s = 1
    """,
)


def land_crowd(
    conn: psycopg.Connection[Any], people: int, as_of: date, *, asking: int = 1_000
) -> int:
    """Add `people` persons to a sample that has landed; returns how many rows they have. They came over
    the last two years; about `asking` of them, of every kind, ask for erasure."""
    # Prime to what makes the lives differ, so that those who ask are not all alike.
    values = {"now": at(as_of, "01:15"), "every": people // asking - 3}
    made = 0
    with conn.transaction():
        conn.execute(
            "create temp table crowd on commit drop as select n, %s + n as id,"
            " %s - make_interval(days => 10 + n %% 700) as day from generate_series(1, %s) as n",
            (FIRST, at(as_of), people),
        )
        for statement in _ROWS:
            made += conn.execute(statement, values).rowcount
    conn.commit()
    return made
