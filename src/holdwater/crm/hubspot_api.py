"""The few of HubSpot's endpoints (dated API 2026-09) that a sync reads, each to its last page."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from holdwater.crm.client import Client, JsonObject
from holdwater.crm.hubspot_objects import ObjectType
from holdwater.crm.hubspot_wire import (
    Associated,
    Batch,
    ContactsOf,
    Found,
    Listing,
    Trouble,
    WireAccount,
    read,
)
from holdwater.crm.manners import Headers
from holdwater.crm.pacing import Pacing
from holdwater.crm.paging import follow
from holdwater.crm.wire import Model
from holdwater.errors import BadAnswerError

_VERSION = "2026-09"
_LIST_LIMIT, _BATCH_LIMIT = 100, 1000
_HISTORY_LIMIT = 50  # of a list or a batch that wants past values
_SEARCH_LIMIT = 200
MOST_LEFT_OUT = 100  # values that one filter takes
_NO_CONTACTS = "crm.associations.NO_ASSOCIATIONS_FOUND"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Api:
    """HubSpot's answers, lists page by page, checked for their shape; `searches` is the pace HubSpot sets for those."""

    def __init__(self, client: Client, searches: Pacing) -> None:
        self._client = client
        self._searches = searches

    def account(self) -> WireAccount:
        """The account that the token opens."""
        path = f"/account-info/{_VERSION}/details"
        return read(WireAccount, self._client.get_json(path), _answer("GET", path))

    def owners(self, *, archived: bool) -> Iterator[Listing]:
        """Either those who left or those who did not; no answer holds both."""
        return self._list(f"/crm/owners/{_VERSION}", {"archived": str(archived).lower()})

    def pipelines(self) -> Iterator[Listing]:
        return self._list(f"/crm/pipelines/{_VERSION}/deals", {})

    def objects(self, kind: ObjectType) -> Iterator[Listing]:
        """All objects that are not archived, with their contacts and their past."""
        params: dict[str, str | int] = {"properties": ",".join(kind.properties), "archived": "false"}
        if kind.associated:
            params["associations"] = "contacts"
        if kind.history:
            params |= {"propertiesWithHistory": kind.history, "limit": _HISTORY_LIMIT}
        return self._list(f"/crm/objects/{_VERSION}/{kind.name}", params)

    def ids(self, kind: ObjectType, *, archived: bool) -> Iterator[Listing]:
        """The same with as little as HubSpot sends: the archived ones, or the others."""
        params = {"properties": kind.changed, "archived": str(archived).lower()}
        return self._list(f"/crm/objects/{_VERSION}/{kind.name}", params)

    def changed(self, kind: ObjectType, start: datetime, end: datetime) -> Iterator[Found]:
        """The objects whose last change lies from `start` to `end`, without their contacts and their past."""
        path = f"/crm/objects/{_VERSION}/{kind.name}/search"
        window = [
            {"propertyName": kind.changed, "operator": "GTE", "value": _epoch_ms(start)},
            {"propertyName": kind.changed, "operator": "LTE", "value": _epoch_ms(end)},
        ]

        def fetch(after: str | None) -> Found:
            # HubSpot wants all five, and the cursor as text from the first page on.
            question: JsonObject = {
                "filterGroups": [{"filters": window}],
                "sorts": [{"propertyName": kind.changed, "direction": "ASCENDING"}],
                "properties": list(kind.properties),
                "limit": _SEARCH_LIMIT,
                "after": after or "0",
            }
            return read(Found, self._client.post_json(path, question, pacing=self._searches), _answer("POST", path))

        return follow(fetch, lambda answer: answer.after, f"HubSpot's search at {path}")

    def count(self, kind: ObjectType, before: datetime, without: Sequence[str]) -> int:
        """How many objects that were made before a moment a search finds; `without` some ids, MOST_LEFT_OUT of them."""
        path = f"/crm/objects/{_VERSION}/{kind.name}/search"
        made = {"propertyName": "createdate", "operator": "LT", "value": _epoch_ms(before)}
        emptied = {"propertyName": "createdate", "operator": "NOT_HAS_PROPERTY"}
        left_out = {"propertyName": "hs_object_id", "operator": "NOT_IN", "values": [*without]}
        question: JsonObject = {
            "filterGroups": [{"filters": [one, left_out] if without else [one]} for one in (made, emptied)],
            "sorts": [],
            "properties": [kind.changed],
            "limit": 1,
            "after": "0",
        }
        return read(Found, self._client.post_json(path, question, pacing=self._searches), _answer("POST", path)).total

    def contacts_of(self, kind: ObjectType, ids: Sequence[str]) -> dict[str, list[Associated]]:
        """The contacts of each object; one whose answer cannot be read is left out."""
        found: dict[str, list[Associated]] = {}
        for inputs in _chunks(ids, _BATCH_LIMIT):
            batch = self._contacts(kind, [{"id": one} for one in inputs])
            # An object without contacts counts as an error of its own in an answer that is otherwise good.
            found |= {one: [] for trouble in batch.errors if trouble.context for one in trouble.context.from_ids}
            for result in _readable(ContactsOf, batch.results):
                one = result.object.id
                found[one] = self.all_contacts_of(kind, one) if result.after else result.to
        return found

    def all_contacts_of(self, kind: ObjectType, id_: str) -> list[Associated]:
        """The contacts of an object that has more than one answer holds."""
        what = f"HubSpot's list of the contacts of {kind.singular} {id_}"

        def fetch(after: str | None) -> list[ContactsOf]:
            batch = self._contacts(kind, [{"id": id_, "after": after} if after else {"id": id_}])
            return [read(ContactsOf, result, what) for result in batch.results]

        pages = follow(fetch, lambda results: next((result.after for result in results), None), what)
        return [contact for results in pages for result in results for contact in result.to]

    def _contacts(self, kind: ObjectType, inputs: list[dict[str, str]]) -> Batch:
        path = f"/crm/associations/{_VERSION}/{kind.name}/contacts/batch/read"
        return self._batch(path, {"inputs": inputs}, lambda trouble: trouble.sub_category == _NO_CONTACTS)

    def histories(self, kind: ObjectType, ids: Sequence[str]) -> Iterator[object]:
        """Each object with the past of the property that is wanted with it; what has gone meanwhile is left out."""
        path = f"/crm/objects/{_VERSION}/{kind.name}/batch/read"
        for inputs in _chunks(ids, _HISTORY_LIMIT):
            question: JsonObject = {
                "inputs": [{"id": one} for one in inputs],
                "properties": [kind.changed],
                "propertiesWithHistory": [kind.history],
            }
            yield from self._batch(path, question, lambda trouble: trouble.category == "OBJECT_NOT_FOUND").results

    def _batch(self, path: str, question: JsonObject, expected: Callable[[Trouble], bool]) -> Batch:
        batch = read(Batch, self._client.post_json(path, question), _answer("POST", path))
        if not all(map(expected, batch.errors)):
            raise BadAnswerError(
                f"HubSpot answered POST {path} for some of the objects only; run the sync again later."
            )
        return batch

    def _list(self, path: str, params: Mapping[str, str | int]) -> Iterator[Listing]:
        def fetch(after: str | None) -> Listing:
            cursor = {"after": after} if after else {}
            answer = self._client.get_json(path, {"limit": _LIST_LIMIT, **params, **cursor})
            return read(Listing, answer, _answer("GET", path))

        return follow(fetch, lambda answer: answer.after, f"HubSpot's list at {path}")


def used_up(status: int, _headers: Headers, body: bytes) -> bool:
    """The requests of a day; those of seconds are soon there again."""
    return status == 429 and re.search(rb'"policyName"\s*:\s*"DAILY"', body) is not None


def _readable(model: type[Model], results: Sequence[object]) -> Iterator[Model]:
    for result in results:
        with suppress(BadAnswerError):
            yield read(model, result, "one of HubSpot's results")


def _chunks(ids: Sequence[str], most: int) -> Iterator[Sequence[str]]:
    return (ids[start : start + most] for start in range(0, len(ids), most))


def _answer(method: str, path: str) -> str:
    return f"HubSpot's answer to {method} {path}"


def _epoch_ms(moment: datetime) -> str:
    return str((moment - _EPOCH) // timedelta(milliseconds=1))
