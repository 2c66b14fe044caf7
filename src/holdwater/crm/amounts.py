"""Amounts of money of a whole column: the stated decimal sign, or the only one that fits every cell."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from holdwater.crm.columns import Column, Reading, settle
from holdwater.crm.records import Money

# Which currencies a sign may stand for: an amount in euros must not pass as one in dollars.
_DOLLARS = "USD AUD BBD BMD BND BSD BZD CAD FJD GYD HKD JMD KYD LRD NAD NZD SBD SGD SRD TTD TWD XCD"
_PESOS = "ARS BRL CLP COP CVE DOP MOP MXN NIO TOP UYU WST"
_SIGNS = {
    sign: frozenset(currencies.split())
    for sign, currencies in {
        "€": "EUR", "£": "GBP EGP FKP GIP LBP SDG SHP SSP SYP", "$": f"{_DOLLARS} {_PESOS}", "US$": "USD",
        "A$": "AUD", "AU$": "AUD", "C$": "CAD NIO", "CA$": "CAD", "NZ$": "NZD", "HK$": "HKD", "S$": "SGD",
        "MX$": "MXN", "R$": "BRL", "¥": "JPY CNY", "₹": "INR", "Rs": "INR PKR LKR NPR MUR SCR", "₩": "KRW KPW",
        "₪": "ILS", "₺": "TRY", "₽": "RUB", "₴": "UAH", "₦": "NGN", "₱": "PHP", "₫": "VND", "฿": "THB",
        "kr": "DKK NOK SEK ISK", "zł": "PLN", "Kč": "CZK", "Ft": "HUF", "lei": "RON MDL", "Fr": "CHF", "R": "ZAR",
        "RM": "MYR", "Rp": "IDR",
    }.items()
}  # fmt: skip
_BY_LOWER_CASE = {sign.casefold(): currencies for sign, currencies in _SIGNS.items()}

# Which sign it is gets checked after: R$, kr., EUR. A dot belongs to a sign only after a small letter, so $.50 is 0.50.
_SIGN = r"(?:[^\W\d_]{0,2}[^\w\s.,'()+-]|[^\W\d_]{0,2}[a-z]\.|[^\W\d_]{1,3})?"
_CELL = re.compile(
    rf"(?P<open>\()?(?P<minus>-)?\s*(?P<before>{_SIGN})\s*(?P<minus_after>-)?"
    rf"(?P<digits>[.,]?\d(?:[\d.,'\s]*\d)?)\s*(?P<after>{_SIGN})(?P<close>\))?"
)
_PLAIN = {ord("\N{RIGHT SINGLE QUOTATION MARK}"): "'", ord("\N{MINUS SIGN}"): "-"}


def read_amounts(column: Column, decimal: str | None, currencies: Sequence[str | None]) -> list[Money | None]:
    """Each cell's amount in its row's currency (None: empty).

    `decimal` is "." or ",", None if the cells must settle it. ExportError names the cell that cannot be read,
    could be read two ways, or carries the sign of another currency.
    """
    readings = [_reading(mark) for mark in ([decimal] if decimal else ".,")]
    certain = {row: value for row, value in column.known.items() if isinstance(value, Decimal)}
    amounts = settle(column, readings, certain, kind="number", key="decimal", show=lambda amount: f"{amount:f}")
    money: list[Money | None] = []
    for row, (amount, currency, cell) in enumerate(zip(amounts, currencies, column.cells, strict=True)):
        if amount is None:
            money.append(None)
            continue
        if currency is None:
            raise column.error(row, "the amount has no currency; fill in its currency column or state one currency")
        for sign in _signs(cell):
            if currency not in currencies_of(sign):
                raise column.error(
                    row,
                    f'the amount "{cell}" is marked {sign}, but its currency is {currency}; '
                    f"correct the cell or the currency under [{column.table}] in the mapping",
                )
        money.append(Money.of(amount, currency, cell))
    return money


def check_currency(code: str) -> str:
    """The code as given; ValueError says what a currency's code looks like."""
    if not re.fullmatch("[A-Z]{3}", code):
        raise ValueError(f'"{code}" is no currency code; write three capital letters such as "EUR"')
    return code


def _reading(mark: str) -> Reading[Decimal]:
    grouping = "," if mark == "." else "."
    # Thousands are separated alike throughout, in threes or the Indian way, and never start with 0.
    whole = (
        rf"\d+|[1-9]\d{{0,2}}(?P<group>[{grouping}'\s])\d{{3}}(?:(?P=group)\d{{3}})*"
        rf"|[1-9]\d?(?:[{grouping}]\d\d)+[{grouping}]\d{{3}}"
    )
    number = re.compile(rf"(?P<whole>{whole})?(?:[{mark}](?P<fraction>\d+))?", re.ASCII)

    def read(cell: str) -> Decimal | None:
        outer = _CELL.fullmatch(cell.translate(_PLAIN))
        if not outer or bool(outer["open"]) != bool(outer["close"]) or not all(map(currencies_of, _signs(cell))):
            return None
        if outer["before"][-1:].isalpha() and outer["digits"][0] in ".,":  # RS.500 may be 500 or 0.500
            return None
        if sum(bool(outer[part]) for part in ("open", "minus", "minus_after")) > 1:
            return None
        inner = number.fullmatch(re.sub(r"\s", " ", outer["digits"]))
        if not inner:
            return None
        digits = re.sub(r"\D", "", inner["whole"] or "0")
        if len(digits) > 15:  # no amount of money is that long; an account number is
            return None
        fraction = f".{inner['fraction']}" if inner["fraction"] else ""
        amount = Decimal(digits + fraction)
        return -amount if outer["open"] or outer["minus"] or outer["minus_after"] else amount

    return Reading(mark, read)


def _signs(cell: str) -> list[str]:
    """The currency signs and codes that stand at a cell's number."""
    outer = _CELL.fullmatch(cell.translate(_PLAIN))
    return [outer[side].removesuffix(".") for side in ("before", "after") if outer[side]] if outer else []


def currencies_of(sign: str) -> frozenset[str]:
    """The currencies a sign may stand for, none if it is no currency's."""
    if known := _BY_LOWER_CASE.get(sign.casefold()):
        return known
    return frozenset({sign}) if re.fullmatch("[A-Z]{3}", sign) else frozenset()
