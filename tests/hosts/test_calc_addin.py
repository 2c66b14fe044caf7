"""The add-in in real LibreOffice Calc."""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from calc_office import Calc, running_calc

import holdwater
from holdwater.demo import demo
from holdwater.hosts.calc import build
from holdwater.hosts.cells import CellError, evaluate, functions
from holdwater.workbook.figures import FIGURES
from holdwater.workbook.template import write_template

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def calc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Calc]:
    folder = tmp_path_factory.mktemp("calc")
    build(folder / "holdwater.oxt")
    with running_calc(folder, [folder / "holdwater.oxt"]) as calc:
        yield calc


class Sheet:
    """One sheet, typed as a person types it, and what Calc makes of it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._book = xlsxwriter.Workbook(path)
        self._sheet = self._book.add_worksheet("S")

    def __setitem__(self, place: str, typed: Any) -> None:
        """A formula in one cell, or over a range of cells (an array formula); a list of rows from a cell on."""
        if isinstance(typed, list):
            first = xlsxwriter.utility.xl_cell_to_rowcol(place)
            for down, row in enumerate(typed):
                for right, cell in enumerate(row):
                    self._sheet.write(first[0] + down, first[1] + right, cell)
        elif ":" in place:
            self._sheet.write_array_formula(place, f"{{{typed}}}")
        elif isinstance(typed, date):
            self._sheet.write_datetime(place, typed, self._book.add_format({"num_format": "yyyy-mm-dd"}))
        else:
            self._sheet.write(place, typed)

    def computed(self, calc: Calc) -> dict[str, Any]:
        self._book.close()
        return {place.removeprefix("S!"): value for place, value in calc.computed(self._path).items()}


@pytest.fixture
def sheet(tmp_path: Path) -> Sheet:
    return Sheet(tmp_path / "typed.xlsx")


def in_cells(name: str, *given: Any) -> Any:
    """The library's answer, as cells show it."""
    answer = evaluate(name, given)
    rows = answer if isinstance(answer, list) else [[answer]]
    shown = [[cell.value if isinstance(cell, CellError) else cell for cell in row] for row in rows]
    return shown if isinstance(answer, list) else shown[0][0]


def block(computed: dict[str, Any], first: str, rows: int, columns: int) -> list[list[Any]]:
    row, column = xlsxwriter.utility.xl_cell_to_rowcol(first)
    name = xlsxwriter.utility.xl_rowcol_to_cell
    return [[computed[name(row + down, column + right)] for right in range(columns)] for down in range(rows)]


def close(rows: list[list[Any]]) -> list[list[Any]]:
    return [[pytest.approx(c, rel=1e-12, abs=1e-12) if isinstance(c, float) else c for c in row] for row in rows]


def test_published_examples_typed_as_formulas(sheet: Sheet, calc: Calc, shared: Path) -> None:
    examples = json.loads((shared / "worked_examples.json").read_text())
    for row, example in enumerate(examples, start=1):
        texts, references, column = [], [], 10
        for argument in example["args"]:
            numbers = argument if isinstance(argument, list) else [argument]
            filled = ["" if n is None else repr(n) for n in numbers]
            texts.append("{" + ",".join(filled) + "}" if isinstance(argument, list) else filled[0])
            names = [xlsxwriter.utility.xl_rowcol_to_cell(row - 1, column + n) for n in range(len(numbers))]
            references.append("" if argument is None else ":".join(dict.fromkeys([names[0], names[-1]])))
            sheet[names[0]] = [numbers]
            column += len(numbers)
        name = example["function"].upper()
        sheet[f"A{row}"] = f"={name}({','.join(texts)})"
        sheet[f"B{row}"] = f"={name}({','.join(references)})"
    computed = sheet.computed(calc)
    for row, example in enumerate(examples, start=1):
        library = getattr(holdwater, example["function"])(*example["args"])
        for cell in (f"A{row}", f"B{row}"):
            assert computed[cell] == pytest.approx(example["expected"], rel=example["rel_tol"]), example
            assert computed[cell] == pytest.approx(library, rel=1e-12), example


ERRORS = [
    ("LTV(30,2)", "#NUM!"),  # outside the domain
    ("LTV(30,0)", "#NUM!"),  # an answer that does not exist
    ("PAYBACK(6000,400,0.07)", "#NUM!"),  # never
    ('LTV("x",0.04)', "#VALUE!"),
    ('LTV("30",0.04)', "#VALUE!"),
    ("LTV(30)", "#VALUE!"),
    ("LTV()", "#VALUE!"),
    ("ALLOWABLE_CPL_RANGE(400,500,0,60)", "#N/A"),  # not enough data
    ("LTV(A1,0.04)", "#DIV/0!"),  # an error in an input cell
    ("LTV(30,A2)", "#N/A"),
    ("CONVERSION(A1*1)", "#DIV/0!"),
    ("CONVERSION(A6:A8)", "#VALUE!"),
    ("CONVERSION(A9:A12)", "#VALUE!"),  # an empty range
    ("LTV(A6,0.04)", "#VALUE!"),  # text in a cell
    ("LTV(30,0.04,,,A9)", "#NUM!"),  # an empty cell is 0 to an add-in, which is no number of periods
    ('BOTTLENECK({"leads",1})', "#VALUE!"),
]
NUMBERS = [
    ("LTV(A3,A4)", 750.0),
    ("LTV(30,0.04,,,,1)", 750.0),
    ('LTV(30,0.04,"",A9)', 750.0),  # an empty text, and an empty cell where the default is 0
    ("LTV(A5,0.5)", 2 * 45678.0),  # a date is its number of days
    ("CONVERSION(A7:A12)", 0.125),  # empty cells of a range do not count
    ("CONVERSION(A7:B8)", 0.0625),
    ("IF(LTV(30,0.04)>700,LTV(30,0.04)*2,0)", 1500.0),
    ("SUM(LTV(A3:B3,0.04))", 2250.0),
    ("INDEX(LTV_RANGE(30,8,200),1,3)", holdwater.ltv_range(30, 8, 200)[2]),
    ('IFERROR(LTV(30,2),"none")', "none"),
    ('LTV(30,0.04)&" each"', "750 each"),
    ("ALLOWABLE_CPL(ALLOWABLE_CAC(LTV(30,0.04)),0.1)", 25.0),
]


def test_errors_and_blanks_and_texts(sheet: Sheet, calc: Calc) -> None:
    sheet["A1"], sheet["A2"], sheet["A3"], sheet["A4"] = "=1/0", "=NA()", [[30, 60]], 0.04
    sheet["A5"], sheet["A6"] = date(2025, 1, 21), "abc"
    sheet["A7"] = [[0.5, 0.5], [0.25, 1]]
    for row, (formula, _) in enumerate(ERRORS + NUMBERS, start=1):
        sheet[f"K{row}"] = f"={formula}"
    sheet["M1:M2"], sheet["N1:N2"] = "=CONVERSION(A1:A4*1)", "=LTV(A2:A3*1,0.04)"
    computed = sheet.computed(calc)
    assert [computed[place] for place in ("M1", "M2", "N1", "N2")] == ["#DIV/0!", "#DIV/0!", "#N/A", "#N/A"]
    shown = {formula: computed[f"K{row}"] for row, (formula, _) in enumerate(ERRORS + NUMBERS, start=1)}
    assert shown == {f: pytest.approx(v, rel=1e-12) if isinstance(v, float) else v for f, v in ERRORS + NUMBERS}


def test_what_calc_itself_does_not_tell(sheet: Sheet, calc: Calc) -> None:
    """As docs/calc.md tells: TRUE and an empty cell are numbers to an add-in, a range with an error is refused."""
    sheet["A1"] = [[True], [0.5]]
    sheet["A4"] = "=1/0"
    sheet["C1"], sheet["C2"], sheet["C3"] = "=LTV(A1,0.04)", "=LTV(A9,0.04)", "=CONVERSION(A2:A4)"
    sheet["C4"], sheet["C5"], sheet["C6"] = "=LTV(30,2)", "=ERROR.TYPE(LTV(30,2))", "=ERROR.TYPE(C4)"
    computed = sheet.computed(calc)
    assert [computed[f"C{row}"] for row in range(1, 7)] == [25.0, 0.0, "Err:504", "#NUM!", "#N/A", 6.0]


def test_ranges_that_calc_does_not_hand_over_whole(tmp_path: Path, calc: Calc) -> None:
    """As docs/calc.md tells: of several sheets the first, of several ranges none."""
    path = tmp_path / "sheets.xlsx"
    with xlsxwriter.Workbook(path) as book:
        for name in ("Jan", "Feb"):
            book.add_worksheet(name).write_column("A1", [30, 60])
    typed = ["SUM(LTV(Jan.A1:Feb.A1;0.04))", "LTV(Jan.A1~Jan.A2;0.04)", "LTV(30;0.04;0;0;12;0;7)"]
    assert list(calc.computed(path, typed).values()) == [750.0, "Err:504", "Err:504"]


def test_explain_says_why(sheet: Sheet, calc: Calc) -> None:
    sheet["A1"] = [[30], ["x"], [None]]
    sheet["C1"] = '=EXPLAIN("LTV",30,2)'
    sheet["C2"] = '=EXPLAIN("LTV",30,0.04,,,,9)'
    sheet["C3"] = '=EXPLAIN("ltv",A1,0.04)'
    sheet["C4"] = '=EXPLAIN("LVT",30)'
    sheet["C5"] = "=EXPLAIN()"
    sheet["C7"] = '=EXPLAIN("EXPLAIN")'
    sheet["C6"] = '=EXPLAIN("CONVERSION",A1:A2)'
    sheet["D1:D3"] = '=EXPLAIN("LTV",A1:A3,0.04)'
    computed = sheet.computed(calc)
    assert [computed[f"C{row}"] for row in range(1, 7)] == [
        "LTV: churn is 2; allowed is 0 to 1 (rate).",
        "LTV: timing is 9; allowed is 0, 1 or 2 (timing).",
        "ok",
        "EXPLAIN: there is no function 'LVT'; the closest name is LTV.",
        'EXPLAIN: name is no text; give the name of a function in quotes, such as "LTV".',
        "CONVERSION: rates is 'x'; a number belongs here (rate).",
    ]
    assert computed["C7"] == computed["C5"]
    assert [computed[f"D{row}"] for row in range(1, 4)] == [
        "ok",
        "LTV: margin is 'x'; a number belongs here (money).",
        "LTV: margin is missing; it needs a value (money).",
    ]


def test_a_fitted_model_answers_or_says_what_is_missing(sheet: Sheet, calc: Calc) -> None:
    days = [12, 20, 31, 9, 40, 5, 15, 22, 30, 70]
    status = ["won"] * 3 + ["lost"] * 2 + ["open"] * 5
    sheet["A1"] = [[d, s] for d, s in zip(days, status, strict=True)]
    sheet["C1:F1"], sheet["C2"] = "=CONVERSION_MATURED(A1:A10,B1:B10)", '=EXPLAIN("CONVERSION_MATURED",A1:A10,B1:B10)'
    computed = sheet.computed(calc)
    if computed["C1"] == "#N/A":  # the office's Python has no NumPy
        assert computed["C2"].startswith("CONVERSION_MATURED: the fit needs NumPy")
    else:
        library = [pytest.approx(n, rel=1e-9) for n in holdwater.conversion_matured(days, status)]
        assert block(computed, "C1", 1, 4) == [library]


def test_whole_columns(sheet: Sheet, calc: Calc) -> None:
    margins, churns = [float(20 + n % 50) for n in range(1000)], [0.01 + n % 7 / 100 for n in range(1000)]
    margins[500], churns[600] = -7.5, 1.5
    sheet["A1"] = [[m, c] for m, c in zip(margins, churns, strict=True)]
    sheet["C1:C1000"] = "=LTV(A1:A1000,B1:B1000)"
    sheet["D1:D3"] = "=LTV(A1:A2,B1)"
    sheet["E1"], sheet["E2"] = "=CONVERSION(H:H)", "=SUM(LTV(A1:A400,B1:B400))"
    sheet["H3"] = [[0.5], [0.25]]
    sheet["J1:L2"] = "=LTV(A1:A2,{0.04,0.05,0.06})"
    computed = sheet.computed(calc)
    expected = in_cells("LTV", [[m] for m in margins], [[c] for c in churns])
    assert block(computed, "C1", 1000, 1) == close(expected)
    assert computed["C601"] == "#NUM!"
    assert computed["C501"] < 0
    second = holdwater.ltv(margins[1], churns[0])
    assert block(computed, "D1", 3, 1) == close([expected[0], [second], ["#N/A"]])
    assert computed["E1"] == 0.125
    assert computed["E2"] == pytest.approx(sum(map(holdwater.ltv, margins[:400], churns[:400])), rel=1e-12)
    assert block(computed, "J1", 2, 3) == close(in_cells("LTV", [[20.0], [21.0]], [[0.04, 0.05, 0.06]]))


SHOP = [
    ["Leads", 100], ["cost per lead", 20], ["fit share", 0.8], ["conversion", 0.125], ["onboarding capacity", 12],
    ["revenue per customer", 100], ["gross margin", 0.6], ["churn", 0.05], ["customers", 150], ["discount", 0.01],
    ["lead capacity", None], ["horizon", 12],
]  # fmt: skip
FIXES = [
    ["training", "conversion", 0.2, 9000, 1, None, None],
    ["filter", "fit share", 0.2, 9000, 1, None, 10],
    ["onboarder", "onboarding capacity", 0.5, 12000, 2, "training", None],
]
LOG = [["Ash", 45000.0, "out"], ["Ash", 45000.5, "in"], ["Bo", 45001.0, "in"], ["Ash", 45007.5, "out"]]
SOURCES = [["A", 40, 400, 1000], ["B", 30, 100, 750]]
TABLES: list[tuple[str, str, list[Any]]] = [
    ("VERDICT", "A1:B12", [SHOP]),
    ("BOTTLENECK", "A1:B20", [SHOP]),
    ("BUCKET_PROFIT", "A:B", [SHOP]),
    ("LEADS_SAFE", "A1:B12", [SHOP]),
    ("LEVERS", "A1:B12,0.2", [SHOP, 0.2]),
    ("BUCKET_PROJECTION", "A1:B12", [SHOP]),
    ("LEVER_VALUE", 'A1:B12,"churn"', [SHOP, "churn"]),
    ("CONSTRAINT_VALUE", 'A1:B12,"onboarding capacity",2', [SHOP, "onboarding capacity", 2.0]),
    ("LEADS_EQUIVALENT", 'A1:B12,"conversion"', [SHOP, "conversion"]),
    ("FIX_SEQUENCE", "D1:J3,A1:B12", [FIXES, SHOP]),
    ("FIX_SEQUENCE", "D1:J3,A1:B12,12000", [FIXES, SHOP, 12000.0]),
    ("LOSS_CHECK", '"no reply","Ash",D5:F8', ["no reply", "Ash", LOG]),
    ("LOSS_CHECK", '"our delay","Bo",D5:F9', ["our delay", "Bo", LOG]),
    ("SPEND_SPLIT", "D11:G12,2000,200", [SOURCES, 2000.0, 200.0]),
    ("LTV_RANGE", "30,0,200", [30.0, 0.0, 200.0]),
    ("SBG_SURVIVAL", "{1000;800;700},5", [[[1000], [800], [700]], 5.0]),
    ("SBG_FIT", "{1000,800,700}", [[[1000, 800, 700]]]),
]


def test_the_bucket_from_ranges(sheet: Sheet, calc: Calc) -> None:
    sheet["A1"], sheet["D1"], sheet["D5"], sheet["D11"] = SHOP, FIXES, LOG, SOURCES
    places, row = [], 1
    for name, typed, given in TABLES:
        expected = in_cells(name, *given)
        rows = expected if isinstance(expected, list) else [[expected]]
        place = f"M{row}:{xlsxwriter.utility.xl_col_to_name(11 + len(rows[0]))}{row + len(rows) - 1}"
        if len(rows) == len(rows[0]) == 1:
            place = f"M{row}"
        sheet[place] = f"={name}({typed})"
        places.append((name, f"M{row}", rows))
        row += len(rows)
    computed = sheet.computed(calc)
    for name, place, rows in places:
        assert block(computed, place, len(rows), len(rows[0])) == close(rows), name


def test_the_function_wizard_says_what_the_catalogue_says(calc: Calc) -> None:
    said = calc.ask("wizard")
    for name, entry in functions().items():
        assert said[name]["description"] == entry.description
        arguments = said[name]["arguments"]
        assert [a[0] for a in arguments] == [a.name for a in entry.arguments]
        assert all(text.startswith(entry.help[name]) for name, text, _ in arguments)
        assert said[name]["category"] == said["CPL"]["category"]
    ours = [name for name in said if said[name]["description"] == functions()["LTV"].description]
    assert ours == ["LTV"]


@pytest.mark.parametrize(("kind", "filter_"), [("xlsx", "Calc MS Excel 2007 XML"), ("ods", "calc8")])
def test_a_workbook_saved_by_calc_keeps_the_names(tmp_path: Path, calc: Calc, kind: str, filter_: str) -> None:
    with xlsxwriter.Workbook(tmp_path / "book.xlsx") as book:
        book.add_worksheet("S").write_formula("A1", "=ALLOWABLE_CPL(LTV(30,0.04)/3,0.1)")
    saved = tmp_path / f"saved.{kind}"
    calc.ask("saved", str(tmp_path / "book.xlsx"), str(saved), filter_)
    if kind == "xlsx":
        assert openpyxl.load_workbook(saved)["S"]["A1"].value == "=ALLOWABLE_CPL(LTV(30,0.04)/3,0.1)"
    else:
        content = zipfile.ZipFile(saved).read("content.xml").decode()
        assert "ORG.HOLDWATER.FUNCTIONS.ALLOWABLECPL" in content.upper()
    assert calc.computed(saved) == {"S!A1": 25.0}


@pytest.mark.parametrize("kind", ["demo", "template"])
def test_every_formula_of_the_workbook_equals_the_library(tmp_path: Path, calc: Calc, kind: str) -> None:
    """What a cell shows before Calc computes it comes from the library; see workbook/evaluate."""
    book = tmp_path / "book.xlsx"
    if kind == "demo":
        demo(book, seed=3)
    else:
        write_template(book)
    shown, formulas = openpyxl.load_workbook(book, data_only=True), openpyxl.load_workbook(book)
    computed = calc.computed(book)
    wrong, seen = [], 0
    for sheet in formulas.worksheets:
        for cell in (cell for row in sheet.iter_rows() for cell in row if cell.data_type == "f"):
            ours, theirs = shown[sheet.title][cell.coordinate].value, computed[f"{sheet.title}!{cell.coordinate}"]
            seen += 1
            if not same(ours, theirs):
                wrong.append(f"{sheet.title}!{cell.coordinate} {cell.value}: library {ours!r}, Calc {theirs!r}")
    assert seen > 100
    assert wrong == []


def same(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, (int, float)) and isinstance(theirs, (int, float)):
        return math.isclose(ours, theirs, rel_tol=1e-12, abs_tol=1e-12)
    return bool((ours or "") == (theirs or ""))


def test_the_figures_typed_as_calls_beside_the_formulas_of_the_workbook(tmp_path: Path, calc: Calc) -> None:
    book = tmp_path / "book.xlsx"
    demo(book, seed=3)
    names = {name: defined.attr_text for name, defined in openpyxl.load_workbook(book).defined_names.items()}
    shown = openpyxl.load_workbook(book, data_only=True)
    figures = [f for f in FIGURES if hasattr(f.function, "formula") and f.name in names]
    calls = []
    for figure in figures:
        entry = figure.function.formula  # type: ignore[attr-defined]  # set by @formula
        calls.append(f"{entry.excel_name}({';'.join(figure.arguments.get(a.name, '') for a in entry.arguments)})")
    computed = calc.computed(book, calls)
    assert len(calls) >= 9
    for row, figure in enumerate(figures, start=1):
        title, _, place = names[figure.name].replace("$", "").replace("'", "").partition("!")
        assert same(shown[title][place].value, computed[f"Typed!A{row}"]), calls[row - 1]
