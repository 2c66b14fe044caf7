"""The budget split best over the sources: SPEND_SPLIT called directly, and what is said where it cannot be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from engines import by_name, formula_cells, values
from made_once import template
from test_refresh import NOW, REPORT, TYPED, type_in

import holdwater
from holdwater.workbook.package import Package
from holdwater.workbook.refresh import refresh
from holdwater.workbook.screens import CURVES_TOP

ROW = CURVES_TOP + 1
PAID, ORGANIC = ("Paid_Search", 60.0, 4_000.0), ("organic_search", 50.0, 3_000.0)


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return template(tmp_path / "leads.xlsx", TYPED)


def type_curves(book: Path, *curves: tuple[Any, ...]) -> None:
    package = Package.open(book)
    cells = {(ROW + n, 1 + place): cell for n, curve in enumerate(curves) for place, cell in enumerate(curve)}
    package.set_value("Fixes", cells)
    package.save()


def split(book: Path, *curves: tuple[Any, ...], **inputs: Any) -> dict[str, Any]:
    type_curves(book, *curves)
    type_in(book, **inputs)
    refresh(book, REPORT, origin="a test", now=NOW)
    return by_name(book, "Results")


def worth(won: int, judged: int) -> float:
    return holdwater.lead_value(holdwater.ltv(80, 0.04, 0.01), won / judged, 5)


# 256 leads a month can be worked; of 120 that come, 20 of 600 are of no source that is typed.
SOURCES = [["paid_search", worth(36, 280), 60, 4_000], ["organic_search", worth(23, 260), 50, 3_000]]
LIMIT = holdwater.lead_capacity(2, 80, 30, 1, 0.8)


@pytest.mark.parametrize("budget", [2_000.0, None])
def test_the_split_is_the_librarys(book: Path, budget: float | None) -> None:
    shown = split(book, PAID, ORGANIC, lead_budget=budget)
    best = holdwater.spend_split(SOURCES, budget, LIMIT - 120 * 20 / 600)
    assert sum(row["spend"] for row in best) == pytest.approx(2_000) if budget else best[0]["spend"] > 2_000
    for place, row in enumerate(best, start=1):
        assert shown[f"SPEND_SPLIT {place}"] == row["source"]
        for name in ("spend", "leads", "next_lead_cost", "gain"):
            assert shown[f"SPEND_SPLIT {place} {name}"] == pytest.approx(row[name], rel=1e-9)
    assert (shown["SPEND_SPLIT 1 now"], shown["SPEND_SPLIT 2 now"]) == (
        9_000 / 3,
        0,
    )  # spent in June, August and September
    sheet = values(book, "Fixes")
    assert [sheet[f"{c}{ROW}"] for c in "DEFG"] == pytest.approx(
        [3_000, *(best[0][name] for name in ("spend", "leads", "gain"))]
    )
    assert sheet[f"A{ROW - 2}"] == shown["SPEND_SPLIT"]
    assert shown["SPEND_SPLIT"].startswith("Split best: ")
    assert [cell for cell in formula_cells(book) if not cell.agrees] == []


def test_results_stand_beside_the_row_that_was_typed(book: Path) -> None:
    shown = split(book, (None, None, None), ORGANIC, lead_budget=500.0)
    assert shown["SPEND_SPLIT 2"] == "organic_search"
    assert "SPEND_SPLIT 1" not in shown
    sheet = values(book, "Fixes")
    assert sheet[f"E{ROW + 1}"] == pytest.approx(500)
    assert not sheet.get(f"E{ROW}")


def test_money_that_would_not_pay_is_told(book: Path) -> None:
    shown = split(book, PAID, lead_budget=90_000.0)
    assert shown["SPEND_SPLIT 1 spend"] < 90_000
    assert "would not pay." in shown["SPEND_SPLIT"]


def test_what_to_type_is_said(book: Path) -> None:
    assert "SPEND_SPLIT" not in split(book)
    assert values(book, "Fixes")[f"A{ROW - 2}"].startswith("Type below, for each source you pay for")


@pytest.mark.repeats
@pytest.mark.parametrize(
    ("curve", "inputs", "said"),
    [
        (("radio", 60, 4_000), {}, "there is no source radio on the sheet Sources; it has paid_search"),
        (("(not recorded)", 60, 4_000), {}, "rests on 1 customers of 20 leads"),
        (("paid_search", None, 4_000), {}, "max_leads"),
        (("paid_search", 60, -1), {}, "half_spend"),
        (("paid_search", 60, 4_000), {"lead_budget": "much"}, "Budget for leads per month on the sheet Inputs is not"),
        (("paid_search", 60, 4_000), {"lead_budget": -1.0}, "Budget for leads per month on the sheet Inputs is not"),
        (("paid_search", 60, 4_000), {"sales_hours": 18.0}, "there is no room for a lead that costs money"),
    ],
)
def test_a_split_that_cannot_be_says_why_and_hides_no_verdict(
    book: Path, curve: tuple[Any, ...], inputs: dict[str, Any], said: str
) -> None:
    shown = split(book, curve, **inputs)
    assert said in shown["SPEND_SPLIT"]
    assert shown["SPEND_SPLIT"] == values(book, "Fixes")[f"A{ROW - 2}"]
    assert shown["DECISION"]
    assert "SPEND_SPLIT 1" not in shown


def test_a_source_typed_twice_is_refused(book: Path) -> None:
    shown = split(book, PAID, ORGANIC, ("PAID_SEARCH", 60.0, 4_000.0))
    assert shown["SPEND_SPLIT"] == "SPEND_SPLIT: paid_search is typed twice, as source 1 and 3: leave one out."
    assert shown["DECISION"]
    assert "SPEND_SPLIT 1" not in shown


def test_a_wrong_budget_hides_no_verdict_where_nothing_is_split(book: Path) -> None:
    assert split(book, lead_budget="much")["DECISION"]


def test_without_a_verdict_there_is_no_split(book: Path) -> None:
    shown = split(book, PAID, monthly_churn=None)
    assert shown["SPEND_SPLIT"] == "The split follows once there is a verdict."


def test_a_changed_curve_or_budget_turns_the_results_stale(book: Path) -> None:
    split(book, PAID)

    def status() -> str:
        (cell,) = (c for c in formula_cells(book) if c.place == "Checks!A3")
        return str(cell.computed)

    assert status().startswith("OK")
    type_curves(book, (PAID[0], 61.0, PAID[2]))
    assert status().startswith("STALE")
    refresh(book, REPORT, origin="a test", now=NOW)
    assert status().startswith("OK")
    type_in(book, lead_budget=1_000.0)
    assert status().startswith("STALE")
