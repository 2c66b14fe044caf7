"""How Tryton's opportunities become canonical records.

Every opportunity is a deal. The first one of a party is also its lead: whoever comes back is no new lead. One without
a party, as Tryton allows while it is a lead, is a lead of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Literal

from holdwater.crm.records import Deal, Lead, Money, Owner, Stage, StageEvent, id_text, source_name
from holdwater.crm.tryton_wire import State, WireEmployee, WireOpportunity

PIPELINE = "sale.opportunity"
_ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)  # the version of what is part of Tryton itself
ENTERED_LATE = timedelta(days=2)  # beyond any difference between a company's day and ours

# A quotation exists once it is converted; it is won when its sales are through and one of them was confirmed.
STATUS: Mapping[State, Literal["open", "won", "lost"]] = {
    "lead": "open",
    "opportunity": "open",
    "converted": "open",
    "won": "won",
    "lost": "lost",
    "cancelled": "lost",
}
STAGES = [
    Stage(
        id=state,
        pipeline_id=PIPELINE,
        label=state.capitalize(),
        position=position,
        closed=status != "open",
        won=status == "won",
        updated_at=_ALWAYS,
    )
    for position, (state, status) in enumerate(STATUS.items())
]


@dataclass(frozen=True, slots=True)
class Version:
    """What an opportunity became at a moment, and stayed until the next version."""

    at: datetime
    state: str
    party_id: int | None


def to_owner(wire: WireEmployee, today: date) -> Owner:
    gone = wire.end_date is not None and wire.end_date < today
    return Owner(id=str(wire.id), updated_at=wire.changed_at, archived=gone)


def to_lead(wire: WireOpportunity, person: Callable[[str | None], str | None] | None) -> Lead:
    """Tryton knows no source of a lead."""
    return Lead(
        id=str(wire.id),
        created_at=_began(wire),
        updated_at=wire.changed_at,
        owner_id=id_text(wire.employee),
        person=person(wire.party.email) if person and wire.party else None,
    )


def to_deal(wire: WireOpportunity, lead_id: int, versions: Sequence[Version]) -> Deal:
    lost_reason = wire.lost_reason if STATUS[wire.state] == "lost" else None
    return Deal(
        id=str(wire.id),
        status=STATUS[wire.state],
        created_at=_began(wire),
        updated_at=wire.changed_at,
        lead_id=str(lead_id),
        closed_at=_closed(wire, versions),
        amount=None if wire.amount is None else Money.of(Decimal(wire.amount), wire.currency.code, wire.amount),
        pipeline_id=PIPELINE,
        stage_id=wire.state,
        owner_id=id_text(wire.employee),
        lost_reason=source_name(lost_reason),
        lost_reason_raw=lost_reason,
    )


def to_stage_events(id_: int, versions: Sequence[Version]) -> list[StageEvent]:
    """The versions that came into another state than the one before."""
    return [
        StageEvent(
            id=f"{id_}:{version.at.isoformat()}:{version.state}",
            deal_id=str(id_),
            stage_id=version.state,
            entered_at=version.at,
            updated_at=version.at,
            pipeline_id=PIPELINE,
        )
        for version in _entries(versions)
    ]


def _entries(versions: Sequence[Version]) -> list[Version]:
    return [*versions[:1], *(after for before, after in pairwise(versions) if after.state != before.state)]


def _began(wire: WireOpportunity) -> datetime:
    """When it was entered, unless its start date says that this was done later."""
    start = datetime.combine(wire.start_date, time(), UTC)
    return start if wire.create_date - start > ENTERED_LATE else wire.create_date


def _closed(wire: WireOpportunity, versions: Sequence[Version]) -> datetime | None:
    """When it came into its state; one that was brought over as closed has its end date instead."""
    if STATUS[wire.state] == "open":
        return None
    entries = _entries(versions)
    if len(entries) > 1 and entries[-1].state == wire.state:
        return entries[-1].at
    return wire.changed_at if wire.end_date is None else datetime.combine(wire.end_date, time(), UTC)
