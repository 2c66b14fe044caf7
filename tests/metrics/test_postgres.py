"""A real Postgres computes what DuckDB computes, from the SQL that Ibis writes for it."""

from __future__ import annotations

import csv
import io
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import ibis  # type: ignore[import-untyped] # it ships no types
import pytest
from random_books import NOW, books

from holdwater.crm.connector import Page
from holdwater.metrics import contact, customers, funnel, loss_record, stages, statistics, weeks
from holdwater.metrics.engine import Embedded
from holdwater.metrics.tables import UNBOUND
from holdwater.store.database import Store

UNTIL = NOW.replace(tzinfo=None)
KNOWN = UNTIL + timedelta(days=99)
TYPES = {"string": "text", "int64": "bigint", "boolean": "boolean", "timestamp": "timestamp", "date": "date"}
PURCHASES = ibis.table({"customer": "string", "day": "date", "amount_minor": "int64"}, name="purchase")
EXPRESSIONS = {
    "figures": funnel.figures(UNTIL, KNOWN),
    "figures of sources": funnel.figures(UNTIL, KNOWN, "source", "unsourced"),
    "figures of months": funnel.figures(UNTIL, KNOWN, "month"),
    "latest moments": funnel.latest_moments(),
    "unmatched wins": funnel.unmatched_wins(UNTIL, KNOWN),
    "unmet payers": funnel.unmet_payers(UNTIL, KNOWN),
    "lead dates": funnel.lead_dates(UNTIL),
    "spend currencies": funnel.spend_currencies(UNTIL),
    "early spend": funnel.early_spend(UNTIL),
    "first response": contact.first_response(UNTIL),
    "consents": contact.consents(UNTIL),
    "referrals": contact.referrals(UNTIL, KNOWN),
    "referred_months": contact.referred_months(UNTIL),
    "customer months": customers.customer_months(UNTIL),
    "backward customers": customers.backward_customers(UNTIL),
    "revenue months": customers.revenue_months(UNTIL),
    "stage entries": stages.stage_entries(UNTIL),
    "stage moves": stages.stage_moves(UNTIL),
    "stage times": stages.stage_times(UNTIL),
    "lost reasons": stages.lost_reasons(UNTIL),
    "loss checks": loss_record.loss_checks(UNTIL, {"no_reply": "no reply", "our_delay": "our delay"}),
    "lead weeks": weeks.lead_weeks(UNTIL, KNOWN, 7),
    "survival counts": statistics.survival_counts(UNTIL),
    "lead ages": statistics.lead_ages(UNTIL, KNOWN),
    "paid invoices": statistics.paid_invoices(UNTIL),
    "purchase histories": statistics.purchase_histories(PURCHASES, UNTIL.date()),
    "purchase histories by weeks": statistics.purchase_histories(PURCHASES, UNTIL.date(), step=7),
    "spend groups": statistics.spend_groups(PURCHASES, UNTIL.date()),
    "wide spend groups": statistics.spend_groups(PURCHASES, UNTIL.date(), width=0.01),
}

Psql = Callable[[str], str]


@pytest.fixture(scope="module")
def psql() -> Iterator[Psql]:
    """Runs statements on a server of its own, which nobody reaches but through a socket in its folder."""
    # Debian keeps the server's own programs outside the PATH.
    where = os.pathsep.join([os.environ["PATH"], *map(str, Path("/usr/lib/postgresql").glob("*/bin"))])
    programs = {name: shutil.which(name, path=where) for name in ("initdb", "pg_ctl", "psql")}
    if missing := [name for name, found in programs.items() if found is None]:
        if os.environ.get("CI"):
            pytest.fail(f"CI installs Postgres; it has no {', '.join(missing)}")
        pytest.skip(f"Postgres is not on this machine: {', '.join(missing)}")
    home = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # a socket's path has to be short
    as_somebody: list[str] = []
    if os.geteuid() == 0:  # Postgres refuses to run as root
        os.chown(home, 65534, 65534)
        as_somebody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]

    def run(program: str, *arguments: str, said: str = "") -> str:
        command = [*as_somebody, str(programs[program]), *arguments]
        done = subprocess.run(command, input=said, capture_output=True, text=True, cwd="/")
        assert done.returncode == 0, done.stderr
        return done.stdout

    data, options = str(home / "data"), f"-k {home} -c listen_addresses='' -c fsync=off -c timezone=UTC"
    try:
        run("initdb", "-D", data, "-A", "trust", "-U", "holdwater", "--no-sync")
        run("pg_ctl", "-D", data, "-w", "-l", str(home / "log"), "-o", options, "start")
        try:
            to_server = ("psql", "-h", str(home), "-U", "holdwater", "-d", "postgres", "-q", "-v", "ON_ERROR_STOP=1")
            yield lambda statements: run(*to_server, said=statements)
        finally:
            run("pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(home)


@pytest.fixture(scope="module")
def embedded(psql: Psql) -> Iterator[duckdb.DuckDBPyConnection]:
    """A random business in DuckDB, and the same rows in Postgres."""
    with tempfile.TemporaryDirectory() as folder, closing(duckdb.connect(":memory:")) as database:
        with Store.open(Path(folder) / "holdwater.db") as store:
            store.keep("a", Page("any", books(11, 200)))
            Embedded(database).feed(store)
        database.execute("SELECT setseed(0.5)")
        database.execute(
            "CREATE TABLE purchase AS SELECT 'c' || n % 60 AS customer,"
            " DATE '2025-01-01' + (random() * 300)::INT AS day,"
            " CASE WHEN n % 9 = 0 THEN -500 ELSE (random() * 5000)::BIGINT + 1 END::BIGINT AS amount_minor"
            " FROM range(300) AS rows(n)"
        )
        for name, table in {**UNBOUND, "purchase": PURCHASES}.items():
            columns = ", ".join(f"{column} {TYPES[str(kind)]}" for column, kind in table.schema().items())
            out = Path(folder) / "rows.csv"
            database.execute(
                f"COPY (SELECT {', '.join(table.columns)} FROM {name}) TO '{out}' (HEADER false, NULLSTR '\\N')"
            )
            rows = out.read_text(encoding="utf-8")
            psql(f"CREATE TABLE {name} ({columns});\nCOPY {name} FROM stdin (FORMAT csv, NULL '\\N');\n{rows}\\.\n")
        yield database


def rounded(value: Any, like: Any) -> Any:
    """A cell of either engine as text, null or a float that tells nine digits."""
    if value is None or value == "\\N":
        return None
    if isinstance(like, bool):
        return value in (True, "t")
    if isinstance(like, int | float) or type(like).__name__ == "Decimal":
        return f"{float(value):.9g}"
    return value.isoformat(sep=" ") if isinstance(value, datetime) else str(value)


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_postgres_and_duckdb_agree(psql: Psql, embedded: duckdb.DuckDBPyConnection, name: str) -> None:
    expression = EXPRESSIONS[name]
    ours = embedded.execute(Embedded.sql(expression)).fetchall()
    sql = ibis.to_sql(expression, dialect="postgres")
    theirs = list(csv.reader(io.StringIO(psql(f"COPY ({sql}) TO stdout (FORMAT csv, NULL '\\N');\n"))))
    likes = [next((row[place] for row in ours if row[place] is not None), "") for place in range(len(ours[0]))]

    def told(rows: list[Any]) -> list[tuple[Any, ...]]:
        cells = (tuple(rounded(cell, like) for cell, like in zip(row, likes, strict=True)) for row in rows)
        return sorted(cells, key=repr)

    assert told(theirs) == told(ours)


def test_the_comparison_can_fail() -> None:
    assert rounded("2.5", 1.0) != rounded(2.6, 1.0)
    assert rounded("\\N", 1.0) != rounded(0, 1.0)
    assert rounded("t", True) != rounded(False, True)
    assert rounded("2026-01-01", date.min) != rounded(date(2026, 1, 2), date.min)
