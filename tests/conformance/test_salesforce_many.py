"""Salesforce where there is much: one time for all, jobs instead of pages, and what a small change costs."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from salesforce_vendor import expected, serve, token, trusting
from trial import Trial
from vendors import Vendor

from holdwater.crm import salesforce
from holdwater.sandbox import Business, Sandbox, Source, Truth, simulate
from holdwater.store.database import Store

OpenTrial = Callable[..., AbstractContextManager[Trial]]


@pytest.fixture
def opened(tmp_path: Path) -> OpenTrial:
    @contextmanager
    def open_trial(business: Business, *, at_once: int = 2000, bulk_above: int = 20_000) -> Iterator[Trial]:
        def connect(sandbox: Sandbox) -> salesforce.Salesforce:
            return salesforce.connect(
                sandbox.url,
                token(sandbox),
                transport=trusting(sandbox),
                at_once=at_once,
                bulk_above=bulk_above,
            )

        vendor = Vendor("salesforce", serve, connect, expected)
        with serve(business) as sandbox, Store.open(tmp_path / "store.db") as store:
            yield Trial(vendor, business, sandbox, store)

    return open_trial


def changed_at_once(business: Business, count: int) -> None:
    """A bulk edit or an import: one time of change for all."""
    now = business.wait_until(business.now + timedelta(days=1))
    for contact_id in list(business.contacts)[:count]:
        business.contacts[contact_id] = replace(business.contacts[contact_id], modified=now, source="BULK")


def asked(trial: Trial) -> Counter[str]:
    return Counter(path.removeprefix("/services/data/v67.0/") for _, path in trial.sandbox.requests)


@pytest.mark.parametrize(("above", "jobs"), [(1000, False), (100, True)])
def test_many_changes_at_one_time(above: int, jobs: bool, business: Business, opened: OpenTrial) -> None:
    with opened(business, at_once=200, bulk_above=above) as trial:
        trial.sync()
        changed_at_once(business, len(business.contacts))
        trial.sandbox.requests.clear()
        trial.sync()
        assert bool(asked(trial)["jobs/query"]) == jobs
        trial.assert_equal()


def test_a_reconciliation_in_jobs(business: Business, opened: OpenTrial) -> None:
    with opened(business, bulk_above=100) as trial:
        trial.sync()
        del business.deals[next(iter(business.deals))]
        for deals in business.deals_of.values():
            deals[:] = [deal_id for deal_id in deals if deal_id in business.deals]
        assert trial.sync(reconcile=True).rows_gone == 1
        trial.assert_equal()


@pytest.mark.slow
@pytest.mark.parametrize("bulk_above", [20_000, 1_000_000])
def test_25_000_changes_at_one_time(bulk_above: int, opened: OpenTrial) -> None:
    """In jobs, and page by page, which the ids alone tell apart."""
    with opened(firm(leads_per_month=1100), bulk_above=bulk_above) as trial:
        assert len(trial.business.contacts) > 25_000
        trial.sync()
        changed_at_once(trial.business, 25_000)
        trial.sync()
        trial.assert_equal()


def firm(leads_per_month: float) -> Business:
    """Two years of it."""
    source = Source(name="PAID_SEARCH", leads_per_month=leads_per_month, conversion=0.2, days_to_win=20)
    truth = Truth(sources=(source,), churn=0.1, referral_rate=0.0, revenue_per_customer=Decimal(50), gross_margin=0.5)
    return simulate(truth, seed=3, months=24)


def test_nothing_new_costs_a_fixed_number_of_requests(business: Business, opened: OpenTrial) -> None:
    """Ten say who we are and what there is; one each asks for what is gone and for what changed."""
    business.wait_until(business.now + timedelta(days=1))
    with opened(business) as trial:
        trial.sync()
        trial.sandbox.requests.clear()
        trial.sync()
        found = asked(trial)
        assert found.pop("/services/oauth2/token") == 1
        assert found.pop("connect/organization") == 1
        # Users, stages; gone and changed of five; history; how many opportunities there are.
        assert found.pop("queryAll") == 2 + 2 * 5 + 1 + 1
        assert sum(found.values()) == 7  # descriptions


@pytest.mark.slow
def test_one_percent_of_change_costs_little(opened: OpenTrial) -> None:
    """A full sync of so many is jobs and look-ups; the few changes are one page of everything."""
    business = firm(leads_per_month=900)
    with opened(business) as trial:
        business.wait_until(business.now + timedelta(hours=2))
        full = trial.sync().requests
        business.wait_until(business.now + timedelta(hours=2))
        chance = random.Random(1)
        for contact_id in chance.sample(list(business.contacts), len(business.contacts) // 100):
            business.contacts[contact_id] = replace(business.contacts[contact_id], modified=business.now, source="MORE")
        some = trial.sync().requests
        print(f"{len(business.contacts):,} contacts: {full} requests, {some} for 1 %")
        assert some <= 24
        trial.assert_equal()
