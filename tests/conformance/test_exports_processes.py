"""Exports have no server, but the same holds: a sync that is killed, runs out of room or meets another harms nothing.

The export is a newer one of a source that the store knows already: every row has changed, and some are new.
"""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest
import xlsxwriter

from holdwater.crm.files import Exports
from holdwater.store.database import Store
from holdwater.store.sync import sync

KILLS, BETWEEN = 50, 40
AHEAD = 2  # pages the killed sync may be ahead of us: enough to be at work, wherever that is, when it dies
LEADS, DEALS, CUSTOMERS = 3_000, 1_000, 502  # in the newer export
PAGES = 6 + 2 + 2
KEY = ("HOLDWATER_PERSON_KEY", "0123456789abcdef0123456789abcdef")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither SIGKILL nor limits of a process"),
]

MAPPING = """
name = "shop"
currency = "EUR"
[leads]
file = "leads.csv"
columns = { id = "Email", created_at = "Created", source = "Source", owner_id = "Owner", email = "Email" }
[deals]
file = "deals.csv"
columns = { id = "No", lead_id = "Email", status = "Status", amount = "Net", closed_at = "Closed" }
[customers]
file = "customers.xlsx"
columns = { id = "No", lead_id = "Email", started_at = "Since" }
"""
# Tells of every page that is kept, and waits for leave to go on.
_CHILD = """
import os, sys
from pathlib import Path
from holdwater.crm.files import Exports
from holdwater.store.database import Store
from holdwater.store.sync import sync

def tell(*_):
    print("page", flush=True)
    os.read(0, 1)

folder = Path(sys.argv[1])
with Store.open(sys.argv[2]) as store:
    sync(Exports(folder, folder / "mapping.toml"), store, progress=tell)
"""


def write(folder: Path, generation: int) -> None:
    """The export of a generation: each has more rows, and other values in all of them."""

    def address(number: int) -> str:
        return f"person{number}@example.org"

    share = generation / 2
    folder.mkdir(exist_ok=True)
    (folder / "mapping.toml").write_text(MAPPING)
    day = date(2026, generation, 1)
    leads = [f"{address(n)},{day},Source {n % 5},Owner of {generation}" for n in range(int(LEADS * share))]
    (folder / "leads.csv").write_text("\n".join(["Email,Created,Source,Owner", *leads]))
    deals = [f"D-{n},{address(n)},won,{n}.{generation}0,{day}" for n in range(int(DEALS * share))]
    (folder / "deals.csv").write_text("\n".join(["No,Email,Status,Net,Closed", *deals]))
    with xlsxwriter.Workbook(folder / "customers.xlsx", {"default_date_format": "yyyy-mm-dd"}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["No", "Email", "Since"])
        for number in range(int(CUSTOMERS * share)):
            sheet.write_row(number + 1, 0, [number, address(number), day + timedelta(days=number % 20)])


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, str]:
    """The newer export, a store that knows the older one, and what an undisturbed sync of the newer makes of it."""
    place = tmp_path_factory.mktemp("exports")
    folder, known = place / "export", place / "known.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(*KEY)
        write(folder, 1)
        with Store.open(known) as store:
            sync(Exports(folder, folder / "mapping.toml"), store)
        write(folder, 2)
        shutil.copy(known, place / "undisturbed.db")
        with Store.open(place / "undisturbed.db") as store:
            run = sync(Exports(folder, folder / "mapping.toml"), store)
            assert (run.pages, run.rows_written) == (PAGES, LEADS + DEALS + CUSTOMERS)
            return folder, known, store.checksum()


@pytest.fixture
def path(prepared: tuple[Path, Path, str], tmp_path: Path) -> Path:
    return Path(shutil.copy(prepared[1], tmp_path / "store.db"))


def assert_whole_after_a_sync(prepared: tuple[Path, Path, str], path: Path) -> None:
    folder, _, whole = prepared
    with Store.open(path) as store:
        assert sync(Exports(folder, folder / "mapping.toml"), store).status == "done"
        assert store.checksum() == whole
        rows = {table: sum(map(len, store.rows(table, ["id"]))) for table in ("lead", "deal", "customer")}
    assert rows == {"lead": LEADS, "deal": DEALS, "customer": CUSTOMERS}


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(*KEY)


def test_killed_at_fifty_random_moments_nothing_is_lost_or_doubled(
    prepared: tuple[Path, Path, str], tmp_path: Path
) -> None:
    folder, known, _ = prepared
    chance = random.Random(20261122)
    between = 0
    for kill in range(KILLS):
        path = Path(shutil.copy(known, tmp_path / f"killed-{kill}.db"))
        _kill_at(folder, path, chance.randint(1, PAGES - AHEAD - 1))
        with Store.open(path) as store:
            new = sum(moment > "2026-01-31" for rows in store.rows("lead", ["created_at"]) for (moment,) in rows)
            assert new % 500 == 0, "half a page was kept"
            last, *_ = store.runs("exports:shop")
            between += new > 0 and last.status == "running"
        assert_whole_after_a_sync(prepared, path)
        path.unlink()
    assert between >= BETWEEN


def _kill_at(folder: Path, path: Path, told: int) -> None:
    """Killed when it has told of so many pages, whatever it does then."""
    command = [sys.executable, "-c", _CHILD, str(folder), str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(b"." * AHEAD)
        for _ in range(told):
            assert child.stdout.readline() == b"page\n"
            child.stdin.write(b".")
        child.send_signal(signal.SIGKILL)
        child.stdout.read()
        assert child.wait() == -signal.SIGKILL


def _command(folder: Path, path: Path, *, most_bytes: int = 0) -> subprocess.Popen[str]:
    """`holdwater sync exports`; `most_bytes` is how long a file it writes may become (0: no limit)."""
    words = ["sync", "exports", "--from", str(folder), "--mapping", str(folder / "mapping.toml"), "--store", str(path)]
    limited = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({most_bytes},) * 2); " if most_bytes else ""
    script = f"{limited}from holdwater.cli import main; raise SystemExit(main({words!r}))"
    return subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("more_bytes", [-100_000, 8_192, 200_000])
def test_a_full_disk_is_told_and_what_was_kept_is_whole(
    prepared: tuple[Path, Path, str], path: Path, more_bytes: int
) -> None:
    with _command(prepared[0], path, most_bytes=path.stat().st_size + more_bytes) as child:
        assert child.stderr is not None
        told = child.stderr.read()
        assert child.wait() == 7, told
    assert f"The store {path} cannot be used" in told
    assert "Traceback" not in told
    assert "@" not in told
    assert_whole_after_a_sync(prepared, path)


def test_two_syncs_at_once_make_one_store(prepared: tuple[Path, Path, str], path: Path) -> None:
    with _command(prepared[0], path) as one, _command(prepared[0], path) as other:
        told = [(child.stderr.read(), child.wait()) for child in (one, other) if child.stderr]
    assert 0 in [code for _, code in told]
    for text, code in told:
        assert code == 0 or (code == 7 and "Another sync" in text)
    assert_whole_after_a_sync(prepared, path)
