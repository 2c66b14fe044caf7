"""HubSpot where there is much: the wall of its search, one time for all, no order, and what a small change costs."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hubspot_vendor import expected
from trial import Trial
from vendors import Vendor

from holdwater.crm.client import Client
from holdwater.crm.credentials import Token
from holdwater.crm.hubspot import HubSpot
from holdwater.crm.pacing import Pacing
from holdwater.sandbox import Business, Sandbox, Source, Truth, serve, simulate
from holdwater.store.database import Store

OpenTrial = Callable[..., AbstractContextManager[Trial]]


@pytest.fixture
def opened(tmp_path: Path) -> OpenTrial:
    @contextmanager
    def open_trial(
        business: Business, search_cap: int = 10_000, shuffle: random.Random | None = None
    ) -> Iterator[Trial]:
        def connect(sandbox: Sandbox) -> HubSpot:
            client = Client(sandbox.url, Token(sandbox.token, "the sandbox"))
            return HubSpot(client, searches=Pacing(10_000, 1.0), search_cap=search_cap)

        vendor = Vendor("hubspot", serve, connect, expected)
        with (
            serve(business, search_cap=search_cap, shuffle=shuffle) as sandbox,
            Store.open(tmp_path / "store.db") as store,
        ):
            yield Trial(vendor, business, sandbox, store)

    return open_trial


def changed_at_once(business: Business, count: int) -> None:
    """A bulk edit or an import: one time of change for all."""
    now = business.wait_until(business.now + timedelta(days=1))
    for contact_id in list(business.contacts)[:count]:
        business.contacts[contact_id] = replace(business.contacts[contact_id], modified=now, source="BULK")


def asked(trial: Trial) -> list[str]:
    return [path.removeprefix("/crm/objects/2026-09/") for _, path in trial.sandbox.requests]


@pytest.mark.parametrize(("count", "listed"), [(400, False), (401, True)])
def test_more_changes_at_one_time_than_a_search_shows_are_listed(
    count: int, listed: bool, business: Business, opened: OpenTrial
) -> None:
    with opened(business, search_cap=400) as trial:
        trial.sync()
        changed_at_once(business, count)
        trial.sandbox.requests.clear()
        trial.sync()
        assert asked(trial).count("contacts/search") == (1 if listed else 2) + 1  # how many there are
        pages = -(-len(business.contacts) // 100)
        assert asked(trial).count("contacts") == 1 + pages * listed  # the archived ones first
        trial.assert_equal()


@pytest.mark.slow
def test_25_000_changes_at_one_time(opened: OpenTrial) -> None:
    with opened(firm(leads_per_month=1100)) as trial:
        assert len(trial.business.contacts) > 25_000
        trial.sync()
        changed_at_once(trial.business, 25_000)
        trial.sync()
        trial.assert_equal()


@pytest.mark.parametrize("seed", range(3))
def test_a_search_without_an_order_loses_nothing(seed: int, business: Business, opened: OpenTrial) -> None:
    """Its pages overlap and leave gaps: the number of different objects gives it away, and the list is read."""
    with opened(business, shuffle=random.Random(seed)) as trial:
        trial.sync()
        changed_at_once(business, 450)
        trial.sandbox.requests.clear()
        trial.sync()
        assert asked(trial).count("contacts/search") == 3 * 3 + 1  # how many there are
        trial.assert_equal()


def firm(leads_per_month: float) -> Business:
    """Two years of it."""
    source = Source(name="PAID_SEARCH", leads_per_month=leads_per_month, conversion=0.2, days_to_win=20)
    truth = Truth(sources=(source,), churn=0.1, referral_rate=0.0, revenue_per_customer=Decimal(50), gross_margin=0.5)
    return simulate(truth, seed=3, months=24)


def change_one_percent(business: Business) -> None:
    business.wait_until(business.now + timedelta(hours=1))
    chance = random.Random(1)
    for contact_id in chance.sample(list(business.contacts), len(business.contacts) // 100):
        business.contacts[contact_id] = replace(business.contacts[contact_id], modified=business.now, source="MORE")
        business.note_activity(contact_id, "call", "out")
    for deal_id in chance.sample(list(business.deals), len(business.deals) // 100):
        business.deals[deal_id] = replace(business.deals[deal_id], modified=business.now, amount="77.00")


@pytest.mark.slow
@pytest.mark.parametrize(("leads_per_month", "most"), [(170, 0.2), (1700, 0.03)])
def test_one_percent_of_change_costs_few_requests(leads_per_month: float, most: float, opened: OpenTrial) -> None:
    """Eighteen requests are made whatever has changed: at 4,000 contacts they weigh more than at 40,000."""
    with opened(firm(leads_per_month)) as trial:
        trial.business.wait_until(trial.business.now + timedelta(hours=1))  # so that nothing lies in the overlap
        full = trial.sync().requests
        nothing = trial.sync().requests
        change_one_percent(trial.business)
        some = trial.sync().requests
        print(f"{len(trial.business.contacts):,} contacts: {full} requests, {nothing} for nothing, {some} for 1 %")
        assert nothing == 4 + 6 * 2 + 2  # how many contacts and deals there are
        assert some <= most * full
        trial.assert_equal()
