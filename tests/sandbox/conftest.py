from __future__ import annotations

from decimal import Decimal

import pytest

from holdwater.sandbox import Business, Source, Truth, simulate


@pytest.fixture(scope="session")
def simulated() -> Business:
    """The default business; nobody may change it."""
    return simulate()


@pytest.fixture
def small() -> Business:
    """Three months of a tiny business, to change at will."""
    source = Source(
        name="PAID_SEARCH", leads_per_month=40, conversion=0.3, days_to_win=10, cost_per_lead=Decimal("12.50")
    )
    truth = Truth(sources=(source,), churn=0.1, referral_rate=0.0, revenue_per_customer=Decimal(50), gross_margin=0.5)
    return simulate(truth, seed=3, months=3)
