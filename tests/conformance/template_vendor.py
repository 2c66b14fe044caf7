"""Pocket, the CRM that does not exist, for the conformance suite: it keeps docs/add_your_crm.md true."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal

from holdwater.crm.client import Client
from holdwater.crm.credentials import Token
from holdwater.crm.records import Deal, Lead, Money, Record
from holdwater.crm.template import Pocket
from holdwater.sandbox import Business, Sandbox, template
from holdwater.sandbox.server import serving


@contextmanager
def serve(business: Business) -> Iterator[Sandbox]:
    with serving(business, "pocket-token", template.Pocket(business, token="pocket-token")) as sandbox:
        yield sandbox


def connect(sandbox: Sandbox) -> Pocket:
    return Pocket(Client(sandbox.url, Token(sandbox.token, "the sandbox")))  # without the pacing of a real account


def expected(business: Business) -> Mapping[str, Sequence[Record]]:
    """What the store must hold, from the simulator alone: not a line of the connector is used."""
    return {
        "leads": [
            Lead(
                id=one.id,
                created_at=one.created,
                updated_at=one.modified,
                source=one.source and one.source.lower(),
                source_raw=one.source,
            )
            for one in business.contacts.values()
            if not one.archived
        ],
        "deals": [
            Deal(
                id=one.id,
                status=one.status,
                created_at=one.created,
                updated_at=one.modified,
                lead_id=one.contact_id,
                closed_at=one.closed,
                amount=Money.of(Decimal(one.amount), one.currency, one.amount),
                lost_reason=one.lost_reason and one.lost_reason.lower().replace(" ", "_"),
                lost_reason_raw=one.lost_reason,
            )
            for one in business.deals.values()
            if not one.archived
        ],
    }


TEMPLATE = ("pocket", serve, connect, expected)
