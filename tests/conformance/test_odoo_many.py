"""Odoo where there is much: one time for all, and what a small change costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from odoo_vendor import KEY, expected, serve
from trial import Trial
from vendors import Vendor

from holdwater.crm import odoo
from holdwater.crm.credentials import Token
from holdwater.sandbox import Business, Sandbox
from holdwater.store.database import Store


@contextmanager
def opened(business: Business, path: Path) -> Iterator[Trial]:
    """With pages as long as they are outside of tests."""

    def connect(sandbox: Sandbox) -> odoo.Odoo:
        return odoo.connect(sandbox.url, Token(KEY))

    with serve(business) as sandbox, Store.open(path / "store.db") as store:
        yield Trial(Vendor("odoo", serve, connect, expected), business, sandbox, store)


def grown(business: Business, contacts: int) -> Business:
    """With so many contacts."""
    while len(business.contacts) < contacts:
        business.add_contact(source="IMPORT")
    return business


def changed_at_once(business: Business, count: int) -> None:
    """A bulk edit or an import: one time of change for all."""
    now = business.wait_until(business.now + timedelta(days=1))
    for contact_id in list(business.contacts)[:count]:
        business.contacts[contact_id] = replace(business.contacts[contact_id], modified=now, source="BULK")


def test_nothing_new_costs_little_more_than_the_numbers(business: Business, tmp_path: Path) -> None:
    """Each list ends with an empty page; the numbers are listed before the changes, and after them for what went."""
    business.wait_until(business.now + timedelta(days=1))
    with opened(business, tmp_path) as trial:
        trial.sync()
        trial.sandbox.requests.clear()
        trial.sync()
        pages = -(-(len(business.contacts) + len(business.deals)) // 5000) + 1
        asked = Counter(path.split("/")[3] for _, path in trial.sandbox.requests)
        assert (asked["res.users"], asked["crm.stage"], asked["mail.tracking.value"]) == (2, 2, 0)
        assert asked["crm.lead"] - 2 * pages <= 3  # and what changed, and how many there are


@pytest.mark.slow
def test_25_000_changes_at_one_time(business: Business, tmp_path: Path) -> None:
    with opened(grown(business, 25_000), tmp_path) as trial:
        trial.sync()
        changed_at_once(trial.business, 25_000)
        assert trial.sync().rows_written >= 25_000
        trial.assert_equal()


@pytest.mark.slow
def test_one_percent_of_change_costs_the_numbers_and_one_percent(business: Business, tmp_path: Path) -> None:
    with opened(grown(business, 20_000), tmp_path) as trial:
        business.wait_until(business.now + timedelta(days=1))
        full = trial.sync().requests
        changed_at_once(business, len(business.contacts) // 100)
        some = trial.sync().requests
        records = len(business.contacts) + len(business.deals)
        print(f"{records:,} records: {full} requests, {some} for 1 %")
        assert some <= 2 * (records // 5000 + 2) + 4 + 6
        trial.assert_equal()
