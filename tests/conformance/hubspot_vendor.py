"""HubSpot for the conformance suite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from holdwater.crm.client import Client
from holdwater.crm.credentials import Token
from holdwater.crm.hubspot import HubSpot
from holdwater.crm.records import Deal, Lead, Money, Record
from holdwater.sandbox import Business, Sandbox, serve


def connect(sandbox: Sandbox) -> HubSpot:
    return HubSpot(Client(sandbox.url, Token(sandbox.token, "the sandbox")))


def expected(business: Business) -> Mapping[str, Sequence[Record]]:
    leads = [
        Lead(
            id=contact.id,
            created_at=contact.created,
            updated_at=contact.modified,
            source=contact.source and contact.source.lower(),
            source_raw=contact.source,
            owner_id=contact.owner_id,
        )
        for contact in business.contacts.values()
        if not contact.archived
    ]
    deals = [
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
    ]
    return {"leads": leads, "deals": deals}


HUBSPOT = ("hubspot", serve, connect, expected)
