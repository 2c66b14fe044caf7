"""Who comes back is no new lead: of several records of one person or company, the first is the lead."""

from __future__ import annotations

from collections.abc import Mapping


class FirstContact:
    """Knows the first of the records of each customer; `whose` says whose each is, in the order of their numbers.

    A record of nobody is a first contact of its own.
    """

    def __init__(self, whose: Mapping[int, int | None]) -> None:
        self._first: dict[int | None, int] = {}
        for id_, customer in whose.items():
            if customer is not None:
                self._first.setdefault(customer, id_)

    def of(self, id_: int, customer: int | None) -> int:
        """The record that is the lead of this one: itself, or one before it."""
        return min(id_, self._first.get(customer, id_))
