"""Which figures a report has, in the order in which they are read.

Belongs here: the sections and their titles. Does not belong here: a query, and how a section looks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from retention.declarations import TableDeclaration
from retention.language import N_
from retention.policy import Policy
from retention.report.figures import (
    blockers,
    due,
    erasure,
    plans,
    population,
    purges,
    recipients,
    rights,
    sample,
    trust,
)
from retention.report.figures.figure import Figure, Reader


@dataclass(frozen=True)
class Section:
    """Figures that are read together."""

    section_id: str
    title: str
    figures: tuple[Figure, ...]

    def as_dict(self) -> dict[str, object]:
        return {
            "id": self.section_id,
            "title": self.title,
            "figures": [figure.figure_id for figure in self.figures],
        }


def ask_all(
    reader: Reader,
    policy: Policy,
    governed: Sequence[TableDeclaration],
    withheld: Mapping[str, str],
) -> tuple[Section, ...]:
    """Every figure, section by section. `governed` are the governed tables that have landed, `withheld`
    those that nothing is purged from, with the reason."""
    return (
        Section(
            "population",
            N_("Population"),
            (
                population.population(reader),
                population.landed(reader, governed),
                population.movements(reader),
            ),
        ),
        Section(
            "overdue",
            N_("Overdue, and why"),
            (
                due.overdue(reader),
                due.overdue_because(reader, withheld),
                due.left_out(reader),
                due.minimisable(reader),
            ),
        ),
        Section(
            "review", N_("Under review"), (due.under_review(reader), due.review_deadlines(reader))
        ),
        Section("calendar", N_("What falls due"), (due.calendar(reader),)),
        Section(
            "purges",
            N_("Plans, approvals and purges"),
            (
                plans.plans(reader),
                plans.approvals(reader),
                plans.evidence(reader),
                plans.refusals(reader),
                plans.skipped(reader),
                purges.purged(reader),
                purges.minimised(reader),
                population.returned(reader),
            ),
        ),
        Section(
            "erasure",
            N_("Erasure beyond the rows"),
            (
                purges.orders(reader),
                erasure.levels(reader),
                erasure.rewritten(reader),
                erasure.not_rewritten(reader, policy),
            ),
        ),
        Section(
            "blockers",
            N_("Holds, restrictions, locks and halts"),
            (blockers.blockers(reader), blockers.blocked(reader), blockers.halts(reader)),
        ),
        Section(
            "rights",
            N_("Rights of persons"),
            (
                rights.requests(reader),
                rights.decisions(reader),
                rights.consents(reader),
                rights.suppressions(reader),
            ),
        ),
        Section(
            "recipients",
            N_("Recipients and partners"),
            (
                recipients.notices(reader),
                recipients.relays(reader),
                recipients.corrections(reader),
            ),
        ),
        Section("concept", N_("Rules as applied"), (sample.applied(reader),)),
        Section(
            "trust",
            N_("Controls, checks and evidence"),
            (
                trust.controls(reader),
                trust.checks(reader),
                trust.entries(reader),
                trust.checkpoints(reader),
                trust.keys(reader),
            ),
        ),
        Section("sample", N_("A sample to test by hand"), (sample.sample(reader, governed),)),
    )
