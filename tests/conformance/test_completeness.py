"""Every connector: what the source itself counts is what the store holds, and what the store lacks is told."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from trial import Trial
from vendors import VENDORS

from holdwater.crm.connector import Countable, Reconcilable
from holdwater.crm.records import STREAMS
from holdwater.sandbox import Business
from holdwater.sandbox.server import Reply
from holdwater.store.counted import Counted
from holdwater.store.schema import CANONICAL
from holdwater.store.sync import sync

COUNTED = {
    "hubspot": {"leads", "deals"},
    "odoo": {"deals"},
    "pocket": {"leads", "deals"},
    "salesforce": {"deals"},
    "tryton": {"deals"},
}
counting = pytest.mark.parametrize(
    "trial", [one for one in VENDORS if one.name in COUNTED], ids=lambda vendor: vendor.name, indirect=True
)


def counted(trial: Trial) -> dict[str, tuple[int, int]]:
    """What the source says it has of each stream, and what the store has."""
    return {one.stream: (one.told, one.kept) for one in trial.store.counts().get(trial.connection, [])}


def expected(trial: Trial) -> dict[str, tuple[int, int]]:
    """The same from the simulator alone; without what was made in the hour before the last sync."""
    settled = min(trial.store.watermarks(trial.connection).values()).replace(microsecond=0) - timedelta(hours=1)
    return {
        stream: (made, made)
        for stream, records in trial.vendor.expected(trial.business).items()
        if stream in COUNTED.get(trial.vendor.name, ())
        for made in [sum(record.created_at < settled for record in records)]  # type: ignore[union-attr,operator]  # leads and deals know when
    }


def merge_two(business: Business) -> None:
    """Customers, of whom both are there."""
    buyers = [deal.contact_id for deal in business.deals.values() if deal.contact_id and deal.status == "won"]
    loser, winner, *_ = [id_ for id_ in buyers if not business.contacts[id_].archived]
    business.merge_contacts(loser, winner)


def test_the_sources_own_counts_are_the_stores_rows(trial: Trial) -> None:
    """At first, after a day, after deletions, a merge, and what vanishes and is found by its id."""
    business = trial.business
    trial.sync()
    first = expected(trial)
    assert counted(trial) == first
    assert all(count > 20 for count, _ in first.values())
    business.wait_until(business.now + timedelta(days=1))
    business.open_deal(business.add_contact(source=None).id)  # too young to count
    trial.sync()
    assert counted(trial) == expected(trial)
    business.wait_until(business.now + timedelta(days=1))
    trial.vendor.happenings.delete(business)
    merge_two(business)
    trial.sync()
    assert counted(trial) == expected(trial)
    trial.vendor.happenings.vanish(business)
    trial.sync(reconcile=True)
    assert counted(trial) == expected(trial) != first or not first
    trial.assert_equal()


Step = Callable[[], object]


def synced(trial: Trial, *, reading: Step | None = None, counting: Step | None = None) -> list[Counted]:
    """A sync with something that happens before its pages are read, or before its source is asked for counts."""
    with trial.vendor.connect(trial.sandbox) as connector:
        assert isinstance(connector, Countable)
        for name, step in (("pages", reading), ("counts", counting)):
            if step is not None:
                setattr(connector, name, _after(step, getattr(connector, name)))
        assert sync(connector, trial.store).status == "done"
        trial.connection = connector.connection
        return trial.store.counts().get(connector.connection, [])


def _after(step: Step, ask: Callable[..., Any]) -> Callable[..., Any]:
    def asked(*arguments: object) -> Any:
        step()
        return ask(*arguments)

    return asked


def without(trial: Trial, deal_id: str) -> Callable[[], None]:
    return lambda: _set(trial, {id_: deal for id_, deal in trial.business.deals.items() if id_ != deal_id})


def _set(trial: Trial, deals: Mapping[str, object]) -> None:
    kept = dict(deals)
    trial.business.deals.clear()
    trial.business.deals.update(kept)  # type: ignore[arg-type]  # its own deals
    for of_contact in trial.business.deals_of.values():
        of_contact[:] = [id_ for id_ in of_contact if id_ in kept]


@counting
def test_a_record_that_the_pages_leave_out_is_missed(trial: Trial) -> None:
    deals = dict(trial.business.deals)
    hidden = list(deals)[3]
    found = synced(trial, reading=without(trial, hidden), counting=lambda: _set(trial, deals))
    (of_deals,) = [one for one in found if one.stream == "deals"]
    assert of_deals.told == of_deals.kept + 1 > 20


@counting
def test_what_goes_while_the_pages_are_read_is_no_difference(trial: Trial) -> None:
    """The pages had it still, and the count has not: what changed meanwhile is read, and the count asked for again."""
    trial.business.wait_until(trial.business.now + timedelta(days=1))
    asked: list[str] = []

    def delete() -> None:
        if not asked:
            trial.business.archive_deal(list(trial.business.deals)[3])
        asked.append("counts")

    found = synced(trial, counting=delete)
    assert [one.kept - one.told for one in found] == [0] * len(found)
    assert len(asked) == 2
    trial.assert_equal()


@counting
@pytest.mark.parametrize("status", [403, 500])
def test_a_count_that_cannot_be_had_is_not_told(trial: Trial, status: int) -> None:
    """And never ends a sync in which all else was read."""
    assert synced(trial)

    def refuse() -> None:
        reply: Reply = (status, {"Content-Type": "application/json"}, b"{}")
        trial.sandbox.on_request = lambda number, path: reply

    assert synced(trial, counting=refuse) == []


def kept(trial: Trial, streams: Iterable[str]) -> set[tuple[str, str]]:
    tables = {stream: CANONICAL[STREAMS[stream]].name for stream in streams}
    return {
        (stream, id_) for stream, table in tables.items() for rows in trial.store.rows(table, ["id"]) for (id_,) in rows
    }


@pytest.mark.repeats
def test_a_record_that_the_store_lacks_is_told_and_read_again(trial: Trial) -> None:
    trial.business.wait_until(trial.business.now + timedelta(days=400))  # so that no overlap or feed brings it
    trial.sync()
    with trial.vendor.connect(trial.sandbox) as connector:
        assert isinstance(connector, Reconcilable)
        listed = {one.stream: one.ids[0] for one in connector.identities() if one.ids}
    with closing(sqlite3.connect(trial.store.path)) as database, database:
        for stream, id_ in listed.items():
            database.execute(f"DELETE FROM {CANONICAL[STREAMS[stream]].name} WHERE id = ?", (id_,))
    told = trial.sync(reconcile=True)
    issues = trial.store.issues(trial.connection)
    known = {(stream, issue.id) for stream, found in issues.items() for issue in found if "--full" in issue.problem}
    assert set(listed.items()) <= known | kept(trial, listed)
    assert told.issues == len(known)
    trial.sync(full=True)
    trial.assert_equal()


def test_a_comparison_with_nothing_lacking_tells_nothing(trial: Trial) -> None:
    """Nor of what was merged, and may still be listed."""
    trial.sync()
    business = trial.business
    business.wait_until(business.now + timedelta(hours=1))
    merge_two(business)
    requests = len(trial.sandbox.requests)
    assert trial.sync(reconcile=True).issues == 0
    assert len(trial.sandbox.requests) > requests
    trial.assert_equal()
