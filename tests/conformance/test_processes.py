"""Every connector: a sync that is killed, runs out of room or meets another one harms nothing."""

from __future__ import annotations

import random
import signal
import sys
import threading
from pathlib import Path

import pytest
from syncing import syncing
from trial import Trial

from holdwater.store.database import Store
from holdwater.store.schema import CANONICAL

KILLS, BETWEEN = 50, 40
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither SIGKILL nor limits of a process")


@pytest.mark.slow
def test_killed_at_fifty_random_moments_nothing_is_lost_or_doubled(trial: Trial, tmp_path: Path) -> None:
    chance = random.Random(20261121)
    trial.sync()
    whole, requests = trial.store.checksum(), len(trial.sandbox.requests)
    between_commits = 0
    for kill in range(KILLS):
        path = tmp_path / f"killed-{kill}.db"
        _kill_at(trial, path, chance.randint(2, requests))
        with Store.open(path) as store:
            begun = any(True for table in CANONICAL.values() for _ in store.rows(table.name, ["id"]))
            between_commits += begun and not store.connections()
            trial.store = store
            trial.sync()
            trial.assert_equal()
            assert store.checksum() == whole
        path.unlink()
    assert between_commits >= BETWEEN


def _kill_at(trial: Trial, store: Path, request: int) -> None:
    """Killed while its n-th request is answered, whatever its threads and the store are doing then."""
    reached = threading.Event()
    before = len(trial.sandbox.requests)

    def watch(number: int, path: str) -> None:
        if number - before >= request:
            reached.set()

    trial.sandbox.on_request = watch
    child = syncing(trial, store)
    assert reached.wait(120)
    child.send_signal(signal.SIGKILL)
    with child:
        assert child.wait() in (-signal.SIGKILL, 0)  # it may have ended just before
    trial.sandbox.on_request = None


@pytest.mark.slow
@pytest.mark.parametrize("most_bytes", [20_000, 100_000, 180_000])
def test_a_full_disk_is_told_and_what_was_kept_is_whole(trial: Trial, tmp_path: Path, most_bytes: int) -> None:
    path = tmp_path / "small.db"
    with syncing(trial, path, most_bytes=most_bytes) as child:
        assert child.stderr is not None
        told = child.stderr.read()
        assert child.wait() == 7, told
    assert told.startswith(f"holdwater: The store {path} cannot be used")
    assert "Traceback" not in told
    with Store.open(path) as store:
        trial.store = store
        trial.sync()
        trial.assert_equal()


@pytest.mark.slow
def test_two_syncs_at_once_make_one_store(trial: Trial, tmp_path: Path) -> None:
    path = tmp_path / "shared.db"
    with syncing(trial, path) as one, syncing(trial, path) as other:
        assert one.stderr is not None
        assert other.stderr is not None
        told = [(child.stderr.read(), child.wait()) for child in (one, other) if child.stderr]
    assert 0 in [code for _, code in told]
    for text, code in told:
        assert code == 0 or (code == 7 and "Another sync" in text)
    with Store.open(path) as store:
        trial.store = store
        trial.sync()
        trial.assert_equal()
