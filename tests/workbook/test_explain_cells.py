"""Each figure leads to what it is made of, and a number of a data table to its records."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from test_refresh import NOW, TYPED

from holdwater.cli import main
from holdwater.crm.connector import Page
from holdwater.crm.links import record_link
from holdwater.crm.records import Customer, Deal, Lead, Money, Record, Spend
from holdwater.errors import UsageError
from holdwater.metrics.reporting import report
from holdwater.metrics.words import Words
from holdwater.store.database import Store
from holdwater.store.runs import Run
from holdwater.workbook.explain import explain
from holdwater.workbook.package import Package
from holdwater.workbook.refresh import refresh
from holdwater.workbook.template import write_template


def records() -> list[Record]:
    """Thirty leads a month of three months; every third of the first two is won within a week."""
    found: list[Record] = []
    for number in range(90):
        at = NOW - timedelta(days=30 * (number // 30) + 20, hours=number)
        id_, won = str(1000 + number), number % 3 == 0 and number >= 30
        found.append(Lead(id=id_, created_at=at, updated_at=at, source="paid_search" if number % 2 else None))
        closed = at + timedelta(days=6)
        found.append(
            Deal(
                id=id_, lead_id=id_, status="won" if won else "lost", created_at=at, updated_at=closed,
                closed_at=closed, lost_reason=None if won else "no_reply",
            )
        )  # fmt: skip
        if won:
            found.append(Customer(id=id_, lead_id=id_, started_at=closed, updated_at=closed))
    spent = Money(90_000, "EUR", "900.00")
    found.append(Spend(id="s", day=NOW.date() - timedelta(days=20), amount=spent, updated_at=NOW, source="paid_search"))
    return found


def synced(store: Store, records: list[Record], connection: str = "hubspot:1000001") -> None:
    store.keep(connection, Page("any", records))
    store.log(connection, Run(started_at=NOW, status="done"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("explained")
    with Store.open(folder / "store.db") as store:
        synced(store, records())
        store.note_site("hubspot:1000001", "https://app-eu1.hubspot.com/contacts/1000001")
        figures = report(store, as_of=NOW)
    write_template(folder / "leads.xlsx", TYPED)
    refresh(folder / "leads.xlsx", figures, origin="hubspot:1000001", now=NOW)
    return folder


def told(folder: Path, cell: str, *, everything: bool = False, store: str = "store.db") -> str:
    return "\n".join(
        explain(Package.open(folder / "leads.xlsx"), cell, folder / store, everything=everything)
    )  # fmt: skip


def test_a_figure_leads_down_to_the_columns_and_what_was_typed(folder: Path) -> None:
    lines = told(folder, "allowable_lead_cost")
    assert lines.splitlines()[0].startswith("Figures!B12  What a lead may cost: ")
    assert "monthly_churn: Customers lost per month = 0.04  (Inputs!D7)" in lines
    assert "hw_sources[Judged leads]" in lines
    assert "paid_search: 45" in lines
    assert "holdwater explain leads.xlsx Sources!B6" in lines
    assert lines.count("LTV: gross profit per month") == 1  # once, however often it is used


def test_a_cell_of_the_first_sheet_need_not_name_it(folder: Path) -> None:
    assert told(folder, "c18") == told(folder, "Today!$C$18")
    assert "allowable_lead_cost" in told(folder, "C18")


def test_a_result_names_its_function(folder: Path) -> None:
    lines = told(folder, "Today!K11")
    assert "CONSTRAINT_VALUE lead_capacity = " in lines
    assert "What one more of it adds" in lines


def test_a_row_leads_to_its_records_and_to_the_crm(folder: Path) -> None:
    lines = told(folder, "Sources!B6")
    assert "45 records in the store:" in lines
    assert "lead 1001 2026-10 https://app-eu1.hubspot.com/contacts/1000001/record/0-1/1001" in lines
    assert "and 25 more (--all)" in lines
    assert "more" not in told(folder, "Sources!B6", everything=True)
    assert "another number" not in lines
    assert "10 records" in told(folder, "Sources!C6")
    assert "deal 1001 " in told(folder, "Losses!B14")
    assert "70 records in the store:" in told(folder, "Losses!I14")  # no messages are kept there
    assert "0 records in the store:" in told(folder, "Losses!H14")
    assert "customer 1030 " in told(folder, "Customers!B6") + told(folder, "Customers!B7")


def test_a_formula_in_a_row_leads_to_that_row_only(folder: Path) -> None:
    lines = told(folder, "Sources!J7")
    assert "(Sources!E7)" in lines
    assert "Sources!E6" not in lines


def test_a_store_that_has_gone_on_is_told(folder: Path, tmp_path: Path) -> None:
    with Store.open(tmp_path / "store.db") as store:
        synced(store, records()[:20])
    lines = "\n".join(explain(Package.open(folder / "leads.xlsx"), "Sources!B6", tmp_path / "store.db"))
    assert "another number than the cell has" in lines
    assert "give --store" in told(folder, "Sources!B6", store="none.db")


def test_another_store_is_told_and_not_searched(folder: Path, tmp_path: Path) -> None:
    with Store.open(tmp_path / "store.db") as store:
        synced(store, records(), "hubspot:10")
    lines = "\n".join(explain(Package.open(folder / "leads.xlsx"), "Sources!B6", tmp_path / "store.db"))
    assert "The figures come from hubspot:1000001, of which the store" in lines
    assert "records in the store:" not in lines


@pytest.mark.parametrize("beside", [True, False])
def test_a_renamed_source_and_reason_lead_to_their_records(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], beside: bool
) -> None:
    book, path = tmp_path / "leads.xlsx", tmp_path / "store.db"
    words = tmp_path / ("words.toml" if beside else "ours.toml")
    words.write_text(
        '[sources]\npaid_search = "Google Ads"\n'
        '[lost_reasons]\nno_reply = { whose = "them", name = "Silent", claim = "no reply" }\n'
    )
    with Store.open(path) as store:
        synced(store, records())
        figures = report(store, as_of=NOW, words=Words.read(words))
    write_template(book, TYPED)
    refresh(book, figures, origin="odoo:other, hubspot:1000001", now=NOW)
    named = [] if beside else ["--words", str(words)]
    for cell, count in (("Sources!B6", 45), ("Losses!B14", 70), ("Losses!I14", 70)):
        assert main(["explain", str(book), cell, "--store", str(path), *named]) == 0
        lines = capsys.readouterr().out
        assert lines.splitlines()[0].split("  ")[1].startswith(("Google Ads", "Silent"))
        assert f"{count} records in the store:" in lines
        assert "another number" not in lines


def test_a_week_is_named_by_its_first_day(folder: Path) -> None:
    first = told(folder, "Weeks!B6").splitlines()[0]
    assert re.match(r"Weeks!B6  2026-\d\d-\d\d, Leads: ", first)


@pytest.mark.parametrize("cell", ["Tomorrow!A1", "nothing", "Today!", "C1:C9", "Today!ZZ99", "", "A0"])
def test_what_is_no_filled_cell_is_told(folder: Path, cell: str) -> None:
    with pytest.raises(UsageError):
        told(folder, cell)


def test_the_command_prints_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", str(folder / "leads.xlsx"), "Months!B6", "--store", str(folder / "store.db")]) == 0
    assert "30 records in the store:" in capsys.readouterr().out
    assert main(["explain", str(folder / "leads.xlsx"), "Months!B6", "--store", "nowhere.db"]) == 3


HUBSPOT = "https://app.hubspot.com/contacts/12"


@pytest.mark.parametrize(
    ("connection", "site", "stream", "link"),
    [
        ("hubspot:12", HUBSPOT, "deals", f"{HUBSPOT}/record/0-3/a%2Fb%3F"),
        ("odoo:acme.odoo.com/acme", "https://acme.odoo.com", "leads", "https://acme.odoo.com/odoo/crm/a%2Fb%3F"),
        ("pipedrive:7", "https://acme.pipedrive.com", "leads", "https://acme.pipedrive.com/person/a%2Fb%3F"),
        ("salesforce:00D", "https://acme.my.salesforce.com", "deals", "https://acme.my.salesforce.com/a%2Fb%3F"),
        ("odoo:127.0.0.1:8069", "https://127.0.0.1:8069", "deals", None),
        ("hubspot:12", "http://app.hubspot.com/contacts/12", "deals", None),
        ("hubspot:12", "https://app.hubspot.com/../y//z", "deals", None),
        ("hubspot:12", f"{HUBSPOT}\n", "deals", None),
        ("hubspot:12", None, "deals", None),
        ("exports:mine", "https://files.example", "leads", None),
        ("hubspot:12", HUBSPOT, "spend", None),
    ],
)
def test_links_are_https_and_lead_nowhere_else(
    connection: str, site: str | None, stream: str, link: str | None
) -> None:
    assert record_link(connection, site, stream, "a/b?") == link


def test_what_stands_for_another_record_has_no_page() -> None:
    assert record_link("pipedrive:7", "https://acme.pipedrive.com", "leads", "organization:5") is None
