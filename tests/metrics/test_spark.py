"""Spark computes what DuckDB computes, and keeps the rows to itself until they are counted."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import customers_by_hand
import duckdb
import pytest
from random_books import NOW, books

from holdwater.cli import main
from holdwater.crm.connector import Page
from holdwater.crm.files import Exports
from holdwater.metrics import parquet, run, statistics
from holdwater.metrics.engine import Backend, Embedded
from holdwater.metrics.reporting import report
from holdwater.sandbox.transactions import Shop, write_purchases
from holdwater.store.database import Store
from holdwater.store.sync import sync

pytestmark = [pytest.mark.spark, pytest.mark.filterwarnings("ignore")]  # theirs: pandas, sockets to the JVM
OLIST = Path(__file__).parents[1] / "crm" / "fixtures" / "olist.toml"


def differences(found: Any, expected: Any) -> dict[str, Any]:
    pairs = {name: (getattr(found, name), getattr(expected, name)) for name in expected.__dataclass_fields__}
    return {name: pair for name, pair in pairs.items() if not customers_by_hand.same(*pair)}


def leaves(value: Any, place: str = "") -> dict[str, Any]:
    """Numbers by their place in nested JSON; what is no number stands in its place's name."""
    if not isinstance(value, dict | list):
        return {place: value} if isinstance(value, int | float) else {f"{place} = {value}": 0}
    named = value.items() if isinstance(value, dict) else enumerate(value)
    return {where: leaf for name, part in named for where, leaf in leaves(part, f"{place}.{name}").items()}


@pytest.mark.usefixtures("spark")
def test_every_figure_of_a_random_business_is_the_same(tmp_path: Path) -> None:
    with Store.open(tmp_path / "holdwater.db") as store:
        store.keep("a", Page("any", books(11, 200)))
        parquet.write_tables(store, tmp_path)
        expected = report(store, as_of=NOW)
    assert expected.first_response
    assert expected.stage_times
    assert differences(run(parquet.spark_over(tmp_path), as_of=NOW), expected) == {}


@pytest.mark.usefixtures("spark")
def test_every_figure_of_olist_is_the_same(tmp_path: Path, olist: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Store.open(tmp_path / "holdwater.db") as store:
        sync(Exports(olist, OLIST), store)
    said = []
    for backend in ("duckdb", "spark"):
        command = ["metrics", "--store", str(tmp_path / "holdwater.db"), "--backend", backend, "--json"]
        assert main([*command, "--as-of", "2018-10-31"]) == 0
        said.append(json.loads(capsys.readouterr().out))
    assert said[0]["total"]["leads"] == 8_000
    assert leaves(said[1]) == pytest.approx(leaves(said[0]), rel=1e-12)


@pytest.mark.usefixtures("spark")
def test_sufficient_statistics_are_the_same_and_nothing_is_collected_before_they_are_counted(tmp_path: Path) -> None:
    write_purchases(tmp_path / "purchase.parquet", 20_000, shop=Shop(), seed=3)
    connection = parquet.spark_over(tmp_path)
    with duckdb.connect(":memory:") as database:
        database.from_parquet(str(tmp_path / "purchase.parquet" / "*.parquet")).create_view("purchase")
        engine = Embedded(database)
        ours = engine.rows(statistics.purchase_histories(engine.table("purchase"), date(2025, 12, 31)))
    expression = statistics.purchase_histories(connection.table("purchase"), date(2025, 12, 31))
    theirs = Backend(connection).rows(expression)
    assert sorted(tuple(row.values()) for row in theirs) == sorted(tuple(row.values()) for row in ours)
    assert 0 < len(ours) < 20_000

    frame = connection.raw_sql(connection.compile(expression))
    plan = frame._jdf.queryExecution().executedPlan().toString()
    # Groups are counted on each worker first, and no operator brings rows to the driver or into Python before that.
    operators = set(re.findall(r"[A-Z]\w+", plan))
    assert "partial_count" in plan
    to_the_driver = {"CollectLimit", "TakeOrderedAndProject", "BatchEvalPython", "ArrowEvalPython", "LocalTableScan"}
    assert not to_the_driver & operators
