"""How Salesforce's objects become canonical records."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Literal

from holdwater.crm.records import Activity, Consent, Deal, Lead, Money, Owner, Stage, StageEvent, source_name
from holdwater.crm.salesforce_wire import (
    WireContact,
    WireEntry,
    WireEvent,
    WireLead,
    WireMessage,
    WireOpportunity,
    WireStage,
    WireTask,
    WireUser,
)
from holdwater.errors import BadAnswerError

PIPELINE = "Opportunity"
Person = Callable[[str | None], str | None]
# The first three characters of an id tell what it is of.
_USER, _PEOPLE, _OPPORTUNITY = "005", ("00Q", "003"), "006"


def to_owner(wire: WireUser) -> Owner:
    return Owner(id=wire.id, updated_at=wire.modified, archived=not wire.active)


def to_stage(wire: WireStage) -> Stage:
    """Opportunities name their stage; nothing of them has its id."""
    return Stage(
        id=wire.name,
        pipeline_id=PIPELINE,
        label=wire.label,
        position=wire.position,
        closed=wire.closed or wire.won,
        won=wire.won,
        updated_at=wire.modified,
    )


def to_lead(wire: WireLead | WireContact, before: Sequence[WireLead], person: Person | None) -> Lead:
    """`before`: the leads that were converted into this contact, which were there first.

    The contact has the source, for only there it can still be mended; where it has none, its first lead may.
    """
    first = min((wire, *before), key=lambda one: (one.created, one.id))
    source = wire.source or first.source
    return Lead(
        id=wire.id,
        created_at=first.created,
        updated_at=max(one.modified for one in (wire, *before)),
        source=source_name(source),
        source_raw=source,
        owner_id=_owner(wire.owner),
        person=person(wire.email) if person else None,
    )


def to_consent(wire: WireLead | WireContact) -> Consent:
    """Whoever has not opted out need not have opted in; an organisation may also hide the field from the app."""
    return Consent(
        id=f"{wire.id}:email",
        lead_id=wire.id,
        channel="email",
        status="opted_out" if wire.opted_out else "unknown",
        updated_at=wire.modified,
    )


def to_deal(wire: WireOpportunity, stages: Mapping[str, Stage], home_currency: str | None) -> Deal:
    """`home_currency`: of an organisation with one only, whose records name none."""
    status = _status(wire, stages)
    lost_reason = wire.lost_reason if status == "lost" else None
    return Deal(
        id=wire.id,
        status=status,
        created_at=wire.created,
        updated_at=wire.modified,
        lead_id=wire.contact or wire.person_account,
        closed_at=None if status == "open" else _closed(wire),
        amount=_amount(wire, home_currency),
        pipeline_id=PIPELINE,
        stage_id=wire.stage,
        owner_id=_owner(wire.owner),
        lost_reason=source_name(lost_reason),
        lost_reason_raw=lost_reason,
    )


def to_stage_event(wire: WireEntry) -> StageEvent | None:
    """A line is written whenever stage, amount, probability or date change; it says again what stayed the same."""
    if wire.stage is None:
        return None
    return StageEvent(
        id=wire.id,
        deal_id=wire.opportunity,
        stage_id=wire.stage,
        entered_at=wire.created,
        updated_at=wire.modified,
        pipeline_id=PIPELINE,
    )


_KINDS: Mapping[str | None, Literal["call", "email"]] = {"Call": "call", "Email": "email", "ListEmail": "email"}
_DIRECTIONS: Mapping[str | None, Literal["in", "out"]] = {"Inbound": "in", "Outbound": "out"}


def to_activity(wire: WireTask | WireEvent, message: WireMessage | None = None) -> Activity:
    """`message`: the e-mail that a task stands for, which knows who wrote it."""
    kind: Literal["call", "email", "meeting", "task"]
    direction: Literal["in", "out"] | None
    if isinstance(wire, WireEvent):
        kind, direction, at = "meeting", None, wire.starts
    else:
        kind, direction, at = _KINDS.get(wire.kind, "task"), _DIRECTIONS.get(wire.direction), wire.completed
    if message:
        direction, at = "in" if message.incoming else "out", message.sent or at
    return Activity(
        id=wire.id,
        kind=kind,
        direction=direction,
        occurred_at=at or wire.created,
        updated_at=max(wire.modified, message.modified) if message else wire.modified,
        lead_id=wire.who if wire.who and wire.who.startswith(_PEOPLE) else None,
        deal_id=wire.what if wire.what and wire.what.startswith(_OPPORTUNITY) else None,
        owner_id=_owner(wire.owner),
    )


def _owner(id_: str | None) -> str | None:
    """A queue owns what nobody has taken yet."""
    return id_ if id_ and id_.startswith(_USER) else None


def _status(wire: WireOpportunity, stages: Mapping[str, Stage]) -> Literal["open", "won", "lost"]:
    """As its stage is defined today; the opportunity's own flags where nobody knows its stage any more."""
    stage = stages.get(wire.stage)
    closed, won = (stage.closed, stage.won) if stage else (wire.closed, wire.won)
    return "won" if won else "lost" if closed else "open"


def _closed(wire: WireOpportunity) -> datetime:
    """Salesforce knows the day only, by the calendar of who closed it; what was made that day ended after that."""
    day = datetime.combine(wire.closes, time(), UTC)
    return max(day, wire.created) if wire.created - day < timedelta(hours=36) else day


def _amount(wire: WireOpportunity, home_currency: str | None) -> Money | None:
    if wire.amount is None:
        return None
    currency = wire.currency or home_currency
    if currency is None:
        raise BadAnswerError(
            f"Salesforce Opportunity {wire.id} has an amount without a currency;"
            " let the app's user read the field CurrencyIsoCode."
        )
    return Money.of(wire.amount, currency, str(wire.amount))
