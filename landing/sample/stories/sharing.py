"""Hand-over to a partner: joint controllers, and processor after a referral outside our business.

Belongs here: persons handed over by us. Does not belong here: leads handed over to us (`leads`).
"""

from datetime import timedelta

from landing.sample.connector_rows import ConnectorRows as Scene
from landing.sample.dates import at, last_day
from landing.sample.scene import NO_ADVICE, SUPPORTING
from landing.sample.stories.model import Story, catalogue

STORIES: list[Story] = []
story = catalogue(STORIES)

#: Partners of `reference`: one with an instruction of six months, one without any.
INSTRUCTING, SILENT = 5, 6


@story(70)
def handed_over_in_scope(s: Scene) -> None:
    """«I fellesskap ansvarlig … forutsatt at kundens oppdrag faller inn under Lexlys
    forretningsområder»: joint controllers, the same clock."""
    person = s.person(s.ago(months=5))
    event = s.contact(person, s.ago(months=4), "call")
    s.handover(person, 1, "in_scope", at(s.ago(months=4), "15:00"))
    s.expect(NO_ADVICE, "retained", person.row)
    s.expect(SUPPORTING, "retained", event)


@story(71)
def referred_with_an_instruction(s: Scene) -> None:
    """«Behandlingsansvarlig kun for personopplysninger som er innhentet før tidspunktet for
    overføring eller henvisning, og deretter behandler»: before, at the same instant (counts as
    before) and after, when the partner's instruction of six months decides."""
    referred = at(s.ago(months=10), "10:00")
    person = s.person(s.ago(months=13))
    before = s.contact(person, s.ago(months=12), "email")
    same_instant = s.contact(person, referred, "call")
    a_second_later = s.contact(person, referred + timedelta(seconds=1), "call")
    after = s.contact(person, s.ago(months=8), "email")
    lately = s.contact(person, s.ago(months=1, days=15), "email")
    s.handover(person, INSTRUCTING, "outside_scope", referred)
    s.expect(NO_ADVICE, "retained", person.row)
    s.expect(SUPPORTING, "retained", before, same_instant, lately)
    s.expect(SUPPORTING, "overdue", a_second_later, after)
    s.expect_last_day(last_day(s.ago(months=1, days=15), 12), person.row, before, same_instant)
    s.expect_last_day(last_day(s.ago(months=1, days=15), 6), lately)
    s.expect_last_day(last_day(s.ago(months=10), 6), a_second_later)
    s.expect_last_day(last_day(s.ago(months=8), 6), after)


@story(72)
def referred_without_an_instruction(s: Scene) -> None:
    """«Without a recorded instruction: review»."""
    referred = at(s.ago(months=5), "10:00")
    person = s.person(s.ago(months=8))
    before = s.contact(person, s.ago(months=7), "email")
    after = s.contact(person, s.ago(months=3), "email")
    s.handover(person, SILENT, "outside_scope", referred)
    s.expect(NO_ADVICE, "retained", person.row)
    s.expect(SUPPORTING, "retained", before)
    s.expect(SUPPORTING, "review", after)
