"""Student's t: how far an estimate from few observations may be off."""

from __future__ import annotations

import math


def student_deviate(confidence: float, freedom: int) -> float:
    """The number that a t variable with so many degrees of freedom stays within, either way, with this probability."""
    low, high = 0.0, math.pi / 2
    while low < (middle := (low + high) / 2) < high:
        if _within(middle, freedom) < confidence:
            low = middle
        else:
            high = middle
    return math.sqrt(freedom) * math.tan(high)


def _within(angle: float, freedom: int) -> float:
    """P(|T| <= sqrt(freedom) tan(angle)): a finite series in the cosine (Abramowitz & Stegun 26.7.3 and 26.7.4)."""
    odd = freedom % 2
    term = math.sin(angle) * (math.cos(angle) if odd else 1)
    total = term if freedom > 1 else 0.0
    for k in range(1 + odd, freedom - 2, 2):
        term *= math.cos(angle) ** 2 * k / (k + 1)
        total += term
    return (angle + total) * 2 / math.pi if odd else total
