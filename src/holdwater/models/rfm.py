"""From a list of purchases to frequency, recency, age and spend of each customer.

Several purchases on one day count once, whatever the unit of time: it is one decision to buy. A refund is a negative
amount. It takes money back from the customer's last purchase day up to then, and what is more than that day's from the
day before; a day left with nothing was no purchase after all, nor was one at no charge.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holdwater.errors import NoDataError, NumError
from holdwater.models.purchase_histories import Histories
from holdwater.models.transactions import Column, Transactions, day_number, shown_day, today, transactions

Array = NDArray[np.float64]
Whole = NDArray[np.int64]

_CENT = 1e-9  # of what was paid and refunded: less is rounding


@dataclass(frozen=True, slots=True)
class PurchaseDays:
    """Each day on which a customer bought, by customer and day."""

    names: NDArray[Any]  # of the customers
    customer: Whole  # position in names
    day: Whole  # a sheet's day number
    amount: Array  # paid on that day, refunds taken off
    latest: int  # the last day on which anything happened
    unmatched_refunds: int  # with no purchase before them to take money from; left out

    def summary(self, *, as_of: object = None, unit: float = 1.0) -> Summary:
        """What each customer did up to `as_of`, the latest day if not given; times in units of so many days."""
        end = _end(as_of, self.latest)
        if not 0 < unit < np.inf:
            raise NumError(f"Purchases: unit is {unit:.15g} days; allowed is above 0.")
        if not len(self.day):
            raise NoDataError("Purchases: nothing was bought, or all of it was refunded; give at least one purchase.")
        first = np.flatnonzero(_starts(self.customer))
        after = np.append(first[1:], len(self.day))
        days = after - first
        frequency = (days - 1).astype(float)
        spent = np.add.reduceat(self.amount, first) - self.amount[first]
        return Summary(
            names=self.names[self.customer[first]],
            frequency=frequency,
            recency=(self.day[after - 1] - self.day[first]) / unit,
            age=(end - self.day[first]) / unit,
            spend=np.where(frequency > 0, spent / np.maximum(frequency, 1), 0.0),
        )


@dataclass(frozen=True, slots=True)
class Summary:
    """One element for each customer."""

    names: NDArray[Any]
    frequency: Array  # days with a purchase, the first one not counted
    recency: Array  # time from the first to the last of them
    age: Array  # time from the first of them to the end
    spend: Array  # the mean of a repeat purchase day; 0 without one, or where no amounts were given

    @property
    def histories(self) -> Histories:
        return Histories(self.frequency, self.recency, self.age, np.ones(len(self.age)))


@dataclass(frozen=True, slots=True)
class Holdout:
    """What the customers of a calibration period did after it, in the same order."""

    frequency: Array  # days with a purchase
    spend: Array  # the mean of one; 0 without one
    time: float  # how long it lasted


def purchase_days(customers: Column, dates: Column, amounts: Column | None = None) -> PurchaseDays:
    """The days on which somebody bought; without amounts every row is a purchase.

    `dates` are dates, NumPy dates or a sheet's day numbers; their time of day does not count. KindError or NumError
    names the row that cannot be.
    """
    return _purchase_days(transactions(customers, dates, amounts))


def summarise(
    customers: Column,
    dates: Column,
    amounts: Column | None = None,
    *,
    as_of: object = None,
    unit: float = 1.0,
) -> Summary:
    """What each customer did up to `as_of`: see PurchaseDays.summary."""
    return purchase_days(customers, dates, amounts).summary(as_of=as_of, unit=unit)


def split(
    customers: Column,
    dates: Column,
    amounts: Column | None = None,
    *,
    end: object,
    as_of: object = None,
    unit: float = 1.0,
) -> tuple[Summary, Holdout]:
    """The summary as it was on the day `end`, and what the same customers did from the next day to `as_of`.

    A refund after `end` was not known then, so the summary does not know of it either.
    """
    rows = transactions(customers, dates, amounts)
    cut, last = day_number(end, "end"), _end(as_of, int(rows.day.max(initial=0)))
    if not cut < last:
        raise NumError(f"Purchases: end is {shown_day(cut)}, as_of {shown_day(last)}; the holdout period has no day.")
    calibration = _purchase_days(rows.only(rows.day <= cut))
    summary = calibration.summary(as_of=cut, unit=unit)
    held = _purchase_days(rows)
    later = held.day > cut
    known = calibration.customer[_starts(calibration.customer)]
    frequency, spent = (
        np.bincount(held.customer[later], weights=weights, minlength=len(rows.names))[known]
        for weights in (np.ones(later.sum()), held.amount[later])
    )
    return summary, Holdout(frequency.astype(float), spent / np.maximum(frequency, 1), (last - cut) / unit)


def _end(as_of: object, latest: int) -> int:
    if as_of is None:
        if latest > today() + 1:  # tomorrow has begun elsewhere
            raise NumError(
                f"Purchases: the latest date is {shown_day(latest)}, which is still to come; mend it, or give as_of."
            )
        return latest
    end = day_number(as_of, "as_of")
    if latest > end:
        raise NumError(
            f"Purchases: the latest date is {shown_day(latest)}, after as_of, {shown_day(end)}; leave later rows out."
        )
    return end


def _starts(sorted_values: Whole) -> NDArray[np.bool_]:
    """True where a value differs from the one before it."""
    return np.concatenate((np.ones(min(1, len(sorted_values)), dtype=bool), sorted_values[1:] != sorted_values[:-1]))


def _purchase_days(rows: Transactions) -> PurchaseDays:
    latest = int(rows.day.max(initial=0))
    bits = latest.bit_length()
    key = rows.customer << bits
    key |= rows.day
    order = _sort(key, with_order=rows.amount is not None)
    first = np.flatnonzero(_starts(key))
    day = key[first]
    customer = day >> bits
    day &= (1 << bits) - 1
    amount, unmatched = np.zeros(len(first)), 0
    if rows.amount is not None and len(first):
        paid = rows.amount[order]
        amount = np.add.reduceat(paid, first)
        if paid.min() <= 0:
            kept, amount, unmatched = _settled(customer, amount, np.add.reduceat(np.abs(paid), first))
            customer, day = customer[kept], day[kept]
    return PurchaseDays(rows.names, customer, day, amount, latest, unmatched)


def _sort(key: Whole, *, with_order: bool) -> Whole:
    """Sorts the key in place; the order that did it, if asked for: packed into the key both are sorted at once."""
    if not with_order:
        key.sort()
        return key[:0]
    bits = len(key).bit_length()
    if int(key.max(initial=0)).bit_length() + bits > 63:
        order = np.argsort(key, kind="stable")
        key[:] = key[order]
        return order
    key <<= bits
    key |= np.arange(len(key))
    key.sort()
    order = key & ((1 << bits) - 1)
    key >>= bits
    return order


def _settled(customer: Whole, amount: Array, moved: Array) -> tuple[Whole, Array, int]:
    """The days that stay purchases once refunds are taken off, what they are worth, and refunds that met none.

    A day below 0 passes what it lacks on to the customer's day before, from day to day.
    """
    kept, unmatched = np.arange(len(customer)), 0
    while True:
        worth = np.abs(amount) > _CENT * moved
        kept, customer, amount, moved = kept[worth], customer[worth], amount[worth], moved[worth]
        below = amount < 0
        if not below.any():
            return kept, amount, unmatched
        starts = _starts(customer)
        # Of several such days in a row the first moves; the next ones meet what it leaves.
        turn = np.flatnonzero(below & (starts | ~np.concatenate(([False], below[:-1]))))
        alone = starts[turn]
        unmatched += int(alone.sum())
        onto = turn[~alone]
        amount[onto - 1] += amount[onto]
        moved[onto - 1] += moved[onto]
        amount[turn] = 0.0
