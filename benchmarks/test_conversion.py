"""Speed of the conversion models, as ratios to a peer in its own environment, in the same run."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pytest
from peer_environment import PEERS, peer_python
from ratios import Goal, over, seconds

from holdwater.models import cure
from holdwater.models.deals import Deals
from holdwater.models.fitted import Estimator
from holdwater.models.kaplan_meier import Curve, kaplan_meier

CURE = Goal("Cure model of 1,000,000 deals, the same likelihood", peer="convoys", at_least=300)
KAPLAN_MEIER = Goal("Kaplan-Meier of 1,000,000 deals, the same shares", peer="lifelines", at_least=20)
DEALS = 1_000_000
AGES = np.arange(5, 180, 5)


@pytest.fixture(scope="module")
def deals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """12 % are won in the end; half a year of deals, their ages in whole days, losses not marked."""
    random = np.random.default_rng(20261122)
    age = np.ceil(random.uniform(0, 180, DEALS))
    closes = np.where(random.random(DEALS) < 0.12, np.ceil(75 * random.weibull(1.3, DEALS)), np.inf)
    path = tmp_path_factory.mktemp("conversion") / "deals.npz"
    np.savez(path, days=np.minimum(closes, age), won=closes <= age, ages=AGES)
    return path


def peer(name: str, task: str, *arguments: object) -> dict[str, Any]:
    command = [str(peer_python(name)), str(PEERS / f"{name}_{task}.py"), *map(str, arguments)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return dict(json.loads(said.splitlines()[-1]))


def test_cure_model_is_three_hundred_times_faster_than_convoys(deals: Path) -> None:
    """From the columns of a million deals to the fit, grouping included."""
    columns = np.load(deals)
    days, status = columns["days"], columns["won"].astype(np.int8)

    def fit() -> cure.CureFit:
        return cure.fit(days, status, estimator=Estimator.LIKELIHOOD)

    theirs, ours = peer("convoys", "cure", deals), fit()
    # Theirs is a search without slopes of the second order: it may stop a little below the top, never above.
    assert -1e-6 * abs(ours.log_likelihood) <= theirs["log_likelihood"] - ours.log_likelihood <= 1e-6
    assert ours.conversion == pytest.approx(theirs["conversion"], rel=1e-3)
    CURE.measured(over(theirs["seconds"], fit))


def test_kaplan_meier_is_twenty_times_faster_than_lifelines(deals: Path) -> None:
    columns = np.load(deals)
    days, status = columns["days"], columns["won"].astype(np.int8)

    def ours() -> Curve:
        return kaplan_meier(Deals.of(days, status))

    ratios = []
    for _ in range(7):  # side by side, so that a machine that slows down slows both
        theirs = peer("lifelines", "kaplan_meier", deals, 5)
        assert ours().at(AGES) == pytest.approx(theirs["share"], abs=1e-12)
        ratios.append(theirs["seconds"] / median(seconds(ours) for _ in range(25)))
    KAPLAN_MEIER.measured(ratios)
