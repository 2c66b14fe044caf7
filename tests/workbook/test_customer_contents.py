"""From the report's cohorts, stages and reasons to the rows of their tables."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from test_refresh import REPORT, TYPED

from holdwater.metrics.customer_figures import Cohort, Share
from holdwater.metrics.words import guess
from holdwater.models import retention
from holdwater.models.renewals import Renewals
from holdwater.workbook.contents import contents
from holdwater.workbook.customer_contents import CURVE_MONTHS, customer_contents

TRIANGLE = ((100, 90, 84, 80), (60, 50, 47), (80, 75), (40,))


def cohort(month: int, counts: tuple[int, ...]) -> Cohort:
    """With one more age at the end, which only five of the customers have reached."""
    shares = [Share(count=count, of=counts[0]) for count in counts]
    return Cohort(month=date(2026, month, 1), customers=counts[0], survivors=(*shares, Share(count=5, of=5)))


def test_the_curve_is_the_librarys() -> None:
    cohorts = tuple(cohort(month, counts) for month, counts in enumerate(TRIANGLE, start=1))
    rows = customer_contents(replace(REPORT, cohorts=cohorts))["hw_curve"]
    fit = retention.fit(Renewals.of_cohorts(TRIANGLE))
    low, high = fit.band(CURVE_MONTHS)
    assert [row[2] for row in rows] == pytest.approx(list(fit.curve.survival(CURVE_MONTHS)))
    assert [row[3] for row in rows] == pytest.approx(list(low))
    assert [row[4] for row in rows] == pytest.approx(list(high))
    assert [row[1] for row in rows[:4]] == pytest.approx(
        [1, 215 / 240, 215 / 240 * 131 / 140, 215 / 240 * 131 / 140 * 80 / 84]
    )
    assert rows[4][1] is None


def test_a_cohort_of_which_only_some_are_old_enough_shows_no_share() -> None:
    rows = customer_contents(replace(REPORT, cohorts=(cohort(3, (80, 75)),)))["hw_cohorts"]
    assert rows == [[date(2026, 3, 1), 80, 75 / 80, *[None] * 11]]


def test_customers_outside_the_figures_are_told() -> None:
    about = contents(replace(REPORT, unmet_payers=3, backward_customers=2), TYPED, "a test", "today")["hw_about"]
    told = {str(entry): value for entry, value in about}
    assert told["Customers of a billing who were no lead before"] == 3
    assert told["Customers said to have left before they began"] == 2


def test_nothing_known_is_no_row() -> None:
    assert set(map(len, customer_contents(REPORT).values())) == {0}


@pytest.mark.parametrize(
    ("reason", "expected"),
    [("no_reply", "them"), ("Our delay", "us"), ("too_expensive", "them"), (None, "unknown"), ("xyz", "unknown")],
)
def test_whose_reason_it_was(reason: str | None, expected: str) -> None:
    assert guess(reason) == expected
