"""Revenue kept, lost and gained."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import holdwater

MONEY = st.floats(0.01, 1e9)
PART = st.floats(0, 1)


@given(MONEY, MONEY, PART, PART, st.floats(1e-3, 1e3))
def test_retention_from_the_revenue_at_the_end(
    start: float, expansion: float, left: float, given_up: float, currency: float
) -> None:
    """Against the end of the period: what the customers of the start pay then, with and without what they added."""
    churned = start * left
    contraction = (start - churned) * given_up
    end = start - churned - contraction + expansion
    net, gross = holdwater.nrr(start, expansion, contraction, churned), holdwater.grr(start, contraction, churned)
    assert net == pytest.approx(end / start, rel=1e-9, abs=1e-12)
    assert gross == pytest.approx((1 - left) * (1 - given_up), abs=1e-9)
    assert 0 <= gross <= 1
    assert net - gross == pytest.approx(expansion / start, rel=1e-6, abs=1e-9)
    in_currency = holdwater.nrr(*(currency * amount for amount in (start, expansion, contraction, churned)))
    assert in_currency == pytest.approx(net, rel=1e-9, abs=1e-12)


def test_everything_lost_is_zero_and_more_is_no_answer() -> None:
    assert holdwater.grr(0.3, 0.1, 0.2) == 0  # 0.3 - 0.1 - 0.2 is a hair below 0 in floating point
    assert holdwater.nrr(0.3, 0, 0.1, 0.2) == 0
    assert holdwater.nrr(10, 20, 0, 30) == 0  # grew first, left then
    with pytest.raises(holdwater.NumError, match="more revenue was lost"):
        holdwater.grr(100, 50, 50.01)
    with pytest.raises(holdwater.NumError, match="more revenue was lost"):
        holdwater.nrr(100, 10, 60, 50.01)


def test_quick_ratio() -> None:
    assert holdwater.quick_ratio(0, 0, 5, 3) == 0
    assert holdwater.quick_ratio(20, 8, 0, 4) == 7
    with pytest.raises(holdwater.NumError, match="nothing was lost"):
        holdwater.quick_ratio(20, 8, 0, 0)
