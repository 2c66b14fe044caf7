"""`holdwater connect` and `holdwater sources` as a person runs them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from holdwater.connections import age, described
from holdwater.crm.connector import Page
from holdwater.sandbox import Sandbox, serve, simulate
from holdwater.sandbox.hubspot import out_of_scope
from holdwater.sandbox.server import Reply
from holdwater.store.database import Store
from holdwater.store.runs import Run as Sync

Run = Callable[..., subprocess.CompletedProcess[str]]
SECRET = "right-token-0815"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

# A keyring of another maker, as keyring's plug-ins are: it keeps what it is given in a file.
KEYRING = """
import json, pathlib
from keyring.backend import KeyringBackend
FILE = pathlib.Path(__file__).with_name("kept.json")
class InFile(KeyringBackend):
    priority = 9
    def get_password(self, service, username):
        return json.loads(FILE.read_text()).get(f"{service}/{username}") if FILE.exists() else None
    def set_password(self, service, username, password):
        kept = json.loads(FILE.read_text()) if FILE.exists() else {}
        FILE.write_text(json.dumps(kept | {f"{service}/{username}": password}))
"""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs `holdwater` in an empty folder with a keyring of its own, unless `PYTHON_KEYRING_BACKEND` says otherwise."""
    (tmp_path / "vault.py").write_text(KEYRING)

    def holdwater(*words: str, typed: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        env = {k: v for k, v in os.environ.items() if not k.startswith("HOLDWATER_")} | {
            "PYTHONPATH": os.pathsep.join([str(tmp_path), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]),
            "PYTHON_KEYRING_BACKEND": "vault.InFile",
            "HOLDWATER_STORE": str(tmp_path / "store.db"),
            **environment,
        }
        command = [sys.executable, "-m", "holdwater.cli", *words]
        cwd = Path.cwd()
        done = subprocess.run(command, input=typed, capture_output=True, text=True, cwd=cwd, env=env, check=False)
        assert SECRET not in done.stdout + done.stderr
        return done

    return holdwater


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with serve(simulate(months=1), token=SECRET) as sandbox:
        yield sandbox


def test_a_token_that_works_goes_into_the_keyring(run: Run, sandbox: Sandbox, tmp_path: Path) -> None:
    done = run("connect", "hubspot", "--url", sandbox.url, typed=f"{SECRET}\n")
    assert done.returncode == 0, done.stderr
    for said in ("crm.objects.deals.read", "sales-email-read (may be left out", "hubspot:1000001", "keyring"):
        assert said in done.stdout
    assert SECRET in (tmp_path / "kept.json").read_text()
    synced = run("sync", "hubspot", "--url", sandbox.url)
    assert (synced.returncode, synced.stderr) == (0, "")
    # What stands for a person is made with a key that the keyring now has too, and the store has neither.
    assert "person-key" in (tmp_path / "kept.json").read_text()
    assert SECRET.encode() not in (tmp_path / "store.db").read_bytes()


def test_sync_remembers_the_address_of_connect(run: Run, sandbox: Sandbox, tmp_path: Path) -> None:
    for source in ("tryton", "odoo"):
        assert "address" in run("sync", source, **{f"HOLDWATER_{source.upper()}_TOKEN": "a:b"}).stderr
    assert run("connect", "hubspot", "--url", sandbox.url, typed=SECRET).returncode == 0
    before = len(sandbox.requests)
    synced = run("sync", "hubspot")
    assert (synced.returncode, synced.stderr) == (0, "")
    assert len(sandbox.requests) > before
    assert run("connect", "hubspot", typed=SECRET).returncode == 0, "there again"
    remembered = tmp_path / "addresses.json"
    assert SECRET not in remembered.read_text()
    remembered.write_text('["https://127.0.0.1"]')
    broken = run("sync", "hubspot")
    assert broken.returncode == 3
    assert "addresses.json cannot be read: remove it" in broken.stderr
    assert run("sync", "hubspot", "--url", sandbox.url).returncode == 0


def test_a_token_that_does_not_work_is_not_kept(run: Run, sandbox: Sandbox, tmp_path: Path) -> None:
    done = run("connect", "hubspot", "--url", sandbox.url, typed="wrong-token\n")
    assert done.returncode == 3
    assert "refused the token" in done.stderr
    assert "what was typed" in done.stderr
    assert "wrong-token" not in (tmp_path / "kept.json").read_text()
    assert run("connect", "hubspot", "--url", sandbox.url, typed="\n").returncode == 3


def test_without_a_keyring_the_variable_is_named(run: Run, sandbox: Sandbox) -> None:
    none = {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
    done = run("connect", "hubspot", "--url", sandbox.url, typed=SECRET, **none)
    assert done.returncode == 3
    assert "HOLDWATER_HUBSPOT_TOKEN" in done.stderr
    given = {**none, "HOLDWATER_HUBSPOT_TOKEN": SECRET}
    done = run("connect", "hubspot", "--url", sandbox.url, **given)
    assert done.returncode == 0
    assert "the environment variable HOLDWATER_HUBSPOT_TOKEN" in done.stdout
    synced = run("sync", "hubspot", "--url", sandbox.url, **given)
    assert synced.returncode == 0
    assert synced.stderr.count("HOLDWATER_PERSON_KEY") == synced.stderr.count("\n") == 1  # said once


def test_the_sources_say_how_old_they_are_and_what_waits(run: Run, sandbox: Sandbox) -> None:
    assert "holdwater sync" in run("sources").stderr
    token = {"HOLDWATER_HUBSPOT_TOKEN": SECRET}

    def no_emails(number: int, path: str) -> Reply | None:
        return out_of_scope("sales-email-read") if path.endswith("/emails") else None

    sandbox.on_request = no_emails
    synced = run("sync", "hubspot", "--url", sandbox.url, **token)
    assert synced.returncode == 0
    assert "sales-email-read" in synced.stderr
    done = run("sources")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "hubspot:1000001"
    assert "read until 2026-10-31 12:00 UTC, " in lines[1]
    assert {"owners", "leads", "deals"} <= set(lines[1].rpartition(": ")[2].split(", "))
    assert lines[2].endswith("UTC, done")
    assert lines[3:] == ["  1 could not be taken; every sync says which and why"]
    sandbox.on_request = None
    run("sync", "hubspot", "--full", "--url", sandbox.url, **token)
    assert "could not be taken" not in run("sources").stdout


def test_a_sync_that_did_not_end_is_told_too(tmp_path: Path) -> None:
    with Store.open(tmp_path / "store.db") as store:
        store.log("hubspot:1", Sync(started_at=NOON))
        assert list(described(store, NOON)) == [
            "hubspot:1", "  not read to its end yet", "  last sync 2026-03-01 12:00 UTC, broken off"
        ]  # fmt: skip
        with Store.open(store.path) as other, other.sync_lock():
            assert list(described(store, NOON))[-1] == "  last sync 2026-03-01 12:00 UTC, running"
        store.log("hubspot:1", Sync(started_at=NOON, status="failed", error="QuotaError"))
        store.keep("hubspot:1", Page("owners", [], NOON))
        assert list(described(store, NOON)) == [
            "hubspot:1",
            "  not read to its end yet",
            "  read until 2026-03-01 12:00 UTC, just now: owners",
            "  last sync 2026-03-01 12:00 UTC, failed: QuotaError",
        ]


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (timedelta(seconds=-5), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(minutes=119), "1 hour ago"),
        (timedelta(hours=47), "1 day ago"),
        (timedelta(days=1200), "1,200 days ago"),
    ],
)
def test_an_age_in_words(span: timedelta, said: str) -> None:
    assert age(span) == said
