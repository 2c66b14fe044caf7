"""How speed is told: as ratios to a peer measured in the same run, each beside its goal.

    FULL_SYNC = Goal("Full sync of 40,000 records, equal checksums", at_least=3, unit="times as fast", peer="dlt")

    def test_a_full_sync() -> None:
        FULL_SYNC.measured([theirs / ours for ours, theirs in times])  # one ratio a repeat; a single number will do

Every Goal that stands at the top of a benchmark is a row of RESULTS.md, which is written as each file ends. A goal that
no test measured is a row that says why: its test was skipped, or failed before. The peer is the name of a pinned
environment (peers/dlt.txt), of an installed package, or plain words; the row adds the version where there is one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import inf
from statistics import median


@dataclass
class Goal:
    """What is compared, and how large the ratio has to be, or may be; `unit` is what the ratio counts.

    With neither it is a comparison that nobody set a goal for.
    """

    what: str
    unit: str = "times as fast"
    peer: str = ""
    at_least: float | None = None
    at_most: float | None = None
    ratios: list[float] = field(default_factory=list)  # of the worst case measured

    def __post_init__(self) -> None:
        if self.at_least is not None and self.at_most is not None:
            raise ValueError(f"{self.what}: a goal is at_least or at_most, one of them")

    def __str__(self) -> str:
        bars = (("at least ", self.at_least), ("at most ", self.at_most))
        (bar,) = [f"{word}{number:g} " for word, number in bars if number is not None] or [""]
        return f"{self.what}: {bar}{self.unit}"

    def measured(self, ratios: float | Iterable[float]) -> None:
        """Keep the ratios of the repeats, of several cases the worst; a missed goal fails the test when it ends."""
        found = [ratios] if isinstance(ratios, int | float) else list(ratios)
        print(f"\n{self}; measured {median(found):.3g} ({min(found):.3g} to {max(found):.3g})")
        if not self.ratios or self._distance(found) < self._distance(self.ratios):
            self.ratios = found

    @property
    def missed(self) -> bool:
        return bool(self.ratios) and self._distance(self.ratios) < 0

    def _distance(self, ratios: list[float]) -> float:
        """How far the median is on the right side of the bar."""
        if self.at_least is not None:
            return median(ratios) - self.at_least
        return inf if self.at_most is None else self.at_most - median(ratios)


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def paired(one: Callable[[], object], other: Callable[[], object], repeat: int = 9) -> list[float]:
    """Time of one / time of the other, pair by pair, so that a machine that slows down slows both."""
    one(), other()
    return [seconds(one) / seconds(other) for _ in range(repeat)]


def over(numerator: float, work: Callable[[], object], repeat: int = 9) -> list[float]:
    """A peer's time, measured in its own process, by each of so many of ours."""
    work()
    return [numerator / seconds(work) for _ in range(repeat)]
