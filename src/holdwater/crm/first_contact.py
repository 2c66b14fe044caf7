"""Who comes back is no new lead: of several records of one person or company, the first is the lead."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence


class FirstContact:
    """Knows the first of the records of each customer; `whose` says whose each is, in the order of their numbers.

    A record of nobody is a first contact of its own.
    """

    def __init__(self, whose: Mapping[int, int | None]) -> None:
        self._first: dict[int | None, int] = {}
        self._later: defaultdict[int | None, list[int]] = defaultdict(list)
        for id_, customer in whose.items():
            if customer is not None and self._first.setdefault(customer, id_) != id_:
                self._later[customer].append(id_)

    def of(self, id_: int, customer: int | None) -> int:
        """The record that is the lead of this one: itself, or one before it."""
        return min(id_, self._first.get(customer, id_))

    def later(self, customer: int | None) -> Sequence[int]:
        """The records of a customer after the first."""
        return self._later.get(customer, ())
