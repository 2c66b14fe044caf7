"""Tryton where there is much, where the session ends, and where opportunities come and go while they are read."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from trial import Trial
from tryton_vendor import HAPPENINGS, LOGIN, PASSWORD, connect, expected
from vendors import Vendor

from holdwater.sandbox import Business, Sandbox, Source, Truth, simulate
from holdwater.sandbox.server import serving
from holdwater.sandbox.tryton import Tryton as Dialect
from holdwater.store.database import Store

OpenTrial = Callable[..., AbstractContextManager[Trial]]


@pytest.fixture
def opened(tmp_path: Path) -> OpenTrial:
    @contextmanager
    def open_trial(business: Business, *, at_once: int = 50, lasts: timedelta = timedelta(days=30)) -> Iterator[Trial]:
        dialect = Dialect(business, login=LOGIN, password=PASSWORD, lasts=lasts)

        @contextmanager
        def serve(_: Business) -> Iterator[Sandbox]:
            with serving(business, PASSWORD, dialect) as sandbox:
                yield sandbox

        vendor = Vendor("tryton", serve, lambda sandbox: connect(sandbox, at_once), expected, HAPPENINGS)
        with serve(business) as sandbox, Store.open(tmp_path / "store.db") as store:
            yield Trial(vendor, business, sandbox, store)

    return open_trial


def firm(leads_per_month: float, months: int = 24) -> Business:
    source = Source(name="PAID_SEARCH", leads_per_month=leads_per_month, conversion=0.2, days_to_win=20)
    truth = Truth(sources=(source,), churn=0.1, referral_rate=0.0, revenue_per_customer=Decimal(50), gross_margin=0.5)
    return simulate(truth, seed=3, months=months)


def edit(business: Business, *deal_ids: str) -> None:
    for deal_id in deal_ids:
        business.deals[deal_id] = replace(business.deals[deal_id], modified=business.now, amount="77.00")


def test_a_session_that_ends_midway_again_and_again(opened: OpenTrial) -> None:
    """Each lasts for some ten requests."""
    with opened(firm(40, months=3), at_once=20, lasts=timedelta(minutes=1)) as trial:

        def wait(number: int, path: str) -> None:
            trial.business.wait_until(trial.business.now + timedelta(seconds=6))

        trial.sandbox.on_request = wait
        run = trial.sync()
        assert run.retries > 3
        trial.assert_equal()


def test_what_goes_while_it_is_read_is_told_and_then_gone(opened: OpenTrial) -> None:
    """It was listed, and is not there when it is asked for; the party of another comes and goes as well."""
    with opened(firm(40, months=3), at_once=20) as trial:
        business = trial.business
        victims = iter([deal.id for deal in list(business.deals.values())[25:60:7]])

        def delete(number: int, path: str) -> None:
            if number > 6 and (deal_id := next(victims, None)):
                business.archive_deal(deal_id)

        trial.sandbox.on_request = delete
        assert trial.sync().issues > 0
        trial.sandbox.on_request = None
        trial.sync()
        trial.assert_equal()


def test_what_comes_while_it_is_read_is_not_taken_for_gone(opened: OpenTrial) -> None:
    """It was not listed yet, but is among what has changed."""
    with opened(firm(40, months=3), at_once=500) as trial:
        business = trial.business
        trial.sync()
        business.wait_until(business.now + timedelta(days=1))
        before = len(trial.sandbox.requests)
        login, people, opportunities = 1, 2, 2  # requests, each list being asked for until it is empty

        def come(number: int, path: str) -> None:
            if number == before + login + people + opportunities + 1:
                business.open_deal(None)

        trial.sandbox.on_request = come
        run = trial.sync()
        assert (run.rows_written, run.rows_gone) == (3, 0)
        trial.assert_equal()


def test_parties_that_are_merged_while_they_are_read(opened: OpenTrial) -> None:
    """An opportunity whose party is not the one that was listed is read again with all of that party."""
    with opened(firm(40, months=3), at_once=10) as trial:
        business = trial.business
        people = [deal.contact_id for deal in business.deals.values() if deal.contact_id]
        pairs = iter(list(zip(people[-1:-6:-1], people[:5], strict=True)))

        def merge(number: int, path: str) -> None:
            pair = next(pairs, None) if number > 6 else None
            if pair:
                business.wait_until(business.now + timedelta(seconds=1))
                business.merge_contacts(*pair)

        trial.sandbox.on_request = merge
        trial.sync()
        trial.sandbox.on_request = None
        trial.sync()
        trial.assert_equal()


def test_more_that_a_user_may_not_see_than_is_listed_at_once(opened: OpenTrial) -> None:
    """What the company of a user is told apart from goes, though its history goes on."""
    with opened(firm(40, months=3), at_once=5) as trial:
        trial.sync()
        hidden = dict(list(trial.business.deals.items())[:40])
        for deal_id in hidden:
            del trial.business.deals[deal_id]
        assert trial.sync().rows_gone == 2 * len(hidden)
        trial.assert_equal()


def test_when_the_first_of_two_is_not_seen_any_more_the_second_is_told(opened: OpenTrial) -> None:
    with opened(firm(40, months=3)) as trial:
        business = trial.business
        first = next(iter(business.deals.values()))
        second = business.open_deal(first.contact_id)
        business.wait_until(business.now + timedelta(days=1))
        trial.sync()
        del business.deals[first.id]
        trial.sync()
        (told,) = trial.store.issues(trial.connection)["leads"]
        assert told.id == str(int(second.id) - 7000)
        assert "--full" in told.problem
        trial.sync(full=True)
        trial.assert_equal()


@pytest.mark.slow
def test_25_000_changes_at_one_time(opened: OpenTrial) -> None:
    """An import gives them one time, and so does a bulk edit of them all."""
    business = firm(leads_per_month=40, months=1)
    imported = [business.open_deal(None).id for _ in range(25_000)]
    with opened(business, at_once=1000) as trial:
        full = trial.sync()
        assert full.streams["deals"] > 25_000
        trial.assert_equal()
        business.wait_until(business.now + timedelta(days=1))
        edit(business, *imported)
        some = trial.sync()
        print(f"{len(business.deals):,} deals: {full.requests} requests, {some.requests} for 25,000 changes")
        assert some.streams["deals"] == 25_000
        trial.assert_equal()


@pytest.mark.slow
def test_what_a_change_costs(opened: OpenTrial) -> None:
    """Nothing new costs the list; of what changed, the past is asked for moment by moment."""
    with opened(firm(leads_per_month=300), at_once=1000) as trial:
        business = trial.business
        business.wait_until(business.now + timedelta(hours=2))
        full = trial.sync().requests
        nothing = trial.sync().requests
        business.wait_until(business.now + timedelta(hours=2))
        edit(business, *random.Random(1).sample(list(business.deals), len(business.deals) // 100))
        some = trial.sync().requests
        print(f"{len(business.deals):,} deals: {full} requests, {nothing} for nothing, {some} for 1 %")
        assert nothing <= 10
        assert some < full / 2
        trial.assert_equal()
