"""What a CRM says itself that it has, asked in its own way: the same as the rows of the store, or not told."""

from __future__ import annotations

import json
import time
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import odoo_double
import pytest
import tryton_double
from tryton_double import at
from tryton_reader import opened as tryton

from holdwater.crm.client import Client
from holdwater.crm.credentials import Token
from holdwater.crm.hubspot import HubSpot
from holdwater.crm.manners import Manners
from holdwater.crm.odoo import Odoo
from holdwater.crm.pacing import Pacing
from holdwater.sandbox import Business, Source, Truth, serve, simulate
from holdwater.store.counted import Counted
from holdwater.store.database import Store
from holdwater.store.sync import sync


class StaleIndex(httpx.BaseTransport):
    """A HubSpot whose search goes on finding what is gone, unless it is left out by its id."""

    def __init__(self, gone: dict[str, str]) -> None:
        self._gone = gone  # id -> what it was
        self._inner = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._inner.handle_request(request)
        body = response.read()
        response.close()
        if request.url.path.endswith("/search") and response.status_code == 200:
            found, asked = json.loads(body), json.loads(request.content)
            without = {
                id_
                for group in asked["filterGroups"]
                for one in group["filters"]
                if one["operator"] == "NOT_IN"
                for id_ in one["values"]
            }
            kind = request.url.path.split("/")[-2]
            counting = asked["limit"] == 1
            found["total"] += counting * sum(was == kind and id_ not in without for id_, was in self._gone.items())
            body = json.dumps(found).encode()
        headers = {"Content-Type": "application/json", "Date": response.headers["Date"]}
        return httpx.Response(response.status_code, headers=headers, content=body)

    def close(self) -> None:
        self._inner.close()


@pytest.fixture
def business() -> Business:
    source = Source(name="PAID_SEARCH", leads_per_month=60, conversion=0.3, days_to_win=10)
    truth = Truth(sources=(source,), churn=0.1, referral_rate=0.0, revenue_per_customer=Decimal(50), gross_margin=0.5)
    return simulate(truth, seed=3, months=3)


def counted(business: Business, path: Path, gone: dict[str, str], times: int = 1) -> dict[str, int]:
    """What HubSpot has more than the store, by stream."""
    with serve(business) as sandbox, Store.open(path) as store:
        for _ in range(times):
            client = Client(sandbox.url, Token(sandbox.token, "the sandbox"), transport=StaleIndex(gone))
            with HubSpot(client, searches=Pacing(10_000, 1.0)) as hubspot:
                sync(hubspot, store)
        (found,) = store.counts().values()
        return {one.stream: one.told - one.kept for one in found}


def test_hubspots_search_may_find_for_a_while_what_is_gone(business: Business, tmp_path: Path) -> None:
    now = business.wait_until(business.now + timedelta(days=1))
    contacts = [id_ for id_, one in business.contacts.items() if one.lifecycle == "lead"]
    (deal, *_) = business.deals
    business.archive_deal(deal, now)
    business.merge_contacts(contacts[0], contacts[1], now)
    gone = {deal: "deals", contacts[0]: "contacts"}
    assert counted(business, tmp_path / "first.db", gone) == {"deals": 0, "leads": 0}
    business.wait_until(now + timedelta(minutes=50))
    assert counted(business, tmp_path / "again.db", gone, times=2) == {"deals": 0, "leads": 0}
    business.wait_until(now + timedelta(hours=2))  # longer than any delay: the index is right, and we are not
    assert counted(business, tmp_path / "later.db", gone) == {"deals": 1, "leads": 1}


def test_of_what_is_gone_in_bulk_nothing_is_told(business: Business, tmp_path: Path) -> None:
    """More than HubSpot takes in one filter."""
    business.wait_until(business.now + timedelta(days=1))
    leads = list(business.contacts)
    for id_ in leads[:100]:
        business.archive_contact(id_)
    assert counted(business, tmp_path / "most.db", {}) == {"deals": 0, "leads": 0}
    business.archive_contact(leads[100])
    assert counted(business, tmp_path / "more.db", {}) == {"deals": 0}


def test_odoo_counts_no_deal_that_was_put_away_or_made_just_now(tmp_path: Path) -> None:
    server = odoo_double.Odoo()
    made = [odoo_double.END - timedelta(minutes=minutes) for minutes in (59, 61, 300)]
    first, second, third = (moment.strftime("%Y-%m-%d %H:%M:%S") for moment in made)
    server.add(10, active=True, won_status="pending", create_date=first)
    server.add(11, active=True, won_status="pending", create_date=second)
    server.add(12, active=False, won_status="pending", create_date=third)
    server.add(13, active=False, won_status="lost", create_date=third)
    client = Client(
        "http://127.0.0.1:8069",
        Token(odoo_double.SECRET, "this test"),
        manners=Manners(scheme="bearer "),
        transport=httpx.MockTransport(server),
    )
    with Odoo(client) as odoo, Store.open(tmp_path / "store.db") as store:
        before = odoo_double.END - timedelta(hours=1)
        old = sum(row["create_date"] < f"{before:%Y-%m-%d %H:%M:%S}" for row in server.rows["crm.lead"]) - 1
        sync(odoo, store)
        assert store.counts()[odoo.connection] == [Counted(stream="deals", before=before, kept=old, told=old)]
        assert old >= 2


def late(server: tryton_double.Tryton, id_: int, began: datetime) -> None:
    """Entered less than an hour before the end of the window, as one that began on a day before."""
    day = {"__class__": "date", "year": began.year, "month": began.month, "day": began.day}
    server.add(id_, (at(1, 30), "lead", None), start_date=day)


def test_a_tryton_deal_that_was_entered_late_counts_from_its_start(tmp_path: Path) -> None:
    server = tryton_double.Tryton()
    for id_, began in enumerate((at(0, day=10), at(0, day=20), at(0, day=21), at(0, day=22)), start=20):
        late(server, id_, began)
    with tryton(server) as connector, Store.open(tmp_path / "store.db") as store:
        sync(connector, store)
        # The recorded three were made within the hour, too.
        assert store.counts()[connector.connection] == [Counted(stream="deals", before=at(1), kept=2, told=2)]


def test_around_midnight_tryton_tells_nothing(tmp_path: Path) -> None:
    server = tryton_double.Tryton()
    server.date = "Sun, 22 Nov 2026 00:30:00 GMT"
    with tryton(server) as connector, Store.open(tmp_path / "store.db") as store:
        assert sync(connector, store).status == "done"
        assert store.counts() == {}


@pytest.mark.parametrize("answer", [{"result": "7"}, {"result": None}, {"result": -1}, {"result": True}, {"error": []}])
def test_an_odd_count_of_trytons_is_not_told(answer: dict[str, Any], tmp_path: Path) -> None:
    server = tryton_double.Tryton()

    def instead(method: str, params: list[Any]) -> httpx.Response | None:
        return httpx.Response(200, json={"id": 0, **answer}) if method.endswith("search_count") else None

    server.instead = instead
    with tryton(server) as connector, Store.open(tmp_path / "store.db") as store:
        assert sync(connector, store).status == "done"
        assert store.counts() == {}


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
