from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path

import pytest
from trial import Trial
from vendors import VENDORS, Vendor

from holdwater.sandbox import Business, Source, Truth, simulate
from holdwater.store.database import Store


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every form of every fault on every vendor takes minutes: what only repeats one on a further vendor is slow."""
    for item in items:
        if isinstance(item, pytest.Function) and "trial" in item.fixturenames:
            indices = dict(item.callspec.indices)
            if indices.pop("trial") > 0 and any(indices.values()):
                item.add_marker(pytest.mark.slow)


@pytest.fixture
def business() -> Business:
    """Some hundred leads: several pages of everything."""
    sources = (
        Source(name="PAID_SEARCH", leads_per_month=90, conversion=0.3, days_to_win=10),
        Source(name=None, leads_per_month=30, conversion=0.2, days_to_win=12),
    )
    truth = Truth(sources=sources, churn=0.1, referral_rate=0.0, revenue_per_customer=Decimal(50), gross_margin=0.5)
    return simulate(truth, seed=5, months=4)


@pytest.fixture(params=VENDORS, ids=lambda vendor: vendor.name)
def trial(request: pytest.FixtureRequest, business: Business, tmp_path: Path) -> Iterator[Trial]:
    vendor: Vendor = request.param
    with ExitStack() as stack:
        sandbox = stack.enter_context(vendor.serve(business))
        store = stack.enter_context(Store.open(tmp_path / "store.db"))
        yield Trial(vendor, business, sandbox, store)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses between tries are counted elsewhere; here they only take time."""
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
