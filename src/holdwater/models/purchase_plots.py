"""Pictures of repeat purchases, for notebooks and reports; they take the extra `plots` (Matplotlib)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from holdwater.models.bg_nbd import BgNbd
from holdwater.models.plots import CURVE, SEEN, empty_axes
from holdwater.models.rfm import PurchaseDays

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]

DAYS_OF_A_WEEK = 7


def weekly_repeats(fit: BgNbd, purchases: PurchaseDays, unit: float = 1.0) -> tuple[Array, Array]:
    """Repeat purchases of each whole week, seen and expected, from the first purchase of all on.

    `unit` is that of the fit, in days. Expected is what the model says of customers of whom nothing is known but the
    day of their first purchase.
    """
    first = np.flatnonzero(np.append(True, purchases.customer[1:] != purchases.customer[:-1]))
    began = purchases.day[first]
    weeks = (purchases.latest - began.min() + 1) // DAYS_OF_A_WEEK
    ends = DAYS_OF_A_WEEK * np.arange(1, weeks + 1) - 1  # the last day of each, counted as ages are: from 0
    again = np.ones(len(purchases.day), dtype=bool)
    again[first] = False
    week_of = (purchases.day[again] - began.min()) // DAYS_OF_A_WEEK
    seen = np.bincount(week_of, minlength=weeks)[:weeks].astype(float)
    # By the day of the first purchase, as everybody who came on one day is expected to do the same.
    days, customers = np.unique(began - began.min(), return_counts=True)
    up_to = np.zeros(weeks)
    by_age = np.array([0.0, *(float(fit.purchases(age / unit)) for age in range(1, DAYS_OF_A_WEEK * int(weeks)))])
    for day, count in zip(days, customers, strict=True):
        up_to += count * by_age[np.maximum(ends - day, 0)]
    return seen, np.diff(up_to, prepend=0.0)


def repeat_purchases(
    fit: BgNbd,
    purchases: PurchaseDays,
    unit: float = 1.0,
    *,
    cumulative: bool = False,
    fitted_until: float | None = None,
    axes: Axes | None = None,
) -> Axes:
    """Repeat purchases seen (points) and expected (line), by week or added up.

    `fitted_until` draws a line at that week, where what the fit was made of ends.
    """
    axes = axes or empty_axes()
    seen, expected = (np.cumsum(c) if cumulative else c for c in weekly_repeats(fit, purchases, unit))
    weeks = np.arange(1, len(seen) + 1)
    axes.plot(weeks, expected, color=CURVE, label="expected")
    axes.plot(weeks, seen, "o", color=SEEN, markersize=3, label="seen")
    if fitted_until is not None:
        axes.axvline(fitted_until, color="grey", linewidth=0.8, linestyle="--", label="fitted up to here")
    told = "repeat purchases up to each week" if cumulative else "repeat purchases in each week"
    axes.set(xlabel="week", ylabel=told, xlim=(0, max(1, len(seen))), ylim=(0, None))
    axes.legend(frameon=False)
    return axes


def alive_matrix(fit: BgNbd, age: float, most: int = 20, *, axes: Axes | None = None) -> Axes:
    """The probability of still being a customer, by repeat purchases and the time of the last one, in the fit's unit.

    All customers of the picture made their first purchase `age` ago.
    """
    axes = axes or empty_axes()
    times = np.linspace(0, age, 101)[1:]
    counts = np.arange(1, most + 1)
    chance = fit.alive(counts[None, :], times[:, None], age)
    picture = axes.imshow(
        chance, origin="lower", aspect="auto", cmap="viridis", vmin=0, vmax=1, extent=(0.5, most + 0.5, 0, age)
    )
    axes.set(xlabel="repeat purchases", ylabel="time from the first to the last purchase")
    axes.figure.colorbar(picture, ax=axes, label="probability of still being a customer")
    return axes
