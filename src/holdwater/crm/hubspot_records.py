"""How HubSpot's objects become canonical records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Literal

from holdwater.crm.connector import Gone
from holdwater.crm.hubspot_wire import Associated, WireContact, WireDeal, WireOwner, WirePipeline
from holdwater.crm.records import Deal, Lead, Money, Owner, Stage, source_name
from holdwater.errors import BadAnswerError

# What an association to a deal's main contact is called: its label in batch answers, its type in lists.
_PRIMARY = {"primary", "primary_contact", "deal_to_primary_contact"}


def to_owner(wire: WireOwner) -> Owner:
    return Owner(id=wire.id, updated_at=wire.updated_at, archived=wire.archived)


def to_stages(pipeline: WirePipeline) -> list[Stage]:
    found = []
    for stage in pipeline.stages:
        probability, flag = stage.metadata.probability, stage.metadata.is_closed
        # Without isClosed, a stage is closed when nothing is left to chance.
        closed = flag == "true" if flag else probability in (0, 1)
        found.append(
            Stage(
                id=stage.id,
                pipeline_id=pipeline.id,
                label=stage.label,
                position=stage.display_order,
                closed=closed,
                won=closed and probability == 1,
                updated_at=stage.updated_at,
            )
        )
    return found


def to_lead(wire: WireContact) -> Lead:
    properties = wire.properties
    return Lead(
        id=wire.id,
        created_at=properties.createdate or wire.created_at,
        updated_at=properties.lastmodifieddate or wire.updated_at,
        source=source_name(properties.hs_analytics_source),
        source_raw=properties.hs_analytics_source,
        owner_id=properties.hubspot_owner_id,
    )


def to_deal(wire: WireDeal, contacts: Iterable[Associated], stages: Mapping[str, Stage], home_currency: str) -> Deal:
    """`contacts`: all of the deal's. `home_currency`: the account's own, which HubSpot leaves out of its deals."""
    properties = wire.properties
    status = _status(wire, stages)
    return Deal(
        id=wire.id,
        status=status,
        created_at=properties.createdate or wire.created_at,
        updated_at=properties.hs_lastmodifieddate or wire.updated_at,
        lead_id=_lead_of(contacts),
        # An open deal's close date is a hope, not an event.
        closed_at=None if status == "open" else properties.closedate,
        amount=_amount(wire, home_currency),
        pipeline_id=properties.pipeline,
        stage_id=properties.dealstage,
        owner_id=properties.hubspot_owner_id,
        lost_reason=source_name(properties.closed_lost_reason),
        lost_reason_raw=properties.closed_lost_reason,
    )


def merged_into(wire: WireContact | WireDeal) -> list[Gone]:
    """The objects that were found to be the same as this one."""
    return [Gone(id_, "merged", into=wire.id) for id_ in wire.properties.hs_merged_object_ids if id_ != wire.id]


def _lead_of(contacts: Iterable[Associated]) -> str | None:
    """The contact called primary, else the one with the smallest number: the first one HubSpot knew."""
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
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or amount.adjusted() > 14:  # the store's integers end not far beyond, in minor units
        raise BadAnswerError(f"HubSpot deal {wire.id}: its amount is not a usable number; mend the amount in HubSpot.")
    return Money.of(amount, wire.properties.deal_currency_code or home_currency, text)
