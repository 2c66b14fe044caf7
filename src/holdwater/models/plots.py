"""Pictures of fitted models, for notebooks and reports; they take the extra `plots` (Matplotlib)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from holdwater.errors import MissingExtraError
from holdwater.models.retention import RetentionFit

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CURVE, SEEN = "#1f5f8b", "#c2571a"


def empty_axes() -> Axes:
    """Axes of a picture of their own, which no window shows; `axes.figure.savefig` writes it to a file."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtraError(
            'pictures need Matplotlib, which is not installed; pip install "holdwater[plots]".'
        ) from None
    return Figure(figsize=(7, 4), layout="constrained").subplots()


def retention_curve(
    fit: RetentionFit, periods: int | None = None, *, confidence: float = 0.9, axes: Axes | None = None
) -> Axes:
    """Shares still there by age: as counted (points), by the curve (line), and the limits of the curve (band).

    `periods` is the last age shown; without it, twice the last one counted. A fit without limits has no band.
    """
    axes = axes or empty_axes()
    counted = fit.renewals.shares
    last = 2 * (len(counted) - 1) if periods is None else periods
    ages = np.arange(last + 1)
    if np.isfinite(fit.covariance).all():
        low, high = fit.band(last, confidence)
        axes.fill_between(
            ages, low, high, color=CURVE, alpha=0.2, linewidth=0, label=f"{confidence:.0%} of likely curves"
        )
    axes.plot(ages, fit.curve.survival(last), color=CURVE, label="curve")
    seen = counted[: last + 1]
    axes.plot(ages[: len(seen)], seen, "o", color=SEEN, markersize=4, label="counted")
    axes.set(xlabel="age, in periods", ylabel="share still a customer", xlim=(0, last), ylim=(0, 1.02))
    axes.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    axes.legend(frameon=False)
    return axes
