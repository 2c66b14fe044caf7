"""Pipedrive where something is short or moves: the budget of a day, lists, one time for all; what a change costs."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from pipedrive_vendor import TOKEN, expected
from trial import Trial
from vendors import Vendor

from holdwater.crm.client import Client
from holdwater.crm.credentials import Token
from holdwater.crm.pipedrive import MANNERS, Pipedrive
from holdwater.errors import QuotaError
from holdwater.sandbox import Business, Sandbox, Source, Truth, simulate
from holdwater.sandbox.pipedrive import Pipedrive as Dialect
from holdwater.sandbox.pipedrive import blocked
from holdwater.sandbox.server import serving
from holdwater.store.database import Store


def firm(leads_per_month: float, months: int) -> Business:
    source = Source(name="PAID_SEARCH", leads_per_month=leads_per_month, conversion=0.2, days_to_win=20)
    truth = Truth(sources=(source,), churn=0.1, referral_rate=0.0, revenue_per_customer=Decimal(50), gross_margin=0.5)
    return simulate(truth, seed=3, months=months)


OpenTrial = Callable[..., AbstractContextManager[tuple[Trial, Dialect]]]


@pytest.fixture
def business() -> Business:
    """A small one: each changelog takes a request."""
    return firm(leads_per_month=40, months=3)


@pytest.fixture
def opened(tmp_path: Path) -> OpenTrial:
    @contextmanager
    def open_trial(
        business: Business, *, daily_tokens: int = 10_000_000, at_once: int = 500
    ) -> Iterator[tuple[Trial, Dialect]]:
        def connected(sandbox: Sandbox) -> Pipedrive:
            client = Client(sandbox.url, Token(sandbox.token, "the sandbox"), manners=MANNERS)
            return Pipedrive(client, at_once=at_once)

        dialect = Dialect(business, token=TOKEN, daily_tokens=daily_tokens)

        @contextmanager
        def serve(_: Business) -> Iterator[Sandbox]:
            with serving(business, TOKEN, dialect) as sandbox:
                yield sandbox

        vendor = Vendor("pipedrive", serve, connected, expected)
        with serve(business) as sandbox, Store.open(tmp_path / "store.db") as store:
            yield Trial(vendor, business, sandbox, store), dialect

    return open_trial


def changelogs(trial: Trial) -> list[str]:
    return [path for _, path in trial.sandbox.requests if path.endswith("/changelog")]


def test_a_history_that_takes_more_than_a_day_is_read_day_after_day(business: Business, opened: OpenTrial) -> None:
    """A budget for some twenty changelogs, where many more are needed: no day begins where the first one did."""
    with opened(business, daily_tokens=650) as (trial, _):
        days = 0
        while True:
            days += 1
            try:
                trial.sync()
            except QuotaError:
                assert days < 10
                trial.business.wait_until(trial.business.now + timedelta(days=1))
            else:
                break
        trial.assert_equal()
        moved = len([deal for deal in trial.business.deals.values() if deal.stage_history[1:]])
        assert days >= 3
        assert len(changelogs(trial)) < 1.7 * moved  # what the last minutes before a mark overlap is asked for again
        trial.sandbox.requests.clear()
        trial.sync()
        assert changelogs(trial) == []


def test_deals_and_leads_are_there_before_the_history_is(business: Business, opened: OpenTrial) -> None:
    with opened(business, daily_tokens=650) as (trial, _), pytest.raises(QuotaError):
        trial.sync()
    with Store.open(trial.store.path) as store:
        for stream, table in (("deals", "deal"), ("leads", "lead"), ("activities", "activity")):
            kept = {row[0] for rows in store.rows(table, ["id"]) for row in rows}
            assert kept == {record.id for record in expected(business)[stream]}


def test_whoever_is_shut_out_stops(business: Business, opened: OpenTrial) -> None:
    with opened(business) as (trial, _):
        trial.sandbox.on_request = lambda number, path: blocked() if number == 20 else None
        with pytest.raises(QuotaError):
            trial.sync()
        assert len(trial.sandbox.requests) == 20


def test_a_lead_that_becomes_a_deal_while_the_inbox_is_read(business: Business, opened: OpenTrial) -> None:
    """All after it move up by one; the one that would be missed would lose its source."""
    with opened(business, at_once=10) as (trial, _):
        early = [contact.id for contact in business.contacts.values() if not business.deals_of[contact.id]]
        inbox = iter([id_ for id_ in early if business.contacts[id_].modified > business.now - timedelta(days=60)])
        pages = 0

        def disturb(number: int, path: str) -> None:
            nonlocal pages
            pages += path == "/v1/leads"
            if path == "/v1/leads" and pages in (2, 4):
                business.open_deal(next(inbox))

        trial.sandbox.on_request = disturb
        trial.sync()
        assert pages > 4
        trial.assert_equal()


def test_deals_that_are_archived_while_the_deals_are_read(business: Business, opened: OpenTrial) -> None:
    with opened(business, at_once=20) as (trial, _):

        def disturb(number: int, path: str) -> None:
            if path == "/api/v2/deals/archived":
                business.wait_until(business.now + timedelta(days=20))

        trial.sandbox.on_request = disturb
        trial.sync()
        trial.assert_equal()


def test_a_bulk_move_gives_all_deals_one_time(business: Business, opened: OpenTrial) -> None:
    with opened(business, at_once=3) as (trial, _):
        trial.sync()
        at = business.wait_until(business.now + timedelta(days=1))
        some = [deal.id for deal in business.deals.values() if deal.status == "open" and not deal.stage_history[1:]]
        assert len(some) > 6
        for deal_id in some:
            business.move(deal_id, "contractsent", at)
        trial.sandbox.requests.clear()
        trial.sync()
        assert sorted(changelogs(trial)) == sorted(f"/v1/deals/{deal_id}/changelog" for deal_id in some)
        trial.assert_equal()


@pytest.mark.slow
def test_one_percent_of_change_costs_few_requests(opened: OpenTrial) -> None:
    business = firm(leads_per_month=170, months=24)
    business.wait_until(business.now + timedelta(hours=1))  # so that nothing lies in the overlap
    with opened(business) as (trial, dialect):
        full, spent = trial.sync().requests, dialect.spent
        nothing = trial.sync().requests
        business.wait_until(business.now + timedelta(hours=1))
        chance = random.Random(1)
        for contact_id in chance.sample(list(business.contacts), len(business.contacts) // 100):
            business.contacts[contact_id] = replace(business.contacts[contact_id], modified=business.now, source="MORE")
            business.note_activity(contact_id, "call", "out")
        unmoved = [one.id for one in business.deals.values() if one.status == "open" and not one.stage_history[1:]]
        for deal_id in chance.sample(list(business.deals), len(business.deals) // 100):
            business.deals[deal_id] = replace(business.deals[deal_id], modified=business.now, amount="77.00")
        for deal_id in unmoved[:5]:
            business.move(deal_id, "contractsent")
        trial.sandbox.requests.clear()
        some = trial.sync().requests
        print(
            f"{len(business.contacts):,} contacts, {len(business.deals):,} deals: {full} requests ({spent:,} tokens),"
            f" {nothing} for nothing, {some} for 1 %"
        )
        assert len(changelogs(trial)) == len(unmoved[:5]) > 0
        assert some <= nothing + len(unmoved[:5]) + 1  # leads that come out of the archive shift a page
        assert some <= 0.03 * full
        trial.assert_equal()
