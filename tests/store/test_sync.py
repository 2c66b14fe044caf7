from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from scripted import NOON, Counting, Scripted, lead

from holdwater.crm.connector import Issue, Page
from holdwater.errors import StoreError, UnreachableError
from holdwater.store.database import Store
from holdwater.store.sync import sync

TWO_PAGES = [Page("leads", [lead(1), lead(2)], expected=3), Page("leads", [lead(3)], NOON, expected=3)]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "holdwater.db") as store:
        yield store


def test_a_sync_keeps_every_page_and_says_what_it_did(opened: Store) -> None:
    run = sync(Counting([*TWO_PAGES, Page("deals", [], NOON)]), opened)
    assert (run.status, run.pages, run.rows_read, run.rows_written) == ("done", 3, 3, 3)
    assert run.streams == {"leads": 3, "deals": 0}
    assert (run.requests, run.retries, run.throttled_seconds) == (3, 2, 1.5)
    assert run.finished_at is not None
    assert run.finished_at >= run.started_at
    assert opened.watermarks("test:1") == {"leads": NOON, "deals": NOON}
    assert opened.runs("test:1") == [run]
    assert opened.runs("test:2") == []


def test_a_second_sync_starts_at_the_watermarks_and_leaves_the_checksum(opened: Store) -> None:
    sync(Scripted(TWO_PAGES), opened)
    before = opened.checksum()
    later = NOON + timedelta(hours=1)
    again = Scripted([Page("leads", [lead(3)], later)])
    run = sync(again, opened)
    assert again.asked == [{"leads": NOON}]
    assert (run.rows_read, run.rows_written) == (1, 0)
    assert (opened.checksum(), opened.watermarks("test:1")) == (before, {"leads": later})
    assert [each.rows_read for each in opened.runs("test:1")] == [1, 3]


def test_a_full_sync_asks_for_everything(opened: Store) -> None:
    sync(Scripted(TWO_PAGES), opened)
    again = Scripted([])
    sync(again, opened, full=True)
    assert again.asked == [{}]
    assert opened.watermarks("test:1") == {"leads": NOON}


def test_progress_is_told_after_each_page(opened: Store) -> None:
    told: list[tuple[str, int, int | None]] = []
    sync(Scripted(TWO_PAGES), opened, progress=lambda *line: told.append(line))
    assert told == [("leads", 2, 3), ("leads", 3, 3)]


@pytest.mark.parametrize("rehearse", [False, True])
def test_what_could_not_be_taken_is_told_even_if_nothing_is_kept(opened: Store, rehearse: bool) -> None:
    told: dict[str, Sequence[Issue]] = {}
    issue = Issue("7", "It has no day.")
    sync(Scripted([Page("leads", [], issues=[issue])]), opened, rehearse=rehearse, told=told.update)
    assert told == {"leads": [issue]}
    assert bool(opened.issues("test:1")) is not rehearse


def test_a_failed_sync_keeps_whole_pages_and_is_logged_by_class_alone(opened: Store) -> None:
    secret = UnreachableError("no answer for jane@example.com")
    with pytest.raises(UnreachableError):
        sync(Counting([TWO_PAGES[0], secret]), opened)
    (run,) = opened.runs("test:1")
    assert (run.status, run.error, run.pages, run.rows_written) == ("failed", "UnreachableError", 1, 2)
    assert run.requests == 3
    assert run.finished_at is not None
    assert opened.watermarks("test:1") == {}
    with opened.sync_lock():
        pass  # free again
    assert b"jane" not in b"".join(path.read_bytes() for path in opened.path.parent.iterdir())


def test_two_syncs_at_once_are_refused_before_the_source_is_asked(opened: Store) -> None:
    second = Scripted(TWO_PAGES)
    with Store.open(opened.path) as other, other.sync_lock(), pytest.raises(StoreError, match="Another sync"):
        sync(second, opened)
    assert second.asked == []
    assert opened.runs("test:1") == []
