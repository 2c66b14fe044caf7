"""Questions to Salesforce, in its query language.

Each page goes on behind the last record of the one before, by time of change and then by id: neither equal times, nor
what changes meanwhile, nor a cursor that the server has forgotten loses a record. What changes moves to the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from holdwater.crm.salesforce_wire import Listing, id_of, moment_of
from holdwater.errors import BadAnswerError


@dataclass(frozen=True, slots=True)
class Query:
    """All records of `object` that fulfil the `conditions`, changed at or after `since` by the field `changed`.

    `changed` None: the object has no time of change that can be asked for; then the order is that of the ids.
    """

    object: str
    fields: tuple[str, ...]
    conditions: tuple[str, ...] = ()
    changed: str | None = "SystemModstamp"
    since: datetime | None = None

    def of(self, field: str, ids: Sequence[str]) -> Query:
        """Only those whose `field` is one of the ids."""
        return replace(self, conditions=(*self.conditions, f"{field} IN ({', '.join(map(_quoted, ids))})"))

    def text(self, after: str | None = None) -> str:
        """The question for what comes `after` a place (from the start), in order."""
        order = "Id" if self.changed is None else f"{self.changed}, Id"
        return f"{self._unordered(after)} ORDER BY {order}"

    def unordered(self) -> str:
        """The same question for a bulk job, which is faster without an order, and for a count, which has none."""
        return self._unordered(None)

    def made_before(self, moment: datetime) -> Query:
        return replace(self, conditions=(*self.conditions, f"CreatedDate < {_text(moment)}"))

    def place_after(self, page: Listing) -> str | None:
        """Where to go on behind a page; None behind the last. BadAnswerError where that cannot be told."""
        if page.done:
            if len(page.records) < page.total:
                raise BadAnswerError(f"Salesforce sent fewer records of {self.object} than it announced; sync again.")
            return None
        name = id_of(page.records[-1]) if page.records else None
        if name is not None and self.changed is None:
            return f"Id > {_quoted(name)}"
        if name is not None and self.changed is not None:
            moments = [moment_of(row, self.changed) for row in page.records]
            last = moments[-1]
            # A last one that is not the latest would make the next page begin somewhere else.
            if last is not None and last >= max(moment for moment in moments if moment):
                at = _text(last)
                return f"({self.changed} > {at} OR ({self.changed} = {at} AND Id > {_quoted(name)}))"
        raise BadAnswerError(
            f"A page of Salesforce's {self.object} ends with something that no page can follow; sync again later."
        )

    def _unordered(self, after: str | None) -> str:
        since = f"{self.changed} >= {_text(self.since)}" if self.since and self.changed else None
        found = [one for one in (*self.conditions, after or since) if one]
        where = f" WHERE {' AND '.join(found)}" if found else ""
        return f"SELECT {', '.join(self.fields)} FROM {self.object}{where}"  # noqa: S608 -- names and ids only


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _quoted(id_: str) -> str:
    """Ids are letters and digits: there is nothing in them to escape."""
    return f"'{id_}'"
