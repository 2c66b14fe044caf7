"""Odoo for the conformance suite.

The simulator's contacts are inquiries and its deals opportunities, both records of one kind; an inquiry has an even
number, an opportunity an odd one. All of one partner have the first of them for a lead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from happenings import Happenings

from holdwater.crm import odoo
from holdwater.crm.credentials import Token
from holdwater.crm.records import Deal, Lead, Money, Owner, Record, Stage, StageEvent
from holdwater.sandbox import Business, Contact, Sandbox
from holdwater.sandbox.odoo import serve_odoo

STAGES = {"qualifiedtobuy": "1", "contractsent": "2", "closedwon": "4"}
KEY = "c2b6d1a0f4e98d7c5b3a291807f6e5d4c3b2a190"


def serve(business: Business) -> AbstractContextManager[Sandbox]:
    return serve_odoo(business, token=KEY)


def connect(sandbox: Sandbox) -> odoo.Odoo:
    """Pages of 100, so that there are several of everything."""
    return odoo.connect(f"{sandbox.url}/simulated", Token(sandbox.token, "the sandbox"), at_once=100)


@dataclass(frozen=True, kw_only=True)
class Opportunity:
    """One record of `crm.lead`, an inquiry if nothing else is said."""

    number: int
    partner: str | None
    created: datetime
    modified: datetime
    owner: str
    source: str | None
    status: str = "open"
    closed: datetime | None = None
    amount: Money | None = None
    reason: str | None = None
    stages: Sequence[tuple[datetime, str]] = field(default=())


def expected(business: Business) -> Mapping[str, Sequence[Record]]:
    records = [*_inquiries(business), *_opportunities(business)]
    lead: dict[str | None, int] = {}
    for one in sorted(records, key=lambda one: one.number):
        lead.setdefault(one.partner, one.number)
    lead_of = {one.number: lead[one.partner] if one.partner else one.number for one in records}
    return {
        "owners": [Owner(id=one.id, updated_at=second(one.modified), archived=one.archived) for one in business.owners],
        "stages": [
            Stage(
                id=STAGES[stage.id],
                pipeline_id="crm.lead",
                label=stage.label,
                position=stage.position,
                closed=stage.status == "won",
                won=stage.status == "won",
                updated_at=second(stage.modified),
            )
            for stage in business.stages
            if stage.id in STAGES
        ],
        "leads": [
            Lead(
                id=str(one.number),
                created_at=second(one.created),
                updated_at=second(one.modified),
                source=one.source and one.source.lower(),
                source_raw=one.source,
                owner_id=one.owner,
            )
            for one in records
            if lead_of[one.number] == one.number
        ],
        "deals": [
            Deal(
                id=str(one.number),
                status=one.status,  # type: ignore[arg-type]  # the simulator's are the same three
                created_at=second(one.created),
                updated_at=second(one.modified),
                lead_id=str(lead_of[one.number]),
                closed_at=one.closed and second(one.closed),
                amount=one.amount,
                pipeline_id="crm.lead",
                stage_id=one.stages[-1][1],
                owner_id=one.owner,
                lost_reason=one.reason and one.reason.lower().replace(" ", "_"),
                lost_reason_raw=one.reason,
            )
            for one in records
        ],
        "stage_events": [
            StageEvent(
                id=f"{one.number}:{at.isoformat()}:{stage}",
                deal_id=str(one.number),
                stage_id=stage,
                entered_at=at,
                updated_at=at,
                pipeline_id="crm.lead",
            )
            for one in records
            for at, stage in one.stages
        ],
    }


def _inquiries(business: Business) -> Iterator[Opportunity]:
    """One merged away is still there if it was a partner; one archived counts no more."""
    merged = {id_: one for one in business.contacts.values() for id_ in one.merged}
    for one in business.contacts.values():
        stays = merged.get(one.id)
        if (stays and one.lifecycle == "lead") or (one.archived and not stays):
            continue
        yield Opportunity(
            number=2 * int(one.id),
            partner=_partner(business, stays or one),
            created=one.created,
            modified=one.modified,
            owner=one.owner_id,
            source=one.source,
            stages=[(second(one.created), "1")],
        )


def _partner(business: Business, contact: Contact) -> str | None:
    same = [contact, *(business.contacts[id_] for id_ in contact.merged)]
    return contact.id if any(one.lifecycle != "lead" for one in same) else None


def _opportunities(business: Business) -> Iterator[Opportunity]:
    for one in business.deals.values():
        if not one.archived:
            yield Opportunity(
                number=2 * int(one.id) + 1,
                partner=one.contact_id,
                created=one.created,
                modified=one.modified,
                owner=one.owner_id,
                source=one.source,
                status=one.status,
                closed=one.closed,
                amount=Money.of(Decimal(one.amount), one.currency, str(float(one.amount))),
                reason=one.lost_reason,
                stages=[(second(at), STAGES[stage]) for at, stage in one.stage_history if stage in STAGES],
            )


def second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


def delete(business: Business) -> int:
    """An opportunity is deleted. Two inquiries are archived: one of nobody, and the first of a partner, whose
    opportunity is the lead from then on."""
    won = [deal for deal in business.deals.values() if deal.status == "won"]
    business.archive_deal(won[0].id)
    business.archive_contact(next(one.id for one in business.contacts.values() if one.lifecycle == "lead"))
    assert won[1].contact_id is not None
    business.archive_contact(won[1].contact_id)
    return 1 + 2 + 2


def vanish(business: Business) -> int:
    """Opportunities, and inquiries of nobody."""
    for deal_id in list(business.deals)[:7]:
        del business.deals[deal_id]
    for deals in business.deals_of.values():
        deals[:] = [deal_id for deal_id in deals if deal_id in business.deals]
    for contact in [one for one in business.contacts.values() if one.lifecycle == "lead"][:3]:
        del business.contacts[contact.id]
    return 7 + 3 * 2


ODOO = ("odoo", serve, connect, expected, Happenings(delete, vanish))
