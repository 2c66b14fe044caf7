"""CUSTOMER_VALUES in a cell's terms, the worth of customers behind it, and how often its limits hold the truth."""

from __future__ import annotations

import doctest
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from coverage_purchases import TRUTHS, coverage

import holdwater
from holdwater.models.repeat_buyers import RepeatBuyers
from holdwater.models.rfm import Summary, purchase_days, summarise

Row = dict[str, Any]


def shop(count: int = 60, seed: int = 4) -> dict[str, Any]:
    """Rows of purchases over a year, in the order of their days."""
    random = np.random.default_rng(seed)
    rows = []
    for who in range(count):
        day, gap = random.uniform(0, 180), random.gamma(2, 20)
        taste = random.gamma(5, 10)
        while day < 365:
            rows.append((45_000 + int(day), f"customer {who}", round(float(random.gamma(4, taste / 4)) + 0.01, 2)))
            if random.random() < 0.2:
                break
            day += random.exponential(gap)
    days, names, paid = zip(*sorted(rows), strict=True)
    return {"customers": list(names), "dates": list(days), "amounts": list(paid)}


SHOP = shop()
ASKED: dict[str, Any] = {"gross_margin": 0.4, "horizon": 12, "discount": 0.01, "as_of": 45_365}


def values(**change: Any) -> list[Row]:
    return holdwater.customer_values(**SHOP | ASKED | change)


def test_the_table_is_what_the_models_say() -> None:
    summary = summarise(**SHOP, as_of=45_365, unit=30)
    buyers = RepeatBuyers.fit(summary)
    table = values()
    assert list(table[0]) == list(holdwater.customer_values.formula.columns)  # type: ignore[attr-defined]
    assert [row["customer"] for row in table] == list(dict.fromkeys(SHOP["customers"])), "in order of the first row"
    for place in (0, 7, 30):
        row = table[place]
        history = summary.frequency[place], summary.recency[place], summary.age[place]
        each = np.diff([buyers.buying.purchases(t, *history) if t else 0.0 for t in range(13)])
        discounted = sum(purchases / 1.01**t for t, purchases in enumerate(each, start=1))
        spend = buyers.spending.expected_spend(summary.frequency[place], summary.spend[place])
        assert row["purchases_expected"] == pytest.approx(each.sum(), rel=1e-9)
        assert row["value"] == pytest.approx(0.4 * spend * discounted, rel=1e-9)
        assert row["probability_still_customer"] == pytest.approx(buyers.buying.alive(*history), rel=1e-12)
        assert row["probability_next_period"] == pytest.approx(buyers.buying.buys(1, *history), rel=1e-12)
    assert all(type(number) is float for row in table for number in list(row.values())[1:])


def test_units_of_time_and_money_do_not_matter() -> None:
    monthly = values()
    cents = values(amounts=[100 * amount for amount in SHOP["amounts"]])
    weekly = values(period_days=7.5, horizon=48, discount=0.0)
    undiscounted = values(discount=0.0)
    for one, hundred, week, month in zip(monthly, cents, weekly, undiscounted, strict=True):
        assert hundred["value"] == pytest.approx(100 * one["value"], rel=1e-9)
        for column in ("purchases_expected", "probability_still_customer", "value"):
            assert week[column] == pytest.approx(month[column], rel=1e-9)


def test_a_sheet_may_hand_over_columns_with_blanks_below_and_any_kind_of_date() -> None:
    plain = values()
    columns = {name: [[cell] for cell in column] + [[None], [""]] for name, column in SHOP.items()}
    assert values(**columns) == plain
    dates = [date(1899, 12, 30) + timedelta(days=day) for day in SHOP["dates"]]
    assert values(dates=dates, as_of=date(2024, 3, 14)) == plain
    assert values(dates=np.array(dates, dtype="datetime64[D]"), amounts=np.array(SHOP["amounts"])) == plain


def test_a_refund_is_no_purchase_and_lowers_the_value() -> None:
    last = len(SHOP["dates"]) - 1
    name, paid = SHOP["customers"][last], SHOP["amounts"][last]
    more = {key: [*SHOP[key], new] for key, new in zip(SHOP, (name, 45_365, -paid), strict=True)}
    without = {key: column[:last] for key, column in SHOP.items()}
    assert values(**more) == values(**without)


def test_explain_tells_how_sure_it_is() -> None:
    told = holdwater.explain("CUSTOMER_VALUES", **SHOP | ASKED)
    assert told.startswith("ok. 60 customers, ")
    assert "with 90 % confidence" in told


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"gross_margin": 1.2}, holdwater.NumError, "gross_margin is 1.2"),
        ({"horizon": 1201}, holdwater.NumError, "horizon is 1201; allowed is a whole number from 1 to 1,200"),
        ({"horizon": 0}, holdwater.NumError, "horizon is 0"),
        ({"discount": 2}, holdwater.NumError, "discount is 2"),
        ({"period_days": 0}, holdwater.NumError, "period_days is 0"),
        ({"as_of": 0.0}, holdwater.NumError, "after as_of, 1899-12-30"),
        ({"as_of": "soon"}, holdwater.KindError, "as_of is no date"),
        ({"amounts": [*SHOP["amounts"][:-1], None]}, holdwater.KindError, "amounts is no number"),
        ({"customers": "Ash"}, holdwater.KindError, "one cell stands where a column"),
        ({"customers": ["Ash"]}, holdwater.KindError, "1 customers but"),
        ({"customers": [], "dates": [], "amounts": []}, holdwater.NoDataError, "there are no rows"),
        ({"customers": SHOP["customers"][0:1] * len(SHOP["dates"])}, holdwater.NoDataError, "bought again are 1;"),
        ({"customers": list(range(len(SHOP["dates"])))}, holdwater.NoDataError, "bought again are 0; at least 3"),
    ],
)
def test_what_cannot_be_is_said(change: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        values(**change)


def test_a_host_without_numpy_is_told_why() -> None:
    code = (
        "import sys; sys.modules['numpy'] = None\n"
        "import holdwater\n"
        "print(holdwater.explain('CUSTOMER_VALUES', ['Ash'], [1], [20], 0.5, 12))\n"
        "try: holdwater.customer_values(['Ash'], [1], [20], 0.5, 12)\n"
        "except holdwater.NoDataError as error: print(error.cell)\n"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                          env={"PYTHONPATH": str(Path(holdwater.__file__).parents[1])}).stdout  # fmt: skip
    assert "needs NumPy, which the Python here does not have" in told
    assert told.endswith("#N/A\n")


def test_a_new_customer_counts_with_the_first_purchase() -> None:
    buyers = RepeatBuyers.fit(purchase_days(**SHOP).summary(unit=30))
    low, mid, high = buyers.new_customer(0.4, 12, 0.01)
    spend = float(buyers.spending.expected_spend())
    assert mid == pytest.approx(0.4 * spend * (1 + float(buyers.buying.discounted_purchases(12, 0.01))), rel=1e-9)
    assert 0.4 * spend < mid
    assert 0 < low < mid < high < 3 * low
    narrow = buyers.new_customer(0.4, 12, 0.01, confidence=0.5)
    assert low < narrow[0] < mid < narrow[2] < high
    with pytest.raises(holdwater.NumError, match="confidence is 5"):
        buyers.new_customer(0.4, 12, confidence=5)


@pytest.mark.slow
@pytest.mark.parametrize("customers", [20, 40, 150])
def test_limits_hold_the_truth_nine_times_in_ten(customers: int) -> None:
    """As benchmarks/coverage_purchases.py, all businesses together: 240 runs tell 0.85 from 0.80."""
    found = [coverage(truth, customers, runs=60) for truth in TRUTHS]
    assert sum(one.failed for one in found) == 0
    for held in (np.mean([one.value for one in found]), np.mean([one.allowable_cpl for one in found])):
        assert 0.85 <= held <= 0.96


def test_summaries_of_nobody_are_refused() -> None:
    empty = np.array([])
    with pytest.raises(holdwater.NoDataError):
        RepeatBuyers.fit(Summary(empty, empty, empty, empty, empty))


def test_the_page_says_what_the_code_does() -> None:
    page = Path(__file__).parents[2] / "docs" / "models_purchases.md"
    failed, tried = doctest.testfile(str(page), module_relative=False)
    assert (failed, tried > 20) == (0, True)
