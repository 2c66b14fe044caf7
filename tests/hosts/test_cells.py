"""What passes between a cell and Python, whatever stands in the cell."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import holdwater
from holdwater.errors import MissingExtraError
from holdwater.formula import formula, registry
from holdwater.hosts.cells import Answer, CellError, evaluate, functions, serial
from holdwater.units import Rate

FUNCTIONS = list(functions())
GYM: list[list[Any]] = [
    ["leads", 100.0], ["cost per lead", 15.0], ["conversion", 0.1], ["revenue per customer", 50.0],
    ["gross margin", 0.8], ["churn", 0.05], ["", None], ["customers", 200.0], ["lead capacity", ""],
]  # fmt: skip


def cells_of(answer: Answer) -> list[Any]:
    return [cell for row in answer for cell in row] if isinstance(answer, list) else [answer]


NUMBERS = st.one_of(
    st.sampled_from([0.0, 0.01, 0.5, 1.0, 2.0, 30.0, -1.0]),
    st.floats(),
    st.integers(),
    st.decimals(),
)
CELLS = st.one_of(
    NUMBERS,
    st.none(),
    st.booleans(),
    st.sampled_from(list(CellError)),
    st.sampled_from(["", " ", "abc", "5", "churn", "leads", "LTV", "won", "open", "in", "out", "no reply"]),
    st.text(max_size=3),
    st.datetimes(),
    st.dates(),
    st.times(),
    st.timedeltas(),
    st.just(b"bytes"),
    st.just(1j),
    st.builds(object),
)
RANGES = st.one_of(
    st.lists(CELLS, max_size=3),
    st.lists(st.lists(NUMBERS, min_size=1, max_size=3), max_size=3),
    st.lists(st.tuples(CELLS, CELLS), max_size=4),
    st.just(GYM),
    st.just([]),
    st.just([[]]),
)


@given(st.sampled_from(FUNCTIONS), st.lists(st.one_of(NUMBERS, CELLS, RANGES), max_size=8))
@settings(max_examples=300)
def test_nothing_leaves_but_what_fits_cells(name: str, given_: list[Any]) -> None:
    answer = evaluate(name, given_)
    if isinstance(answer, list):
        assert answer
        assert len({len(row) for row in answer}) == 1, "a rectangle"
    for cell in cells_of(answer):
        assert type(cell) in (float, str, bool, CellError)
        assert not isinstance(cell, float) or math.isfinite(cell)


@given(st.sampled_from(FUNCTIONS), st.lists(st.one_of(NUMBERS, CELLS, RANGES), max_size=8))
@settings(max_examples=150)
def test_explain_has_a_sentence_wherever_a_function_has_an_error_of_its_own(name: str, given_: list[Any]) -> None:
    if name == "EXPLAIN" or "CellError" in repr(given_):
        return  # an error that came in is the answer of both
    answer, said = evaluate(name, given_), evaluate("EXPLAIN", [name, *given_])
    for cell, reason in zip(cells_of(answer), cells_of(said), strict=False):
        assert isinstance(reason, (str, CellError))
        if isinstance(cell, CellError) and not isinstance(answer, list):
            assert isinstance(reason, str)
            assert reason != "ok"


def test_published_examples(shared: Path) -> None:
    for example in json.loads((shared / "worked_examples.json").read_text()):
        for orientation in (lambda row: [row], lambda row: [[cell] for cell in row]):
            cells = [orientation(a) if isinstance(a, list) else a for a in example["args"]]
            answer = evaluate(example["function"].upper(), cells)
            assert answer == pytest.approx(example["expected"], rel=example["rel_tol"]), example


NUM, VALUE, NA, REF = CellError.NUM, CellError.VALUE, CellError.NA, CellError.REF


@pytest.mark.parametrize(
    ("name", "given_", "expected"),
    [
        ("LTV", [30.0, 0.04], 750.0),
        ("LTV", [30, Decimal("0.04")], 750.0),
        ("LTV", [30.0, 0.04, None, "", None, 1.0], 750.0),
        ("LTV", [30.0, 0.04, None, None, None, None], 750.0),
        ("LTV", [[[30.0]], [[0.04]]], 750.0),
        ("LTV", [30.0, 2.0], NUM),
        ("LTV", [30.0, 0.0], NUM),
        ("LTV", [30.0, math.nan], NUM),
        ("LTV", [30.0, Decimal("NaN")], NUM),
        ("LTV", ["30", 0.04], VALUE),
        ("LTV", [True, 0.04], VALUE),
        ("LTV", [None, 0.04], VALUE),
        ("LTV", [], VALUE),
        ("LTV", [1.0] * 9, VALUE),
        ("LTV", [REF, 0.04], REF),
        ("LTV", ["x", CellError.DIV], CellError.DIV),
        ("LTV", [[[REF]], 0.04], REF),
        ("ALLOWABLE_CPL_RANGE", [400.0, 500.0, 0.0, 60.0], NA),
        ("NOT_THERE", [1.0], VALUE),
        ("LTV", [date(2000, 1, 1), 0.5], 73052.0),
        # Ranges where one number belongs: one answer for each cell, errors where they are.
        ("LTV", [[[30.0], [60.0], [""], [REF]], 0.04], [[750.0], [1500.0], [VALUE], [REF]]),
        ("LTV", [[[30.0, 60.0]], 0.04], [[750.0, 1500.0]]),
        ("LTV", [[[]], 0.04], VALUE),
        ("LTV", [[30.0, 60.0], 0.04], [[750.0, 1500.0]]),
        ("LTV", [[[30.0], [60.0]], [[0.04, 0.05]]], [[750.0, 600.0], [1500.0, 1200.0]]),
        ("LTV", [[[30.0], [60.0]], [[0.04], [0.05], [0.06]]], [[750.0], [1200.0], [NA]]),
        # A result of several cells.
        ("LTV_RANGE", [30.0, 0.0, 200.0], [[holdwater.ltv_range(30, 0, 200)[0], NUM, NUM]]),
        ("LTV_RANGE", [[[30.0], ["x"]], 8.0, 200.0], [list(holdwater.ltv_range(30, 8, 200)), [VALUE] * 3]),
        ("LTV_RANGE", [[[30.0, 60.0]], 8.0, 200.0], VALUE),
        ("SBG_SURVIVAL", [[[1000.0], [800.0], [700.0]], 1.0], [[1.0], [0.8]]),
        ("CONVERSION", [[[0.5, ""], [None, 0.5]]], 0.25),
        ("CONVERSION", [[[0.5, CellError.NULL, REF]]], CellError.NULL),
        ("CONVERSION", [[[0.5, True]]], VALUE),
        ("CONVERSION", [[["", None]]], VALUE),
        ("REPS_RAMPED", [[[7.0], [3.0]], [[1.0, 0.4]]], 8.2),
        ("BOTTLENECK", [GYM], "leads"),
        ("BOTTLENECK", [[*GYM, ["burn", CellError.NA]]], NA),
        ("BOTTLENECK", [[*GYM, ["brun", 0.1]]], VALUE),
        ("LEVER_VALUE", [GYM, [["fixed cost"], ["x"], [""]]], [[0.0], [VALUE], [VALUE]]),
    ],
)
def test_cells_in_and_out(name: str, given_: list[Any], expected: Any) -> None:
    answer = evaluate(name, given_)
    if isinstance(expected, list):
        assert answer == [[pytest.approx(c) if isinstance(c, float) else c for c in row] for row in expected]
    else:
        assert answer == (pytest.approx(expected, rel=1e-12) if isinstance(expected, float) else expected)


def table(name: str, *given: Any) -> list[list[Any]]:
    answer = evaluate(name, given)
    assert isinstance(answer, list)
    return answer


def test_tables_have_a_header_and_say_what_is_missing_or_unlimited() -> None:
    header, *rows = table("LEVERS", GYM)
    assert header == ["lever", "from", "to", "value"]
    assert ["lead_capacity", "unlimited", "unlimited", 0.0] in rows
    assert ["leads", 100.0, pytest.approx(110.0), pytest.approx(15600.0)] in rows
    names, row = table("LOSS_CHECK", "no reply", "Ash", [["Ash", 45000.0, "out"]])
    told = dict(zip(names, row, strict=True))
    assert (told["verdict"], told["messages_out"], told["we_answered"]) == ("supported", 1.0, NA)
    message = [["Ash", datetime(2023, 3, 15, 12), "out"], ["Ash", datetime(2023, 3, 15, 18), "in"]]  # noqa: DTZ001  # a sheet's
    names, row = table("LOSS_CHECK", "no reply", "Ash", message)
    assert dict(zip(names, row, strict=True))["their_reply_hours"] == pytest.approx(6)


def test_a_whole_column_ends_where_nothing_follows_in_any_of_them() -> None:
    empty = [[""]] * 100_000
    assert evaluate("CONVERSION", [[[0.5], *empty, [0.5], [""]]]) == 0.25
    people, share = [[7.0], [3.0], *empty], [[1.0], [0.4], [None], [0.9], *empty[2:]]
    assert evaluate("REPS_RAMPED", [people, share]) == pytest.approx(8.2)
    assert evaluate("REPS_RAMPED", [[*people[:2], [5.0], *empty[1:]], [*share[:2], *empty]]) == VALUE
    assert evaluate("LTV", [[[30.0], [60.0], *empty], 0.04]) == [[750.0], [1500.0]]
    assert evaluate("CONVERSION", [[[""], *empty]]) == VALUE
    assert evaluate("BOTTLENECK", [[[*row, ""] for row in GYM] + [["", "", ""]] * 20_000]) == "leads"


def test_dates_are_the_numbers_that_a_sheet_shows_for_them() -> None:
    noon = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)
    assert serial(date(1900, 3, 1)) == 61
    assert serial(noon) == 46348 + 12.5 / 24
    assert serial(time(6)) == 0.25
    assert serial(timedelta(days=1, hours=12)) == 1.5


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        (["LTV", 30.0, 0.02], "ok"),
        (["CPL", 30.0, 2.0, None, None], "ok"),
        (["ltv ", 30.0, 2.0], "LTV: churn is 2; allowed is 0 to 1 (rate)."),
        ([[["LTV"]], [[30.0]], [[2.0]]], "LTV: churn is 2; allowed is 0 to 1 (rate)."),
        (["LTV", [[30.0], ["x"]], 0.02], [["ok"], ["LTV: margin is 'x'; a number belongs here (money)."]]),
        (["LTV", REF, 0.02], REF),
        ([REF, 1.0], REF),
        (["LVT", 30.0], "EXPLAIN: there is no function 'LVT'; the closest name is LTV."),
        ([], 'EXPLAIN: name is no text; give the name of a function in quotes, such as "LTV".'),
        ([5.0], 'EXPLAIN: name is no text; give the name of a function in quotes, such as "LTV".'),
        (["EXPLAIN"], 'EXPLAIN: name is no text; give the name of a function in quotes, such as "LTV".'),
        (["EXPLAIN", "LTV", 30.0, 2.0], "ok"),  # it has an answer, which is the reason
        ([[["LTV"], ["CPL"]], 30.0, 2.0], "EXPLAIN: name is a range of several cells; give one function at a time."),
        ([[["", "LTV"]], 30.0, 2.0], "EXPLAIN: name is a range of several cells; give one function at a time."),
        (["LTV_RANGE", 30.0, 0.0, 200.0], "ok. Nobody was lost"),
        (["LTV_RANGE", [[30.0, 60.0]], 8.0, 200.0], "LTV_RANGE: margin is a range of several cells; give one cell"),
        (["BOTTLENECK", [*GYM, ["brun", 1.0]]], "Bucket: the label in row 10 is 'brun', which does not exist here"),
    ],
)
def test_explain_in_a_cell(given_: list[Any], expected: Any) -> None:
    answer = evaluate("EXPLAIN", given_)
    if isinstance(expected, str):
        assert isinstance(answer, str)
        assert answer.startswith(expected)
    else:
        assert answer == expected


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Functions that cannot work here, registered for one test."""
    monkeypatch.setattr("holdwater.formula.registry", registry.copy())

    def needs_numpy(rate: Rate) -> float:
        import numpy_that_is_not_here  # type: ignore[import-not-found]  # as in the Python of an office

        return float(numpy_that_is_not_here.mean(rate))

    def needs_extra(rate: Rate) -> float:
        raise MissingExtraError("NEEDS_EXTRA needs holdwater[models].")

    def is_wrong(rate: Rate) -> float:
        raise KeyError("a secret@example.com")

    for function in (needs_numpy, needs_extra, is_wrong):
        guarded = formula("Test", Rate)(function)
        monkeypatch.setitem(registry, guarded.__name__.upper(), guarded.formula)  # type: ignore[attr-defined]  # set there


@pytest.mark.usefixtures("broken")
def test_what_cannot_be_computed_here_is_no_answer_with_a_reason() -> None:
    assert evaluate("NEEDS_NUMPY", [0.5]) == NA
    assert str(evaluate("EXPLAIN", ["NEEDS_NUMPY", 0.5])).startswith(
        "NEEDS_NUMPY cannot be computed in this program: No module named 'numpy_that_is_not_here'. Use it in Excel"
    )
    assert evaluate("NEEDS_EXTRA", [0.5]) == NA
    assert evaluate("EXPLAIN", ["NEEDS_EXTRA", 0.5]) == "NEEDS_EXTRA needs holdwater[models]."


@pytest.mark.usefixtures("broken")
def test_a_fault_is_an_error_value_and_tells_nothing_that_was_in_it() -> None:
    assert evaluate("IS_WRONG", [0.5]) == VALUE
    assert evaluate("IS_WRONG", [[[0.5], [2.0]]]) == [[VALUE], [NUM]]
    assert evaluate("EXPLAIN", ["IS_WRONG", 0.5]) == (
        "IS_WRONG met a fault in Holdwater (KeyError); please report it with these arguments."
    )
