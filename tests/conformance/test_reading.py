"""Every connector: all is read, once; what changes, goes or is merged arrives; nothing is lost between pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from trial import Trial


def changed(before: Mapping[str, set[tuple[Any, ...]]], trial: Trial) -> int:
    """How many rows are new or other than before."""
    return sum(len(rows - before[stream]) for stream, rows in trial.expected().items())


def test_everything_is_read_record_for_record(trial: Trial) -> None:
    trial.sync()
    trial.assert_equal()


def test_a_second_sync_changes_nothing_and_asks_little(trial: Trial) -> None:
    trial.sync()
    before, requests = trial.store.checksum(), len(trial.sandbox.requests)
    run = trial.sync()
    assert (run.rows_written, run.rows_gone, trial.store.checksum()) == (0, 0, before)
    assert len(trial.sandbox.requests) - requests < requests


def test_what_changes_arrives(trial: Trial) -> None:
    trial.sync()
    before = trial.expected()
    business = trial.business
    business.wait_until(business.now + timedelta(hours=3))
    won, lost, *_ = [deal.id for deal in business.deals.values() if deal.status == "open"]
    business.win(won)
    business.lose(lost, reason="Too expensive")
    fresh = business.add_contact(source="PAID_SEARCH")
    business.open_deal(fresh.id)
    assert trial.sync().rows_written >= changed(before, trial) > 2
    trial.assert_equal()


def test_a_change_long_after_the_watermark_arrives(trial: Trial) -> None:
    trial.sync()
    for days in (1, 40, 100):
        trial.business.wait_until(trial.business.now + timedelta(days=days))
        trial.business.open_deal(trial.business.add_contact(source=None).id)
        trial.sync()
    trial.assert_equal()


@pytest.mark.parametrize("ahead", [timedelta(0), timedelta(days=2000)])
def test_only_the_clock_of_the_source_counts(trial: Trial, ahead: timedelta) -> None:
    """It is weeks behind ours, and then years ahead: what is remembered is in its time."""
    trial.business.wait_until(trial.business.now + ahead)
    trial.sync()
    marks = trial.store.watermarks(trial.connection).values()
    assert trial.business.now - timedelta(hours=1) < min(marks) <= max(marks) <= trial.business.now
    before = trial.expected()
    trial.business.wait_until(trial.business.now + timedelta(days=1))
    trial.business.open_deal(trial.business.add_contact(source=None).id)
    assert trial.sync().rows_written >= changed(before, trial) > 1
    trial.assert_equal()


def test_what_is_deleted_goes_and_stays_gone(trial: Trial) -> None:
    trial.sync()
    business = trial.business
    business.wait_until(business.now + timedelta(hours=1))
    assert trial.vendor.happenings.delete(business) == trial.sync().rows_gone
    trial.assert_equal()
    business.wait_until(business.now + timedelta(days=1))
    assert trial.sync().rows_gone == 0
    trial.assert_equal()


def test_a_merged_lead_is_counted_once(trial: Trial) -> None:
    trial.sync()
    business = trial.business
    business.wait_until(business.now + timedelta(hours=1))
    loser, winner = [deal.contact_id for deal in business.deals.values() if deal.contact_id and deal.status == "won"][
        :2
    ]
    assert loser is not None
    assert winner is not None
    business.merge_contacts(loser, winner)
    trial.sync()
    trial.assert_equal()


@pytest.mark.parametrize("how", ["full", "reconcile"])
def test_what_went_long_ago_is_found(trial: Trial, how: str) -> None:
    """Even if no feed tells of it any more."""
    trial.sync()
    went = trial.vendor.happenings.vanish(trial.business)
    run = trial.sync(full=how == "full", reconcile=how == "reconcile")
    assert run.rows_gone == went > 0
    trial.assert_equal()


def test_what_went_without_a_trace_is_found_after_a_long_pause(trial: Trial) -> None:
    """Longer than any feed of deletions lasts."""
    trial.sync()
    went = trial.vendor.happenings.vanish(trial.business)
    trial.business.wait_until(trial.business.now + timedelta(days=100))
    assert trial.sync().rows_gone == went > 0
    trial.assert_equal()


def test_equal_moments_over_page_boundaries(trial: Trial) -> None:
    """A bulk edit gives everything one time of change: no cursor by time may skip any of it."""
    trial.sync()
    trial.business.wait_until(trial.business.now + timedelta(days=1))
    trial.vendor.happenings.edit_all(trial.business)
    trial.sync()
    trial.assert_equal()


def test_records_that_change_while_they_are_read(trial: Trial) -> None:
    """Before each answer an old record changes and so moves to the end: what comes after it moves up by one."""
    trial.sync()
    business = trial.business
    start = business.wait_until(business.now + timedelta(days=1))
    for contact_id in list(business.contacts)[:250]:
        business.contacts[contact_id] = replace(business.contacts[contact_id], modified=start, source="FIRST")
    changing = iter(range(60))

    def disturb(number: int, path: str) -> None:
        place = next(changing, None)
        if place is not None:
            business.wait_until(business.now + timedelta(seconds=30))
            trial.vendor.happenings.change(business, place)

    trial.sandbox.on_request = disturb
    trial.sync()
    trial.sandbox.on_request = None
    business.wait_until(business.now + timedelta(minutes=1))
    trial.sync()
    trial.assert_equal()
