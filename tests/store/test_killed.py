from __future__ import annotations

import random
import subprocess
import sys
from collections import defaultdict
from datetime import datetime
from pathlib import Path

import killed_sync
from killed_sync import CONNECTION, PAGES_A_STREAM, ROWS_A_PAGE, Source, version

from holdwater.store.database import Store
from holdwater.store.sync import sync

KILLS = 10
AHEAD = 3  # pages the killed sync may be ahead of us: enough to be at work, wherever that is, when it dies
TABLES = {"leads": "lead", "deals": "deal"}


def kill_at_a_page(path: Path, generation: int, told: int) -> list[tuple[str, int]]:
    """Start a sync and kill it when it has told of so many pages; the pages it told of until it was dead."""
    command = [sys.executable, killed_sync.__file__, str(path), str(generation)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(b"." * AHEAD)
        lines = []
        for _ in range(told):
            lines.append(child.stdout.readline())
            child.stdin.write(b".")
        child.kill()
        lines += child.stdout.readlines()
    return [(stream, int(number)) for stream, number in (line.decode().split() for line in lines)]


def versions_of_pages(store: Store) -> dict[tuple[str, int], set[datetime]]:
    pages: dict[tuple[str, int], set[datetime]] = defaultdict(set)
    for stream, table in TABLES.items():
        for rows in store.rows(table, ("id", "updated_at")):
            for id, updated_at in rows:
                pages[stream, int(id.split("-")[0])].add(datetime.fromisoformat(updated_at))
    return pages


def test_a_sync_killed_at_any_moment_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    path = tmp_path / "holdwater.db"
    order = [(stream, page) for stream in TABLES for page in range(PAGES_A_STREAM)]
    luck = random.Random(20261121)
    between = 0
    for generation in range(1, KILLS + 1):
        told = kill_at_a_page(path, generation, luck.randrange(2, len(order) - AHEAD - 1))
        with Store.open(path) as store:
            now, pages = version(generation), versions_of_pages(store)
            committed = [page for page in order if now in pages[page]]
            assert all(pages[page] == {now} for page in committed), "half a page was kept"
            assert committed == order[: len(committed)], "a page was skipped"
            # A page is told of once the page before it has been committed.
            assert len(committed) in (len(told) - 1, len(told)), "a committed page was lost"
            for stream in TABLES:
                whole = (stream, PAGES_A_STREAM - 1) in committed
                assert (store.watermarks(CONNECTION).get(stream) == now) == whole, "the watermark left its rows"
            assert store.runs(CONNECTION)[0].status == "running"
            between += 1 <= len(committed) < len(order)
    assert between >= 8

    with Store.open(path) as killed, Store.open(tmp_path / "undisturbed.db") as undisturbed:
        run = sync(Source(KILLS + 1), killed)  # no stale lock is in the way
        sync(Source(KILLS + 1), undisturbed)
        assert run.rows_written == len(order) * ROWS_A_PAGE
        assert killed.checksum() == undisturbed.checksum()
        assert killed.watermarks(CONNECTION) == dict.fromkeys(TABLES, version(KILLS + 1))
