from __future__ import annotations

import os
import sqlite3
import stat
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Barrier
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted import NOON, lead, one_of_each

from holdwater.crm.connector import Page
from holdwater.crm.records import Deal, Lead, Money, Record
from holdwater.errors import StoreError
from holdwater.store.database import Store
from holdwater.store.migrations import VERSION
from holdwater.store.place import default_path
from holdwater.store.schema import CANONICAL

HERE = "test:1"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "holdwater.db") as opened:
        yield opened


def kept(store: Store, table: str = "lead", columns: tuple[str, ...] = ("id", "source")) -> list[tuple[Any, ...]]:
    return sorted(row for rows in store.rows(table, columns) for row in rows)


def leads(*records: Record, watermark: datetime | None = None) -> Page:
    return Page("leads", records, watermark)


# Keeping


def test_every_kind_of_record_is_kept_in_its_own_table(store: Store) -> None:
    assert store.keep(HERE, Page("mixed", one_of_each())).written == 11
    for record in one_of_each():
        table = CANONICAL[type(record)].name
        assert kept(store, table, ("connection", "id")) == [(HERE, "1")]
    assert kept(store, "owner", ("archived",)) == [(1,)]
    assert kept(store, "deal", ("amount_minor", "amount_currency", "amount_text")) == [(1250, "EUR", "12,50 €")]
    assert kept(store, "spend", ("day", "source")) == [("2026-03-01", None)]


def test_a_missing_amount_is_null_and_not_zero(store: Store) -> None:
    nothing = Deal(id="1", status="open", created_at=None, updated_at=NOON)
    zero = replace(nothing, id="2", amount=Money.of(Decimal(0), "EUR", "0"))
    store.keep(HERE, Page("deals", [nothing, zero]))
    assert kept(store, "deal", ("id", "amount_minor", "created_at")) == [("1", None, None), ("2", 0, None)]


def test_times_are_kept_in_utc_at_one_width(store: Store) -> None:
    elsewhere = datetime(2026, 3, 1, 1, 30, tzinfo=timezone(timedelta(hours=3)))
    store.keep(HERE, leads(replace(lead(), created_at=elsewhere)))
    assert kept(store, columns=("created_at", "updated_at")) == [
        ("2026-02-28T22:30:00.000000Z", "2026-03-01T12:00:00.000000Z")
    ]


@pytest.mark.parametrize(
    ("first", "then", "changed", "left"),
    [
        pytest.param((1, "email"), (2, "social"), 1, "social", id="newer"),
        pytest.param((2, "email"), (1, "social"), 0, "email", id="older"),
        pytest.param((1, "email"), (1, "email"), 0, "email", id="the same again"),
        pytest.param((1, "email"), (1, "social"), 1, "social", id="changed within one tick of the clock"),
        pytest.param((1, "email"), (1, None), 1, None, id="emptied within one tick of the clock"),
    ],
)
def test_only_a_newer_version_replaces_a_row(
    store: Store, first: tuple[int, str], then: tuple[int, str | None], changed: int, left: str | None
) -> None:
    store.keep(HERE, leads(lead(version=first[0], source=first[1])))
    assert store.keep(HERE, leads(lead(version=then[0], source=then[1]))).written == changed
    assert kept(store) == [("1", left)]


@given(
    st.lists(st.tuples(st.integers(1, 3), st.integers(0, 4), st.sampled_from(["email", "social", None])), max_size=20)
)
@settings(max_examples=50, deadline=None, derandomize=True)
def test_whatever_the_paging_each_row_ends_at_its_latest_newest_version(
    reads: list[tuple[int, int, str | None]],
) -> None:
    expected: dict[str, tuple[int, str | None]] = {}
    for number, version, source in reads:
        if version >= expected.get(str(number), (-1, None))[0]:
            expected[str(number)] = (version, source)
    records = [lead(number, version=version, source=source) for number, version, source in reads]
    with TemporaryDirectory() as folder, Store.open(Path(folder) / "holdwater.db") as store:
        for start in range(0, len(records), 3):
            store.keep(HERE, leads(*records[start : start + 3]))
        assert kept(store) == sorted((number, source) for number, (_, source) in expected.items())


def test_a_page_may_have_more_rows_than_one_statement_takes(store: Store) -> None:
    """Of one id, wherever in the page it comes again, the newest version stays."""
    records = [lead(1, version=7, source="newest"), *map(lead, range(2, 252)), lead(1, version=6), lead(2, version=9)]
    assert store.keep("test:1", Page("leads", records)).written == 252
    kept = dict(row for rows in store.rows("lead", ["id", "source"]) for row in rows)
    assert (len(kept), kept["1"]) == (251, "newest")
    assert store.keep("test:1", Page("leads", records)).written == 0


def test_a_whole_reading_knows_odd_ids_again(store: Store) -> None:
    odd = replace(lead(), id="x\0y")
    assert store.keep("test:1", Page("leads", [odd], whole=True, last=True)) == (1, 0)


def test_the_same_id_of_two_connections_is_two_rows(store: Store) -> None:
    store.keep("test:1", leads(lead(source="email")))
    store.keep("test:2", leads(lead(source="social")))
    assert kept(store) == [("1", "email"), ("1", "social")]


# Watermarks


def test_a_watermark_is_kept_for_each_connection_and_stream(store: Store) -> None:
    later = NOON + timedelta(microseconds=1)
    store.keep("test:1", Page("leads", [], NOON))
    store.keep("test:1", Page("deals", [], later))
    store.keep("test:2", Page("leads", [lead()]))
    assert store.watermarks("test:1") == {"leads": NOON, "deals": later}
    assert store.watermarks("test:2") == {}
    assert store.read_until() == {"test:1": later}


def test_a_watermark_may_go_back_after_a_wrong_clock(store: Store) -> None:
    store.keep(HERE, leads(watermark=NOON + timedelta(days=300)))
    store.keep(HERE, leads(watermark=NOON))
    assert store.watermarks(HERE) == {"leads": NOON}


BAD_RECORDS = {
    "no creation time": replace(lead(2), created_at=None),  # type: ignore[arg-type] # what a faulty connector sends
    "no time zone": replace(lead(2), created_at=datetime(2026, 3, 1)),  # noqa: DTZ001 -- the fault itself
    "half a surrogate": replace(lead(2), source="\ud800"),
}


@pytest.mark.parametrize("bad", BAD_RECORDS.values(), ids=BAD_RECORDS.keys())
def test_a_page_with_a_bad_record_changes_nothing_at_all(store: Store, bad: Lead) -> None:
    store.keep(HERE, leads(lead(), watermark=NOON))
    before = store.checksum()
    with pytest.raises(StoreError):
        store.keep(HERE, leads(lead(3), bad, lead(version=9), watermark=NOON + timedelta(days=1)))
    assert (store.checksum(), store.watermarks(HERE)) == (before, {"leads": NOON})
    assert store.keep(HERE, leads(lead(3))).written == 1  # and the store goes on working


def test_a_page_whose_watermark_is_bad_keeps_no_rows(store: Store) -> None:
    with pytest.raises(StoreError, match="time zone"):
        store.keep(HERE, leads(lead(), watermark=NOON.replace(tzinfo=None)))
    assert (kept(store), store.watermarks(HERE)) == ([], {})


def test_an_amount_too_large_for_the_store_is_refused_with_its_page(store: Store) -> None:
    huge = Deal(id="1", status="won", created_at=NOON, updated_at=NOON, amount=Money(2**63, "EUR", "much"))
    with pytest.raises(StoreError):
        store.keep(HERE, Page("deals", [huge]))
    assert kept(store, "deal", ("id",)) == []


# Checksum


def test_the_checksum_tells_the_rows_and_not_how_they_came(tmp_path: Path) -> None:
    with Store.open(tmp_path / "a.db") as a, Store.open(tmp_path / "b.db") as b:
        assert a.checksum() == b.checksum()
        a.keep(HERE, leads(lead(1), lead(2)))
        b.keep(HERE, leads(lead(2), watermark=NOON))
        assert a.checksum() != b.checksum()
        b.keep(HERE, leads(lead(1, version=-1, source=None)))
        b.keep(HERE, leads(lead(1)))
        assert a.checksum() == b.checksum()
        b.keep(HERE, leads(lead(1)))
        assert a.checksum() == b.checksum()
        b.keep(HERE, leads(lead(1, source=None)))
        assert a.checksum() != b.checksum()


# Opening


def test_a_store_is_still_there_when_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "holdwater.db"
    with Store.open(path) as store:
        store.keep(HERE, leads(lead(), watermark=NOON))
        checksum = store.checksum()
    with Store.open(path) as store:
        assert (store.checksum(), store.watermarks(HERE)) == (checksum, {"leads": NOON})


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no permission bits")
def test_only_its_user_may_read_the_store(tmp_path: Path) -> None:
    umask = os.umask(0)
    try:
        with Store.open(tmp_path / "holdwater.db") as store, store.sync_lock():
            store.keep(HERE, leads(lead()))
            files = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    finally:
        os.umask(umask)
    assert {"holdwater.db", "holdwater.db-wal", "holdwater.db-lock"} <= set(files)
    assert set(files.values()) == {0o600}


def test_a_store_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "holdwater.db"
    Store.open(path).close()
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"PRAGMA user_version = {VERSION + 1}")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="newer Holdwater"):
        Store.open(path)
    assert path.read_bytes() == before


def test_a_foreign_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "foreign.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE lead (id)")
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"not a Holdwater store.*HOLDWATER_STORE"):
        Store.open(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"x", b"id,source\n1,email\n", b"id,source\n" * 500])
def test_a_text_file_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "export.csv"
    path.write_bytes(content)
    with pytest.raises(StoreError, match="not a Holdwater store"):
        Store.open(path)
    assert path.read_bytes() == content


def test_an_empty_file_becomes_a_store(tmp_path: Path) -> None:
    path = tmp_path / "holdwater.db"
    path.touch()
    with Store.open(path) as store:
        assert store.keep(HERE, leads(lead())).written == 1


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        Store.open(tmp_path)


def test_a_damaged_store_is_refused_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "holdwater.db"
    with Store.open(path) as store:
        store.keep(HERE, leads(*[lead(number) for number in range(2_000)]))
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))
    with pytest.raises(StoreError, match="cannot be used"), Store.open(path) as store:
        store.checksum()


# Several at once


def test_readers_see_whole_pages_while_a_sync_writes(store: Store) -> None:
    store.keep(HERE, leads(lead(1)))
    with Store.open(store.path) as reader:
        with reader.snapshot():
            assert kept(reader) == [("1", "email")]
            store.keep(HERE, leads(lead(2)))  # is not held up by the reader
            assert kept(reader) == [("1", "email")]  # nor does the reader's moment move
        assert kept(reader) == [("1", "email"), ("2", "email")]


def test_many_may_be_the_first_to_open_a_store(tmp_path: Path) -> None:
    together = Barrier(8)

    def open_it(path: Path) -> int:
        together.wait()
        with Store.open(path) as store:
            return store.keep(HERE, leads(lead())).written

    with ThreadPoolExecutor(8) as pool:
        for attempt in range(20):
            assert sum(pool.map(open_it, [tmp_path / str(attempt) / "holdwater.db"] * 8)) == 1


def test_a_second_sync_is_refused_while_readers_go_on(store: Store) -> None:
    with Store.open(store.path) as other:
        with store.sync_lock():
            with pytest.raises(StoreError, match="Another sync"), other.sync_lock():
                pytest.fail("two syncs at once")
            store.keep(HERE, leads(lead()))
            assert kept(other) == [("1", "email")]
        with other.sync_lock():
            pass


# Where


def test_the_environment_says_where_the_store_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOLDWATER_STORE", str(tmp_path / "mine.db"))
    assert default_path() == tmp_path / "mine.db"


@pytest.mark.skipif(sys.platform != "linux", reason="the XDG rule")
@pytest.mark.parametrize(
    ("xdg", "base"), [("/data", "/data"), ("relative", "/home/u/.local/share"), ("", "/home/u/.local/share")]
)
def test_otherwise_the_data_directory_of_the_user(monkeypatch: pytest.MonkeyPatch, xdg: str, base: str) -> None:
    monkeypatch.delenv("HOLDWATER_STORE", raising=False)
    monkeypatch.setenv("HOME", "/home/u")
    monkeypatch.setenv("XDG_DATA_HOME", xdg)
    assert default_path() == Path(base) / "holdwater" / "holdwater.db"
