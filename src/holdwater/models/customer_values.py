"""CUSTOMER_VALUES: what customers without a contract will buy, and what that is worth, in a cell."""

from __future__ import annotations

from holdwater.errors import NoDataError, NumError
from holdwater.formula import formula
from holdwater.formulas.uncertainty import UNCERTAINTY
from holdwater.units import Amounts, Dates, Days, Growth, Moment, Money, Names, Periods, Rate

TYPE_CHECKING = False  # see units.py
if TYPE_CHECKING:
    from typing import Any

    from holdwater.models.repeat_buyers import RepeatBuyers
    from holdwater.models.rfm import Summary

_FEWEST = 3  # repeat buyers; with fewer the numbers would be those of the prior alone
_LONGEST = 1_200  # periods ahead: a hundred years of months


def _how_sure(
    customers: Any,
    dates: Any,
    amounts: Any,
    gross_margin: float,
    horizon: float,
    discount: float,
    as_of: object,
    period_days: float,
) -> str:
    """What EXPLAIN adds: how much was seen, and how sure that makes us of a customer's worth."""
    summary, buyers = _fitted(customers, dates, amounts, as_of, period_days)
    low, mid, high = buyers.new_customer(gross_margin, horizon, discount)
    return (
        f"{len(summary.names)} customers, {int((summary.frequency > 0).sum())} of whom bought again. One more would be"
        f" worth {mid:,.2f}, the first purchase included; between {low:,.2f} and {high:,.2f} with 90 % confidence."
    )


@formula(
    UNCERTAINTY,
    Money,
    columns=(
        "customer",
        "purchases_expected",
        "probability_still_customer",
        "value",
        "probability_next_period",
    ),
    python_only="it fits two models to all purchases",
    remark=_how_sure,
)
def customer_values(
    customers: Names,
    dates: Dates,
    amounts: Amounts,
    gross_margin: Rate,
    horizon: Periods,
    discount: Growth = 0,
    as_of: Moment | None = None,
    period_days: Days = 30,
) -> list[dict[str, Any]]:
    """What each customer without a contract will buy within the horizon and is worth, and whether they are still there.

    One row for each customer, in order of their first row: the purchases expected within the horizon, the probability
    that they are still a customer, the gross profit expected, in today's money, and the probability that they buy in
    the next period. Whoever bought only once is still a customer with probability 1, as in this model nobody leaves
    before a second purchase; look at the purchases expected of them. Several purchases on one day count once. A
    negative amount is a refund of what was bought before; what is refunded altogether, or free, was no purchase.
    #N/A as long as fewer than three customers bought again. EXPLAIN tells how sure the values are.

    Arguments:
        customers: the customer of each purchase, a name or a number
        dates: the date of each purchase
        amounts: what was paid, for each purchase; negative for a refund
        gross_margin: share of the amount that is left after the cost of what was sold
        horizon: periods to look ahead, at most 1,200
        discount: rate by which money a period later is worth less
        as_of: the last day that the rows cover; without it, the latest date among them
        period_days: days in a period of horizon and discount: 30 for a month, 7 for a week

    Equation:
        value = gross_margin x expected spend x sum over t = 1 ... horizon of
        (purchases expected up to t - purchases expected up to t - 1) / (1 + discount)^t, the purchases by BG/NBD, the
        spend of a purchase by Gamma-Gamma, both fitted with priors that have no unit

    Source:
        Fader, Hardie & Lee 2005, Counting your customers the easy way; Fader & Hardie 2013, the Gamma-Gamma model.

    Examples:
        Ash bought every week and went silent; Birk buys every third week:

        >>> names = ["Ash"] * 5 + ["Birk"] * 5 + ["Cole"] * 2 + ["Dora", "Elm"]
        >>> days = [1, 8, 15, 22, 29, 3, 24, 45, 66, 87, 10, 70, 20, 80]
        >>> paid = [20, 25, 22, 24, 20, 60, 55, 58, 62, 60, 30, 34, 25, 40]
        >>> table = holdwater.customer_values(names, days, paid, 0.5, 12, as_of=90)
        >>> for row in table:
        ...     print(row["customer"], round(row["probability_still_customer"], 2), round(row["value"]))
        Ash 0.16 20
        Birk 0.88 245
        Cole 0.72 56
        Dora 1.0 44
        Elm 1.0 90

        Two customers who bought once say nothing about coming back:

        >>> holdwater.explain("CUSTOMER_VALUES", ["Ash", "Birk"], [1, 8], [20, 25], 0.5, 12)
        'CUSTOMER_VALUES: customers who bought again are 0; at least 3 are needed, so wait for more repeat purchases.'
    """
    if horizon > _LONGEST:
        raise NumError(f"CUSTOMER_VALUES: horizon is {horizon:.15g}; allowed is a whole number from 1 to {_LONGEST:,}.")
    summary, buyers = _fitted(customers, dates, amounts, as_of, period_days)
    history = summary.frequency, summary.recency, summary.age
    columns = (
        summary.names,
        buyers.buying.purchases(horizon, *history),
        buyers.buying.alive(*history),
        buyers.values(summary, gross_margin, horizon, discount),
        buyers.buying.buys(1, *history),
    )
    names = customer_values.formula.columns  # type: ignore[attr-defined]  # @formula leaves it there
    return [dict(zip(names, row, strict=True)) for row in zip(*(column.tolist() for column in columns), strict=True)]


def _fitted(
    customers: Any, dates: Any, amounts: Any, as_of: object, period_days: float
) -> tuple[Summary, RepeatBuyers]:
    try:
        from holdwater.models.repeat_buyers import RepeatBuyers
        from holdwater.models.rfm import purchase_days
    except ImportError:  # the Python that comes with Calc has no NumPy
        raise NoDataError(
            "CUSTOMER_VALUES: the fit needs NumPy, which the Python here does not have; use it in Excel or in Python"
            " with holdwater[models] installed."
        ) from None
    summary = purchase_days(*_filled(customers, dates, amounts)).summary(as_of=as_of, unit=period_days)
    again = int((summary.frequency > 0).sum())
    if again < _FEWEST:
        raise NoDataError(
            f"CUSTOMER_VALUES: customers who bought again are {again}; at least {_FEWEST} are needed, so wait for more"
            " repeat purchases."
        )
    buyers = RepeatBuyers.fit(summary)
    if not (buyers.buying.converged and buyers.spending.converged):
        raise NumError("CUSTOMER_VALUES: no curve fits these purchases; look for wrong dates or amounts among them.")
    return summary, buyers


def _filled(customers: Any, dates: Any, amounts: Any) -> list[Any]:
    """The columns without the rows that are blank in each of them, such as those below a list in a sheet."""
    columns = [customers, dates, amounts]
    if any(hasattr(column, "__array__") for column in columns):  # arrays have no blanks
        return [customers.tolist() if hasattr(customers, "tolist") else customers, dates, amounts]
    if any(isinstance(column, (str, bytes)) or not hasattr(column, "__iter__") for column in columns):
        return columns  # what reads them says so
    cells = [[cell for row in c for cell in (row if isinstance(row, (list, tuple)) else [row])] for c in columns]
    if len({len(column) for column in cells}) > 1:
        return cells
    rows = [row for row in zip(*cells, strict=True) if any(cell not in (None, "") for cell in row)]
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[], [], []]
