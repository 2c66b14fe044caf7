"""Cohorts and lists of customers come to the same counts, and what cannot be right is refused."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import holdwater
from holdwater.models.renewals import Renewals

NAN = math.nan


def test_a_triangle_adds_up_age_by_age() -> None:
    seen = Renewals.of_cohorts([[100, 80, 70, 65], [50, 45, 40], [30, 20]])
    assert seen.stayed.tolist() == [145, 110, 65]
    assert seen.left.tolist() == [35, 15, 5]
    assert seen.customers == 180
    assert seen.shares == pytest.approx([1, 145 / 180, 145 / 180 * 110 / 125, 145 / 180 * 110 / 125 * 65 / 70])


def test_cells_after_the_last_count_may_be_empty() -> None:
    ragged = Renewals.of_cohorts([[100, 80, 70], [50, 45], [30]])
    triangles: list[Any] = [
        [[100, 80, 70], [50, 45, None], [30, None, None]],
        np.array([[100, 80, 70], [50, 45, NAN], [30, NAN, NAN]]),
    ]
    for triangle in triangles:
        filled = Renewals.of_cohorts(triangle)
        assert filled.stayed.tolist() == ragged.stayed.tolist()
        assert filled.left.tolist() == ragged.left.tolist()


def test_weights_multiply_cohorts_and_customers() -> None:
    weighted = Renewals.of_cohorts([[10, 8, 7], [5, 3]], weights=[10, 2])
    assert weighted.stayed.tolist() == [86, 70]
    once = Renewals.of_customers([0, 0, 1], [2.5, None, 2], as_of=4, weights=[3, 2, 0])
    many = Renewals.of_customers([0] * 5, [2.5, 2.5, 2.5, None, None], as_of=4)
    assert once.stayed.tolist() == many.stayed.tolist()
    assert once.left.tolist() == many.left.tolist()


def test_one_cohort_of_customers_is_its_survivors() -> None:
    """Five begin at 0, each with a year's contract: who ends at 1 did not renew, who ends at 1.5 did once."""
    seen = Renewals.of_customers([0] * 5, [1, 1.5, 2, 4, None], as_of=3)
    cohort = Renewals.of_cohorts([[5, 4, 2, 2]])
    assert seen.stayed.tolist() == cohort.stayed.tolist()
    assert seen.left.tolist() == cohort.left.tolist()


def test_a_renewal_counts_once_its_day_has_come() -> None:
    """At 2.5 one of two has cancelled already. Counted at once, churn would seem to be half; nobody decided yet."""
    seen = Renewals.of_customers([0, 0], [2.2, None], as_of=2.5)
    assert seen.stayed.tolist() == [2, 2]
    assert seen.left.tolist() == [0, 0]
    later = Renewals.of_customers([0, 0], [2.2, None], as_of=3)
    assert later.left.tolist() == [0, 0, 1]
    # The sixth is due today, although (0.7 - 0.1) / 0.1 is a little less than 6.
    assert Renewals.of_customers([0.1], [None], as_of=0.7, period=0.1).stayed.tolist() == [1] * 6
    # An end that lies ahead is no loss yet, and who left at once never renewed.
    assert Renewals.of_customers([0, 0], [9, 0], as_of=2).stayed.tolist() == [1, 1]


@given(st.lists(st.tuples(st.integers(0, 40), st.none() | st.integers(0, 60)), min_size=1, max_size=30))
def test_against_a_count_by_hand(stays: list[tuple[int, int | None]]) -> None:
    """Days, a week each period; counted customer by customer, renewal by renewal."""
    as_of = 50
    stayed, left = [0] * 8, [0] * 8
    for start, days in stays:
        for renewal in range((as_of - start) // 7):
            due = start + 7 * (renewal + 1)
            if days is None or start + days > due:
                stayed[renewal] += 1
            else:
                left[renewal] += 1
                break
    starts, ends = [start for start, _ in stays], [None if days is None else start + days for start, days in stays]
    in_days = Renewals.of_customers(starts, ends, as_of=as_of, period=7)
    longest = len(in_days.stayed)
    assert in_days.stayed.tolist() == stayed[:longest]
    assert in_days.left.tolist() == left[:longest]
    assert not any(stayed[longest:] + left[longest:])
    # Days become weeks: not one count changes, though 3 / 7 - 1 / 7 is not 2 / 7.
    in_weeks = Renewals.of_customers(
        np.array(starts) / 7, [None if end is None else end / 7 for end in ends], as_of=as_of / 7
    )
    assert in_weeks.stayed.tolist() == in_days.stayed.tolist()
    assert in_weeks.left.tolist() == in_days.left.tolist()


COHORTS: list[tuple[type[Exception], str, Any]] = [
    (holdwater.NumError, r"cohort 1 of survivors rises from 80 to 85 at time 2", [[9, 8], [100, 80, 85]]),
    (holdwater.KindError, "cohort 0 of survivors has an empty cell at time 1", [[100, NAN, 70]]),
    (holdwater.KindError, "empty cell at time 0", [[None, 100, 70]]),
    (holdwater.NumError, "has -1 at time 1", [[1, -1]]),
    (holdwater.NumError, "has inf at time 0", [[math.inf, 5]]),
    (holdwater.KindError, "not a number", [["many", "few"]]),
    (holdwater.KindError, "one list of counts for each cohort", [100, 80, 70]),
    (holdwater.KindError, "one list of counts for each cohort", ["100"]),
    (holdwater.NoDataError, "nobody has reached a renewal", []),
    (holdwater.NoDataError, "nobody has reached a renewal", [[]]),
    (holdwater.NoDataError, "nobody has reached a renewal", [[100], [50]]),
    (holdwater.NoDataError, "nobody has reached a renewal", [[0, 0, 0]]),
]


@pytest.mark.parametrize(("error", "says", "survivors"), COHORTS)
def test_cohorts_that_are_none(error: type[Exception], says: str, survivors: Any) -> None:
    with pytest.raises(error, match=says):
        Renewals.of_cohorts(survivors)


CUSTOMERS: list[tuple[type[Exception], str, dict[str, Any]]] = [
    (holdwater.KindError, "start is nan at place 1", {"start": [0, NAN]}),
    (holdwater.KindError, "start holds something that is not a number", {"start": [0, "May"]}),
    (holdwater.KindError, "start is nan at place 1; every customer needs a beginning", {"start": [0, None]}),
    (holdwater.KindError, "end is nan at place 0; None or infinity stands for", {"end": [NAN, 3]}),
    (holdwater.KindError, "end holds something", {"end": ["soon", 3]}),
    (holdwater.KindError, "start has 2 customers and end has 1", {"end": [1]}),
    (holdwater.KindError, "no plain list", {"start": [[0], [0]]}),
    (holdwater.NumError, "start is 6 at place 1; as_of is 5", {"start": [0, 6], "end": [None, None]}),
    (holdwater.NumError, "end is -1 at place 0; that is before its start", {"end": [-1, 3]}),
    (holdwater.NumError, "period is 0 ", {"period": 0}),
    (holdwater.NumError, "as_of is nan", {"as_of": NAN}),
    (holdwater.NumError, "give period in the unit", {"period": 1e-7}),
    (holdwater.KindError, "weights has 1 numbers for 2 customers", {"weights": [1]}),
    (holdwater.NumError, "weights is -1 at place 1", {"weights": [1, -1]}),
    (holdwater.KindError, "weights is nan at place 0", {"weights": [NAN, 1]}),
    (holdwater.NoDataError, "nobody has reached a renewal", {"period": 6}),
    (holdwater.NoDataError, "nobody has reached a renewal", {"weights": [0, 0]}),
    (holdwater.NoDataError, "nobody has reached a renewal", {"start": [], "end": []}),
]


@pytest.mark.parametrize(("error", "says", "changed"), CUSTOMERS)
def test_customers_that_are_none(error: type[Exception], says: str, changed: dict[str, Any]) -> None:
    given: dict[str, Any] = {"start": [0, 0], "end": [2, None], "as_of": 5}
    Renewals.of_customers(**given)
    with pytest.raises(error, match=says):
        Renewals.of_customers(**{**given, **changed})
