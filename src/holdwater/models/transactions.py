"""Rows of customer, date and amount as numbers, from whatever a sheet or a script hands over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from holdwater.errors import KindError, NoDataError, NumError

Array = NDArray[np.float64]
Whole = NDArray[np.int64]
Column: TypeAlias = ArrayLike | Sequence[object]  # a list, an array, or a range of a sheet

_DAY_ZERO = date(1899, 12, 30)  # of a sheet
_EPOCH = (date(1970, 1, 1) - _DAY_ZERO).days  # of NumPy
_WHOLE_FLOATS = 2**53  # up to here a float tells every whole number from the next
_LAST_DAY = (date(9999, 12, 31) - _DAY_ZERO).days


@dataclass(frozen=True, slots=True)
class Transactions:
    names: NDArray[Any]  # of the customers
    customer: Whole  # position in names
    day: Whole  # a sheet's day number
    amount: Array | None

    def only(self, rows: NDArray[np.bool_]) -> Transactions:
        amount = None if self.amount is None else self.amount[rows]
        return Transactions(self.names, self.customer[rows], self.day[rows], amount)


def transactions(customers: Column, dates: Column, amounts: Column | None = None) -> Transactions:
    """Checked and counted; KindError or NumError names the first row that cannot be, never the customer."""
    names, customer = _customers(customers)
    day = _days(dates)
    amount = None if amounts is None else _amounts(amounts)
    for name, column in (("dates", day), ("amounts", amount)):
        if column is not None and len(column) != len(customer):
            raise KindError(
                f"Purchases: there are {len(customer)} customers but {len(column)} {name}; give one of each a row."
            )
    if not len(customer):
        raise NoDataError("Purchases: there are no rows; give at least one purchase.")
    return Transactions(names, customer, day, amount)


def day_number(given: object, name: str) -> int:
    """A date, a NumPy date or a sheet's day number as the latter."""
    try:
        return int(_days([given])[0])
    except (KindError, NumError):
        raise KindError(f"Purchases: {name} is no date; give a date, or the day number of a sheet.") from None


def shown_day(day: int) -> str:
    return (_DAY_ZERO + timedelta(days=day)).isoformat()


def today() -> int:
    return (datetime.now(UTC).date() - _DAY_ZERO).days


def _customers(given: Column) -> tuple[NDArray[Any], Whole]:
    array = _column(given, numbers=False)
    if array.dtype.kind in "iu" and len(array):
        low, high = int(array.min()), int(array.max())
        if high - low < 4 * len(array) + 1_000_000 and high < 2**62:  # close enough to count from the lowest
            return np.arange(low, high + 1), np.subtract(array, low, dtype=np.int64)
        names, customer = np.unique(array, return_inverse=True)
        return names, customer.astype(np.int64)
    positions: dict[Any, int] = {}
    counted = (positions.setdefault(name, len(positions)) for name in array.tolist())
    customer = np.fromiter(counted, np.int64, len(array))
    for name, position in positions.items():
        if _blank(name):
            _refuse(KindError, "customers", customer == position, "blank; fill it in")
    names = np.empty(len(positions), dtype=object)
    names[:] = list(positions)
    return names, customer


def _blank(name: object) -> bool:
    try:
        unequal = bool(name != name)  # as NaN and NaT are
    except TypeError:  # a missing value that will not even be compared
        unequal = True
    return name is None or unequal or (isinstance(name, str) and not name.strip())


def _days(given: Column) -> Whole:
    array = _column(given)
    if array.dtype.kind == "M":
        _refuse(KindError, "dates", np.isnat(array), "blank; fill it in")
        array = array.astype("datetime64[D]", copy=False).view(np.int64) + _EPOCH
    elif array.dtype.kind == "O":
        array = np.array([_day(cell) for cell in array.tolist()])
        _refuse(KindError, "dates", np.isnan(array), "no date; give dates, not text")
    elif array.dtype.kind not in "iuf" and len(array):
        raise KindError("Purchases: dates are no dates; give dates, or the day numbers of a sheet, not text.")
    if len(array) and not (array.min() >= 0 and array.max() < _LAST_DAY + 1):  # NaN spreads to the smallest
        outside = ~((array >= 0) & (array < _LAST_DAY + 1))
        _refuse(NumError, "dates", outside, "no day between 1899-12-30 and 9999-12-31")
    return array.astype(np.int64, copy=False)


def _day(cell: object) -> float:
    """NaN for what is no date."""
    if isinstance(cell, date):
        try:
            return (cell.date() if isinstance(cell, datetime) else cell).toordinal() - _DAY_ZERO.toordinal()
        except ValueError:  # a date that is none, such as pandas' NaT
            return np.nan
    if isinstance(cell, np.datetime64):
        return np.nan if np.isnat(cell) else float(cell.astype("datetime64[D]").astype(np.int64)) + _EPOCH
    return float(cell) if isinstance(cell, (int, float)) and not isinstance(cell, bool) else np.nan


def _amounts(given: Column) -> Array:
    array = _column(given)
    if array.dtype.kind == "O":
        numbers = [isinstance(c, (bool, str, bytes)) or not hasattr(c, "__float__") for c in array]
        _refuse(KindError, "amounts", np.array(numbers, dtype=bool), "no number; give an amount in every row")
    elif array.dtype.kind not in "iuf" and len(array):
        raise KindError("Purchases: amounts are no numbers; give an amount in every row.")
    array = array.astype(float, copy=False)
    if not np.isfinite(array.sum()):  # NaN and infinity survive a sum
        _refuse(NumError, "amounts", ~np.isfinite(array), "infinite or no number")
    return array


def _column(given: Any, *, numbers: bool = True) -> NDArray[Any]:
    """A list, an array, or a sheet's range of one column or row; cells stay objects where numbers would lose digits."""
    if not hasattr(given, "__array__"):
        given = _cells(given, numbers)
    array = np.asarray(given)
    if array.ndim == 2 and 1 in array.shape:
        array = array.ravel()
    if array.ndim != 1:
        raise KindError(
            f"Purchases: {array.ndim} dimensions stand where one column belongs; give a list or one column."
        )
    return array


def _cells(given: Any, numbers: bool) -> NDArray[Any]:
    if isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
        raise KindError("Purchases: one cell stands where a column of them belongs; give a list or a range.")
    cells = list(given)
    if cells and isinstance(cells[0], (list, tuple)):
        cells = [cell for row in cells for cell in row]
    if numbers and all(type(cell) is float or (type(cell) is int and abs(cell) <= _WHOLE_FLOATS) for cell in cells):
        return np.array(cells, dtype=float)
    column = np.empty(len(cells), dtype=object)
    column[:] = cells
    return column


def _refuse(error: type[KindError] | type[NumError], name: str, wrong: NDArray[np.bool_], why: str) -> None:
    if wrong.any():
        raise error(f"Purchases: row {int(np.argmax(wrong)) + 1} of {name} is {why}.")
