"""Tables that another tool landed, and what they are called there."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import ibis  # type: ignore[import-untyped] # it ships no types
import pytest
from random_books import NOW, books

from holdwater.cli import main
from holdwater.crm.connector import Page
from holdwater.errors import ExportError
from holdwater.metrics import contact, customers, funnel, parquet, run, stages, statistics
from holdwater.metrics.conventions import Conventions
from holdwater.metrics.engine import _approximate
from holdwater.metrics.landed import Landed
from holdwater.metrics.reporting import report
from holdwater.store.database import Store
from holdwater.store.runs import Run

UNTIL = datetime(2026, 1, 1)  # noqa: DTZ001 -- UTC without a zone, as the columns are
DIALECTS = ("duckdb", "postgres", "snowflake", "databricks", "bigquery")


def mapping(folder: Path, text: str) -> Path:
    path = folder / "landed.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_parquet_tables_give_the_figures_of_the_store(tmp_path: Path) -> None:
    with Store.open(tmp_path / "holdwater.db") as store:
        store.keep("a", Page("any", books(5, 80)))
        parquet.write_tables(store, tmp_path)
        expected = report(store, as_of=NOW)
    with closing(parquet.duckdb_over(tmp_path)) as database:
        assert run(database, as_of=NOW) == expected


def test_names_of_another_tool_and_tables_that_are_missing(tmp_path: Path) -> None:
    path = mapping(
        tmp_path,
        """
        [lead]
        name = "crm.contacts"
        id = "contact_id"
        created_at = "created"
        [customer]
        name = "accounts"
        lead_id = "contact"
        """,
    )
    with closing(duckdb.connect(":memory:")) as database:
        database.execute("SET TimeZone = 'UTC'; CREATE SCHEMA crm")
        database.execute("CREATE TABLE crm.contacts (contact_id INTEGER, created TIMESTAMPTZ, source VARCHAR)")
        database.execute("CREATE TABLE accounts (id INTEGER, contact INTEGER, started_at DATE)")
        database.execute(
            "INSERT INTO crm.contacts VALUES (1, '2026-01-01 12:00+02', 'referral'), (2, '2026-01-05 00:00Z', NULL)"
        )
        database.execute("INSERT INTO accounts VALUES (1, 1, DATE '2026-01-11')")
        found = run(database, landed=Landed.read(path))
    assert found.as_of == datetime(2026, 1, 11, tzinfo=UTC)
    assert (found.total.leads, found.total.customers) == (2, 1)
    assert found.total.days_to_win_median == pytest.approx(9 + 14 / 24)
    assert found.referred is not None
    assert (found.referred.count, found.referred.of) == (1, 1)
    assert (found.stage_times, found.first_response, found.total.spend) == ((), None, None)
    assert [month.new for month in found.customer_months] == [1]


def test_a_payer_meets_the_lead_of_the_same_person_where_there_is_a_column_for_it(tmp_path: Path) -> None:
    path = mapping(tmp_path, "[lead]\nperson = 'email_hash'\n[customer]\nperson = 'payer_hash'\n")
    with closing(duckdb.connect(":memory:")) as database:
        database.execute("CREATE TABLE lead (connection VARCHAR, id INTEGER, created_at TIMESTAMP, email_hash VARCHAR)")
        database.execute("CREATE TABLE customer (connection VARCHAR, id INTEGER, started_at TIMESTAMP)")
        database.execute("INSERT INTO lead VALUES ('crm', 1, '2026-01-01', '1f'), ('crm', 2, '2026-01-02', NULL)")
        database.execute("INSERT INTO customer VALUES ('billing', 1, '2026-01-11'), ('billing', 2, '2026-01-12')")
        assert run(database).total.customers == 0
        database.execute("ALTER TABLE customer ADD COLUMN payer_hash VARCHAR")
        assert run(database, landed=Landed.read(path)).total.customers == 0
        database.execute("UPDATE customer SET payer_hash = '1f' WHERE id = 2")
        found = run(database, landed=Landed.read(path))
    assert (found.total.customers, found.total.days_to_win_median, found.unmet_payers) == (1, 11.0, 0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[leads]", "no table leads; there are lead, deal"),
        ("[lead]\nnaem = 'x'", "mend naem"),
        ("[lead]\nid = 3", "mend id"),
        ("lead = 'x'", "no table lead"),
        ("[lead", "no TOML"),
    ],
)
def test_a_mapping_that_is_not_understood_is_refused_by_name(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ExportError, match=said):
        Landed.read(mapping(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[lead]\nname = 'contacts'", r"no table contacts: mend \[lead\]"),
        ("[lead]\nid = 'nr'", "no column nr: mend id"),
    ],
)
def test_a_name_that_the_database_does_not_have_is_told(tmp_path: Path, text: str, said: str) -> None:
    with closing(duckdb.connect(":memory:")) as database:
        database.execute("CREATE TABLE lead (id VARCHAR, created_at TIMESTAMP)")
        with pytest.raises(ExportError, match=said):
            run(database, landed=Landed.read(mapping(tmp_path, text)))


def test_without_leads_there_is_nothing_to_count() -> None:
    with closing(duckdb.connect(":memory:")) as database, pytest.raises(ExportError, match="no table lead"):
        run(database)


def test_the_command_prints_text_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "holdwater.db"
    with Store.open(path) as store:
        store.keep("a", Page("any", books(5, 80)))
        began = Run(started_at=NOW, status="done")
        store.log("a", replace(began, finished_at=NOW))
        parquet.write_tables(store, tmp_path)
    assert main(["metrics", "--store", str(path), "--json"]) == 0
    of_store = capsys.readouterr().out
    assert '"rate": ' in of_store
    assert main(["metrics", "--store", str(path)]) == 0
    assert "Never answered: " in capsys.readouterr().out
    assert main(["metrics", "--tables", str(tmp_path), "--json"]) == 0
    assert capsys.readouterr().out == of_store
    assert main(["metrics", "--tables", str(tmp_path), "--store", str(path)]) == 2
    assert main(["metrics", "--mapping", "x.toml"]) == 2
    assert main(["metrics", "--tables", str(tmp_path / "nowhere")]) == 5


def test_the_command_tells_months_by_the_clock_that_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "holdwater.db"
    with Store.open(path) as store:
        store.keep("a", Page("any", books(5, 80)))
        store.log("a", Run(started_at=NOW, finished_at=NOW, status="done"))
        expected = report(store, conventions=Conventions(time_zone="Pacific/Auckland")).months
        assert report(store).months != expected
        parquet.write_tables(store, tmp_path)
    for place in (["--store", str(path)], ["--tables", str(tmp_path)]):
        assert main(["metrics", *place, "--json", "--time-zone", "Pacific/Auckland"]) == 0
        said = json.loads(capsys.readouterr().out)
        assert [(row["month"], row["leads"]) for row in said["months"]] == [(f"{m.month}", m.leads) for m in expected]
    assert main(["metrics", "--store", str(path), "--time-zone", "Mars/Olympus"]) == 2
    assert "Mars/Olympus is no time zone" in capsys.readouterr().err


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_expression_compiles_for_the_warehouses_and_only_quantiles_differ(dialect: str) -> None:
    purchases = ibis.table({"customer": "string", "day": "date", "amount_minor": "int64"}, name="purchase")
    expressions = {
        "figures": funnel.figures(UNTIL, UNTIL, "source", "unsourced"),
        "first_response": contact.first_response(UNTIL),
        "referrals": contact.referrals(UNTIL, UNTIL),
        "referred_months": contact.referred_months(UNTIL),
        "latest_moments": funnel.latest_moments(),
        "unmatched_wins": funnel.unmatched_wins(UNTIL, UNTIL),
        "unmet_payers": funnel.unmet_payers(UNTIL, UNTIL),
        "lead_dates": funnel.lead_dates(UNTIL),
        "spend_currencies": funnel.spend_currencies(UNTIL),
        "early_spend": funnel.early_spend(UNTIL),
        "consents": contact.consents(UNTIL),
        "customer_months": customers.customer_months(UNTIL),
        "backward_customers": customers.backward_customers(UNTIL),
        "revenue_months": customers.revenue_months(UNTIL),
        "survival_counts": statistics.survival_counts(UNTIL),
        "stage_entries": stages.stage_entries(UNTIL),
        "stage_moves": stages.stage_moves(UNTIL),
        "stage_times": stages.stage_times(UNTIL),
        "lost_reasons": stages.lost_reasons(UNTIL),
        "lead_ages": statistics.lead_ages(UNTIL, UNTIL),
        "paid_invoices": statistics.paid_invoices(UNTIL),
        "purchase_histories": statistics.purchase_histories(purchases, UNTIL.date(), step=7),
        "spend_groups": statistics.spend_groups(purchases, UNTIL.date(), width=0.01),
    }
    with_quantiles = {"figures", "first_response", "referrals"}
    approximated = expressions["figures"].op().replace(_approximate).to_expr()
    assert dialect != "bigquery" or str(ibis.to_sql(approximated, dialect=dialect)).count("APPROX_QUANTILES") == 3
    refused = set()
    for name, expression in expressions.items():
        try:
            assert "SELECT" in str(ibis.to_sql(expression, dialect=dialect))
        except ibis.common.exceptions.OperationNotDefinedError as error:
            assert "Quantile" in str(error)  # noqa: PT017 -- which of them raise is what is compared below
            refused.add(name)
    assert refused == (with_quantiles if dialect == "bigquery" else set())
