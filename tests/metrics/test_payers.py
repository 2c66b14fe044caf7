"""Which lead a customer of a billing was: one case after another, and a whole business in a CRM and in a billing."""

from __future__ import annotations

import math
import random
from contextlib import closing
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pytest
from payers_by_hand import Key, leads_of_payers

from holdwater.crm.client import Client
from holdwater.crm.connector import Page
from holdwater.crm.credentials import Token
from holdwater.crm.hubspot import HubSpot
from holdwater.crm.persons import VARIABLE, person_key
from holdwater.crm.records import Customer, Deal, Lead, Record, source_name
from holdwater.crm.stripe import Stripe
from holdwater.metrics import funnel
from holdwater.metrics.engine import IN_MEMORY, Embedded, Engine
from holdwater.metrics.figures import Report
from holdwater.metrics.local import Local
from holdwater.metrics.records import leads_behind
from holdwater.metrics.reporting import report
from holdwater.sandbox import Business, serve, simulate
from holdwater.sandbox.stripe import serve_stripe
from holdwater.store.database import Store
from holdwater.store.sync import sync

START = datetime(2026, 1, 1, tzinfo=UTC)
AS_OF, KNOWN = START + timedelta(days=100), START + timedelta(days=200)
ADA, BOB = "1f", "2e"


def on(day: float) -> datetime:
    return START + timedelta(days=day)


def lead(id: str, day: float, person: str | None = ADA) -> Lead:
    return Lead(id=id, created_at=on(day), updated_at=START, person=person)


def deal(lead_id: str, day: float) -> Deal:
    return Deal(
        id=f"of {lead_id}", lead_id=lead_id, status="won", closed_at=on(day), created_at=None, updated_at=START
    )  # fmt: skip


def payer(id: str, day: float, person: str | None = ADA, lead_id: str | None = None) -> Customer:
    return Customer(id=id, started_at=on(day), updated_at=START, person=person, lead_id=lead_id)


Books = dict[str, list[Record]]


def won(folder: Path, books: Books, zone: str = "UTC") -> dict[str, float | None]:
    """By connection and id of the lead the day on which it was won first, and `unmet`: how many payers were no lead."""
    with (
        Store.open(folder / "holdwater.db") as store,
        closing(duckdb.connect(":memory:", config=IN_MEMORY)) as database,
    ):
        for connection, records in books.items():
            store.keep(connection, Page("any", records))
        embedded = Embedded(database)
        embedded.feed(store)
        engine: Engine = embedded if zone == "UTC" else Local(embedded, ZoneInfo(zone), KNOWN)
        until, known = AS_OF.replace(tzinfo=None), KNOWN.replace(tzinfo=None)
        rows = engine.rows(funnel.won_moments(until, known))
        ((unmet,),) = (row.values() for row in engine.rows(funnel.unmet_payers(until, known)))
    days = {
        f"{row['connection']} {row['lead_id']}": row["won_at"]
        and (row["won_at"].replace(tzinfo=UTC) - START) / timedelta(days=1)
        for row in rows
        if row["lead_id"] is not None
    }
    return days | ({"unmet": unmet} if unmet else {})


CASES: dict[str, tuple[Books, dict[str, float | None]]] = {
    "the lead of the same person": (
        {"crm": [lead("1", 0), lead("2", 0, BOB)], "billing": [payer("c", 10.3)]},
        {"crm 1": 10.3},
    ),
    "nobody is not the same as nobody": (
        {"crm": [lead("1", 0, None), lead("2", 0, "")], "billing": [payer("c", 10.3, None), payer("d", 10.3, "")]},
        {},
    ),
    "somebody who was no lead": ({"crm": [lead("1", 0, BOB)], "billing": [payer("c", 10.3)]}, {"unmet": 1}),
    "a lead that came only afterwards": (
        {"crm": [lead("1", 11)], "billing": [payer("c", 10.3)]},
        {"unmet": 1},
    ),
    "the first of those that came before": (
        {"crm": [lead("1", 11), lead("2", 5)], "other": [lead("1", 3)], "billing": [payer("c", 10.3)]},
        {"other 1": 10.3},
    ),
    "of the same moment the first by connection and id": (
        {"crm": [lead("2", 5), lead("1", 5)], "other": [lead("0", 5)], "billing": [payer("c", 10.3)]},
        {"crm 1": 10.3},
    ),
    "a won deal and a payer are one win, at the deal": (
        {"crm": [lead("1", 0), deal("1", 9)], "billing": [payer("c", 10.3)]},
        {"crm 1": 9},
    ),
    "a won deal and a payer are one win, at the payment": (
        {"crm": [lead("1", 0), deal("1", 20)], "billing": [payer("c", 10.3)]},
        {"crm 1": 10.3},
    ),
    "the lead that was won, though another came first": (
        {"crm": [lead("1", 0)], "other": [lead("1", 5), deal("1", 20)], "billing": [payer("c", 10.3)]},
        {"other 1": 10.3},
    ),
    "not a won lead that came afterwards": (
        {"crm": [lead("1", 0)], "other": [lead("1", 15), deal("1", 20)], "billing": [payer("c", 10.3)]},
        {"crm 1": 10.3, "other 1": 20},
    ),
    "a deal that is won later is none yet": (
        {"crm": [lead("1", 0)], "other": [lead("1", 5), deal("1", 101)], "billing": [payer("c", 10.3)]},
        {"crm 1": 10.3},
    ),
    "two payers of one person are one lead won": (
        {"crm": [lead("1", 0)], "billing": [payer("c", 30.3), payer("d", 10.3)], "shop": [payer("c", 20.3)]},
        {"crm 1": 10.3},
    ),
    "payers before and after a lead": (
        {"crm": [lead("1", 20)], "billing": [payer("c", 10.3), payer("d", 30.3)]},
        {"crm 1": 30.3, "unmet": 1},
    ),
    "a customer belongs to the lead that its connection names": (
        {"crm": [lead("1", 0), lead("2", 3, BOB), payer("c", 10.3, ADA, "2")]},
        {"crm 2": 10.3},
    ),
    "a lead of that name in another connection is not meant": (
        {"crm": [lead("1", 0), lead("2", 3, BOB)], "billing": [payer("c", 10.3, ADA, "2")]},
        {"crm 1": 10.3, "billing 2": 10.3},  # the second is no lead, and meets none
    ),
    "a date without a time is the day of the lead": (
        {"crm": [lead("1", 10.8)], "billing": [payer("c", 10)]},
        {"crm 1": 10},
    ),
    "a moment later on the day of the payment is afterwards": (
        {"crm": [lead("1", 10.8)], "billing": [payer("c", 10.3)]},
        {"unmet": 1},
    ),
    "who pays next month pays not yet": ({"crm": [lead("1", 0)], "billing": [payer("c", 101.3)]}, {}),
    "a date that nobody can know yet is none": ({"crm": [lead("1", 0)], "billing": [payer("c", 300)]}, {"crm 1": None}),
}


@pytest.mark.parametrize("case", CASES)
def test_a_payer_is(case: str, tmp_path: Path) -> None:
    books, expected = CASES[case]
    assert won(tmp_path, books) == pytest.approx(expected)


def test_the_day_is_that_of_the_books(tmp_path: Path) -> None:
    # In New York it was the evening before; there a date in UTC stays on its day, as everywhere.
    books: Books = {"crm": [lead("1", 11.1)], "billing": [payer("c", 10)]}
    assert won(tmp_path, books, "America/New_York") == {"crm 1": 10}
    (tmp_path / "utc").mkdir()
    assert won(tmp_path / "utc", books) == {"unmet": 1}


def test_who_is_deleted_in_the_billing_was_the_lead_all_the_same(tmp_path: Path) -> None:
    with Store.open(tmp_path / "holdwater.db") as store:
        store.keep("billing", Page("any", [payer("c", 10.3)]))
        store.keep("billing", Page("any", [payer("c", 12.3, None)]))  # the billing has forgotten the address
    assert won(tmp_path, {"crm": [lead("1", 0)]}) == pytest.approx({"crm 1": 12.3})


def a_small_world(seed: int) -> Books:
    """A few leads, deals and customers in three places, on few days, most of them of two persons."""
    chance = random.Random(seed)

    def person() -> str | None:
        return chance.choice([f"p{seed}", f"p{seed}", f"q{seed}", "", None])

    def day() -> float:
        return chance.choice([0, 1, 2, 3, 4]) + chance.choice([0, 0.25, 0.75])

    books: Books = {}
    for place in (f"{seed:03} a", f"{seed:03} b", f"{seed:03} c"):
        leads = [lead(str(n), day(), person()) for n in range(chance.randrange(4))]
        wins = [deal(str(n), chance.choice([day(), 300])) for n in range(4) if chance.random() < 0.2]
        named = [chance.choice(["0", "gone", None, None]) for _ in range(chance.randrange(4))]
        books[place] = [*leads, *wins, *(payer(str(n), day(), person(), id_) for n, id_ in enumerate(named))]
    return books


def by_hand(books: Books) -> dict[str, float | None]:
    every = [(place, record) for place, records in books.items() for record in records]
    leads = [(place, record) for place, record in every if isinstance(record, Lead)]
    customers = [(place, record) for place, record in every if isinstance(record, Customer)]
    wins: list[tuple[Key, datetime | None]] = [
        ((place, one.lead_id), one.closed_at if one.closed_at and one.closed_at <= KNOWN else None)
        for place, one in every
        if isinstance(one, Deal)
    ]
    wins += [((place, one.lead_id), one.started_at) for place, one in customers if one.lead_id]
    met = leads_of_payers(leads, customers, {key for key, _ in wins}, AS_OF, datetime.date)
    wins += [(key, one.started_at) for place, one in customers if (key := met.get((place, one.id)))]
    found: dict[str, float | None] = {}
    for key in {key for key, _ in wins}:
        dates = [at for other, at in wins if other == key and at]
        found[" ".join(map(str, key))] = (min(dates) - START) / timedelta(days=1) if dates else None
    unmet = sum(key is None for key in met.values())
    return found | ({"unmet": unmet} if unmet else {})


def test_many_small_worlds_are_as_looked_up_by_hand(tmp_path: Path) -> None:
    books = {place: records for seed in range(150) for place, records in a_small_world(seed).items()}
    expected = by_hand(books)
    assert won(tmp_path, books) == pytest.approx(expected)
    assert len(expected) > 300


# A whole business, whose contacts are in one system and whose customers in another


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "the-same-for-every-connection-1234")


def sync_crm(business: Business, store: Store) -> None:
    with serve(business) as sandbox, HubSpot(Client(sandbox.url, Token(sandbox.token)), person=person_key) as crm:
        sync(crm, store)


def sync_billing(business: Business, store: Store) -> None:
    with (
        serve_stripe(business) as sandbox,
        Stripe(Client(sandbox.url, Token(sandbox.token)), person=person_key) as billing,
    ):
        sync(billing, store)


def by_source(found: Report) -> dict[str | None, tuple[int, int]]:
    return {row.source: (row.leads, row.customers) for row in found.sources}


def truth_by_source(business: Business) -> dict[str | None, tuple[int, int]]:
    paying = {one.contact_id for one in business.customers.values()}
    mine: dict[str | None, list[bool]] = {}
    for contact in business.contacts.values():
        mine.setdefault(source_name(contact.source), []).append(contact.id in paying)
    return {source: (len(won), sum(won)) for source, won in mine.items()}


@pytest.mark.slow
@pytest.mark.parametrize("deals", [pytest.param(True, id="deals are won"), pytest.param(False, id="no deals are kept")])
def test_each_customer_of_the_billing_counts_once_and_under_the_source_of_its_lead(tmp_path: Path, deals: bool) -> None:
    business = simulate(seed=4, months=10)
    crm = deepcopy(business)
    if not deals:
        crm.deals.clear()
        crm.deals_of.clear()
    with Store.open(tmp_path / "holdwater.db") as store:
        sync_crm(crm, store)
        alone = report(store, as_of=business.now)
        sync_billing(business, store)
        found = report(store, as_of=business.now)
        assert alone.total.customers == (len(business.customers) if deals else 0)
        assert found.total.customers == sum(month.new for month in found.customer_months) == len(business.customers)
        assert by_source(found) == truth_by_source(business)
        assert (found.undated_wins, found.unmatched_wins, found.unmet_payers) == (0, 0, 0)
        rates = {source_name(source.name): source.conversion for source in business.truth.sources}
        for row in found.sources:
            expected, n = rates[row.source] * row.judged_leads, row.judged_leads
            assert abs(row.judged_customers - expected) < 3 * math.sqrt(expected * (1 - expected / n))
        waits = [c.start - business.contacts[c.contact_id or ""].created for c in business.customers.values()]
        middle = sorted(wait / timedelta(days=1) for wait in waits)[len(waits) // 2]
        assert found.total.days_to_win_median == pytest.approx(middle, rel=0.02)
        months = {month.month: month.customers for month in found.months}
        for month in found.months[:2]:
            behind = leads_behind(store, "Customers", business.now, month=month.month)
            assert len(behind) == months[month.month] > 0

        # Whoever is deleted in the billing has been won all the same.
        for one in list(business.customers)[:20]:
            business.delete_customer(one)
        sync_billing(business, store)
        assert by_source(report(store, as_of=business.now)) == by_source(found)
