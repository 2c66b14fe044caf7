"""How speed is told: as a ratio to a peer measured in the same run."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median


def seconds(work: Callable[[], object], repeat: int = 9) -> float:
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return median(times)


def ratio(ours: Callable[[], object], peers: Callable[[], object], repeat: int = 9) -> float:
    """Median of ratios taken pair by pair, so that a machine that slows down slows both."""
    ours(), peers()
    return median(seconds(ours, 1) / seconds(peers, 1) for _ in range(repeat))


def report(name: str, measured: float, bar: float) -> None:
    print(f"\n{name}: {measured:.2f} (bar {bar:g})")
    assert measured <= bar
