"""The time between two moments."""

from __future__ import annotations

import ibis  # type: ignore[import-untyped] # it ships no types

_MICROSECONDS_A_DAY = 86_400_000_000


def microseconds(start: ibis.Value, end: ibis.Value) -> ibis.Value:
    return end.delta(start, unit="microsecond")


def days(start: ibis.Value, end: ibis.Value) -> ibis.Value:
    return microseconds(start, end) / _MICROSECONDS_A_DAY


def month(moment: ibis.Value) -> ibis.Value:
    """The first day of its month."""
    return moment.truncate("M").date()
