"""How HubSpot's objects become canonical records."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Literal

from holdwater.crm.connector import Gone
from holdwater.crm.hubspot_objects import CALLS, EMAILS, MEETINGS, MESSAGES, ObjectType
from holdwater.crm.hubspot_wire import Associated, PastValue, WireActivity, WireContact, WireDeal, WireOwner, WireStage
from holdwater.crm.records import Activity, Consent, Deal, Lead, Money, Owner, Stage, StageEvent, source_name
from holdwater.errors import BadAnswerError

# What an association to a deal's main contact is called: its label in batch answers, its type in lists.
_PRIMARY = {"primary", "primary_contact", "deal_to_primary_contact"}


def to_owner(wire: WireOwner) -> Owner:
    return Owner(id=wire.id, updated_at=wire.updated_at, archived=wire.archived)


def to_stage(stage: WireStage, pipeline_id: str) -> Stage:
    probability, flag = stage.metadata.probability, stage.metadata.is_closed
    # Without isClosed, a stage is closed when nothing is left to chance.
    closed = flag == "true" if flag else probability in (0, 1)
    return Stage(
        id=stage.id,
        pipeline_id=pipeline_id,
        label=stage.label,
        position=stage.display_order,
        closed=closed,
        won=closed and probability == 1,
        updated_at=stage.updated_at,
    )


def to_lead(wire: WireContact, person: str | None) -> Lead:
    properties = wire.properties
    return Lead(
        id=wire.id,
        created_at=properties.createdate or wire.created_at,
        updated_at=properties.lastmodifieddate or wire.updated_at,
        source=source_name(properties.hs_analytics_source),
        source_raw=properties.hs_analytics_source,
        owner_id=properties.hubspot_owner_id,
        person=person,
    )


def to_consent(wire: WireContact) -> Consent:
    """Whoever has not opted out need not have opted in: that takes a legal basis that says so."""
    basis = wire.properties.hs_legal_basis
    given = basis is not None and "consent" in basis.casefold()  # of several reasons, joined by semicolons
    opted_out = wire.properties.hs_email_optout == "true"
    return Consent(
        id=consent_id(wire.id),
        lead_id=wire.id,
        channel="email",
        status="opted_out" if opted_out else "opted_in" if given else "unknown",
        updated_at=wire.properties.lastmodifieddate or wire.updated_at,
        legal_basis=basis,
    )


def consent_id(contact_id: str) -> str:
    return f"{contact_id}:email"


def to_deal(wire: WireDeal, contacts: Sequence[Associated], stages: Mapping[str, Stage], home_currency: str) -> Deal:
    """`contacts`: all of the deal's. `home_currency`: the account's own, which HubSpot leaves out of its deals."""
    properties = wire.properties
    status = _status(wire, stages)
    return Deal(
        id=wire.id,
        status=status,
        created_at=properties.createdate or wire.created_at,
        updated_at=properties.hs_lastmodifieddate or wire.updated_at,
        lead_id=lead_of(contacts),
        # An open deal's close date is a hope, not an event.
        closed_at=None if status == "open" else properties.closedate,
        amount=_amount(wire, home_currency),
        pipeline_id=properties.pipeline,
        stage_id=properties.dealstage,
        owner_id=properties.hubspot_owner_id,
        lost_reason=source_name(properties.closed_lost_reason),
        lost_reason_raw=properties.closed_lost_reason,
    )


def to_stage_event(deal_id: str, past: PastValue, stages: Mapping[str, Stage]) -> StageEvent | None:
    """None where the deal was taken out of its stage and put into no other."""
    if past.value is None:
        return None
    stage = stages.get(past.value)
    return StageEvent(
        id=f"{deal_id}:{past.timestamp.isoformat(timespec='milliseconds')}:{past.value}",
        deal_id=deal_id,
        stage_id=past.value,
        entered_at=past.timestamp,
        updated_at=past.timestamp,
        pipeline_id=stage.pipeline_id if stage else None,
    )


_KINDS: Mapping[str, Literal["call", "email", "meeting", "message"]] = {
    CALLS.name: "call",
    EMAILS.name: "email",
    MEETINGS.name: "meeting",
    MESSAGES.name: "message",
}
# Of meetings and messages HubSpot does not say who approached whom; a forwarded e-mail may be either's.
_DIRECTIONS: Mapping[str | None, Literal["in", "out"]] = {
    "INBOUND": "in",
    "OUTBOUND": "out",
    "INCOMING_EMAIL": "in",
    "EMAIL": "out",
}


def activity_id(kind: ObjectType, id_: str) -> str:
    """HubSpot numbers each type on its own."""
    return f"{kind.name}:{id_}"


def to_activity(kind: ObjectType, wire: WireActivity, contacts: Sequence[Associated]) -> Activity:
    properties = wire.properties
    return Activity(
        id=activity_id(kind, wire.id),
        kind=_KINDS[kind.name],
        direction=_DIRECTIONS.get(properties.hs_call_direction or properties.hs_email_direction),
        occurred_at=properties.hs_timestamp,
        updated_at=properties.hs_lastmodifieddate or wire.updated_at,
        lead_id=lead_of(contacts),
        owner_id=properties.hubspot_owner_id,
    )


def merged_into(wire: WireContact | WireDeal) -> list[Gone]:
    """The objects that were found to be the same as this one."""
    return [Gone(id_, "merged", into=wire.id) for id_ in wire.properties.hs_merged_object_ids if id_ != wire.id]


def lead_of(contacts: Sequence[Associated]) -> str | None:
    """The contact called primary, else the one with the smallest number: the first one HubSpot knew."""
    if len(contacts) == 1:
        return contacts[0].id
    first = min(contacts, key=lambda contact: (not _is_primary(contact), int(contact.id)), default=None)
    return first.id if first else None


def _is_primary(contact: Associated) -> bool:
    names = [contact.type, *(kind.label for kind in contact.types)]
    return any(source_name(name) in _PRIMARY for name in names)


def _status(wire: WireDeal, stages: Mapping[str, Stage]) -> Literal["open", "won", "lost"]:
    """From the deal's own two flags; where they leave it undecided, from its stage's."""
    won, closed = wire.properties.hs_is_closed_won, wire.properties.hs_is_closed
    if won == "true":
        return "won"
    if closed == "false":
        return "open"
    if closed == "true" and won == "false":
        return "lost"
    stage = stages.get(wire.properties.dealstage or "")
    if stage is None:
        raise BadAnswerError(
            f"HubSpot deal {wire.id}: hs_is_closed and hs_is_closed_won leave open how it stands, and its dealstage is"
            " in no pipeline; give the deal a stage in HubSpot."
        )
    if won is None and stage.won:
        return "won"
    return "lost" if closed == "true" or stage.closed else "open"


def _amount(wire: WireDeal, home_currency: str) -> Money | None:
    text = wire.properties.amount
    if text is None:
        return None
    # Decimal itself would also take underscores, and the digits of every script.
    amount = Decimal(text if re.fullmatch(r"[+-]?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?", text) else "NaN")
    if not amount.is_finite() or amount.adjusted() > 14:  # the store's integers end not far beyond, in minor units
        raise BadAnswerError(f"HubSpot deal {wire.id}: its amount is not a usable number; mend the amount in HubSpot.")
    return Money.of(amount, wire.properties.deal_currency_code or home_currency, text)
