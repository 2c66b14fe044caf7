"""Nothing rests on fewer than five customers unsaid: no price, no growth, no verdict."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from engines import values
from test_definitions import agree, notes
from test_describe import NOW, TYPED, report

from holdwater.workbook.refresh import refresh
from holdwater.workbook.template import write_template

PRICED = ("What a lead may cost", "What a lead is worth", "What a customer costs", "Lifetime value for each 1 of cost",
          "Months to pay back")  # fmt: skip
GROWTH = ("Customers where growth ends", "Revenue next month", "Customers won per month from leads")
DASH = "–"  # noqa: RUF001  # as figures have it
FIX = ("Training", "conversion", 0.1, 500.0, 2, None, None)


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "leads.xlsx"
    write_template(path, TYPED, fixes=[FIX])
    return path


def key_figures(today: dict[str, Any]) -> dict[Any, tuple[Any, Any]]:
    """What Today shows of each, and what stands beside it."""
    rows = [place[1:] for place in today if place[0] == "B" and place[1:].isdigit()]
    return {today[f"B{row}"]: (today.get(f"C{row}"), today.get(f"D{row}")) for row in rows}


def prices(cells: dict[str, Any], column: str) -> list[Any]:
    """What a lead may cost as things are, after the first fix, and after the second, which nobody has typed."""
    head = next(place for place, cell in cells.items() if place[0] == column and cell == "a lead may cost")
    return [cells.get(f"{column}{int(head[1:]) + row}") or None for row in (1, 2, 3)]


def test_no_lead_is_priced_by_few_where_no_spend_is_known(book: Path) -> None:
    refresh(book, report(20, 20, 18, paid=(30, 2, None), won=3), origin="a test", now=NOW)
    today = values(book, "Today")
    assert today["B4"] == (
        "Too few customers yet to price a lead: 3 of 58. Add what you spend to compare once there are five."
    )
    shown = key_figures(today)
    for label in (*GROWTH, "What a lead may cost"):
        assert shown[label] == (DASH, "Too few: 3 of 58"), label
    assert values(book, "Fixes")["A3"] == "The order follows once there is a verdict."
    assert agree(book)


@pytest.mark.parametrize(("won", "few"), [(1, True), (6, False)])
def test_nothing_rests_on_one_paid_customer_unsaid(book: Path, won: int, few: bool) -> None:
    refresh(book, report(20, 20, 18, paid=(29, won, 700.0), won=12), origin="a test", now=NOW)
    today = values(book, "Today")
    assert today["B4"].endswith(" It rests on few customers yet: 1 of 29 paid leads.") == few
    assert ("too few to be sure of what paid leads bring: 1 of 29" in notes(book)) == few
    shown = key_figures(today)
    for label in PRICED:
        assert (shown[label] == (DASH, "Too few: 1 of 29")) == few, label
        assert (shown[label][0] == DASH) == few, label
    assert all(shown[label][0] > 0 for label in GROWTH), "12 of 58 in all"
    for cells, column in ((today, "K"), (values(book, "Fixes"), "G")):
        now, then, never = prices(cells, column)
        assert [now == DASH, then == DASH, never] == [few, few, None]
    assert agree(book)
