"""What a source has lost is gone from the figures, and remembered."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from scripted import NOON, Scripted, lead

from holdwater.crm.connector import Gone, Identities, Issue, Page
from holdwater.crm.records import Activity, Consent, Deal, StageEvent
from holdwater.errors import UnreachableError, UsageError
from holdwater.store.database import Store
from holdwater.store.runs import Run
from holdwater.store.sync import sync

HERE = "test:1"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "holdwater.db") as opened:
        yield opened


def rows(store: Store, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(store.path)) as database:
        return sorted(database.execute(query).fetchall())


def deal(id_: str, lead_id: str | None) -> Deal:
    return Deal(id=id_, status="open", created_at=NOON, updated_at=NOON, lead_id=lead_id)


def test_a_deleted_record_goes_and_leaves_a_tombstone(store: Store) -> None:
    store.keep(HERE, Page("leads", [lead(1), lead(2)]))
    assert store.keep(HERE, Page("leads", [], gone=[Gone("1", "deleted"), Gone("9", "archived")])).gone == 1
    assert rows(store, "SELECT id FROM lead") == [("2",)]
    assert rows(store, "SELECT stream, id, how FROM gone") == [("leads", "1", "deleted"), ("leads", "9", "archived")]
    assert store.keep(HERE, Page("leads", [], gone=[Gone("1", "deleted")])).gone == 0  # told twice


@pytest.mark.parametrize(
    ("stream", "query"),
    [
        ("leads", "UPDATE deal SET lead_id = 2 WHERE connection = 1 AND lead_id = 1"),
        ("leads", "DELETE FROM consent WHERE (connection, lead_id) = (1, 1)"),
        ("deals", "DELETE FROM stage_event WHERE (connection, deal_id) = (1, 1)"),
        ("customers", "UPDATE invoice SET customer_id = 2 WHERE connection = 1 AND customer_id = 1"),
    ],
)
def test_who_refers_to_what_went_is_looked_up_not_searched_for(stream: str, query: str, store: Store) -> None:
    """Or a sync would take longer with the square of what was merged."""
    store.keep(HERE, Page(stream, [], gone=[Gone("1", "deleted")]))
    (step,) = rows(store, f"EXPLAIN QUERY PLAN {query}")
    assert "_id (connection=? AND " in step[-1]


def test_a_record_that_comes_back_is_no_longer_gone(store: Store) -> None:
    store.keep(HERE, Page("leads", [lead(1)], gone=[Gone("1", "archived")]))
    store.keep(HERE, Page("leads", [lead(1)]))
    assert (rows(store, "SELECT id FROM lead"), rows(store, "SELECT id FROM gone")) == ([("1",)], [])


def test_the_same_id_of_another_stream_or_source_stays(store: Store) -> None:
    store.keep(HERE, Page("deals", [deal("1", None)]))
    store.keep("test:2", Page("leads", [lead(1)]))
    store.keep(HERE, Page("leads", [lead(1)]))
    store.keep(HERE, Page("leads", [], gone=[Gone("1", "deleted")]))
    assert rows(store, "SELECT connection FROM lead") == [("test:2",)]
    assert rows(store, "SELECT id FROM deal") == [("1",)]


def test_what_belonged_to_a_merged_record_belongs_to_the_one_that_lives_on(store: Store) -> None:
    store.keep(HERE, Page("leads", [lead(1), lead(2), lead(3)]))
    store.keep(HERE, Page("deals", [deal("10", "1"), deal("20", "2")]))
    call = Activity(id="5", kind="call", direction="in", occurred_at=NOON, updated_at=NOON, lead_id="1")
    store.keep(HERE, Page("activities", [call]))
    store.keep(HERE, Page("leads", [], gone=[Gone("1", "merged", into="2")]))
    assert rows(store, "SELECT id, lead_id FROM deal") == [("10", "2"), ("20", "2")]
    assert rows(store, "SELECT lead_id FROM activity") == [("2",)]
    store.keep(HERE, Page("leads", [], gone=[Gone("2", "merged", into="3")]))  # a merge of merges
    assert rows(store, "SELECT DISTINCT lead_id FROM deal") == [("3",)]
    assert rows(store, "SELECT id, merged_into FROM gone") == [("1", "2"), ("2", "3")]


def test_the_parts_of_a_record_go_with_it(store: Store) -> None:
    event = StageEvent(id="e", deal_id="10", stage_id="s", entered_at=NOON, updated_at=NOON)
    store.keep(HERE, Page("leads", [lead(1)]))
    store.keep(HERE, Page("deals", [deal("10", "1")]))
    store.keep(HERE, Page("stage_events", [event, replace(event, id="f", deal_id="11")]))
    store.keep(
        HERE, Page("consents", [Consent(id="c", lead_id="1", channel="email", status="opted_in", updated_at=NOON)])
    )
    store.keep(HERE, Page("deals", [], gone=[Gone("10", "deleted")]))
    store.keep(HERE, Page("leads", [], gone=[Gone("1", "deleted")]))
    assert rows(store, "SELECT id FROM stage_event") == [("f",)]
    assert rows(store, "SELECT id FROM consent") == []


def test_a_reading_of_everything_finds_what_is_missing(store: Store) -> None:
    sync(Scripted([Page("leads", [lead(1), lead(2), lead(3)])]), store)
    unreadable = Issue("3", "its date cannot be read")
    pages = [Page("leads", [lead(2)], whole=True), Page("leads", [], NOON, whole=True, last=True, issues=[unreadable])]
    run = sync(Scripted(pages), store)
    assert (run.rows_gone, run.issues) == (1, 1)
    assert rows(store, "SELECT id FROM lead") == [("2",), ("3",)]  # what cannot be read is there all the same
    assert rows(store, "SELECT id, how FROM gone") == [("1", "missing")]
    assert store.issues(HERE) == {"leads": [unreadable]}


def test_a_reading_cut_short_buries_nothing(store: Store) -> None:
    store.keep(HERE, Page("leads", [lead(1), lead(2), lead(3)]))
    with pytest.raises(ValueError, match="cut"):
        sync(Scripted([Page("leads", [lead(2)], whole=True), ValueError("cut")]), store)
    # The next one starts anew: what the first half met is not taken for met again.
    run = sync(Scripted([Page("leads", [lead(3)], whole=True, last=True)]), store)
    assert run.rows_gone == 2
    assert rows(store, "SELECT id FROM lead") == [("3",)]


def test_an_issue_ends_when_the_record_can_be_taken(store: Store) -> None:
    store.keep(HERE, Page("leads", [], issues=[Issue("1", "no date"), Issue("2", "no date")]))
    store.keep(HERE, Page("leads", [lead(1)], gone=[Gone("2", "deleted")]))
    assert store.issues(HERE) == {}


class Listed(Scripted):
    def identities(self) -> Iterator[Identities]:
        yield Identities("leads", ["1"])
        yield Identities("leads", ["3"], last=True)


def test_a_comparison_of_ids_buries_what_is_not_there(store: Store) -> None:
    run = sync(Listed([Page("leads", [lead(1), lead(2), lead(3)], NOON)]), store, reconcile=True)
    assert run.rows_gone == 1
    assert rows(store, "SELECT id FROM lead") == [("1",), ("3",)]


def lacking(store: Store) -> dict[str, list[str]]:
    return {stream: [issue.id for issue in found] for stream, found in store.issues(HERE).items()}


def test_what_the_source_has_and_the_store_lacks_is_told_until_it_is_read(store: Store) -> None:
    store.keep(HERE, Page("leads", [], gone=[Gone("3", "merged", into="1")]))  # may be listed still
    run = sync(Listed([Page("leads", [lead(2)], NOON)]), store, reconcile=True)
    assert (run.issues, lacking(store)) == (1, {"leads": ["1"]})
    assert "--full" in store.issues(HERE)["leads"][0].problem
    assert sync(Listed([Page("leads", [], NOON)]), store, reconcile=True).issues == 1
    assert sync(Listed([Page("leads", [lead(1)], NOON)]), store, reconcile=True).issues == 0
    assert lacking(store) == {}


def test_what_was_merged_is_told_where_the_ids_are_exact(store: Store) -> None:
    """The source says that it counts again, by itself."""

    class Exact(Scripted):
        def identities(self) -> Iterator[Identities]:
            yield Identities("leads", ["1", "3"], last=True, exact=True)

    store.keep(HERE, Page("leads", [], gone=[Gone("3", "merged", into="1")]))
    sync(Exact([Page("leads", [lead(1)], NOON)]), store, reconcile=True)
    assert lacking(store) == {"leads": ["3"]}


def test_what_is_lacking_no_more_because_the_source_lost_it_is_told_no_more(store: Store) -> None:
    sync(Listed([Page("leads", [], NOON)]), store, reconcile=True)
    assert lacking(store) == {"leads": ["1", "3"]}

    class Fewer(Scripted):
        def identities(self) -> Iterator[Identities]:
            yield Identities("leads", ["3"], last=True)

    sync(Fewer([Page("leads", [], NOON)]), store, reconcile=True)
    assert lacking(store) == {"leads": ["3"]}


def test_what_could_not_be_taken_is_told_once(store: Store) -> None:
    unreadable = Issue("3", "its date cannot be read")
    sync(Listed([Page("leads", [lead(1)], NOON, issues=[unreadable])]), store, reconcile=True)
    assert store.issues(HERE) == {"leads": [unreadable]}


@dataclass
class Growing(Listed):
    """Another lead is made after the pages were read."""

    def pages(self, watermarks: Mapping[str, datetime]) -> Iterator[Page]:
        yield Page("leads", [lead(1)] if not self.asked else [lead(3)], NOON)
        self.asked.append(dict(watermarks))


def test_what_was_made_since_the_pages_were_read_is_read_and_not_told(store: Store) -> None:
    assert sync(Growing([]), store, reconcile=True).issues == 0
    assert rows(store, "SELECT id FROM lead") == [("1",), ("3",)]
    assert lacking(store) == {}


def test_a_source_that_cannot_list_its_ids_says_so(store: Store) -> None:
    with pytest.raises(UsageError, match="--full"):
        sync(Scripted([]), store, reconcile=True)


def test_a_rehearsal_tells_and_keeps_nothing(store: Store) -> None:
    store.keep(HERE, Page("leads", [lead(1)], NOON))
    before = store.checksum()
    run = sync(Scripted([Page("leads", [lead(2)], gone=[Gone("1", "deleted")])]), store, rehearse=True)
    assert (run.rows_written, run.rows_gone) == (1, 1)
    assert (store.checksum(), store.runs(HERE), store.watermarks(HERE)) == (before, [], {"leads": NOON})


@pytest.mark.parametrize(
    ("days", "asked"), [(-30, {"deals": -30, "stage_events": -50}), (-20, {"deals": -20, "stage_events": -40}),
                        (0, {"deals": 0, "stage_events": -20}), (5, {"deals": 0, "stage_events": -20})]
)  # fmt: skip
def test_a_sync_since_a_day_reaches_back_and_leaves_nothing_out(days: int, asked: dict[str, int], store: Store) -> None:
    """Not what came between the last sync and a later day, and no stream that was never read, or not to its end."""
    for stream, read in {"deals": 0, "stage_events": -20}.items():
        store.keep(HERE, Page(stream, [], NOON + timedelta(days=read)))
    source = Scripted([], HERE)
    sync(source, store, since=NOON + timedelta(days=days))
    assert source.asked == [{stream: NOON + timedelta(days=back) for stream, back in asked.items()}]


@dataclass
class Forgetting(Listed):
    remembers: timedelta = timedelta(days=14)


@pytest.mark.parametrize(("days", "gone"), [(13, 0), (14, 1)])
def test_what_a_source_tells_no_more_is_found_by_its_ids(days: int, gone: int, store: Store) -> None:
    """By the clock of the source, whose watermarks these are."""
    sync(Listed([Page("leads", [lead(1), lead(2), lead(3)], NOON)]), store)
    run = sync(Forgetting([Page("leads", [], NOON + timedelta(days=days))]), store)
    assert run.rows_gone == gone
    assert sync(Forgetting([Page("leads", [], NOON + timedelta(days=days + 1))]), store).rows_gone == 0


class Unlisted(Forgetting):
    def identities(self) -> Iterator[Identities]:
        raise UnreachableError("cut")


def test_a_comparison_that_broke_off_is_made_by_the_next_sync(store: Store) -> None:
    """The pages before it were kept, and their watermarks with them."""
    store.keep(HERE, Page("leads", [lead(1), lead(2), lead(3)], NOON))
    store.log(HERE, Run(started_at=NOON, status="done"))
    later = NOON + timedelta(days=20)
    with pytest.raises(UnreachableError):
        sync(Unlisted([Page("leads", [], later)]), store)
    assert sync(Forgetting([Page("leads", [], later)]), store).rows_gone == 1
    sync(Unlisted([Page("leads", [], later)]), store)  # and by no other
