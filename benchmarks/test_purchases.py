"""Speed of the models of repeat purchases, as ratios to lifetimes in its own environment, in the same run.

The better of two runs of lifetimes is compared with each of ours.
"""

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

from holdwater.models import bg_nbd, gamma_gamma, rfm
from holdwater.models.fitted import Estimator

BUYERS = Goal("BG/NBD of 1,000,000 customers, the same likelihood", peer="lifetimes", at_least=100)
GROWTH = Goal("BG/NBD of 10,000,000 customers", "times the cost of a customer among 1,000,000", "itself", at_most=1.1)
SPENDING = Goal("Gamma-Gamma of 932,000 customers, the same likelihood", peer="lifetimes", at_least=80)
SUMMARY = Goal("Summary of 10,000,000 rows, the same sums", peer="lifetimes", at_least=15)


def lifetimes(task: str, folder: Path, **columns: np.ndarray) -> dict[str, Any]:
    path = folder / f"{task}.npz"
    np.savez(path, **columns)
    command = [str(peer_python("lifetimes")), "-W", "ignore", str(PEERS / f"lifetimes_{task}.py"), str(path)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return dict(json.loads(said.splitlines()[-1]))


def shop(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Customers like those of CDNOW, whole days told in weeks: frequency, recency and age."""
    random = np.random.default_rng(20261122)
    rate, leaving = random.gamma(0.243, 1 / (7 * 4.414), count), random.beta(0.793, 2.426, count)
    age = 273.0 - random.integers(0, 84, count)
    x, last, moment = np.zeros(count), np.zeros(count), np.zeros(count)
    here = np.arange(count)
    while here.size:
        moment[here] += np.ceil(random.exponential(1 / np.maximum(rate[here], 1e-12)))
        here = here[moment[here] <= age[here]]
        x[here], last[here] = x[here] + 1, moment[here]
        here = here[random.random(here.size) >= leaving[here]]
    return x, last / 7, age / 7


def test_bg_nbd_is_a_hundred_times_faster(tmp_path: Path) -> None:
    x, last, age = shop(1_000_000)
    peer = lifetimes("bg_nbd", tmp_path, frequency=x, recency=last, age=age)

    def ours() -> bg_nbd.BgNbd:
        return bg_nbd.fit(x, last, age, estimator=Estimator.LIKELIHOOD)

    assert -1e-6 <= ours().log_likelihood - peer["log_likelihood"] < 0.01
    BUYERS.measured(over(peer["seconds"], ours))


def test_ten_times_the_customers_cost_at_most_ten_times_as_much() -> None:
    million, ten_million = shop(1_000_000), shop(10_000_000)
    bg_nbd.fit(*million)

    def of_a_million() -> float:
        return median(seconds(lambda: bg_nbd.fit(*million)) for _ in range(5))

    GROWTH.measured(seconds(lambda: bg_nbd.fit(*ten_million)) / of_a_million() / 10 for _ in range(5))


def test_gamma_gamma_is_eighty_times_faster(tmp_path: Path) -> None:
    random = np.random.default_rng(20261122)
    x = random.geometric(0.4, 932_000).astype(float)
    spend = random.gamma(6.25 * x, 1 / random.gamma(3.74, 1 / 15.4, len(x))) / x
    peer = lifetimes("gamma_gamma", tmp_path, frequency=x, spend=spend)

    def ours() -> gamma_gamma.GammaGamma:
        return gamma_gamma.fit(x, spend, estimator=Estimator.LIKELIHOOD)

    assert -1e-6 <= ours().log_likelihood - peer["log_likelihood"] < 0.01
    SPENDING.measured(over(peer["seconds"], ours))


def test_a_summary_of_ten_million_rows_is_fifteen_times_faster(tmp_path: Path) -> None:
    random = np.random.default_rng(20261122)
    rows = 10_000_000
    customer, amount = random.integers(0, 1_000_000, rows), np.round(random.gamma(2, 10, rows) + 0.01, 2)
    date = np.datetime64("2024-01-01") + random.integers(0, 730, rows)
    peer = lifetimes("summary", tmp_path, customer=customer, date=date.astype("datetime64[ns]"), amount=amount)
    told = rfm.summarise(customer, date, amount)
    sums = {"frequency": told.frequency, "recency": told.recency, "T": told.age, "monetary_value": told.spend}
    assert {name: column.sum() for name, column in sums.items()} == pytest.approx({n: peer[n] for n in sums}, rel=1e-9)
    SUMMARY.measured(over(peer["seconds"], lambda: rfm.summarise(customer, date, amount), 5))
