"""What another tool landed is looked at first: a table that would give wrong figures is refused, with what to do."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from holdwater.errors import ExportError
from holdwater.metrics import parquet, run
from holdwater.metrics.figures import Report
from holdwater.metrics.landed import Landed

LEAD = "CREATE TABLE lead AS SELECT '1' AS id, TIMESTAMP '2026-01-01' AS created_at;"


def reported(statements: str, **landed: Any) -> Report:
    with closing(duckdb.connect(":memory:")) as database:
        database.execute(statements)
        return run(database, as_of=datetime(2026, 3, 1, tzinfo=UTC), landed=Landed(**landed))


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        ("CREATE TABLE lead AS SELECT 1 AS contact, TIMESTAMP '2026-01-01' AS created_at", "lead has no column id"),
        ("CREATE TABLE lead AS SELECT 1 AS id, TIMESTAMP '2026-01-01' AS creation", "lead has no column created_at"),
        (LEAD + "CREATE TABLE deal AS SELECT 1 AS id, 'won' AS state", "deal has no column status"),
        (LEAD + "CREATE TABLE spend AS SELECT DATE '2026-01-02' AS day, 125 AS amount_minor", "no column amount_curr"),
    ],
)
def test_a_table_without_a_column_that_it_cannot_do_without(statements: str, said: str) -> None:
    with pytest.raises(ExportError, match=said):
        reported(statements)


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        (
            "CREATE TABLE lead AS SELECT 1.0::DOUBLE AS id, TIMESTAMP '2026-01-01' AS created_at",
            "id is of type float64",
        ),
        ("CREATE TABLE lead AS SELECT 1 AS id, '2026-01-02 10:00+02' AS created_at", "created_at is of type string"),
        (
            LEAD + "CREATE TABLE deal AS SELECT 1 AS id, 'won' AS status, 1.0::DOUBLE AS lead_id",
            "lead_id is of type fl",
        ),
        (
            LEAD + "CREATE TABLE spend AS SELECT DATE '2026-01-02' AS day, 12.50 AS amount_minor,"
            " 'EUR' AS amount_currency",
            r"amount_minor is of type decimal\(4, 2\)",
        ),
    ],
)
def test_a_type_that_would_become_another_number_or_moment(statements: str, said: str) -> None:
    with pytest.raises(ExportError, match=said):
        reported(statements)


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        (LEAD + "INSERT INTO lead FROM lead", "lead holds 1 id more than once"),
        (LEAD + "INSERT INTO lead VALUES ('2', NULL)", "1 row of lead has no created_at"),
        (
            LEAD + "CREATE TABLE deal AS SELECT 1 AS id, 'Closed Won' AS status",
            "status says Closed Won.*open, won, lost",
        ),
        (LEAD + "CREATE TABLE deal AS SELECT 1 AS id, NULL::TEXT AS status", "1 row of deal has no status"),
        (
            LEAD
            + "CREATE TABLE activity AS SELECT 'Call' AS kind, 'out' AS direction, DATE '2026-01-02' AS occurred_at",
            "kind says Call",
        ),
        (
            LEAD
            + "CREATE TABLE spend AS SELECT DATE '2026-01-02' AS day, 1250 AS amount_minor, 'jpy' AS amount_currency",
            "amount_currency says jpy.*three capital letters",
        ),
    ],
)
def test_rows_that_would_be_counted_wrong(statements: str, said: str) -> None:
    with pytest.raises(ExportError, match=said):
        reported(statements)


def test_a_session_in_another_time_zone_is_refused_only_where_it_matters() -> None:
    zoned = "CREATE TABLE lead AS SELECT '1' AS id, TIMESTAMPTZ '2026-01-01 00:00:00+00' AS created_at;"
    with pytest.raises(ExportError, match="SET TimeZone = 'UTC'"):
        reported("SET TimeZone = 'America/New_York';" + zoned)
    assert reported("SET TimeZone = 'UTC';" + zoned).months == reported("SET TimeZone = 'Asia/Tokyo';" + LEAD).months


def test_a_table_of_another_schema_is_found_by_its_full_name_only() -> None:
    apart = "CREATE SCHEMA crm; CREATE TABLE crm.lead AS SELECT '1' AS id, TIMESTAMP '2026-01-01' AS created_at"
    with pytest.raises(ExportError, match="no table lead: name yours"):
        reported(apart)
    assert reported(apart, names={"lead": "crm.lead"}).total.leads == 1


def test_names_in_capitals_are_found() -> None:
    capitals = "CREATE TABLE LEAD AS SELECT '1' AS ID, TIMESTAMP '2026-01-01' AS CREATED_AT, 'fair' AS \"Source\""
    assert [row.source for row in reported(capitals).sources] == ["fair"]


def test_columns_named_for_a_table_that_is_not_there() -> None:
    with pytest.raises(ExportError, match=r"no table deal.*\[deal\]"):
        reported(LEAD, columns={"deal": {"status": "state"}})


@pytest.mark.parametrize("text", ["[lead]\nname = ''", "[lead]\nid = ' '"])
def test_an_empty_name_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "landed.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ExportError, match=r"\[lead\]"):
        Landed.read(tmp_path / "landed.toml")


def test_types_that_mean_the_same_are_taken() -> None:
    """Whole decimals, dates for moments, numbers for ids, as other tools land them."""
    found = reported(
        "CREATE TABLE lead AS SELECT 1::DECIMAL(38, 0) AS id, DATE '2026-01-01' AS created_at, NULL::TEXT AS source;"
        "CREATE TABLE deal AS SELECT 7::BIGINT AS id, '1' AS lead_id, 'won' AS status, DATE '2026-01-11' AS closed_at;"
        "CREATE TABLE spend AS SELECT TIMESTAMP '2026-01-02 08:00' AS day, 1250::DECIMAL(38, 0) AS amount_minor,"
        " 'EUR' AS amount_currency"
    )
    assert (found.total.leads, found.total.customers, found.total.spend) == (1, 1, 12.5)
    assert found.total.days_to_win_median == 10


def test_a_broken_parquet_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "lead.parquet").write_text("no rows", encoding="utf-8")
    with pytest.raises(ExportError, match=r"lead\.parquet is no Parquet file"):
        parquet.duckdb_over(tmp_path)


def test_an_empty_parquet_file_counts_as_nothing(tmp_path: Path) -> None:
    with closing(duckdb.connect(":memory:")) as database:
        database.execute("CREATE TABLE lead (id VARCHAR, created_at TIMESTAMP)")
        database.execute("COPY lead TO ? (FORMAT parquet)", [str(tmp_path / "lead.parquet")])
    with closing(parquet.duckdb_over(tmp_path)) as database:
        assert run(database).total.leads == 0
