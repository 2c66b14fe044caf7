"""Pipedrive for the conformance suite."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal

from holdwater.crm.client import Client
from holdwater.crm.credentials import Token
from holdwater.crm.pipedrive import MANNERS, Pipedrive
from holdwater.crm.records import Activity, Consent, Deal, Lead, Money, Owner, Record, Stage, StageEvent
from holdwater.sandbox import Business, Contact, Sandbox
from holdwater.sandbox import Deal as SandboxDeal
from holdwater.sandbox.pipedrive import Pipedrive as Dialect
from holdwater.sandbox.server import serving

STAGES = {"qualifiedtobuy": "1", "contractsent": "2"}
TOKEN = "5a5bbf28d9b3ac4b0cdd9c4e1d0c4f0e8f6c4a11"


@contextmanager
def serve(business: Business) -> Iterator[Sandbox]:
    with serving(business, TOKEN, Dialect(business, token=TOKEN)) as sandbox:
        yield sandbox


def connect(sandbox: Sandbox) -> Pipedrive:
    """Pages of 50, so that there are several of everything."""
    return Pipedrive(Client(sandbox.url, Token(sandbox.token, "the sandbox"), manners=MANNERS), at_once=50)


def expected(business: Business) -> Mapping[str, Sequence[Record]]:
    contacts = [contact for contact in business.contacts.values() if not contact.archived]
    deals = [deal for deal in business.deals.values() if not deal.archived]
    return {
        "owners": [Owner(id=one.id, updated_at=second(one.modified), archived=one.archived) for one in business.owners],
        "stages": [
            Stage(
                id=STAGES[stage.id],
                pipeline_id="1",
                label=stage.label,
                position=stage.position,
                closed=False,
                won=False,
                updated_at=second(stage.modified),
            )
            for stage in business.stages
            if stage.id in STAGES
        ],
        "leads": [
            Lead(
                id=contact.id,
                created_at=second(contact.created),
                updated_at=second(contact.modified),
                source=(source := source_of(contact, business)) and source.lower(),
                source_raw=source,
                owner_id=contact.owner_id,
            )
            for contact in contacts
        ],
        "consents": [
            Consent(
                id=f"{contact.id}:email",
                lead_id=contact.id,
                channel="email",
                status="opted_out"
                if contact.opted_out
                else "opted_in"
                if contact.legal_basis == "consent"
                else "unknown",
                updated_at=second(contact.modified),
            )
            for contact in contacts
        ],
        "deals": [
            Deal(
                id=deal.id,
                status=deal.status,
                created_at=second(deal.created),
                updated_at=second(deal.modified),
                lead_id=deal.contact_id,
                closed_at=deal.closed and second(deal.closed),
                amount=Money.of(Decimal(deal.amount), deal.currency, deal.amount.rstrip("0").rstrip(".")),
                pipeline_id="1",
                stage_id=stages_of(deal)[-1][1],
                owner_id=deal.owner_id,
                lost_reason=deal.lost_reason and deal.lost_reason.lower().replace(" ", "_"),
                lost_reason_raw=deal.lost_reason,
            )
            for deal in deals
        ],
        "stage_events": [
            StageEvent(
                id=f"{deal.id}:{entered.strftime('%Y-%m-%dT%H:%M:%S')}+00:00:{stage}",
                deal_id=deal.id,
                stage_id=stage,
                entered_at=entered,
                updated_at=entered,
                pipeline_id="1",
            )
            for deal in deals
            for entered, stage in stages_of(deal)
        ],
        "activities": [
            Activity(
                id=activity.id,
                kind=activity.kind,
                direction="out",
                occurred_at=second(activity.at),
                updated_at=second(activity.modified),
                lead_id=activity.contact_id,
                owner_id=activity.owner_id,
            )
            for activity in business.activities.values()
            if activity.direction == "out"
        ],
    }


def second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


def stages_of(deal: SandboxDeal) -> list[tuple[datetime, str]]:
    """Won and lost are none."""
    return [(second(at), STAGES[stage]) for at, stage in deal.stage_history if stage in STAGES]


def source_of(contact: Contact, business: Business) -> str | None:
    """That of the first deal, or of the lead in the inbox; with a deleted deal its source is gone too."""
    ids = business.deals_of.get(contact.id, [])
    if not ids:
        return contact.source
    deals = [business.deals[id_] for id_ in ids if not business.deals[id_].archived]
    first = min(deals, key=lambda deal: (second(deal.created), int(deal.id)), default=None)
    return first.source if first else None


PIPEDRIVE = ("pipedrive", serve, connect, expected)
