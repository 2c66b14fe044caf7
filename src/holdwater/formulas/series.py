"""Sums that several formulas share."""

from __future__ import annotations

import math


def annuity(leak: float, periods: float) -> float:
    """Payments of 1, each smaller than the one before by the share `leak`: 1 + (1-x) + (1-x)^2 + ... over n periods."""
    if abs(leak * periods) < 1e-4:  # nearly level: a series, because 1 - (1-x)^n would lose its digits here
        return periods * (1 - (periods - 1) * leak / 2 * (1 - (periods - 2) * leak / 3))
    return (1 - math.pow(1 - leak, periods)) / leak
