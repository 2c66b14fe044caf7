"""CONVERSION_MATURED: the conversion of a cohort, part of whose deals are still open, in a cell."""

from __future__ import annotations

from holdwater.errors import KindError, NoDataError
from holdwater.formula import formula
from holdwater.formulas.uncertainty import UNCERTAINTY
from holdwater.units import Confidence, PairedTimes, Rate, Statuses

TYPE_CHECKING = False  # see units.py
if TYPE_CHECKING:
    from collections.abc import Iterator


@formula(UNCERTAINTY, Rate, row=("low", "rate", "high", "decided"), python_only="it fits a curve to the deals")
def conversion_matured(
    days: PairedTimes, status: Statuses, confidence: Confidence = 0.9
) -> tuple[float, float, float, float]:
    """The share of deals that is won in the end, while part of them are open: low, rate, high, and the share decided.

    Won / all takes every open deal for lost, and won / (won + lost) takes those that were quick for all of them. The
    fit asks how long wins and losses take, and so how many of the open deals will still be won. The result is #N/A
    before the first win, unless all are closed, and as long as fewer than a third of the wins would be in if the
    conversion were as high as high. Where losses are never marked, leave the lost deals open.

    Arguments:
        days: age of each deal if it is open, else its days from first contact to won or lost; any unit of time
        status: won, lost or open for each deal, beside its days
        confidence: how often the true conversion lies between low and high

    Equation:
        a won deal of t days counts c f(t), a lost one (1 - c) m g(t), an open one
        c (1 - F(t)) + (1 - c) m (1 - G(t)) + (1 - c)(1 - m): F and G are Weibull distributions, m the share of the
        losses that anybody marks; rate is c at the largest product times its prior, low and high where the product,
        best for all else, is exp(-z^2/2) of that, z the normal deviate of the confidence: 1.645 for 0.9

    Source:
        Farewell 1982, survival with long-term survivors; Larson & Dinse 1985, competing risks; limits by profile
        likelihood.

    Examples:
        Ten deals, three won and two lost. Won / all says 30 %, won / (won + lost) 60 %:

        >>> days = [12, 20, 31, 9, 40, 5, 15, 22, 30, 70]
        >>> status = ["won", "won", "won", "lost", "lost", "open", "open", "open", "open", "open"]
        >>> [round(value, 2) for value in holdwater.conversion_matured(days, status)]
        [0.15, 0.39, 0.76, 0.5]

        All are open, so nobody knows yet:

        >>> holdwater.explain("CONVERSION_MATURED", [5, 15], ["open", "open"])
        'CONVERSION_MATURED: the deals are too young, 0% of them decided; wait, or add older ones.'
    """
    ages: list[float] = []
    ends: list[str] = []
    for age, end in _pairs(days, status):
        ages.append(age)
        ends.append(end)
    try:
        from holdwater.models import cure
    except ImportError:  # the Python that comes with Calc has no NumPy
        raise NoDataError(
            "CONVERSION_MATURED: the fit needs NumPy, which the Python here does not have; use it in Excel or in"
            " Python with holdwater[models] installed."
        ) from None
    fit = cure.fit(ages, ends)
    low, high, too_young = fit.conversion_limits(confidence)
    if too_young:
        raise NoDataError(
            f"CONVERSION_MATURED: the deals are too young, {fit.decided:.0%} of them decided; wait, or add older ones."
        )
    return low, fit.conversion, high, fit.decided


def _pairs(days: object, status: object) -> Iterator[tuple[float, str]]:
    """The rows that hold anything; KindError for one that holds only half, or another word."""
    ends = list(_cells(status))
    ages = list(_cells(days))
    if len(ends) != len(ages):
        raise KindError(
            f"CONVERSION_MATURED: status has {len(ends)} cells and days has {len(ages)}; give ranges of the same size."
        )
    for row, (age, end) in enumerate(zip(ages, ends, strict=True), start=1):
        word = end.strip().casefold() if isinstance(end, str) else end
        if age is None and word in (None, ""):
            continue
        if word not in ("won", "lost", "open"):
            raise KindError(f"CONVERSION_MATURED: status in row {row} is no won, lost or open; give one of them.")
        if not isinstance(age, float):
            raise KindError(f"CONVERSION_MATURED: days in row {row} is blank; give the age or the days to close.")
        yield age, word


def _cells(given: object) -> Iterator[object]:
    """The cells of a range, row by row; a single cell is a range of one."""
    if isinstance(given, (str, bytes)) or not hasattr(given, "__iter__"):
        yield given
        return
    for item in given:
        yield from _cells(item)
