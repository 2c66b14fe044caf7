"""Syncing again over real HTTP: only the overlap is read, nothing changes, a change arrives, a kill loses nothing."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from holdwater.crm.client import Client
from holdwater.crm.credentials import Token
from holdwater.crm.hubspot import HubSpot
from holdwater.sandbox import Business, Sandbox, serve, simulate
from holdwater.store.database import Store
from holdwater.store.sync import sync


def connected(sandbox: Sandbox) -> HubSpot:
    return HubSpot(Client(sandbox.url, Token(sandbox.token, "the sandbox")))


def in_the_overlap(business: Business) -> int:
    """Contacts and deals changed in the ten minutes before now."""
    since = business.now - timedelta(minutes=10)
    moments = [c.modified for c in business.contacts.values()] + [d.modified for d in business.deals.values()]
    return sum(moment >= since for moment in moments)


def test_a_second_sync_reads_only_the_overlap_and_changes_nothing(tmp_path: Path) -> None:
    business = simulate(months=6)
    with serve(business) as sandbox, Store.open(tmp_path / "store.db") as store:
        with connected(sandbox) as hubspot:
            first = sync(hubspot, store)
        before = store.checksum()
        requests = len(sandbox.requests)
        with connected(sandbox) as hubspot:
            second = sync(hubspot, store)
        assert first.rows_read >= len(business.contacts) + len(business.deals)
        assert second.rows_written == 0
        assert store.checksum() == before
        assert second.streams["leads"] + second.streams["deals"] == in_the_overlap(business)
        # The account, owners twice, pipelines; of six types a search and the archived; contacts and past of few.
        assert len(sandbox.requests) - requests <= 4 + 6 * 2 + 4

        deal = next(d for d in business.deals.values() if d.status == "open")
        business.win(deal.id, business.wait_until(business.now + timedelta(hours=2)))
        with connected(sandbox) as hubspot:
            third = sync(hubspot, store)
        assert third.rows_written >= 1
        assert store.checksum() != before


def test_two_accounts_in_one_store_stay_apart(tmp_path: Path) -> None:
    """Another token may open another account at the same address: its sync starts from nothing, beside the first."""
    one, other = simulate(months=2, seed=1), simulate(months=2, seed=2)
    with Store.open(tmp_path / "store.db") as store:
        for business, portal_id in ((one, 11), (other, 22), (one, 11)):
            with serve(business, portal_id=portal_id) as sandbox, connected(sandbox) as hubspot:
                last = sync(hubspot, store)
        assert store.connections() == ["hubspot:11", "hubspot:22"]
        assert (last.rows_written, last.streams["leads"] + last.streams["deals"]) == (0, in_the_overlap(one))
        for table, kept in (("lead", [*one.contacts, *other.contacts]), ("deal", [*one.deals, *other.deals])):
            ids = [row[0] for rows in store.rows(table, ["id"]) for row in rows]
            assert sorted(ids) == sorted(kept)


CHILD = """
import sys
from pathlib import Path
from holdwater.crm.client import Client
from holdwater.crm.credentials import Token
from holdwater.crm.hubspot import HubSpot
from holdwater.store.database import Store
from holdwater.store.sync import sync
with HubSpot(Client(sys.argv[1], Token(sys.argv[2]))) as hubspot, Store.open(Path(sys.argv[3])) as store:
    sync(hubspot, store)
"""


@pytest.mark.slow
def test_killed_at_ten_random_moments_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    business = simulate(months=10)
    chance = random.Random(20261121)
    between_commits = 0
    with serve(business) as sandbox:
        with Store.open(tmp_path / "whole.db") as whole, connected(sandbox) as hubspot:
            sync(hubspot, whole)
            expected, connection = whole.checksum(), hubspot.connection
        requests = len(sandbox.requests)
        for kill in range(10):
            path = tmp_path / f"killed-{kill}.db"
            _killed_at(sandbox, path, chance.randint(2, requests))
            with Store.open(path) as store:
                kept_something = any(rows for rows in store.rows("owner", ["id"]))
                between_commits += kept_something and "deals" not in store.watermarks(connection)
                with connected(sandbox) as hubspot:
                    sync(hubspot, store)
                assert store.checksum() == expected
                for table, things in (("lead", business.contacts), ("deal", business.deals)):
                    ids = [row[0] for rows in store.rows(table, ["id"]) for row in rows]
                    assert sorted(ids) == sorted(things)
    assert between_commits >= 8


def _killed_at(sandbox: Sandbox, store: Path, request: int) -> None:
    """A sync in a process of its own, killed while its n-th request is being answered."""
    reached = threading.Event()
    before = len(sandbox.requests)

    def watch(number: int, path: str) -> None:
        if len(sandbox.requests) - before >= request:
            reached.set()

    sandbox.on_request = watch
    child = subprocess.Popen([sys.executable, "-c", CHILD, sandbox.url, sandbox.token, str(store)])
    assert reached.wait(60)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    sandbox.on_request = None
