"""The demo's truth is recovered: measured conversion against what the simulation was made with."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from holdwater.crm.client import Client
from holdwater.crm.credentials import Token
from holdwater.crm.hubspot import HubSpot
from holdwater.crm.records import source_name
from holdwater.metrics.figures import SourceFigures
from holdwater.metrics.reporting import report
from holdwater.sandbox import DEFAULT, serve, simulate
from holdwater.store.database import Store
from holdwater.store.sync import sync

SEEDS = 20
MATURED = 300
Z = 1.959963984540054  # 95 %


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """The Wilson interval, written out here: the check must not rest on the library."""
    p, z2 = successes / trials, Z * Z
    middle, half = p + z2 / (2 * trials), Z * math.sqrt(p * (1 - p) / trials + z2 / (4 * trials * trials))
    return (middle - half) / (1 + z2 / trials), (middle + half) / (1 + z2 / trials)


def covered(measured: list[SourceFigures], factor: float) -> float:
    """The share of sources whose true conversion, times `factor`, lies in the interval of the measured one."""
    truths = {source_name(source.name): source.conversion for source in DEFAULT.sources}
    hits = [
        low <= truths[row.source] * factor <= high
        for row in measured
        for low, high in [wilson(row.judged_customers, row.judged_leads)]
    ]
    return sum(hits) / len(hits)


@pytest.mark.slow
def test_conversion_by_source_is_the_simulated_truth(tmp_path: Path) -> None:
    measured: list[SourceFigures] = []
    for seed in range(1, SEEDS + 1):
        business = simulate(seed=seed)
        with (
            serve(business) as sandbox,
            HubSpot(Client(sandbox.url, Token(sandbox.token))) as hubspot,
            Store.open(tmp_path / f"{seed}.db") as store,
        ):
            sync(hubspot, store)
            measured += [row for row in report(store, as_of=business.now).sources if row.judged_leads >= MATURED]
    assert len(measured) >= SEEDS * 6
    assert covered(measured, 1.0) >= 0.9
    # The check itself can fail: a truth shifted by a fifth is found out.
    assert covered(measured, 1.2) < 0.9
    assert covered(measured, 0.8) < 0.9
