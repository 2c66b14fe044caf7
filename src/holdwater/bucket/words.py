"""Numbers and labels as a sentence for a person has them."""

from __future__ import annotations

from math import floor, inf, log10


def name(label: str) -> str:
    return label.replace("_", " ")


def money(amount: float) -> str:
    """3.10, 65, 212, 9,876 and 1,235,000: no cents from 100 on, four digits from 10,000 on."""
    if abs(amount) >= 99.995:
        return _digits(amount)
    if abs(amount) >= 0.1:
        return f"{amount:.2f}".removesuffix(".00")
    return _small(amount)


def count(number: float) -> str:
    """0.37, 6.2, 13.7, 80 and 1,920."""
    if number == inf:
        return "any number"
    if abs(number) >= 99.95:
        return _digits(number)
    return f"{number:.1f}".removesuffix(".0") if abs(number) >= 1 else _small(number)


def percent(share: float) -> str:
    return f"{share * 100:.3g} %" if share >= 0.001 else f"{_small(share * 100)} %"


def ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{ending}"


def _digits(number: float) -> str:
    return f"{round(number, min(0, 3 - floor(log10(abs(number))))):,.0f}"


def _small(number: float) -> str:
    """Two digits, wherever they begin, and never as 1e-05."""
    if number == 0:
        return "0"
    return f"{number:.{1 - floor(log10(abs(number)))}f}".rstrip("0").rstrip(".")
