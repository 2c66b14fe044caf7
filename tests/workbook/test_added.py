"""Our data tables in a workbook of somebody else's, and the plan of a refresh."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from foreign_books import FEATURES, plain
from made_workbooks import edited, with_linked_part
from table_books import cells

from holdwater import cli
from holdwater.errors import NotOurWorkbookError, WorkbookError
from holdwater.metrics.figures import Figures, MonthFigures, Report, SourceFigures
from holdwater.workbook.added import FOREIGN_TABLES, add_tables
from holdwater.workbook.changes import Change
from holdwater.workbook.owned import DATA_TABLES
from holdwater.workbook.package import Package
from holdwater.workbook.refresh import plan, refresh
from holdwater.workbook.template import write_template

NOW = datetime(2026, 10, 31, 12, tzinfo=UTC)
LATER = datetime(2026, 11, 1, 8, tzinfo=UTC)


def counts(leads: int, customers: int) -> dict[str, Any]:
    return {
        "leads": leads,
        "customers": customers,
        "judged_leads": leads,
        "judged_customers": customers,
        "open_leads": 0,
        "days_to_win_median": 12.5,
        "days_to_win_p90": 40.0,
        "spend": 100.0,
    }


def report(leads: int = 30) -> Report:
    return Report(
        as_of=NOW,
        judged_after_days=40.0,
        currency="EUR",
        total=Figures(**counts(leads + 20, 5)),
        sources=(
            SourceFigures(source="paid_search", **counts(leads, 3)),
            SourceFigures(source="referral", **counts(20, 2)),
        ),
        months=(
            MonthFigures(month=date(2026, 9, 1), **counts(20, 2)),
            MonthFigures(month=date(2026, 10, 1), **counts(leads, 3)),
        ),
        undated_wins=0,
        unmatched_wins=0,
    )


def kept(path: Path) -> bytes:
    """The bytes, after which nothing may have touched the file."""
    return path.read_bytes()


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    return plain(tmp_path / "budget.xlsx")


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    write_template(tmp_path / "leads.xlsx")
    return tmp_path / "leads.xlsx"


def test_a_foreign_workbook_with_our_tables_is_refreshed(foreign: Path) -> None:
    theirs = cells(foreign, "Figures")
    assert add_tables(foreign) == tuple(table.name for table in DATA_TABLES)
    done = refresh(foreign, report(), origin="a test", now=NOW)
    assert done.changed
    assert done.said == ("50 leads and 5 customers as of 2026-10-31.",)
    assert cells(foreign, "Figures") == theirs
    sources = cells(foreign, "Sources")
    assert [sources[name] for name in ("A1", "A2", "B2", "A3", "B3")] == ["Source", "paid_search", 30, "referral", 20]
    assert cells(foreign, "Months")["A2"] == datetime(2026, 9, 1)  # noqa: DTZ001 - cells know no time zone
    assert cells(foreign, "About")["B4"] == "2026-10-31 12:00 UTC"
    whole = foreign.read_bytes()
    assert refresh(foreign, report(), origin="a test", now=LATER).changed is False
    assert foreign.read_bytes() == whole


def test_the_tables_are_added_once(foreign: Path) -> None:
    add_tables(foreign)
    whole = kept(foreign)
    with pytest.raises(WorkbookError, match="has the table hw_sources already: run holdwater refresh"):
        add_tables(foreign)
    assert foreign.read_bytes() == whole


def test_a_name_that_is_taken_gives_way(tmp_path: Path) -> None:
    book = FEATURES["many_tables_and_styles"](tmp_path / "theirs.xlsx")
    add_tables(book)
    package = Package.open(book)
    assert list(package.sheets()) == [
        "Figures", "More", "Sources", "Sources (2)", "Months", "Customers", "Weeks", "Funnel", "Retention",
        "Losses", "Permission", "About",
    ]  # fmt: skip
    assert package.table("hw_sources").sheet == "Sources (2)"


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("<bookViews>", '<workbookProtection lockStructure="1"/><bookViews>', "choose Review, Protect Workbook"),
        (
            "<calcPr",
            '<definedNames><definedName name="HW_Months">1</definedName></definedNames><calcPr',
            "Name Manager",
        ),
    ],
)
def test_a_workbook_that_cannot_take_them_stays_as_it_was(foreign: Path, old: str, new: str, why: str) -> None:
    edited(foreign, "xl/workbook.xml", (old, new))
    whole = kept(foreign)
    with pytest.raises(WorkbookError, match=why):
        add_tables(foreign)
    assert foreign.read_bytes() == whole


def test_a_workbook_shared_in_the_old_way_takes_no_tables(foreign: Path) -> None:
    with_linked_part(foreign, "xl/revisions/revisionHeaders.xml", "revisionHeaders", "application/xml", "<headers/>")
    with pytest.raises(WorkbookError, match="Unshare Workbook"):
        add_tables(foreign)


def test_a_workbook_without_our_tables_says_how_to_get_them(foreign: Path) -> None:
    with pytest.raises(NotOurWorkbookError, match="`holdwater add-tables`"):
        refresh(foreign, report(), origin="a test", now=NOW)


def test_a_plan_lists_every_change_and_writes_nothing(foreign: Path) -> None:
    add_tables(foreign)
    refresh(foreign, report(), origin="a test", now=NOW)
    whole = kept(foreign)
    assert plan(foreign, report(), origin="a test", now=LATER) == []
    planned = plan(foreign, report(leads=31), origin="a test", now=LATER)
    assert foreign.read_bytes() == whole
    assert set(planned) == {
        Change("hw_sources", "paid_search", "Leads", 30.0, 31.0),
        Change("hw_sources", "paid_search", "Judged leads", 30.0, 31.0),
        Change("hw_months", "2026-10-01", "Leads", 30.0, 31.0),
        Change("hw_months", "2026-10-01", "Judged leads", 30.0, 31.0),
        Change("hw_about", "Leads", "Value", 50.0, 51.0),
        Change("hw_about", "Refreshed", "Value", "2026-10-31 12:00 UTC", "2026-11-01 08:00 UTC"),
    }
    gone = replace(report(), sources=report().sources[:1])
    lost = [change for change in plan(foreign, gone, origin="a test", now=LATER) if change.place == "hw_sources"]
    assert {(change.row, change.new) for change in lost} == {("referral", None)}
    assert len(lost) == len([name for name in cells(foreign, "Sources") if name.endswith("3")])


def test_what_was_planned_is_what_happens(ours: Path) -> None:
    """Every cell of the whole template that shows something else afterwards was in the plan, and no other."""
    refresh(ours, report(), origin="a test", now=NOW)
    before = Package.open(ours)
    shown = {(s, c.row, c.column): c.value for s in before.sheets() for c in before.read_cells(s)}
    planned = plan(ours, report(leads=31), origin="a test", now=LATER)
    refresh(ours, report(leads=31), origin="a test", now=LATER)
    after = Package.open(ours)
    now = {(s, c.row, c.column): c.value for s in after.sheets() for c in after.read_cells(s)}
    different = [place for place in shown.keys() | now.keys() if shown.get(place) != now.get(place)]
    assert len(different) == len(planned) > 6


def test_a_backup_is_kept_only_when_something_is_written(foreign: Path, tmp_path: Path) -> None:
    add_tables(foreign)
    whole = kept(foreign)
    done = refresh(foreign, report(), origin="a test", now=NOW, backup=tmp_path / "kept")
    assert done.backup is not None
    assert done.backup.name == "budget 2026-10-31 12.00.00.xlsx"
    assert done.backup.read_bytes() == whole
    assert refresh(foreign, report(), origin="a test", now=LATER, backup=tmp_path / "kept").backup is None
    assert len(list((tmp_path / "kept").iterdir())) == 1


def test_no_backup_no_refresh(foreign: Path, tmp_path: Path) -> None:
    add_tables(foreign)
    whole = kept(foreign)
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(WorkbookError, match="No backup could be kept"):
        refresh(foreign, report(), origin="a test", now=NOW, backup=tmp_path / "taken")
    assert foreign.read_bytes() == whole


def test_the_options_of_the_command_line(foreign: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    (folder / "leads.csv").write_text("Lead,Created,Source\n1,2026-01-05,ads\n2,2026-02-07,ads\n3,2026-03-09,fair\n")
    mapping = tmp_path / "map.toml"
    mapping.write_text(
        '[leads]\nfile = "leads.csv"\n[leads.columns]\nid = "Lead"\ncreated_at = "Created"\nsource = "Source"\n'
    )
    given = ["refresh", str(foreign), "--from", str(folder), "--mapping", str(mapping)]
    assert cli.main(["add-tables", str(foreign)]) == 0
    assert f"Next: holdwater refresh {foreign}" in capsys.readouterr().out
    whole = kept(foreign)
    assert cli.main([*given, "--plan", "--backup", str(tmp_path)]) == 2
    assert cli.main([*given, "--plan"]) == 0
    said = capsys.readouterr().out
    assert "cells would change: hw_sources " in said
    assert "hw_sources | ads | Leads: (empty) -> 2" in said
    assert "Nothing was written" in said
    assert foreign.read_bytes() == whole
    assert cli.main([*given, "--as-of", "2026-02-07", "--backup", str(tmp_path / "kept")]) == 0
    said = capsys.readouterr().out
    assert "2 leads and 0 customers as of 2026-02-07." in said
    assert "Backup: " in said
    assert [path.read_bytes() for path in (tmp_path / "kept").iterdir()] == [whole]
    assert {table.name for table in FOREIGN_TABLES} <= Package.open(foreign).tables().keys()
