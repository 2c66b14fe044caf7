"""Refreshing the real template: right values, nothing of the person's lost, nothing written twice."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from engines import formula_cells, values
from made_once import template

import holdwater
from holdwater import verdict
from holdwater.errors import ExportError, NotOurWorkbookError, WorkbookError, WorkbookLockedError
from holdwater.metrics.customer_figures import LeadWeek
from holdwater.metrics.figures import Figures, MonthFigures, Report, SourceFigures
from holdwater.workbook.describe import describe
from holdwater.workbook.figures import FIGURES
from holdwater.workbook.inputs import INPUTS
from holdwater.workbook.owned import SOURCES
from holdwater.workbook.package import Package
from holdwater.workbook.refresh import refresh
from holdwater.workbook.template import write_template

NOW = datetime(2026, 10, 31, 12, tzinfo=UTC)
TYPED = {
    "monthly_revenue": 100.0,
    "margin_share": 0.8,
    "monthly_churn": 0.04,
    "monthly_discount": 0.01,
    "lead_work_cost": 5.0,
    "sales_people": 2.0,
    "sales_hours": 80.0,
    "touch_minutes": 30.0,
    "customers_now": 50.0,
}


def counts(leads: int, customers: int, spend: float | None = None, young: int = 0) -> dict[str, Any]:
    return {
        "leads": leads,
        "customers": customers,
        "judged_leads": leads - young,
        "judged_customers": customers,
        "open_leads": young,
        "days_to_win_median": 12.5,
        "days_to_win_p90": 40.0,
        "spend": spend,
    }


REPORT = Report(
    as_of=NOW,
    judged_after_days=40.0,
    currency="USD",
    total=Figures(**counts(600, 60, 9000.0, 40)),
    sources=(
        SourceFigures(source="paid_search", **counts(300, 36, 9000.0, 20)),
        SourceFigures(source="organic_search", **counts(280, 23, None, 20)),
        SourceFigures(source=None, **counts(20, 1)),
    ),
    months=(
        MonthFigures(month=date(2026, 6, 1), **counts(200, 20, 3000.0)),
        MonthFigures(month=date(2026, 8, 1), **counts(210, 20, 3000.0)),
        MonthFigures(month=date(2026, 9, 1), **counts(150, 20, 3000.0, 10)),
        MonthFigures(month=date(2026, 10, 1), **counts(40, 0, None, 30)),
    ),
    undated_wins=1,
    unmatched_wins=2,
    weeks=(LeadWeek(week=date(2026, 10, 19), leads=560, won=58), LeadWeek(week=date(2026, 10, 26), leads=40, won=2)),
)


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return template(tmp_path / "leads.xlsx", TYPED)


def type_in(book: Path, **inputs: Any) -> None:
    """As a person types, cell by cell; nothing is computed."""
    package = Package.open(book)
    rows = {i.name: position for position, i in enumerate(INPUTS, start=5)}
    package.set_value("Inputs", {(rows[name], 3): value for name, value in inputs.items()})
    package.save()


def refreshed(book: Path, report: Report = REPORT, **named: Any) -> Any:
    return refresh(book, report, origin="a test", now=NOW, **named)


def test_an_empty_template_shows_no_error_where_a_person_looks(book: Path) -> None:
    bare = book.with_name("bare.xlsx")
    write_template(bare)
    for path in (book, bare):
        today = [c for c in formula_cells(path) if c.place.startswith("Today!")]
        assert len(today) > 60
        assert [c for c in today if not c.agrees or str(c.cached).startswith("#")] == []


def test_every_formula_cell_computes_to_the_value_it_shows(book: Path) -> None:
    refreshed(book)
    cells = formula_cells(book)
    assert [c for c in cells if not c.agrees] == []
    assert sum(isinstance(c.cached, float) for c in cells) > 40


def test_the_figures_are_the_librarys(book: Path) -> None:
    refreshed(book)
    cells = values(book, "Figures")
    shown = {cells[f"A{row}"]: cells[f"B{row}"] for row in range(5, 5 + len(FIGURES))}
    paid, every = 36 / 280, 60 / 560
    ltv = holdwater.ltv(80, 0.04, 0.01)
    allowed = holdwater.allowable_cac(ltv, 3, 80, 0.04, 12)
    expected = {
        "Leads per month": (0 + 210 + 150) / 3,  # July had no lead: it counts all the same
        "Leads that can be worked per month": holdwater.lead_capacity(2, 80, 30),
        "Customers per paid lead": paid,
        "Customers per lead, all sources": every,
        "Lifetime value of a customer": ltv,
        "What a customer may cost": allowed,
        "What a lead may cost": holdwater.allowable_cpl(allowed, paid, 5),
        "What a lead costs": holdwater.cpl(9000, 300),
        "What a lead is worth": holdwater.lead_value(ltv, paid, 5),
        "What a customer costs": holdwater.cac(9000, 36),
        "Lifetime value for each 1 of cost": holdwater.ltv_cac(ltv, 250),
        "Months to pay back": holdwater.payback(250, 80, 0.04, 0.01),
        "Customers where growth ends": holdwater.customers_ceiling(120 * every, 0.04),
        "Revenue next month": holdwater.capacity_revenue(120, every, 100, 256, 50, 0.04),
    }
    for label, value in expected.items():
        assert shown[label] == pytest.approx(value, rel=1e-12), label


def spending(amount: float | None) -> Report:
    return replace(REPORT, sources=(replace(REPORT.sources[0], spend=amount), *REPORT.sources[1:]))


def test_the_first_sheet_says_what_to_do(book: Path) -> None:
    said = refreshed(book).said
    assert said[0].startswith("More leads: each further lead earns ")
    assert said[0] == verdict(describe(book).bucket).replace("period", "month")
    assert said[1] == "Sales: 120 leads a month for 256 that can be worked: room for 136 more."
    assert re.fullmatch(r"One more lead in each of the 24 months ahead brings [\d,.]+ in all, .*", said[2])
    assert said[4].startswith("OK: ")
    assert "each further lead loses 82.74" in refreshed(book, spending(90_000)).said[0]
    assert refreshed(book, spending(None)).said[0].startswith("A lead may cost up to 52.14.")
    assert [c for c in formula_cells(book) if not c.agrees] == []
    flood = tuple(replace(month, leads=month.leads * 9) for month in REPORT.months)
    assert refreshed(book, replace(REPORT, months=flood)).said[0].startswith("Fix lead capacity first")
    lost = replace(REPORT, sources=tuple(replace(s, judged_leads=0, judged_customers=0) for s in REPORT.sources))
    assert refreshed(book, lost).said[0].startswith("Nobody has been won yet")
    assert [c for c in formula_cells(book) if not c.agrees] == []


def test_a_full_delivery_comes_before_more_leads(book: Path) -> None:
    type_in(book, service_capacity=40)
    said = refreshed(book).said
    assert said[0].startswith("Fix customer capacity first")
    assert "loses" in said[2]


def advice(book: Path) -> dict[str, str]:
    sheet = values(book, "Sources")
    last = max(int(re.sub(r"\D", "", place)) for place in sheet if place.startswith("A"))
    column = 65 + [c.header for c in SOURCES.columns].index("Advice")
    return {str(sheet[f"A{row}"]): str(sheet.get(f"{chr(column)}{row}", "")) for row in range(6, last + 1)}


def test_the_advice_for_each_source(book: Path) -> None:
    rows = (
        SourceFigures(source="good", **counts(300, 36, 9000.0)),
        SourceFigures(source="dear", **counts(300, 36, 25_000.0)),
        SourceFigures(source="bad", **counts(300, 36, 90_000.0)),
        SourceFigures(source="burning", **counts(1000, 0, 50_000.0)),
        SourceFigures(source="young", **counts(20, 1, 300.0)),
        SourceFigures(source="free", **counts(100, 10)),
        SourceFigures(source=None, unsourced=True, **counts(0, 0, 700.0)),
    )
    refreshed(book, replace(REPORT, sources=rows))
    said = advice(book)
    assert said["good"].startswith("pays, ")
    assert said["dear"].startswith("too dear by ")
    assert said["bad"].startswith("loses ")
    assert said["burning"] == "loses money, even at the highest likely conversion"
    assert said["young"] == "too few to say: 1 of 20"
    assert said["free"] == "no spend known"
    assert said["(spend without a source)"] == ""
    shown = values(book, "Sources")
    priced = {shown[f"A{row}"]: [shown.get(f"{column}{row}", "") != "" for column in "MNO"] for row in range(6, 12)}
    assert priced["good"] == priced["free"] == [True, True, False], "what it may cost, is worth, is worth at most"
    assert priced["young"] == priced["burning"] == [False, False, True], "of fewer than five customers at most"
    assert [c for c in formula_cells(book) if not c.agrees] == []


def test_nothing_synced_shows_no_error(book: Path) -> None:
    empty = replace(REPORT, total=Figures(**counts(0, 0)), sources=(), months=(), judged_after_days=None)
    assert refreshed(book, empty).said[0].startswith("No leads yet")
    impossible = replace(REPORT.months[0], month=date(1900, 1, 1))
    with pytest.raises(ExportError, match="1900-01"):
        refreshed(book, replace(REPORT, months=(impossible, *REPORT.months[1:])))


def test_the_flow_of_leads_ends_where_the_leads_end(book: Path) -> None:
    """An export whose deals go on for months after its last lead still tells how many leads come."""
    refreshed(book, replace(REPORT, as_of=datetime(2027, 5, 3, tzinfo=UTC)))
    assert values(book, "Figures")["B5"] == pytest.approx((210 + 150 + 40) / 3)


def test_twice_changes_nothing_and_writes_nothing(book: Path) -> None:
    assert refreshed(book).changed
    before = book.read_bytes(), book.stat().st_mtime_ns
    again = refresh(book, REPORT, origin="a test", now=datetime(2026, 11, 5, tzinfo=UTC))
    assert not again.changed
    assert (book.read_bytes(), book.stat().st_mtime_ns) == before


def test_the_lambda_names_ride_along(book: Path, ironcalc: Callable[..., list[Any]]) -> None:
    names = {n.name: n.attr_text for n in openpyxl.load_workbook(book).defined_names.values()}
    lambdas = {name: text for name, text in names.items() if "LAMBDA" in text}
    assert "LTV" in lambdas
    computed = ironcalc(
        [([30, 0.04], ["LTV(A1,B1)"])], {name: text.removeprefix("=") for name, text in lambdas.items()}
    )
    assert computed == [[750.0]]


def test_no_name_is_also_a_function(shared: Path, book: Path) -> None:
    """A cell named like a function of the catalogue would hide it, or be hidden."""
    catalogue = (shared / "formulas.md").read_text()
    cells = {n.name.upper() for n in openpyxl.load_workbook(book).defined_names.values() if "LAMBDA" not in n.attr_text}
    assert len(cells) > 40
    assert not [name for name in cells if f"{name}(" in catalogue]


def parts(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as book:
        return {name: book.read(name) for name in book.namelist()}


def test_what_a_person_added_stays(book: Path) -> None:
    refreshed(book)
    mine = openpyxl.load_workbook(book)  # it is their file: another program, another sheet, notes beside our tables
    mine["Sources"]["T6"] = "ask Mia about this"
    mine["Sources"]["F2"] = "=SUM(hw_sources[Leads])"
    mine["Today"]["B60"] = "=C11*2"
    mine.create_sheet("My notes")["A1"] = "=Inputs!C5"
    mine.save(book)
    before = parts(book)
    longer = replace(REPORT, sources=(*REPORT.sources, SourceFigures(source="email", **counts(9, 6))))
    assert refreshed(book, longer).changed
    after = openpyxl.load_workbook(book)
    assert after["Sources"]["T6"].value == "ask Mia about this"
    assert after["Sources"]["F2"].value == "=SUM(hw_sources[Leads])"
    assert after["Today"]["B60"].value == "=C11*2"
    assert after["My notes"]["A1"].value == "=Inputs!C5"
    assert after["Sources"]["A9"].value == "email"
    changed = {name for name, data in parts(book).items() if before.get(name) != data}
    ours = {"workbook.xml"} | {f"{kind}{n}.xml" for kind in ("chart", "table", "sheet") for n in range(1, 30)}
    assert {name.rsplit("/", 1)[1] for name in changed} <= ours
    assert before.keys() == parts(book).keys()


def test_columns_that_a_person_adds_to_a_table_follow_their_row(book: Path) -> None:
    refreshed(book)
    mine = openpyxl.load_workbook(book)
    sheet, width = mine["Sources"], len(SOURCES.columns)
    letters = [openpyxl.utils.get_column_letter(n) for n in range(width + 1, width + 3)]
    for row, cells in {5: ("Note", "Twice"), 6: ("ask Mia", "=B6*2"), 7: ("cut", "=B7*2"), 8: (None, "=B8*2")}.items():
        for letter, cell in zip(letters, cells, strict=True):
            sheet[f"{letter}{row}"] = cell
    table = sheet.tables["hw_sources"]
    table.ref = table.autoFilter.ref = f"A5:{letters[-1]}8"
    for number, name in enumerate(("Note", "Twice"), start=width + 1):
        table.tableColumns.append(openpyxl.worksheet.table.TableColumn(id=number, name=name))
    mine.save(book)
    first, second, _ = REPORT.sources
    email = SourceFigures(source="email", **counts(290, 6))
    outcome = refreshed(book, replace(REPORT, sources=(replace(second, leads=900), email, first)))
    after = openpyxl.load_workbook(book)["Sources"]
    found = {after[f"A{row}"].value: tuple(after[f"{letter}{row}"].value for letter in letters) for row in (6, 7, 8)}
    assert found == {"organic_search": ("cut", "=B6*2"), "email": (None, None), "paid_search": ("ask Mia", "=B8*2")}
    assert outcome.left_alone == ("in hw_sources the data have no more (not recorded)",)
    outcome = refreshed(book, replace(REPORT, sources=(first,)))
    assert outcome.left_alone == (
        "in hw_sources the notes of organic_search, which is gone: cut",
        "in hw_sources the data have no more email",
    )


def test_a_row_added_by_hand_is_never_replaced(book: Path) -> None:
    refreshed(book)
    mine = openpyxl.load_workbook(book)
    mine["Sources"]["A9"] = "my own source"
    table = mine["Sources"].tables["hw_sources"]
    table.ref = table.autoFilter.ref = table.ref.replace("8", "9")
    mine.save(book)
    before = book.read_bytes()
    with pytest.raises(WorkbookError, match=r"Row 9 of the table hw_sources on sheet Sources was added by hand"):
        refreshed(book)
    assert book.read_bytes() == before


def test_a_changed_input_turns_the_results_stale(book: Path) -> None:
    refreshed(book)
    assert values(book, "Today")["B7"] == "Results are current."
    type_in(book, monthly_churn=0.08)
    stale = {c.place: c.computed for c in formula_cells(book)}
    assert stale["Today!B7"].startswith("STALE")
    assert refreshed(book).changed
    assert values(book, "Today")["B7"] == "Results are current."


@pytest.mark.parametrize(
    ("name", "wrong", "error"), [("monthly_churn", 4, "#NUM!"), ("margin_share", "much", "#VALUE!")]
)
def test_a_wrong_input_shows_its_error_and_no_number(book: Path, name: str, wrong: Any, error: str) -> None:
    type_in(book, **{name: wrong})
    said = refreshed(book).said
    assert said[0] == "Inputs are missing or wrong: the sheet Inputs shows which, in the column In use."
    assert error in values(book, "Inputs").values()
    assert values(book, "Figures")["B10"] == error
    assert [c for c in formula_cells(book) if not c.agrees] == []


@pytest.mark.parametrize("trouble", ["missing", "not a workbook", "not ours", "open in Excel", "renamed column"])
def test_a_workbook_that_cannot_be_refreshed_stays_as_it_was(book: Path, trouble: str) -> None:
    refreshed(book)
    kinds: dict[str, tuple[type[Exception], str]] = {
        "missing": (WorkbookError, "no workbook at"),
        "not a workbook": (WorkbookError, "leads.xlsx"),
        "not ours": (NotOurWorkbookError, "holdwater template"),
        "open in Excel": (WorkbookLockedError, "lose it"),
        "renamed column": (NotOurWorkbookError, "begins with other columns"),
    }
    if trouble == "missing":
        book.unlink()
    elif trouble == "not a workbook":
        book.write_text("leads,customers\n1,2\n")
    elif trouble == "not ours":
        openpyxl.Workbook().save(book)
    elif trouble == "open in Excel":
        book.with_name("~$leads.xlsx").write_bytes(b"\x05owner")
    else:
        renamed = openpyxl.load_workbook(book)
        renamed["Sources"]["B5"] = "Enquiries"
        renamed["Sources"].tables["hw_sources"].tableColumns[1].name = "Enquiries"
        renamed.save(book)
    before = book.read_bytes() if book.exists() else None
    kind, message = kinds[trouble]
    with pytest.raises(kind, match=message):
        refreshed(book, replace(REPORT, sources=()))
    assert (book.read_bytes() if book.exists() else None) == before


@pytest.mark.parametrize("lacking", ["a table", "a column", "an input"])
def test_a_workbook_of_an_earlier_holdwater_is_told_the_way_out(book: Path, lacking: str) -> None:
    refreshed(book)
    earlier = openpyxl.load_workbook(book)
    if lacking == "a table":
        del earlier["Curve"].tables["hw_curve"]
    elif lacking == "a column":
        table = earlier["Months"].tables["hw_months"]
        table.ref = table.autoFilter.ref = table.ref.replace("N", "M")
        del table.tableColumns[-1]
    else:
        del earlier.defined_names["fiscal_start_typed"]
    earlier.save(book)
    before = book.read_bytes()
    with pytest.raises(NotOurWorkbookError, match=r"stays as it is: make a new one with `holdwater template NEW.xlsx`"):
        refreshed(book)
    assert book.read_bytes() == before


def test_sheets_are_found_whatever_they_are_called(book: Path) -> None:
    refreshed(book)
    renamed = openpyxl.load_workbook(book)
    for old, new in {"Inputs": "Our inputs", "Today": "Heute"}.items():
        renamed[old].title = new
        for name in renamed.defined_names.values():
            name.attr_text = name.attr_text.replace(f"{old}!", f"'{new}'!")
    renamed.save(book)
    outcome = refreshed(book, spending(90_000))
    assert outcome.left_alone == ()
    assert values(book, "Heute")["B4"] == outcome.said[0]
    assert "each further lead loses" in outcome.said[0]
    gone = openpyxl.load_workbook(book)
    del gone.defined_names["results_status"]
    gone.save(book)
    assert refreshed(book).left_alone == ("the sheet Today, which shows old values",)
