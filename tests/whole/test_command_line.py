"""The commands as a person runs them, with the right input and the wrong."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from holdwater.sandbox import Sandbox, serve, simulate

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs `holdwater` in an empty folder, without a token and without a keyring."""

    def holdwater(*words: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        env = {k: v for k, v in os.environ.items() if not k.startswith("HOLDWATER_")} | {
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
            "HOLDWATER_STORE": str(tmp_path / "store.db"),
            **environment,
        }
        command = [sys.executable, "-m", "holdwater.cli", *map(str, words)]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=env, timeout=120, check=False)

    return holdwater


def fails(done: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    """One sentence for a person, no traceback, the exit code of its kind."""
    assert done.returncode == code, done.stderr
    assert done.stderr.startswith("holdwater: ")
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == 1
    for word in words:
        assert word in done.stderr


def test_the_demo_ends_with_a_verdict_and_a_workbook(run: Run, tmp_path: Path) -> None:
    done = run("demo", "--out", "d.xlsx")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "SIMULATED" in done.stdout
    assert re.search(r"(More leads|Fewer leads|No leads|Fix [a-z ]+ first): ", done.stdout)
    assert str(tmp_path / "d.xlsx") in done.stdout
    assert "SIMULATED" in str(openpyxl.load_workbook(tmp_path / "d.xlsx", data_only=True)["Today"]["B2"].value)
    fails(run("demo", "--out", "d.csv"), 6, ".xlsx")
    assert run("demo", "--seed", "-1").returncode == 2


@pytest.mark.slow
def test_the_same_seed_is_the_same_demo_and_another_is_another(run: Run, tmp_path: Path) -> None:
    said = run("demo", "--out", "d.xlsx").stdout
    first = (tmp_path / "d.xlsx").read_bytes()
    assert run("demo", "--out", "d.xlsx").returncode == 0, "the same demo again"
    assert (tmp_path / "d.xlsx").read_bytes() == first, "the same seed, the same bytes"
    fails(run("demo", "--out", "d.xlsx", "--seed", "2"), 6, "d.xlsx exists")
    other = run("demo", "--out", "e.xlsx", "--seed", "2")
    assert other.stdout.splitlines()[1] != said.splitlines()[1]


@pytest.mark.slow
def test_the_demo_never_replaces_another_file(run: Run, tmp_path: Path) -> None:
    mine = tmp_path / "mine.xlsx"
    openpyxl.Workbook().save(mine)
    before = mine.read_bytes()
    fails(run("demo", "--out", mine), 6, "mine.xlsx")
    run("template", "t.xlsx")
    fails(run("demo", "--out", "t.xlsx"), 6, "perhaps work of yours")
    fails(run("template", "t.xlsx"), 6, "exists")
    assert mine.read_bytes() == before


def test_from_a_crm_to_a_verdict(run: Run, tmp_path: Path) -> None:
    assert run("template", "leads.xlsx").returncode == 0
    fails(run("template", "no/such/leads.xlsx"), 6, "no folder")
    fails(run("refresh", "leads.xlsx"), 3, "holdwater sync")
    (tmp_path / "empty").mkdir()
    (tmp_path / "map.toml").write_text('[leads]\nfile = "none.csv"\ncolumns = {id = "id", created_at = "made"}\n')
    fails(run("sync", "exports", "--from", "empty", "--mapping", "map.toml"), 5, "none.csv")
    fails(run("refresh", "leads.xlsx"), 3, "Nothing has been synced")
    with serve(simulate(months=2), token="right-token") as sandbox:
        done = run("sync", "hubspot", "--url", sandbox.url, HOLDWATER_HUBSPOT_TOKEN="right-token")
        assert done.returncode == 0, done.stderr
        assert "leads" in done.stdout
    done = run("refresh", "leads.xlsx")
    assert done.returncode == 0, done.stderr
    assert "Inputs are missing or wrong" in done.stdout
    assert "Nothing new" in run("refresh", "leads.xlsx").stdout


def test_a_full_sync_reads_everything_again(run: Run) -> None:
    business = simulate(months=2)
    with serve(business, token="right-token") as served:
        sync = ("sync", "hubspot", "--url", served.url)
        said = [run(*sync, *full, HOLDWATER_HUBSPOT_TOKEN="right-token").stdout for full in ([], [], ["--full"])]
    everything = f" {len(business.contacts):,} leads"
    assert [everything in one for one in said] == [True, False, True]


@pytest.mark.slow
def test_exports_to_a_verdict(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    simulate(months=3).write_exports(folder)
    (folder / "leads.csv").write_text("id,created,source\n1,2026-08-01,Paid Search\n2,2026-08-20,Paid Search\n")
    mapping = tmp_path / "map.toml"
    mapping.write_text(
        '[leads]\nfile = "leads.csv"\ncolumns = {id = "id", created_at = "created", source = "source"}\n'
        '[spend]\nfile = "spend.csv"\n'
        'columns = {day = "month", source = "source", amount = "amount", currency = "currency"}\n'
    )
    assert run("template", "leads.xlsx").returncode == 0
    done = run("refresh", "leads.xlsx", "--from", folder, "--mapping", mapping)
    assert done.returncode == 0, done.stderr
    fails(run("refresh", "leads.xlsx", "--from", folder), 2, "--mapping")
    fails(run("refresh", "leads.xlsx", "--mapping", mapping), 2, "--from")
    fails(run("refresh", "leads.xlsx", "--from", folder, "--mapping", mapping, "--store", "s.db"), 2, "not both")
    fails(run("sync", "hubspot", "--from", folder), 2, "exports")
    fails(run("refresh", "leads.xlsx", "--from", "nowhere", "--mapping", mapping), 5, "no folder nowhere")
    (folder / "leads.csv").write_text("id,made,source\n1,2026-08-01,Paid Search\n")
    before = (tmp_path / "leads.xlsx").read_bytes()
    fails(run("refresh", "leads.xlsx", "--from", folder, "--mapping", mapping), 5, "leads.csv", "created")
    assert (tmp_path / "leads.xlsx").read_bytes() == before


@pytest.fixture
def sandbox() -> object:
    with serve(simulate(months=1), token="right-token") as served:
        yield served


def test_a_crm_that_does_not_answer_as_it_should(run: Run, sandbox: Sandbox) -> None:
    token = "wrong-token-0123456789"
    done = run("sync", "hubspot", "--url", sandbox.url, HOLDWATER_HUBSPOT_TOKEN=token)
    fails(done, 3, "HOLDWATER_HUBSPOT_TOKEN")
    assert token not in done.stderr + done.stdout
    fails(run("sync", "hubspot", "--url", sandbox.url), 3, "HOLDWATER_HUBSPOT_TOKEN")
    sandbox.on_request = lambda number, path: (200, {"Content-Type": "text/html"}, b"<html>maintenance</html>")
    fails(run("sync", "hubspot", "--url", sandbox.url, HOLDWATER_HUBSPOT_TOKEN="right-token"), 4)
    fails(run("sync", "hubspot", "--url", "http://crm.example.com", HOLDWATER_HUBSPOT_TOKEN="right-token"), 3, "https")


@pytest.mark.slow
def test_a_crm_that_cannot_be_reached_or_only_fails(run: Run, sandbox: Sandbox) -> None:
    """Slow because it tries again, as it should, before it gives up."""
    sandbox.on_request = lambda number, path: (500, {}, b'{"status":"error"}')
    fails(run("sync", "hubspot", "--url", sandbox.url, HOLDWATER_HUBSPOT_TOKEN="right-token"), 4, "500")
    fails(run("sync", "hubspot", "--url", "http://127.0.0.1:9", HOLDWATER_HUBSPOT_TOKEN="right-token"), 4)


def test_the_functions_are_listed(run: Run) -> None:
    assert "LTV(margin, churn, [discount=0], [growth=0], [periods], [timing=0])" in run("functions").stdout
    listed = json.loads(run("functions", "--json").stdout)
    assert {"CPL", "LTV", "CAPACITY_REVENUE"} <= {entry["name"] for entry in listed}
    assert all(entry["description"] and entry["equation"] and entry["source"] for entry in listed)


@pytest.mark.parametrize("command", ["demo", "template", "sync", "refresh", "close", "explain", "functions"])
def test_help_says_what_it_does_with_an_example(run: Run, command: str) -> None:
    text = run(command, "--help").stdout
    assert f"Example: {'HOLDWATER_HUBSPOT_TOKEN=... ' if command == 'sync' else ''}holdwater {command}" in text
    assert command in run("--help").stdout


def test_wrong_usage_is_exit_code_two(run: Run) -> None:
    assert run("sync", "no-such-crm").returncode == 2
    assert run().returncode == 2
    assert "Exit codes" in run("--help").stdout


def test_output_that_nobody_reads_to_its_end_is_no_fault(run: Run, tmp_path: Path) -> None:
    command = f"'{sys.executable}' -m holdwater.cli functions --json | head -n 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    folder = tmp_path / "M\u00fcller"
    folder.mkdir()
    done = run("template", folder / "leads.xlsx", PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert (folder / "leads.xlsx").exists()
