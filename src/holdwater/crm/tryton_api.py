"""The few questions to Tryton that a sync asks, each to its last page.

Pages go on behind the last id: ids never change, so nothing that changes meanwhile moves a record to another page,
and it does not matter how many records share a time of change.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from holdwater.crm.client import Client
from holdwater.crm.tryton_wire import Json, WireRevision, WireVersion, id_of, moment, read
from holdwater.errors import BadAnswerError, ScopeError

_LISTED = 5  # times as many at once where little is asked of each
OPPORTUNITY = "sale.opportunity"
_FIELDS = ("party", "employee", "create_date", "write_date", "start_date", "end_date", "state", "amount",
           "currency.code", "lost_reason")  # fmt: skip


class Api:
    """Tryton's answers, `at_once` records in each; `addresses`: whether the e-mail address of a party is asked for."""

    def __init__(self, client: Client, path: str, *, at_once: int, addresses: bool = False) -> None:
        self._client = client
        self._path = path
        self.at_once = at_once
        self._fields = [*_FIELDS, *(["party.email"] if addresses else [])]

    def employees(self) -> Iterator[list[Json]]:
        """Those who left as well."""
        fields = ["create_date", "write_date", "end_date"]
        return self._list("company.employee", [], fields, {"active_test": False})

    def parties(self) -> dict[int, int | None]:
        """The party of every opportunity, in the order in which they were made."""
        pages = self._list(OPPORTUNITY, [], ["party"], {}, times=_LISTED)
        return {id_of(row): row["party"] if type(row.get("party")) is int else None for rows in pages for row in rows}

    def changed(self, since: datetime) -> list[int]:
        """The opportunities that are new or changed since then."""
        new = [["write_date", "=", None], ["create_date", ">=", moment(since)]]
        domain = ["OR", [["write_date", ">=", moment(since)]], new]
        pages = self._list(OPPORTUNITY, [domain], ["id"], {}, times=_LISTED)
        return [id_of(row) for rows in pages for row in rows]

    def merged(self, since: datetime) -> set[int]:
        """The parties that others were merged into since then: this changes their opportunities, but not the time at
        which they were changed."""
        domain = [["replaced_by", "!=", None], ["write_date", ">=", moment(since)]]
        pages = self._list("party.party", domain, ["replaced_by"], {"active_test": False})
        return {row["replaced_by"] for rows in pages for row in rows if isinstance(row.get("replaced_by"), int)}

    def opportunities(self, ids: Sequence[int]) -> list[Json]:
        """Those of these opportunities, no more than `at_once`, that are there."""
        return self._by_id(ids, self._fields, {})

    def revisions(self, ids: Sequence[int]) -> dict[int, list[datetime]]:
        """When each of these opportunities was made, changed or deleted, first to last."""
        found = defaultdict(set)
        for row in self._rows(f"model.{OPPORTUNITY}.history_revisions", list(ids), {}) if ids else []:
            revision = WireRevision.of(row)
            found[revision.id].add(revision.at)
        return {id_: sorted(moments) for id_, moments in found.items()}

    def as_of(self, at: datetime, ids: Sequence[int]) -> Mapping[int, WireVersion]:
        """What these opportunities were at a moment; those that were not there are not in it."""
        rows = self._by_id(ids, ["state", "party"], {"_datetime": moment(at)})
        return {id_of(row): read(WireVersion, row, f"The past of Tryton opportunity {id_of(row)}") for row in rows}

    def _by_id(self, ids: Sequence[int], fields: list[str], context: Json) -> list[Json]:
        rows = self._search_read(OPPORTUNITY, [["id", "in", list(ids)]], len(ids), fields, context)
        if not set(ids).issuperset(map(id_of, rows)):
            raise BadAnswerError(f"{self._client.account} sent other opportunities than those it was asked for.")
        return rows

    def _list(
        self, model: str, domain: list[object], fields: list[str], context: Json, times: int = 1
    ) -> Iterator[list[Json]]:
        """All pages up to an empty one: a short one may come from a server that sends fewer at once."""
        last = 0
        while rows := self._search_read(model, [*domain, ["id", ">", last]], times * self.at_once, fields, context):
            ids = [id_of(row) for row in rows]
            if any(after <= before for before, after in pairwise([last, *ids])):
                raise BadAnswerError(
                    f"{self._client.account} sends the pages of {model} in a wrong order; run the sync again later."
                )
            last = ids[-1]
            yield rows

    def _search_read(
        self, model: str, domain: Sequence[object], limit: int, fields: list[str], context: Json
    ) -> list[Json]:
        method = f"model.{model}.search_read"
        rows = self._rows(method, domain, 0, limit, [["id", "ASC"]], fields, context)
        if not all(isinstance(row, dict) for row in rows):
            raise BadAnswerError(f"{self._client.account} answered {method} with something other than records.")
        return rows

    def _rows(self, method: str, *params: object) -> list[Any]:
        """The list that a method answers; the last parameter is always the context."""
        match self._client.post_json(self._path, {"id": 0, "method": method, "params": [*params]}):
            case {"result": list(rows)}:
                return rows
            # The rest of an error is a message for a person at a screen, which may quote a record.
            case {"error": ["UserError", *_]}:
                raise ScopeError(
                    f"{self._client.account} does not let this user call {method};"
                    " give the user the group Sale Opportunity and the companies to read."
                )
        raise BadAnswerError(
            f"{self._client.account} could not answer {method}; check that the module sale_opportunity is active"
            " there, and look into the server's log."
        )
