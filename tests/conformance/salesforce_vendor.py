"""Salesforce for the conformance suite, over TLS with a certificate made for the run."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, time
from decimal import Decimal

import httpx
import trustme

from holdwater.crm import salesforce
from holdwater.crm.credentials import Token
from holdwater.crm.records import Activity, Consent, Deal, Lead, Money, Owner, Record, Stage, StageEvent
from holdwater.sandbox import Business, Contact, Sandbox
from holdwater.sandbox.salesforce import CONSUMER_KEY, Salesforce
from holdwater.sandbox.server import serving

_SECRET = "simulated-consumer-secret"


@contextmanager
def serve(business: Business) -> Iterator[Sandbox]:
    authority = trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    with serving(business, _SECRET, Salesforce(business, secret=_SECRET), tls=tls) as sandbox:
        sandbox.authority = authority.cert_pem.bytes().decode()
        yield sandbox


def connect(sandbox: Sandbox) -> salesforce.Salesforce:
    """With the smallest pages that Salesforce sends, so that everything has several."""
    return salesforce.connect(sandbox.url, token(sandbox), transport=trusting(sandbox), at_once=200)


def token(sandbox: Sandbox) -> Token:
    return Token(f"{CONSUMER_KEY}:{sandbox.token}", "the sandbox")


def trusting(sandbox: Sandbox) -> httpx.HTTPTransport:
    return httpx.HTTPTransport(verify=ssl.create_default_context(cadata=sandbox.authority))


def expected(business: Business) -> Mapping[str, Sequence[Record]]:
    people = [contact for contact in business.contacts.values() if not contact.archived]
    names = {contact.id: _person(business, contact) for contact in business.contacts.values()}
    deals = [deal for deal in business.deals.values() if not deal.archived]
    return {
        "owners": [
            Owner(id=f"005{int(one.id):012}AAA", updated_at=_second(one.modified), archived=one.archived)
            for one in business.owners
        ],
        "stages": [
            Stage(
                id=stage.id,
                pipeline_id="Opportunity",
                label=stage.label,
                position=place,
                closed=stage.status != "open",
                won=stage.status == "won",
                updated_at=_second(stage.modified),
            )
            for place, stage in enumerate(business.stages, 1)
        ],
        "leads": [
            Lead(
                id=names[contact.id],
                created_at=min(_second(one.created) for one in _same(business, contact)),
                updated_at=max(_second(one.modified) for one in _same(business, contact)),
                source=contact.source and contact.source.lower(),
                source_raw=contact.source,
                owner_id=f"005{int(contact.owner_id):012}AAA",
            )
            for contact in people
        ],
        "consents": [
            Consent(
                id=f"{names[contact.id]}:email",
                lead_id=names[contact.id],
                channel="email",
                status="opted_out" if contact.opted_out else "unknown",
                updated_at=_second(contact.modified),
            )
            for contact in people
        ],
        "deals": [
            Deal(
                id=f"006{int(deal.id):012}AAA",
                status=deal.status,
                created_at=_second(deal.created),
                updated_at=_second(deal.modified),
                lead_id=names[deal.contact_id] if deal.contact_id else None,
                closed_at=_day(deal.closed, deal.created) if deal.closed else None,
                amount=Money.of(Decimal(deal.amount), deal.currency, str(float(deal.amount))),
                pipeline_id="Opportunity",
                stage_id=deal.stage_id,
                owner_id=f"005{int(deal.owner_id):012}AAA",
                lost_reason=deal.lost_reason and deal.lost_reason.lower().replace(" ", "_"),
                lost_reason_raw=deal.lost_reason,
            )
            for deal in deals
        ],
        "stage_events": [
            StageEvent(
                id=f"008{int(deal.id) * 100 + place:012}AAA",
                deal_id=f"006{int(deal.id):012}AAA",
                stage_id=stage,
                entered_at=_second(entered),
                updated_at=_second(entered),
                pipeline_id="Opportunity",
            )
            for deal in deals
            for place, (entered, stage) in enumerate(deal.stage_history)
        ],
        "activities": [
            Activity(
                id=f"00T{int(activity.id):012}EAA",
                kind=activity.kind,
                direction=activity.direction,
                occurred_at=_second(activity.at),
                updated_at=_second(activity.modified),
                lead_id=names[activity.contact_id],
                owner_id=f"005{int(activity.owner_id):012}AAA",
            )
            for activity in business.activities.values()
        ],
    }


def _converted(business: Business, contact: Contact) -> bool:
    return contact.lifecycle != "lead" or bool(business.deals_of.get(contact.id))


def _person(business: Business, contact: Contact) -> str:
    """Whoever got a deal is a contact, everybody else a lead."""
    return f"003{int(contact.id):012}AAA" if _converted(business, contact) else f"00Q{int(contact.id):012}EAA"


def _same(business: Business, contact: Contact) -> list[Contact]:
    """All records of one person whose leads Salesforce still has: those of what was merged as leads are gone."""
    merged = contact.merged if _converted(business, contact) else ()
    return [contact, *(business.contacts[one] for one in merged)]


def _second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


def _day(closed: datetime, created: datetime) -> datetime:
    """The day alone is known, and that it did not end before it began."""
    day = datetime.combine(closed.date(), time(), UTC)
    return max(day, _second(created)) if created.date() == closed.date() else day


SALESFORCE = ("salesforce", serve, connect, expected)
