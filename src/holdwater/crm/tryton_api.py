"""The few questions to Tryton that a sync asks, each to its last page.

Pages go on behind the last id: ids never change, so nothing that changes meanwhile moves a record to another page,
and it does not matter how many records share a time of change.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from itertools import pairwise
from typing import Any

from holdwater.crm.client import Client
from holdwater.crm.tryton_wire import Json, WireRevision, WireVersion, day, id_of, moment, read
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

    def count(self, before: datetime, started: date) -> int:
        """How many opportunities were made before a moment, or began on a day or earlier, whenever they were made."""
        domain = ["OR", ["create_date", "<", moment(before)], ["start_date", "<=", day(started)]]
        method = f"model.{OPPORTUNITY}.search_count"
        found = self._result(method, domain, {})
        if type(found) is not int or found < 0:
            raise BadAnswerError(f"{self._client.account} answered {method} with something other than a number.")
        return found

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

    def opportunities(self, ids: Sequence[int]) -> dict[int, Json]:
        """Those of these opportunities, no more than `at_once`, that are there."""
        found, _ = self._by_id(ids, self._fields, {})
        return found

    def revisions(self, ids: Sequence[int]) -> dict[int, list[datetime]]:
        """When each of these opportunities was made, changed or deleted, first to last."""
        found = defaultdict(set)
        for row in self._rows(f"model.{OPPORTUNITY}.history_revisions", list(ids), {}) if ids else []:
            revision = WireRevision.of(row)
            found[revision.id].add(revision.at)
        return {id_: sorted(moments) for id_, moments in found.items()}

    def as_of(self, at: datetime, ids: Sequence[int]) -> dict[int, WireVersion | None]:
        """What these opportunities were at a moment, None where that cannot be read; none that was not there."""
        rows, all_usable = self._by_id(ids, ["state", "party"], {"_datetime": moment(at)})
        versions = {id_: _version(row) for id_, row in rows.items()}
        return versions if all_usable else dict.fromkeys(ids) | versions

    def _by_id(self, ids: Sequence[int], fields: list[str], context: Json) -> tuple[dict[int, Json], bool]:
        """Each record that one row alone claims to be, and whether each row was of use."""
        rows = self._search_read(OPPORTUNITY, [["id", "in", list(ids)]], len(ids), fields, context)
        wanted = set(ids)
        claimed = Counter(id_ for row in rows if type(id_ := row.get("id")) is int and id_ in wanted)
        found = {row["id"]: row for row in rows if type(row.get("id")) is int and claimed[row["id"]] == 1}
        return found, len(found) == len(rows)

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
        found = self._result(method, *params)
        if not isinstance(found, list):
            raise self._no_answer(method)
        return found

    def _result(self, method: str, *params: object) -> object:
        """What a method answers; the last parameter is always the context."""
        match self._client.post_json(self._path, {"id": 0, "method": method, "params": [*params]}):
            case {"result": found}:
                return found
            # The rest of an error is a message for a person at a screen, which may quote a record.
            case {"error": ["UserError", *_]}:
                raise ScopeError(
                    f"{self._client.account} does not let this user call {method};"
                    " give the user the group Sale Opportunity and the companies to read."
                )
        raise self._no_answer(method)

    def _no_answer(self, method: str) -> BadAnswerError:
        return BadAnswerError(
            f"{self._client.account} could not answer {method}; check that the module sale_opportunity is active"
            " there, and look into the server's log."
        )


def _version(row: Json) -> WireVersion | None:
    try:
        return read(WireVersion, row, "The past of a Tryton opportunity")
    except BadAnswerError:
        return None
