"""Functions typed in Excel: the add-in's own macros, xlwings' own dispatcher, our Python half; what a cell shows."""

from __future__ import annotations

import json
import math
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from excel_stand_in import COM_ERRORS, COM_MISSING, HALF, Excel

import holdwater
from holdwater.formula import registry
from holdwater.hosts.cells import evaluate, functions, serial

NA, VALUE, NUM = "#2042", "#2015", "#2036"  # Excel's numbers of #N/A, #VALUE! and #NUM!


@pytest.fixture
def excel(xlpython: Any) -> Excel:
    made = Excel(xlpython)
    for place, value in {"A1": 30.0, "A2": 60.0, "A3": "x", "C1": 30.0, "D1": 60.0, "E1": "'30"}.items():
        made.sheet.set_value(place, value)
    return made


@pytest.mark.parametrize(
    ("call", "shows"),
    [
        ("LTV(30, 0.04)", 750.0),
        ('LTV(Range("A1"), 0.04)', 750.0),
        ('LTV(Range("A1:A3"), 0.04)', [[750.0], [1500.0], [VALUE]]),
        ('LTV(Range("C1:D1"), 0.04)', [750.0, 1500.0]),  # of one dimension: Excel shows it as a row
        ('LTV(Range("A:A"), 0.04)', [[750.0], [1500.0], [VALUE]]),  # a whole column ends with the data
        ('LTV(Range("A1:A2,C1"), 0.04)', VALUE),  # several areas: not the first alone
        ("LTV(30, 2)", NUM),
        ("LTV(30)", None),  # VBA itself refuses a call without a required argument
        ('LTV(Range("E1"), 0.04)', VALUE),  # a number as text
        ('LTV("30", 0.04)', VALUE),
        ("LTV(True, 0.04)", VALUE),
        ("LTV(CCur(30.5), 0.04)", 762.5),  # a Decimal
        ('LTV(30, 0.04, Range("B9"))', 750.0),  # an empty cell is an argument left out
        ("LTV(30, 0.04, , , 24)", holdwater.ltv(30, 0.04, periods=24)),
        ("LTV(CVErr(2042), 0.04)", NA),
        ("LTV(CVErr(2007), 0.04)", "#2007"),
        ("LTV(CVErr(2045), 0.04)", VALUE),  # #SPILL!, which CVErr is not sure to know
        ("LTV(3000000000, 0.04)", 75e9),
        ("CONVERSION(Array(0.5, 0.5))", 0.25),
        ("LTV_RANGE(30, 4, 100)", list(holdwater.ltv_range(30, 4, 100))),
        ("REPS_NEEDED(30, 10, 5)", 8.0),
        ('EXPLAIN("LTV", 30, 2)', "LTV: churn is 2; allowed is 0 to 1 (rate)."),
        ('EXPLAIN("LTV", Range("A1"), Range("D1"))', "LTV: churn is 60; allowed is 0 to 1 (rate)."),
    ],
)
def test_a_cell_shows(excel: Excel, call: str, shows: Any) -> None:
    if shows is None:
        with pytest.raises(Exception, match="churn"):
            excel.shows(call)
    else:
        assert excel.shows(call) == shows


def test_a_currency_format_cuts_nothing_and_a_date_is_its_number(excel: Excel) -> None:
    """A cell's Value would be a Decimal of four places, and a date of another type; Value2 is neither."""
    for place, number, shown_as in (("A1", 30.123456, "$#,##0.00"), ("A2", 46023.0, "yyyy-mm-dd")):
        excel.sheet.set_value(place, number)
        source = f'Sub Format()\nRange("{place}").NumberFormat = "{shown_as}"\nEnd Sub\n'
        excel.application.add_module(source, name="Formats")
        excel.application.run("Format")
    assert excel.application.evaluate('Range("A1").Value') != 30.123456
    assert excel.shows('LTV(Range("A1"), 1)') == 30.123456
    assert excel.shows('LTV(Range("A2"), 1)') == 46023.0


def test_a_table_of_results_keeps_its_rows_and_its_texts(excel: Excel) -> None:
    model = [["leads", 100.0], ["cost per lead", 15.0], ["conversion", 0.1], ["revenue per customer", 50.0]]
    model += [["gross margin", 0.8], ["churn", 0.05]]
    for row, (label, value) in enumerate(model, start=11):
        excel.sheet.set_value(f"A{row}", label)
        excel.sheet.set_value(f"B{row}", value)
    shown = excel.shows('LEVERS(Range("A11:B16"))')
    assert shown == _as_shown(evaluate("LEVERS", [model]))
    assert shown[0][0] == "lever"


def test_where_python_cannot_be_reached_no_traceback_is_shown(excel: Excel) -> None:
    excel.server.broken = True
    assert excel.shows("LTV(30, 0.04)") == NA
    assert "holdwater doctor" in excel.shows('EXPLAIN("LTV", 30, 2)')


def test_the_workbook_never_gets_to_the_dispatcher(excel: Excel) -> None:
    """xlwings would look for Python code and settings in it."""
    excel.shows("LTV(30, 0.04)")
    ((script, name, given),) = excel.server.asked
    assert (script, name, given[0]) == (HALF, "answer", "LTV")


def test_every_wrapper_calls_its_function(excel: Excel) -> None:
    """With numbers that mean nothing: what shows is what the boundary answers."""
    for name, entry in functions().items():
        given = [0.25 + 0.5 * place for place, argument in enumerate(entry.arguments) if argument.required]
        shown = excel.shows(f"{name}({', '.join(map(str, given))})")
        assert excel.server.asked[-1][2][0] == name
        expected = _as_shown(evaluate(name, given))
        assert shown == expected or math.isclose(shown, expected), name


def _as_shown(answer: Any) -> Any:
    codes = {"#VALUE!": VALUE, "#NUM!": NUM, "#N/A": NA}
    if isinstance(answer, list):
        rows = [[_as_shown(cell) for cell in row] for row in answer]
        return rows[0] if len(rows) == 1 else rows
    return codes[answer.value] if hasattr(answer, "value") else answer


def asked(xlpython: Any, *given: Any) -> Any:
    return xlpython.CallUDF(HALF, "answer", given)


@pytest.mark.parametrize(
    ("given", "answer"),
    [
        (("LTV", Decimal("30.0000"), 0.04), 750.0),
        (("LTV", 30, 0.04), 750.0),  # VBA's own whole numbers
        (("LTV", 30.0, 0.04, COM_MISSING), 750.0),
        (("LTV", COM_ERRORS + 2042, 0.04), 2042),
        (("LTV", COM_ERRORS + 2046, 0.04), 2015),  # #CONNECT!
        (("LTV", ((30.0,), (COM_ERRORS + 2023,)), 0.04), [[750.0], [2023]]),
        (("LTV", ((30.0, 60.0),), 0.04), [750.0, 1500.0]),
        (("LTV", float("nan"), 0.04), 2036),
        (("LTV", float("inf"), 0.04), 2036),
        (("NO_SUCH", 1.0), 2015),
        ((None, 1.0), 2015),
        ((COM_ERRORS + 2042, 1.0), 2015),
        (("LTV", object(), 0.04), 2015),
    ],
)
def test_what_the_dispatcher_is_told(xlpython: Any, given: tuple[Any, ...], answer: Any) -> None:
    assert asked(xlpython, *given) == answer


def test_dates_are_the_day_numbers_of_the_sheet(xlpython: Any) -> None:
    """A cell sends the number; a macro that calls a function may send a date."""
    customers, amounts = (("a",), ("a",), ("b",)), ((100.0,), (50.0,), (70.0,))
    days = [datetime(2026, month, 1) for month in (1, 2, 3)]  # noqa: DTZ001  # a sheet knows no time zones
    answers = [
        asked(xlpython, "EXPLAIN", "CUSTOMER_VALUES", customers, tuple((day,) for day in given), amounts, 0.8, 12.0)
        for given in (days, [serial(day) for day in days], [serial(day) + 400 for day in days])
    ]
    assert answers[0] == answers[1]
    assert asked(xlpython, "LTV", date(2026, 1, 1), 1.0) == serial(date(2026, 1, 1))


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (float("nan"), 2036),
        (float("inf"), 2036),
        (np.float64(2.5), 2.5),
        (np.bool_(True), 1.0),
        (np.int64(7), 7.0),
        (5_000_000_000, 5e9),
        (7, 7.0),
        (Decimal("2.5"), 2.5),
        (date(2026, 1, 1), 46023.0),
        ("text", "text"),
        (RuntimeError("x"), 2015),
        (KeyError("x"), 2015),
    ],
)
def test_whatever_a_function_returns_com_can_carry_it(
    xlpython: Any, monkeypatch: pytest.MonkeyPatch, value: Any, sent: Any
) -> None:
    """A whole number would become an error value, and a number of NumPy nothing at all."""

    def odd(*given: Any) -> Any:
        if isinstance(value, Exception):
            raise value
        return value

    entry = registry["CPL"]
    monkeypatch.setattr(entry, "call", odd)
    monkeypatch.setattr(entry, "quick", lambda given: None)
    answer = asked(xlpython, "CPL", 1.0, 2.0)
    assert (type(answer), answer) == (type(sent), sent)


def test_nothing_but_three_functions_is_on_offer(xlpython: Any) -> None:
    asked(xlpython, "LTV", 30.0, 0.04)
    import sys

    offered = [name for name, value in vars(sys.modules[HALF]).items() if hasattr(value, "__xlfunc__")]
    assert offered == ["answer", "refresh", "verdict"]


def test_the_worked_examples(xlpython: Any, shared: Path) -> None:
    examples = json.loads((shared / "worked_examples.json").read_text())
    for example in examples:
        entry = functions()[example["function"].upper()]
        given = [tuple((cell,) for cell in one) if isinstance(one, list) else one for one in example["args"]]
        given += [COM_MISSING] * (len(entry.arguments) - len(given))
        answer = asked(xlpython, entry.excel_name, *given)
        answer = answer if isinstance(answer, list) else [answer]
        expected = example["expected"]
        expected = expected if isinstance(expected, list) else [expected]
        codes = {"#VALUE!": 2015, "#NUM!": 2036, "#N/A": 2042}
        for ours, theirs in zip(answer, expected, strict=True):
            if isinstance(theirs, str):
                assert ours == codes[theirs], example
            else:
                assert math.isclose(ours, theirs, rel_tol=example.get("rel_tol", 1e-9)), example
    assert len(examples) > 30
