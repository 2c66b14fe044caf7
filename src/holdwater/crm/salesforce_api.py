"""The few of Salesforce's endpoints that a sync reads, each to its last page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from holdwater.crm.client import Client
from holdwater.crm.paging import follow
from holdwater.crm.salesforce_bulk import Bulk
from holdwater.crm.salesforce_objects import ObjectType, Shape
from holdwater.crm.salesforce_query import Query
from holdwater.crm.salesforce_wire import Description, Listing, WireOrganization, read
from holdwater.crm.wire import Model

PATH = "/services/data/v67.0"
_IDS = 400  # in one question: an address holds some 16,000 characters


class Found(NamedTuple):
    """Some of the rows that a question has for an answer, and how many it has in all, if that was announced."""

    rows: Sequence[Any]
    expected: int | None


class Api:
    """Salesforce's answers, checked for their shape. More than `bulk_above` rows are left to a bulk job."""

    def __init__(self, client: Client, *, bulk: Bulk | None = None, bulk_above: int = 20_000) -> None:
        self._client = client
        self._bulk = bulk or Bulk(client, PATH)
        self._bulk_above = bulk_above

    def organization(self) -> WireOrganization:
        """The organisation that the token opens, and its currency if it has one only."""
        return self._read(WireOrganization, f"{PATH}/connect/organization")

    def shape(self, kind: ObjectType, *more: str) -> Shape:
        """What of these objects the user of the app may see; ScopeError where it is not enough."""
        return Shape.of(kind, self.described(kind), more=more)

    def described(self, kind: ObjectType) -> Description:
        """ScopeError where the user may see none of these objects."""
        return self._read(Description, f"{PATH}/sobjects/{kind.name}/describe")

    def rows(self, query: Query) -> Iterator[Found]:
        """All rows, those that were deleted or archived too."""
        path = f"{PATH}/queryAll"
        pages = follow(
            lambda place: self._read(Listing, path, query.text(place)),
            query.place_after,
            f"Salesforce's list of {query.object}",
        )
        for first, page in enumerate(pages):
            if page.total > self._bulk_above:
                yield from (Found(rows, page.total) for rows in self._bulk.rows(query))
                return
            yield Found(page.records, page.total if first == 0 else None)

    def count(self, kind: ObjectType, before: datetime) -> int:
        """How many of these objects there are that were made before a moment."""
        question = Query(kind.name, ("COUNT()",), kind.counting, changed=None).made_before(before).unordered()
        return self._read(Listing, f"{PATH}/queryAll", question).total

    def all_of(self, query: Query, field: str, ids: Sequence[str]) -> Iterator[tuple[Sequence[str], list[Any]]]:
        """The rows whose `field` is one of the ids, some ids at a time."""
        for start in range(0, len(ids), _IDS):
            some = ids[start : start + _IDS]
            yield some, [row for found in self.rows(query.of(field, some)) for row in found.rows]

    def _read(self, model: type[Model], path: str, question: str | None = None) -> Model:
        params = None if question is None else {"q": question}
        return read(model, self._client.get_json(path, params), f"Salesforce's answer to GET {path}")
