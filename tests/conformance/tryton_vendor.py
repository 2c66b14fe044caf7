"""Tryton for the conformance suite."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from happenings import Happenings

from holdwater.crm.client import Client
from holdwater.crm.credentials import Token
from holdwater.crm.records import Deal, Lead, Money, Owner, Record, Stage, StageEvent
from holdwater.crm.tryton import Tryton
from holdwater.crm.tryton_session import SESSION, Door
from holdwater.sandbox import Business, Sandbox
from holdwater.sandbox import Deal as SandboxDeal
from holdwater.sandbox import tryton as dialect
from holdwater.sandbox.server import serving

LOGIN, PASSWORD = "reader", "only-for-the-sandbox"
PIPELINE = "sale.opportunity"
STATES = {"qualifiedtobuy": "lead", "contractsent": "opportunity", "closedwon": "won", "closedlost": "lost"}


@contextmanager
def serve(business: Business) -> Iterator[Sandbox]:
    with serving(business, PASSWORD, dialect.Tryton(business, login=LOGIN, password=PASSWORD)) as sandbox:
        yield sandbox


def connect(sandbox: Sandbox, at_once: int = 50) -> Tryton:
    """Pages of 50, so that there are several of everything."""
    door = Door(sandbox.url, dialect.DATABASE, Token(f"{LOGIN}:{sandbox.token}", "the sandbox"))

    def enter() -> Client:
        return Client(sandbox.url, door.session(), manners=SESSION, renew=door.session)

    return Tryton(door, enter, at_once=at_once)


def expected(business: Business) -> Mapping[str, Sequence[Record]]:
    deals = [deal for deal in business.deals.values() if not deal.archived]
    first: dict[str, SandboxDeal] = {}
    for deal in deals:
        first.setdefault(deal.contact_id or deal.id, deal)
    return {
        "owners": [Owner(id=one.id, updated_at=one.modified, archived=one.archived) for one in business.owners],
        "stages": [
            Stage(
                id=state,
                pipeline_id=PIPELINE,
                label=state.title(),
                position=place,
                closed=state in ("won", "lost", "cancelled"),
                won=state == "won",
                updated_at=datetime(1970, 1, 1, tzinfo=UTC),
            )
            for place, state in enumerate(("lead", "opportunity", "converted", "won", "lost", "cancelled"))
        ],
        "leads": [
            Lead(
                id=number(deal),
                created_at=deal.created,
                updated_at=changed(deal, business),
                owner_id=deal.owner_id,
            )
            for deal in first.values()
        ],
        "deals": [
            Deal(
                id=number(deal),
                status=deal.status,
                created_at=deal.created,
                updated_at=changed(deal, business),
                lead_id=number(first[deal.contact_id or deal.id]),
                closed_at=deal.closed,
                amount=Money.of(Decimal(deal.amount), deal.currency, deal.amount),
                pipeline_id=PIPELINE,
                stage_id=STATES[deal.stage_id],
                owner_id=deal.owner_id,
                lost_reason=deal.lost_reason and deal.lost_reason.lower().replace(" ", "_"),
                lost_reason_raw=deal.lost_reason,
            )
            for deal in deals
        ],
        "stage_events": [
            StageEvent(
                id=f"{number(deal)}:{entered.isoformat()}:{STATES[stage]}",
                deal_id=number(deal),
                stage_id=STATES[stage],
                entered_at=entered,
                updated_at=entered,
                pipeline_id=PIPELINE,
            )
            for deal in deals
            for entered, stage in deal.stage_history
        ],
    }


def number(deal: SandboxDeal) -> str:
    return str(int(deal.id) - 7000)


def changed(deal: SandboxDeal, business: Business) -> datetime:
    """To Tryton, an opportunity has not changed when its party is merged into another."""
    merged = business.contacts[deal.contact_id].merged if deal.contact_id else ()
    if deal.modified in [business.contacts[id_].archived for id_ in merged]:
        return deal.stage_history[-1][0]
    return deal.modified


def delete(business: Business) -> int:
    """The first of a contact with two, so that the second becomes the lead, and the only one of another."""
    won, lost = (next(one for one in business.deals.values() if one.status == how) for how in ("won", "lost"))
    business.open_deal(won.contact_id)
    for deal in (won, lost):
        business.archive_deal(deal.id)
    return 4


def vanish(business: Business) -> int:
    """A lead goes with each deal."""
    for deal_id in list(business.deals)[:7]:
        del business.deals[deal_id]
    return 14


def change(business: Business, number: int) -> None:
    deal_id = list(business.deals)[number]
    business.deals[deal_id] = replace(business.deals[deal_id], modified=business.now, amount="99.00")


HAPPENINGS = Happenings(delete=delete, vanish=vanish, change=change)
MOMENTS = {
    "owners": ["updated_at"],
    "leads": ["created_at", "updated_at"],
    "deals": ["created_at", "updated_at", "closed_at"],
    "stage_events": ["entered_at", "updated_at"],
}
# A moment is an object of seven parts, and who was first is told by the parties of all.
COMPUTED = frozenset((stream, column) for stream, columns in MOMENTS.items() for column in columns)
COMPUTED |= {("deals", "lead_id")}
TRYTON = ("tryton", serve, connect, expected, HAPPENINGS, COMPUTED)
