"""HubSpot for the conformance suite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Literal

from holdwater.crm.client import Client
from holdwater.crm.credentials import Token
from holdwater.crm.hubspot import HubSpot
from holdwater.crm.pacing import Pacing
from holdwater.crm.records import Activity, Consent, Deal, Lead, Money, Owner, Record, Stage, StageEvent
from holdwater.sandbox import Business, Contact, Sandbox, serve


def connect(sandbox: Sandbox) -> HubSpot:
    return HubSpot(Client(sandbox.url, Token(sandbox.token, "the sandbox")), searches=Pacing(10_000, 1.0))


def expected(business: Business) -> Mapping[str, Sequence[Record]]:
    contacts = [contact for contact in business.contacts.values() if not contact.archived]
    return {
        "owners": [Owner(id=one.id, updated_at=one.modified, archived=one.archived) for one in business.owners],
        "stages": [
            Stage(
                id=stage.id,
                pipeline_id="default",
                label=stage.label,
                position=stage.position,
                closed=stage.status != "open",
                won=stage.status == "won",
                updated_at=stage.modified,
            )
            for stage in business.stages
        ],
        "leads": [
            Lead(
                id=contact.id,
                created_at=contact.created,
                updated_at=contact.modified,
                source=contact.source and contact.source.lower(),
                source_raw=contact.source,
                owner_id=contact.owner_id,
            )
            for contact in contacts
        ],
        "consents": [
            Consent(
                id=f"{contact.id}:email",
                lead_id=contact.id,
                channel="email",
                status=_status(contact),
                updated_at=contact.modified,
                legal_basis=_BASES[contact.legal_basis],
            )
            for contact in contacts
        ],
        "deals": [
            Deal(
                id=deal.id,
                status=deal.status,
                created_at=deal.created,
                updated_at=deal.modified,
                lead_id=deal.contact_id,
                closed_at=deal.closed,
                amount=Money.of(Decimal(deal.amount), deal.currency, deal.amount),
                pipeline_id=deal.pipeline_id,
                stage_id=deal.stage_id,
                owner_id=deal.owner_id,
                lost_reason=deal.lost_reason and deal.lost_reason.lower().replace(" ", "_"),
                lost_reason_raw=deal.lost_reason,
            )
            for deal in business.deals.values()
            if not deal.archived
        ],
        "stage_events": [
            StageEvent(
                id=f"{deal.id}:{entered.strftime('%Y-%m-%dT%H:%M:%S')}.{entered.microsecond // 1000:03}+00:00:{stage}",
                deal_id=deal.id,
                stage_id=stage,
                entered_at=entered,
                updated_at=entered,
                pipeline_id="default",
            )
            for deal in business.deals.values()
            if not deal.archived
            for entered, stage in deal.stage_history
        ],
        "activities": [
            Activity(
                id=f"{activity.kind}s:{activity.id}",
                kind=activity.kind,
                direction=activity.direction,
                occurred_at=activity.at,
                updated_at=activity.modified,
                lead_id=activity.contact_id,
                owner_id=activity.owner_id,
            )
            for activity in business.activities.values()
        ],
    }


_BASES = {
    None: None,
    "consent": "Freely given consent from contact",
    "legitimate_interest": "Legitimate interest – prospect/lead",  # noqa: RUF001 -- HubSpot's own dash
}


def _status(contact: Contact) -> Literal["opted_in", "opted_out", "unknown"]:
    if contact.opted_out:
        return "opted_out"
    return "opted_in" if contact.legal_basis == "consent" else "unknown"


HUBSPOT = ("hubspot", serve, connect, expected)
