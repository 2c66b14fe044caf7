"""Metrics on the embedded DuckDB beside the same figures written for pandas and for Polars, from the same Parquet.

Each peer runs in its own environment and as its own manual has it (Polars lazily); the better of its runs is compared
with each of ours, from the files to the figures.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from peer_environment import PEERS, peer_python
from ratios import Goal, over

from holdwater.metrics import funnel, parquet, statistics
from holdwater.metrics.engine import Bound, Embedded
from holdwater.metrics.landed import Landed
from holdwater.sandbox.transactions import Shop, write_purchases

HISTORIES = "Customers grouped by history, 10,000,000 purchases, equal groups"
FIGURES = "Figures of each source, 1,000,000 leads, equal figures"
HISTORIES_PANDAS = Goal(HISTORIES, "times the time of pandas", "pandas")
HISTORIES_POLARS = Goal(HISTORIES, "times the time of Polars", "polars")
FIGURES_PANDAS = Goal(FIGURES, "times the time of pandas", "pandas")
FIGURES_POLARS = Goal(FIGURES, "times the time of Polars", "polars")

PURCHASES, LEADS = 10_000_000, 1_000_000
REPEATS = 3
AS_OF, KNOWN_UNTIL = datetime(2026, 1, 1), datetime(2030, 1, 1)  # noqa: DTZ001 -- UTC without a zone, as the columns are
SOURCES = ("ads", "fair", "referral", "search", None)


def peer(name: str, task: str, *arguments: object) -> dict[str, Any]:
    command = [str(peer_python(name)), str(PEERS / f"{name}_{task}.py"), *map(str, arguments), str(REPEATS)]
    return dict(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))


def beside(goal: Goal, theirs: dict[str, Any], ours: Callable[[], object]) -> None:
    """Their time is the divisor, so what is measured is ours as so many times theirs."""
    goal.measured(1 / ratio for ratio in over(theirs["seconds"], ours, 5))


@pytest.fixture(scope="module")
def purchases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """In the order of time, as a till writes them; without refunds, which the peers' few lines do not settle."""
    folder = tmp_path_factory.mktemp("histories")
    write_purchases(folder / "by_customer", PURCHASES, seed=4)
    (folder / "purchase.parquet").mkdir()
    with closing(duckdb.connect(":memory:")) as database:
        database.execute(
            "COPY (FROM read_parquet(?) ORDER BY day) TO ? (FORMAT parquet)",
            [str(folder / "by_customer" / "*.parquet"), str(folder / "purchase.parquet" / "all.parquet")],
        )
    shutil.rmtree(folder / "by_customer")
    return folder / "purchase.parquet"


@pytest.mark.parametrize(("name", "goal"), [("pandas", HISTORIES_PANDAS), ("polars", HISTORIES_POLARS)])
def test_histories(purchases: Path, name: str, goal: Goal) -> None:
    closed = Shop().closed

    def ours() -> dict[str, Any]:
        """Into arrays, as the fits take them."""
        with closing(parquet.duckdb_over(purchases.parent)) as database:
            engine = Embedded(database)
            expression = statistics.purchase_histories(engine.table("purchase"), closed)
            return database.execute(engine.sql(expression)).fetchnumpy()

    theirs, groups = peer(name, "histories", purchases, closed), ours()
    expected = {"groups": len(groups["age"])}
    expected |= {time: (groups[time] * groups["customers"]).sum() for time in ("frequency", "recency", "age")}
    expected |= {sum_: groups[sum_].sum() for sum_ in ("customers", "repeat_spend")}
    assert {column: theirs[column] for column in expected} == expected
    beside(goal, theirs, ours)


@pytest.fixture(scope="module")
def leads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two years of leads; two thirds have a deal, and an eighth of these is won."""
    folder = tmp_path_factory.mktemp("funnel")
    random = np.random.default_rng(20261122)
    came = random.integers(0, 2 * 365 * 86_400_000_000, LEADS)
    source = random.integers(0, len(SOURCES), LEADS)
    with_deal = np.flatnonzero(random.random(LEADS) < 2 / 3)
    status = random.choice(["won", "lost", "open"], len(with_deal), p=[0.125, 0.5, 0.375])
    closed = came[with_deal] + (random.weibull(1.3, len(with_deal)) * 40 * 86_400_000_000).astype(np.int64)
    with closing(duckdb.connect(":memory:")) as database:
        columns = {"id": np.arange(LEADS), "came": came, "source": source}  # noqa: F841 -- the statements read them
        deals = {"lead": with_deal, "status": status, "closed": closed}  # noqa: F841 -- by name
        database.execute(
            "CREATE TABLE named AS SELECT unnest(range(5)) AS source, unnest(?::VARCHAR[]) AS name", [SOURCES]
        )
        start = "TIMESTAMP '2024-01-01' + to_microseconds"
        database.execute(
            f"COPY (SELECT 'l' || id AS id, {start}(came) AS created_at, name AS source FROM columns JOIN named"
            " USING (source) ORDER BY columns.id) TO ? (FORMAT parquet)",
            [str(folder / "lead.parquet")],
        )
        database.execute(
            f"COPY (SELECT 'd' || lead AS id, 'l' || lead AS lead_id, status, {start}(closed) AS closed_at FROM deals)"
            " TO ? (FORMAT parquet)",
            [str(folder / "deal.parquet")],
        )
    return folder


@pytest.mark.parametrize(("name", "goal"), [("pandas", FIGURES_PANDAS), ("polars", FIGURES_POLARS)])
def test_figures(leads: Path, name: str, goal: Goal) -> None:
    def ours() -> list[dict[str, Any]]:
        with closing(parquet.duckdb_over(leads)) as database:
            engine = Embedded(database)
            return Bound(engine, Landed().tables(engine)).rows(funnel.figures(AS_OF, KNOWN_UNTIL, "source"))

    theirs = peer(name, "funnel", leads, AS_OF)
    found = {row["source"]: row for row in ours()}
    assert len(theirs["rows"]) == len(SOURCES)
    for row in theirs["rows"]:
        ours_of_it = found.pop(row.pop("source"))
        assert {column: ours_of_it[column] for column in row} == pytest.approx(row, rel=1e-12)
    assert not found
    beside(goal, theirs, ours)
