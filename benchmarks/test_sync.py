"""A sync of HubSpot against dlt's rest_api source into SQLite with merge, from one local server, in one run.

Both ask for the same pages of the same objects, and what they keep has equal checksums. Each runs in a process of its
own, and the time that it takes to start is nobody's. Neither can know a page's cursor before the page has come.
"""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from peer_environment import PEERS, peer_python
from ratios import Goal

from holdwater.crm.hubspot_objects import CALLS, CONTACTS, DEALS, EMAILS

HERE = Path(__file__).parent
FEW, MANY = 40_000, 400_000

AT_ONCE = Goal(f"Full sync of {FEW:,} records, 0 ms a request, equal checksums", peer="dlt", at_least=3)
OF_MANY = Goal(f"Full sync of {MANY:,} records, 0 ms a request, equal checksums", peer="dlt", at_least=3)
SLOWLY = Goal(f"Full sync of {FEW:,} records, 80 ms a request, serial cursors", peer="dlt", at_least=1.8)
MEMORY = Goal(f"Peak memory of a sync of {MANY:,} records", f"times that of {FEW:,}", "itself", at_most=1.3)
CHANGES = Goal(f"Sync after 1 % of {MANY:,} records changed", "of the requests of a full one", "itself", at_most=0.03)


@contextmanager
def serving(records: int) -> Iterator[str]:
    """The address of a sandbox with so many records."""
    server = subprocess.Popen(
        [sys.executable, str(HERE / "crm_server.py"), str(records)], stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    try:
        yield server.stdout.readline().strip()
    finally:
        server.terminate()
        server.wait()
        server.stdout.close()


def steer(url: str, what: str) -> None:
    with urllib.request.urlopen(f"{url}/bench/{what}") as answer:
        answer.read()


def result(*command: str) -> dict[str, Any]:
    """What a program prints in its last line."""
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


def ours(url: str, store: Path) -> dict[str, Any]:
    return result(sys.executable, str(HERE / "our_sync.py"), url, str(store))


def dlts(url: str, folder: Path) -> dict[str, Any]:
    """With the very parameters that we ask with."""
    asked = {}
    for kind in (CONTACTS, DEALS, CALLS, EMAILS):
        asked[kind.name] = {"limit": 100, "properties": ",".join(kind.properties), "archived": "false"}
        if kind.associated:
            asked[kind.name]["associations"] = "contacts"
        if kind.history:
            asked[kind.name] |= {"limit": 50, "propertiesWithHistory": kind.history}
    folder.mkdir()
    script = str(PEERS / "dlt_sync.py")
    return result(str(peer_python("dlt")), "-W", "ignore", script, url, str(folder), json.dumps(asked))


def compared(url: str, folder: Path, repeat: int = 1) -> list[float]:
    """dlt's time by ours, pair by pair."""
    ratios = []
    for number in range(repeat):
        mine, theirs = ours(url, folder / f"{number}.db"), dlts(url, folder / f"dlt{number}")
        assert (mine["checksum"], mine["rows"]) == (theirs["checksum"], theirs["rows"])
        print(f"\n{mine['rows']:,} rows: {mine['seconds']:.1f} s, dlt {theirs['seconds']:.1f} s")
        ratios.append(theirs["seconds"] / mine["seconds"])
    return ratios


def test_a_sync_is_faster(tmp_path: Path) -> None:
    with serving(FEW) as url:
        ours(url, tmp_path / "first.db")  # the server's answers are made now, and kept
        AT_ONCE.measured(compared(url, tmp_path, repeat=5))
        slow = tmp_path / "slow"
        slow.mkdir()
        steer(url, "delay/80")
        SLOWLY.measured(compared(url, slow))


def test_ten_times_the_records_need_hardly_more_memory_and_a_change_few_requests(tmp_path: Path) -> None:
    with serving(FEW) as url:
        few = ours(url, tmp_path / "few.db")
    with serving(MANY) as url:
        many = ours(url, tmp_path / "many.db")
        MEMORY.measured(many["memory"] / few["memory"])
        OF_MANY.measured(compared(url, tmp_path))
        steer(url, "change/100")
        later = ours(url, tmp_path / "many.db")
        print(f"\n{later['requests']} requests instead of {many['requests']}; {later['written']:,} rows written")
        assert later["written"] >= 0.01 * later["rows"] / 2
        CHANGES.measured(later["requests"] / many["requests"])
