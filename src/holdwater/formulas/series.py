"""Sums that several formulas share."""

from __future__ import annotations

import math


def annuity(leak: float, periods: float) -> float:
    """Payments of 1, each smaller than the one before by the share `leak`: 1 + (1-x) + (1-x)^2 + ... over n periods."""
    kept = 1 - leak  # for the smallest leak a rounded number: divided by what it lost itself, the rounding cancels out
    if kept == 1:
        return periods
    if kept == 0:
        return 1
    decay = periods * math.log(kept)
    if abs(decay) < 1e-4:  # a series, because 1 - (1-x)^n would lose its digits here
        return -decay * (1 + decay / 2 * (1 + decay / 3)) / (1 - kept)
    return (1 - math.pow(kept, periods)) / (1 - kept)
