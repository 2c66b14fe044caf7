"""The bucket of a workbook by its definitions: leads unreferred, conversion of the worked, churn below overload."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from math import inf, sqrt
from pathlib import Path
from typing import Any

import pytest
from engines import by_name, formula_cells, values
from made_once import template
from test_describe import LIMIT, NOW, TYPED, report, type_in

from holdwater.bucket import Bucket
from holdwater.crm.connector import Page
from holdwater.crm.records import Activity, Deal, Lead, Record
from holdwater.errors import FormulaError, NoDataError
from holdwater.formulas.ceiling import customers_ceiling
from holdwater.metrics.customer_figures import CustomerMonth, ReferredMonth, Share, Worked
from holdwater.metrics.figures import Report
from holdwater.metrics.reporting import report as report_of
from holdwater.store.database import Store
from holdwater.workbook.bucket import bucket_of
from holdwater.workbook.contents import contents
from holdwater.workbook.customer_contents import customer_contents
from holdwater.workbook.describe import describe
from holdwater.workbook.evaluate import Values
from holdwater.workbook.inputs import INPUTS
from holdwater.workbook.refresh import refresh

Told = Callable[..., Path]


@pytest.fixture
def told(tmp_path: Path) -> Told:
    """A workbook with this typed, refreshed with this report."""

    def made(figures: Report, **typed: float | None) -> Path:
        path = template(tmp_path / "leads.xlsx", TYPED)
        type_in(path, **typed)
        refresh(path, figures, origin="a test", now=NOW)
        return path

    return made


def worked(
    unreferred: tuple[int, int, int], referred: tuple[int, int, int] = (0, 0, 0), *, kept: bool = True
) -> Worked:
    """Judged, worked and won of each."""
    judged, touched, won = unreferred
    return Worked(
        won=Share(count=won, of=touched), judged=judged, contacts_kept=kept,
        referred=Share(count=referred[2], of=referred[1]), referred_judged=referred[0],
    )  # fmt: skip


# 540 leads in three months, 60 of them won; 30 of the leads were referred, and 15 of those won.
RECORD = replace(
    report(150, 200, 190, paid=(270, 30, 8100.0)),
    worked=worked((510, 420, 45), (30, 25, 15)),
    referred_months=(ReferredMonth(month=date(2026, 8, 1), leads=18), ReferredMonth(month=date(2026, 9, 1), leads=12)),
)


def notes(path: Path) -> str:
    return " ".join(describe(path).notes)


def agree(path: Path) -> bool:
    return all(cell.agrees for cell in formula_cells(path))


def test_the_referred_are_no_leads_where_a_customer_brings_them(told: Told) -> None:
    path = told(RECORD)
    bucket = describe(path).bucket
    assert bucket.referral_rate == 0.01
    assert bucket.leads == (150 + 200 + 190 - 30) / 3
    assert bucket.conversion == 45 / 420, "of the unreferred that were worked"
    assert bucket.burn == pytest.approx(1 - 420 / 510), "nobody worked them, though there was time"
    assert bucket.cost_per_lead * bucket.leads == pytest.approx(8100 / 3), "all that was spent"
    assert "10.71% of the leads worked became customers, by the record: 45 of 420; 90 others" in notes(path)
    assert "the referred left out" in notes(path)
    assert agree(path)


def test_what_comes_in_a_month_is_what_the_record_has(told: Told) -> None:
    """Leads x worked x conversion are the customers won a month, whichever way the referred are counted."""
    for referral, won in ((0.01, 45), (0.0, 60)):
        bucket = describe(told(RECORD, monthly_referral=referral)).bucket
        first = bucket.projection()[0]
        assert first["new"] - referral * 50 == pytest.approx(won / 3)


def test_the_referred_are_leads_like_all_others_where_none_is_typed(told: Told) -> None:
    path = told(RECORD, monthly_referral=0.0)
    bucket = describe(path).bucket
    assert (bucket.leads, bucket.referral_rate) == (180, 0)
    assert bucket.conversion == 60 / 445
    assert bucket.burn == pytest.approx(1 - 445 / 540)
    assert "left out" not in notes(path)
    assert "30 leads ever were referred and count as all others do" in notes(path)
    assert agree(path)


def test_without_kept_contacts_the_hours_tell_who_was_worked(told: Told) -> None:
    busy = replace(report(400, 400, 400, paid=(600, 30, 18_000.0)), worked=worked((1200, 1200, 60), kept=False))
    path = told(busy)
    bucket = describe(path).bucket
    assert bucket.conversion == pytest.approx(60 / 1200 / (LIMIT / 400))
    assert bucket.burn == 0
    assert "5.00% of the judged leads became customers, 60 of 1,200; no record says which were worked" in notes(path)
    assert "50.0% of them can have been, so 10.00% of the worked did." in notes(path)
    path = told(replace(busy, worked=worked((1200, 600, 60))))
    assert describe(path).bucket == bucket, "a record that says the same makes the same business"
    assert "by the record: 60 of 600" in notes(path)


def test_a_record_that_the_hours_cannot_explain_is_told(told: Told) -> None:
    busy = replace(report(400, 400, 400, paid=(600, 30, 18_000.0)), worked=worked((1200, 1140, 57)))
    path = told(busy)
    assert (describe(path).bucket.conversion, describe(path).bucket.burn) == (60 / 1140, 0)
    assert "95.0% of the judged leads were worked, by the hours on Inputs no more than 50.0%" in notes(path)


def test_of_the_next_leads_too_only_those_worked_cost_work(told: Told) -> None:
    """Of all that count 45 of 510 buy, of the paid ones 30 of 270."""
    path = told(RECORD)
    takes = (45 / 510) / (30 / 270)
    assert describe(path).bucket.next_lead_cost == pytest.approx(takes * 30 + (takes - 1) * 420 / 510 * 5)


def months(*rows: tuple[int, int], going_on: tuple[int, int] | None = None) -> tuple[CustomerMonth, ...]:
    """Customers at the start of each month and how many of them left, the last one in September 2026."""
    first = 9 - len(rows) + 1
    found = [
        CustomerMonth(month=date(2026, first + n, 1), new=0, lost=lost, churned=Share(count=lost, of=there),
                      complete=True)
        for n, (there, lost) in enumerate(rows)
    ]  # fmt: skip
    if going_on:
        there, lost = going_on
        churned = Share(count=lost, of=there)
        found.append(CustomerMonth(month=date(2026, 10, 1), new=0, lost=lost, churned=churned, complete=False))
    return tuple(found)


# Of 400 that can be served, 360 are overload.
LEAVING = replace(RECORD, customer_months=months((0, 0), (100, 4), (359, 14), (360, 60), (390, 80), going_on=(50, 9)))


def test_an_empty_churn_means_the_measured_one(told: Told) -> None:
    path = told(LEAVING, monthly_churn=None)
    assert describe(path).bucket.churn == 18 / 459, "complete months that began below overload"
    assert "3.92 % leave in a month, measured: 18 of 459 there at the start" in notes(path)
    assert agree(path)
    assert by_name(path, "Figures")["Customers lost per month, measured"] == pytest.approx(18 / 459)
    assert values(path, "Inputs")["D7"] == pytest.approx(18 / 459), "in use"
    path = told(LEAVING, monthly_churn=None, service_capacity=None)
    assert describe(path).bucket.churn == 158 / 1209, "without a limit no month is overloaded"
    assert agree(path)


def test_a_typed_churn_stays_and_the_measured_one_stands_beside(told: Told) -> None:
    path = told(LEAVING)
    assert describe(path).bucket.churn == 0.04
    said = "4.00 % leave in a month, as typed; measured 3.92 %: 18 of 459"
    assert said in notes(path)
    assert said in values(path, "Today").values()
    assert said == values(path, "Retention")["A4"]
    row = next(
        place[1:] for place, cell in values(path, "Today").items() if cell == "Customers lost per month, measured"
    )
    assert values(path, "Today")[f"C{row}"] == pytest.approx(18 / 459)
    assert values(path, "Today")[f"D{row}"] == "18 of 459: {:.1f} to {:.1f} %".format(*wilson(18, 459))
    assert agree(path)


def wilson(count: int, of: int) -> tuple[float, float]:
    """In per cent, 90 % sure."""
    share, z = count / of, 1.6448536269514722
    middle, reach = share + z * z / (2 * of), z * sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return 100 * (middle - reach) / (1 + z * z / of), 100 * (middle + reach) / (1 + z * z / of)


def test_too_few_to_measure_churn_by(told: Told) -> None:
    few = replace(RECORD, customer_months=months((100, 4), (390, 80)))
    path = told(few, monthly_churn=None)
    with pytest.raises(NoDataError, match=r"Customers lost per month \(too few have left to measure it: 4 of 100\)"):
        describe(path)
    assert values(path, "Inputs")["D7"] == "#N/A"
    assert "Too few: 4 of 100" in values(path, "Today").values()
    assert agree(path)
    path = told(few)
    assert "as typed; too few to measure it: 4 of 100" in notes(path)
    assert "leave in a month" not in notes(told(RECORD)), "no billing, nothing to say"


@pytest.mark.parametrize(("typed", "error"), [(0, "#NUM!"), ("many", "#VALUE!")])
def test_a_limit_typed_wrongly_measures_nothing(told: Told, typed: Any, error: str) -> None:
    path = told(LEAVING, monthly_churn=None, service_capacity=typed)
    assert values(path, "Inputs")["D7"] == error
    assert agree(path)
    with pytest.raises(FormulaError, match="Customers that can be served on the sheet Inputs is not right") as caught:
        describe(path)
    assert "lost per month" not in str(caught.value)


def test_a_workbook_refreshed_by_an_older_holdwater_counts_all_leads(told: Told) -> None:
    """Its sheet About says nothing of the referred and the worked."""
    bucket = describe(told(replace(RECORD, worked=None))).bucket
    assert (bucket.leads, bucket.conversion, bucket.burn) == (180, 60 / 540, 0)


def test_counts_of_the_sheets_by_hand(told: Told, tmp_path: Path) -> None:
    """From single records to the bucket, with everything counted again in plain Python."""
    chance = random.Random(7)
    start, version = datetime(2026, 1, 1, tzinfo=UTC), NOW
    records: list[Record] = []
    counts = {"leads": 0, "judged": 0, "worked": 0, "won": 0, "recent": 0}
    for n in range(900):
        came = start.replace(month=1 + n // 90, day=1 + n % 28)
        referred, approached = n % 9 == 0, chance.random() < 0.7
        won = chance.random() < 0.2
        deal = won or chance.random() < 0.2
        source = "referral" if referred else "email"
        records.append(Lead(id=f"l{n}", created_at=came, updated_at=version, source=source))
        if approached:
            records.append(Activity(id=f"a{n}", kind="call", direction="out", occurred_at=came, updated_at=version,
                                    lead_id=f"l{n}"))  # fmt: skip
        if deal:  # won within a month, all of them on the fifth hour of the tenth day after
            closed = came.replace(month=came.month, day=28, hour=5) if won else None
            records.append(Deal(id=f"d{n}", status="won" if won else "open", created_at=came, updated_at=version,
                                lead_id=f"l{n}", closed_at=closed))  # fmt: skip
        if not referred:
            counts["recent"] += came.month in (7, 8, 9)
            if (NOW - came).days >= 31:  # a month says who is judged; see the assertion below
                counts["judged"] += 1
                counts["worked"] += approached or deal
                counts["won"] += won
    with Store.open(tmp_path / "holdwater.db") as store:
        store.keep("crm", Page("any", records))
        found = report_of(store, as_of=NOW)
    assert found.judged_after_days is not None
    assert found.judged_after_days < 31
    judged_more = sum(
        isinstance(record, Lead) and record.source == "email"
        and found.judged_after_days <= (NOW - record.created_at).total_seconds() / 86_400 < 31
        for record in records
    )  # fmt: skip
    assert found.worked is not None
    assert found.worked.judged == counts["judged"] + judged_more
    path = told(priced(found), sales_people=50)
    bucket = describe(path).bucket
    assert bucket.leads == counts["recent"] / 3
    assert bucket.conversion == found.worked.won.count / found.worked.won.of
    assert abs(bucket.conversion - counts["won"] / counts["worked"]) < 0.01
    assert agree(path)


def priced(found: Report) -> Report:
    """The same with spend, which a verdict needs."""
    sources = tuple(replace(row, spend=9.0 * row.leads) if row.source == "email" else row for row in found.sources)
    return replace(found, sources=sources, currency="EUR")


def overloaded(chance: random.Random, churn: float, capacity: int, slope: float) -> list[CustomerMonth]:
    """Four years of customers who leave faster where there are more than can be served well."""
    there, found = 0, []
    for number in range(48):
        rate = churn + slope * max(0.0, there / capacity - 0.9)
        lost = sum(chance.random() < rate for _ in range(there))
        month = date(2022 + (number + 9) // 12, (number + 9) % 12 + 1, 1)
        churned = Share(count=lost, of=there)
        found.append(CustomerMonth(month=month, new=30, lost=lost, churned=churned, complete=True))
        there += 30 - lost
    return found


def test_the_true_churn_below_overload_is_found_again() -> None:
    hits: list[bool] = []
    naive: list[bool] = []
    for seed in range(60):
        past = overloaded(random.Random(seed), 0.04, 500, 0.5)
        rows = customer_contents(replace(RECORD, customer_months=tuple(past)))
        for told_apart, capacity in ((hits, 500.0), (naive, None)):
            shown = Values({**TYPED, "service_capacity": capacity}, rows)
            low, high = wilson(shown["churn_lost"], shown["churn_there"])
            assert low < 100 * shown["measured_churn"] < high
            told_apart.append(low <= 4.0 <= high)
    assert sum(hits) >= 0.85 * 60, "nine in ten, but for chance"
    assert sum(naive) <= 0.1 * 60, "with the overloaded months among them it is another churn"


def test_the_bucket_of_before_stays_without_anything_new(told: Told) -> None:
    path = told(report(150, 200, 190, paid=(270, 30, 8100.0)))
    assert describe(path).bucket == Bucket(
        leads=180, cost_per_lead=8100 / 540, next_lead_cost=30, conversion=60 / 540, lead_capacity=LIMIT, lead_cost=5,
        revenue_per_customer=100, gross_margin=0.8, churn=0.04, referral_rate=0.01, discount=0.01, customers=50,
        customer_capacity=400, fixed_cost=1000, horizon=36,
    )  # fmt: skip
    assert describe(path).bucket.onboarding_capacity == inf


def busy(kept: bool, touched: int = 900) -> Report:
    """400 leads a month of which 100 were referred; 10 % of both bought."""
    return replace(
        report(400, 400, 400, paid=(900, 90, 18_000.0), won=120),
        worked=worked((900, touched, 90), (300, 300, 30), kept=kept),
        referred_months=tuple(ReferredMonth(month=date(2026, month, 1), leads=100) for month in (7, 8, 9)),
    )


def computed(record: Report, **typed: float) -> Values:
    """What the cells of a workbook with this typed show, without writing one."""
    given = {**{i.name: i.default for i in INPUTS}, **TYPED, **typed}
    return Values(given, contents(record, given, "a test", "now"))


@pytest.mark.parametrize("limit", [400, 320, 300])
def test_the_referred_take_hours_as_others_do(limit: float) -> None:
    """However many can be worked, 30 unreferred customers were won a month: they cannot be more with fewer hours."""
    bucket = bucket_of(computed(busy(kept=False), monthly_referral=0.05, touch_minutes=LIMIT * 30 / limit))
    assert bucket.lead_capacity == pytest.approx(limit * 300 / 400)
    assert bucket.projection()[0]["new"] - 0.05 * 50 == pytest.approx(30)
    more = bucket_of(computed(busy(kept=False), monthly_referral=0.05, touch_minutes=LIMIT * 30 / 500))
    assert more.lead_capacity == 500 - 100, "where there is time for all, each of the referred has his"


OVERRUN = report(400, 400, 400, paid=(600, 30, 18_000.0))  # of whom half can be worked


@pytest.mark.parametrize("referral", [0.0, 0.01])
@pytest.mark.parametrize(
    "record",
    [RECORD, busy(kept=False), busy(kept=True, touched=300), OVERRUN,
     *(replace(OVERRUN, worked=worked((1200, touched, 60))) for touched in (300, 600, 1140))],
)  # fmt: skip
def test_today_and_capacity_say_the_same_of_next_month(record: Report, referral: float) -> None:
    shown = computed(record, monthly_referral=referral)
    first = bucket_of(shown).projection()[0]
    won, then = first["new"] - referral * 50, 50 + first["new"] - first["lost"]
    assert shown["monthly_wins"] == pytest.approx(won)
    assert shown["customers_limit"] == pytest.approx(customers_ceiling(won, 0.04, referral))
    assert shown["next_revenue"] == pytest.approx(100 * then)


def test_the_sheets_say_the_same_of_next_month(told: Told) -> None:
    path = told(busy(kept=False), monthly_referral=0.05)
    shown, ahead = by_name(path, "Figures"), by_name(path, "Results")
    assert shown["Customers won per month from leads"] == pytest.approx(30)
    assert shown["Revenue next month"] == pytest.approx(100 * ahead["PROJECTION 1 customers"])
    assert shown["Share of the judged leads that there was time for"] == pytest.approx(LIMIT / 400)
    assert agree(path)


@pytest.mark.parametrize("typed", [{"sales_people": None}, {"sales_people": 0}, {"monthly_referral": "many"}])
def test_an_input_that_hides_the_hours_hides_them_in_every_engine(told: Told, typed: dict[str, Any]) -> None:
    assert agree(told(busy(kept=True, touched=300), **typed))


def test_the_limits_of_customers_won_lie_about_them(told: Told) -> None:
    path = told(replace(OVERRUN, worked=worked((1200, 600, 60))))
    assert by_name(path, "Figures")["Customers won per month from leads"] == pytest.approx(20)
    low, high = wilson(60, 1200)
    assert f"{low * 4:.1f} to {high * 4:.1f}" in values(path, "Today").values(), "of 400 leads a month"
