"""Our functions in workbooks that others made: nothing else changes, and they compute in a real engine."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import ironcalc
import openpyxl
import pytest
import xlsxwriter
from made_workbooks import changed_entries, deals_workbook, edited, entries, part, with_linked_part, with_parts
from openpyxl.workbook.defined_name import DefinedName

import holdwater
from holdwater.cli import main
from holdwater.errors import WorkbookError, WorkbookLockedError
from holdwater.workbook.lambda_names import add_names, lambda_names, remove_names
from holdwater.workbook.template import write_template

WORKBOOK = "xl/workbook.xml"
CALLS: dict[str, Any] = {
    "=LTV(30,0.04)": holdwater.ltv(30, 0.04),
    "=LTV(30,0.04,0.01,,24)": holdwater.ltv(30, 0.04, 0.01, periods=24),
    "=LTV(30,2)": "#NUM!",
    '=LTV("x",0.04)': "#VALUE!",
    "=ALLOWABLE_CPL(552.5,0.2)": holdwater.allowable_cpl(552.5, 0.2),
    "=payback(6000,400,0.03)": holdwater.payback(6000, 400, 0.03),
    "=LEADS_NEEDED(12,0.05)": holdwater.leads_needed(12, [0.05]),
    "=CUSTOMERS_CEILING(10,0.04)": holdwater.customers_ceiling(10, 0.04),
    "=INDEX(LTV_RANGE(30,4,100),1,2)": holdwater.ltv_range(30, 4, 100)[1],
}


def by_xlsxwriter(path: Path) -> Path:
    return deals_workbook(path, totals=True, date1904=True)


def by_openpyxl(path: Path) -> Path:
    book = openpyxl.Workbook()
    book.active["A1"] = 30
    book.active["A2"] = "=A1*2"
    book.create_sheet("Other")["B2"] = "text"
    book.defined_names["margin"] = DefinedName("margin", attr_text="Sheet!$A$1")  # as a parameter of LTV is called
    book.save(path)
    return path


def bare(path: Path) -> Path:
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("Sheet").write(0, 0, 30)
    return edited(path, WORKBOOK, (' fullCalcOnLoad="1"', ""))  # as Excel itself writes it


def typed(path: Path, calls: Iterable[str] = CALLS) -> list[Any]:
    """What a real engine shows where a person types these calls."""
    model = ironcalc.load_from_xlsx(str(path), "en", "UTC", "en")
    for row, call in enumerate(calls, start=100):
        model.set_user_input(0, row, 20, call)
    model.evaluate()
    return [model.get_cell_value(0, row, 20) for row, _ in enumerate(calls, start=100)]


def agree(shown: Iterable[Any], expected: Iterable[Any]) -> None:
    for ours, theirs in zip(shown, expected, strict=True):
        if isinstance(theirs, str):
            assert ours == theirs
        else:
            assert math.isclose(ours, theirs, rel_tol=1e-12)


def defined_names(path: Path) -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl tells that it knows no sparklines
        return dict(openpyxl.load_workbook(path).defined_names)


def names_of(path: Path) -> dict[str, str]:
    return {name: str(defined.attr_text) for name, defined in defined_names(path).items()}


@pytest.mark.parametrize("make", [by_xlsxwriter, by_openpyxl, bare])
def test_the_functions_compute_and_every_other_byte_stays(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    path = make(tmp_path / "book.xlsx")
    workbook, before = part(path, WORKBOOK), entries(path)
    theirs = names_of(path)
    assert all(value == "#NAME?" for value in typed(path, ["=LTV(30,0.04)"])), "else this proves nothing"
    done = add_names(path)
    assert (done.changed, done.added, done.left) == (True, tuple(lambda_names()), ())
    assert changed_entries(before, path) == {WORKBOOK}
    now = part(path, WORKBOOK)
    head, tail = now.partition("<definedNames>")[0], now.partition("</definedNames>")[2]
    assert workbook.startswith(head)
    assert workbook.endswith(tail)
    assert names_of(path) == theirs | {name: ours.text for name, ours in lambda_names().items()}
    helps = {name: str(defined.comment) for name, defined in defined_names(path).items()}
    assert helps.items() >= {name: ours.comment for name, ours in lambda_names().items()}.items()
    agree(typed(path), CALLS.values())
    after = path.read_bytes()
    again = add_names(path)
    assert (again.changed, again.kept) == (False, tuple(lambda_names()))
    assert path.read_bytes() == after
    gone = remove_names(path)
    assert (gone.changed, set(gone.removed), gone.still_called) == (True, set(lambda_names()), ())
    assert part(path, WORKBOOK) == workbook, "as if nothing had been"
    assert changed_entries(before, path) <= {WORKBOOK}
    assert not remove_names(path).changed


@pytest.mark.slow
def test_a_workbook_of_calc_takes_them_and_calc_opens_it_again(tmp_path: Path, calc: Callable[..., Path]) -> None:
    made = by_openpyxl(tmp_path / "first.xlsx")
    path = calc(calc(made, "ods"), "xlsx")
    workbook, before = part(path, WORKBOOK), entries(path)
    add_names(path)
    assert changed_entries(before, path) == {WORKBOOK}
    agree(typed(path), CALLS.values())
    resaved = calc(path)
    assert "_xlfn.lambda" in part(resaved, WORKBOOK), "else there is nothing to mend"
    assert set(add_names(resaved).updated) == set(lambda_names())
    assert names_of(resaved).items() >= {name: ours.text for name, ours in lambda_names().items()}.items()
    reopened = openpyxl.load_workbook(calc(path), data_only=True)
    assert [reopened.worksheets[0][cell].value for cell in ("A1", "A2")] == [30, 60]
    remove_names(path)
    assert part(path, WORKBOOK) == workbook


def test_names_that_the_workbook_uses_are_told_and_left(tmp_path: Path) -> None:
    path = tmp_path / "theirs.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("Plan")
        book.add_worksheet("My sheet")
        book.define_name("Churn", "=Plan!$A$1")
        book.define_name("'My sheet'!cac", "=Plan!$A$2")
        sheet.add_table(0, 0, 2, 0, {"name": "Payback"})
    before = part(path, WORKBOOK)
    done = add_names(path)
    assert done.left == (
        "CAC is a name of the sheet My sheet",
        "CHURN is a name of this workbook already",
        "PAYBACK is a table on the sheet Plan",
    )
    names = names_of(path)
    assert names["Churn"] == "Plan!$A$1"
    assert {"PAYBACK", "CAC", "CHURN"}.isdisjoint(names)
    assert remove_names(path).left == ("Churn is a name of this workbook already",)
    assert part(path, WORKBOOK) == before


def test_a_name_of_one_sheet_beside_ours_changes_nothing(tmp_path: Path) -> None:
    path = bare(tmp_path / "both.xlsx")
    add_names(path)
    local = '<definedName name="ltv" localSheetId="0">5</definedName></definedNames>'
    edited(path, WORKBOOK, ("</definedNames>", local))
    before = path.read_bytes()
    assert add_names(path).left == ()
    assert path.read_bytes() == before
    remove_names(path)
    assert f"<definedNames>{local}" in part(path, WORKBOOK)


def test_the_template_has_them_already(tmp_path: Path) -> None:
    path = tmp_path / "template.xlsx"
    write_template(path)
    before = path.read_bytes()
    done = add_names(path)
    assert (done.changed, done.left, set(done.kept)) == (False, (), set(lambda_names()))
    assert path.read_bytes() == before


def older(path: Path, *, mark: bool = True) -> Path:
    """A workbook whose LTV has the text that an earlier release may have written; the other names are of today."""
    text = "_xlfn.LAMBDA(_xlpm.a_,_xlpm.b_,_xlpm.a_/_xlpm.b_)"
    comment = ' comment="LTV(a, b): old help (Holdwater bef77123)"' if mark else ""
    add_names(bare(path))
    book = part(path, WORKBOOK)
    start = book.index('<definedName name="LTV"')
    end = book.index("</definedName>", start)
    return with_parts(path, {WORKBOOK: f'{book[:start]}<definedName name="LTV"{comment}>{text}{book[end:]}'})


def test_an_older_text_of_ours_is_brought_up_to_date(tmp_path: Path) -> None:
    path = older(tmp_path / "older.xlsx")
    assert typed(path, ["=LTV(30,0)"]) == ["#DIV/0!"]
    done = add_names(path)
    assert (done.updated, done.left) == (("LTV",), ())
    agree(typed(path), CALLS.values())
    assert remove_names(older(path)).left == ()


@pytest.mark.parametrize(("mark", "why"), [(True, "Holdwater's, but was changed since"), (False, "already")])
def test_what_a_person_wrote_or_changed_is_theirs(tmp_path: Path, mark: bool, why: str) -> None:
    path = edited(older(tmp_path / "theirs.xlsx", mark=mark), WORKBOOK, ("_xlpm.a_/_xlpm.b_", "_xlpm.a_/_xlpm.b_*2"))
    before = path.read_bytes()
    done = add_names(path)
    assert done.left
    assert why in done.left[0]
    assert path.read_bytes() == before
    assert why in remove_names(path).left[0]
    assert typed(path, ["=LTV(30,0.04)"]) == [1500]


def test_what_a_program_changes_when_it_saves_is_still_ours(tmp_path: Path) -> None:
    path = bare(tmp_path / "resaved.xlsx")
    add_names(path)
    edited(path, WORKBOOK, ("_xlfn.LAMBDA", "_xlfn.lambda"))
    assert set(add_names(path).updated) == set(lambda_names()), "as Calc writes it, Excel may not know it"
    edited(path, WORKBOOK, ("&lt;0.0001,", "&lt;1E-4, "), ("=0)", "= 0)"), (",TRUE,", ",TRUE(),"))
    assert not add_names(path).changed
    book = openpyxl.load_workbook(path)
    book.save(path)
    assert not add_names(path).changed
    assert set(remove_names(path).removed) == set(lambda_names())


def test_removal_tells_which_sheets_still_call(tmp_path: Path) -> None:
    path = tmp_path / "calls.xlsx"
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("Uses").write_formula("A1", "=1+ltv(30,0.04)", None, 751)
        book.add_worksheet("Not").write_formula("A1", '=MY_LTV(1)&"LTV"&"say ""LTV(30)"" aloud"', None, 1)
        book.define_name("mine", "=cac(100, 2)")
        book.define_name("Uses!theirs", '="LTV("')
    add_names(path)
    before = entries(path)
    done = remove_names(path)
    assert (done.still_called, done.names_that_call) == (("Uses",), ("mine",))
    assert changed_entries(before, path) == {WORKBOOK}


def test_a_workbook_with_macros_and_a_template_are_taken(tmp_path: Path) -> None:
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
    for suffix, new in (
        ("xlsm", "ms-excel.sheet.macroEnabled"),
        ("xltx", "openxmlformats-officedocument.spreadsheetml.template"),
    ):
        path = bare(tmp_path / f"book.{suffix}")
        edited(path, "[Content_Types].xml", (kind, f"application/vnd.{new}.main+xml"))
        if suffix == "xlsm":
            with_linked_part(path, "xl/vbaProject.bin", "vbaProject", "application/vnd.ms-office.vbaProject", "macros")
        before = entries(path)
        done = add_names(path)
        assert (done.changed, done.macros) == (True, suffix == "xlsm")
        assert changed_entries(before, path) == {WORKBOOK}


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("old.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "is encrypted, or an .xls of before 2007"),
        ("text.csv", b"a,b\n1,2\n", "is not an .xlsx workbook"),
        ("empty.xlsx", b"", "is not an .xlsx workbook"),
    ],
)
@pytest.mark.parametrize("change", [add_names, remove_names])
def test_other_files_are_refused(
    tmp_path: Path, name: str, content: bytes, why: str, change: Callable[[Path], object]
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(WorkbookError, match=why):
        change(path)
    assert path.read_bytes() == content
    with pytest.raises(WorkbookError, match="no workbook at"):
        change(tmp_path / "none.xlsx")


def test_an_ods_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "book.ods"
    bare(path)
    with_parts(path, {"[Content_Types].xml": None, "mimetype": "application/vnd.oasis.opendocument.spreadsheet"})
    with pytest.raises(WorkbookError, match=r"is not an .xlsx workbook; open it in Excel or Calc and save it as .xlsx"):
        add_names(path)


@pytest.mark.parametrize("lock", ["~$book.xlsx", ".~lock.book.xlsx#"])
@pytest.mark.parametrize("change", [add_names, remove_names])
def test_a_workbook_that_is_open_is_left_alone(tmp_path: Path, lock: str, change: Callable[[Path], object]) -> None:
    path = bare(tmp_path / "book.xlsx")
    before = path.read_bytes()
    (tmp_path / lock).touch()
    with pytest.raises(WorkbookLockedError, match="close it"):
        change(path)
    assert path.read_bytes() == before


def test_the_help_fits_and_tells_the_call() -> None:
    for name, defined in lambda_names().items():
        assert defined.comment.startswith(f"{name}(")
        assert len(defined.comment) <= 255, "Excel keeps no more"
        assert len(defined.text) < 8192


def test_the_command_tells_what_became_of_the_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "theirs.xlsm"
    with xlsxwriter.Workbook(tmp_path / "plain.xlsx") as book:
        book.add_worksheet("Uses").write_formula("A1", "=LTV(30,0.04)", None, 750)
        book.define_name("Cac", "=Uses!$A$1")
    (tmp_path / "plain.xlsx").rename(path)
    with_linked_part(path, "xl/vbaProject.bin", "vbaProject", "application/vnd.ms-office.vbaProject", "macros")
    count = len(lambda_names()) - 1
    assert main(["names", str(path)]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[:2] == [f"{count} functions added.", f"Workbook: {path}"]
    assert "=LTV(30, 0.04)" in out
    assert err.splitlines()[0] == "Left as they are: CAC is a name of this workbook already."
    assert "has macros" in err
    assert main(["names", str(path)]) == 0
    assert f"{count} functions already there.\nNothing new; unchanged: {path}\n" == capsys.readouterr().out
    assert main(["names", str(path), "--remove"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith(f"{count} functions removed.")
    assert "#NAME? now, on: Uses." in err
    assert "Names of yours" not in err
    assert main(["names", str(tmp_path / "none.xlsx")]) == 6
    assert "There is no workbook at" in capsys.readouterr().err
