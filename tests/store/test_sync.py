from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from scripted import NOON, Counting, Scripted, lead

from holdwater.crm.connector import Issue, Page
from holdwater.errors import CredentialsError, QuotaError, StoreError, UnreachableError
from holdwater.store.counted import Counted
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


class Seen(Scripted):
    site = "https://crm.example/1"


def test_where_people_look_at_the_records_is_kept(opened: Store) -> None:
    sync(Seen([]), opened, rehearse=True)
    assert opened.sites() == {}
    sync(Seen([]), opened)
    sync(Scripted([]), opened)  # one that has no pages says nothing about it
    assert opened.sites() == {"test:1": "https://crm.example/1"}


@dataclass
class Asked(Scripted):
    """A source that tells its counts, in turn; the exceptions among them are raised."""

    told: list[Mapping[str, int] | Exception] = field(default_factory=list)
    before: list[datetime] = field(default_factory=list)

    def counts(self, before: datetime) -> Mapping[str, int]:
        self.before.append(before)
        found = self.told[len(self.before) - 1]
        if isinstance(found, Exception):
            raise found
        return found


LATER = NOON + timedelta(days=1, microseconds=7)
THREE = [Page("leads", [lead(1), lead(2), lead(3)], LATER)]


def counted(store: Store, told: int, kept: int = 3) -> dict[str, list[Counted]]:
    return {"test:1": [Counted(stream="leads", before=NOON + timedelta(hours=23), kept=kept, told=told)]}


def test_what_the_source_counts_is_kept_beside_the_rows(opened: Store) -> None:
    """Of whole seconds, and without the last hour, of which a source may not know yet."""
    young = replace(lead(4), created_at=NOON + timedelta(hours=23))
    source = Asked([*THREE, Page("leads", [young], LATER)], told=[{"leads": 3}])
    sync(source, opened)
    assert (opened.counts(), source.before) == (counted(opened, 3), [NOON + timedelta(hours=23)])
    sync(Scripted(THREE), opened)  # a source that tells none any more
    assert opened.counts() == {}


def test_a_count_that_differs_is_asked_for_again_behind_what_came_meanwhile(opened: Store) -> None:
    source = Asked(THREE, told=[{"leads": 4}, {"leads": 5}])
    sync(source, opened)
    assert source.asked == [{}, {"leads": LATER}]
    assert opened.counts() == counted(opened, 5)


def test_a_record_that_could_not_be_taken_is_reason_enough_for_a_difference(opened: Store) -> None:
    source = Asked([replace(THREE[0], issues=[Issue("4", "It has no day.")])], told=[{"leads": 4}])
    sync(source, opened)
    assert (len(source.asked), opened.counts()) == (1, counted(opened, 4))


@pytest.mark.parametrize("told", [[UnreachableError("cut")], [QuotaError("no more")], [CredentialsError("no right")],
                                  [{"leads": 4}, UnreachableError("cut")]])  # fmt: skip
def test_a_count_that_fails_is_not_told_and_fails_no_sync(
    opened: Store, told: list[Mapping[str, int] | Exception]
) -> None:
    sync(Asked(THREE, told=[{"leads": 3}]), opened)
    assert sync(Asked(THREE, told=told), opened).status == "done"
    assert opened.counts() == {}


def test_a_second_reading_that_fails_fails_no_sync(opened: Store) -> None:
    class Cut(Asked):
        def pages(self, watermarks: Mapping[str, datetime]) -> Iterator[Page]:
            if watermarks:
                raise UnreachableError("cut")
            yield from super().pages(watermarks)

    assert sync(Cut(THREE, told=[{"leads": 4}]), opened).status == "done"
    assert opened.counts() == {}


def test_a_rehearsal_asks_for_no_counts(opened: Store) -> None:
    source = Asked(THREE, told=[{"leads": 3}])
    sync(source, opened, rehearse=True)
    assert (source.before, opened.counts()) == ([], {})


def test_a_failed_sync_leaves_what_the_source_told_beside_the_rows_of_now(opened: Store) -> None:
    sync(Asked(THREE, told=[{"leads": 3}]), opened)
    with pytest.raises(UnreachableError):
        sync(Asked([Page("leads", [lead(4)]), UnreachableError("cut")]), opened)
    ((one,),) = opened.counts().values()
    assert (one.told, one.kept) == (3, 4)


@dataclass
class Knowing(Scripted):
    recognises: bool = True


@pytest.mark.parametrize(
    ("source", "left"), [(lambda pages: Knowing(pages, recognises=False), "hash"), (Knowing, None), (Scripted, None)]
)
def test_a_person_is_forgotten_only_by_a_source_that_was_asked(
    opened: Store, source: Callable[[list[Page]], Scripted], left: str | None
) -> None:
    """A keyring that is locked for once empties nothing; an address that has left the CRM takes its hash along."""
    sync(Knowing([Page("leads", [replace(lead(number), person="hash") for number in (1, 2)])]), opened)
    run = sync(source([Page("leads", [lead(1, version=1, source="social"), lead(2)])]), opened)
    assert list(opened.rows("lead", ["source", "person"])) == [[("social", left), ("email", left)]]
    assert run.rows_written == (1 if left else 2)
