"""The few of Pipedrive's endpoints that a sync reads, each to its last page.

What v2 has is asked of v2: its cursor stands behind the last record in the order that was asked for, so neither equal
times nor what changes meanwhile moves a record to another page. Users, leads and changelogs are in v1 only.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from holdwater.crm.client import Client
from holdwater.crm.manners import Headers
from holdwater.crm.paging import follow
from holdwater.crm.pipedrive_wire import Listing, Numbered, Whole, WireAccount, read
from holdwater.errors import BadAnswerError, RefusedError, ScopeError

_LIMIT = 500
_TRIES = 3
_V1, _V2 = "/v1", "/api/v2"
_BY_ID: Mapping[str, str | int] = {"sort_by": "id", "sort_direction": "asc"}
_BY_TIME: Mapping[str, str | int] = {"sort_by": "update_time", "sort_direction": "asc"}
_MARKETING: Mapping[str, str | int] = {"include_fields": "marketing_status"}
Deals = Literal["deals", "deals/archived"]


class Api:
    """Pipedrive's answers, checked for their shape, `at_once` rows in each."""

    def __init__(self, client: Client, *, at_once: int = _LIMIT) -> None:
        self._client = client
        self._at_once = at_once

    def account(self) -> WireAccount:
        """The company that the token opens."""
        return read(WireAccount, self._client.get_json(f"{_V1}/users/me"), "Pipedrive's answer to GET /v1/users/me")

    def users(self) -> list[Any]:
        """All of them: this list has no pages."""
        return read(Whole, self._client.get_json(f"{_V1}/users"), "Pipedrive's answer to GET /v1/users").data

    def stages(self) -> list[Any]:
        return [row for rows in self._list("stages", _BY_ID) for row in rows]

    def deal_fields(self) -> list[Any]:
        return [row for rows in self._list("dealFields", {}) for row in rows]

    def deals(self, which: Deals, *, deleted: bool = False) -> Iterator[list[Any]]:
        """All of them; the archived ones are on no other list. The `deleted` are those of the last 30 days."""
        status = {"status": "open,won,lost,deleted"} if deleted else {}
        return self._list(which, {**_BY_ID, **status})

    def changed_deals(self, which: Deals, since: datetime | None) -> Iterator[list[Any]]:
        """Those that have changed since then, the earliest change first."""
        return self._list(which, {**_BY_TIME, **_since(since)})

    def persons(self) -> Iterator[list[Any]]:
        """All of them, with what they allow where the account knows it: that takes an add-on of Pipedrive's."""
        try:
            first = self._page("persons", {**_BY_ID, **_MARKETING}, None)
        except (RefusedError, ScopeError):
            return self._list("persons", _BY_ID)
        return self._list("persons", {**_BY_ID, **_MARKETING}, first)

    def activities(self, since: datetime | None) -> Iterator[list[Any]]:
        return self._list("activities", {**_BY_ID, **_since(since)})

    def changes(self, deal_id: int) -> Iterator[list[Any]]:
        """What has changed in a deal, the latest change first."""
        path = f"{_V1}/deals/{deal_id}/changelog"

        def fetch(cursor: str | None) -> Listing:
            params: dict[str, str | int] = {"limit": self._at_once} | ({"cursor": cursor} if cursor else {})
            return read(Listing, self._client.get_json(path, params), f"Pipedrive's answer to GET {path}")

        return (page.data for page in follow(fetch, lambda page: page.cursor, f"Pipedrive's list at {path}"))

    def leads(self, *, archived: bool) -> Iterator[list[Any]]:
        """All that are in the inbox, or in its archive.

        This list goes by positions: when a lead leaves it, all after it move up by one, and one of them would be missed
        between two pages. Each page therefore begins with the last lead of the one before, which shows that none moved.
        """
        path = f"{_V1}/leads/archived" if archived else f"{_V1}/leads"
        for _ in range(_TRIES):
            if (yield from self._positions(path)):
                return
        raise BadAnswerError(
            f"Pipedrive's list at {path} changes faster than it can be read; run the sync again later."
        )

    def _positions(self, path: str) -> Generator[list[Any], None, bool]:
        """Pages up to the end, and whether nothing has moved meanwhile."""
        start, last = 0, None
        while True:
            params: dict[str, str | int] = {"start": start, "limit": self._at_once}
            page = read(Numbered, self._client.get_json(path, params), f"Pipedrive's answer to GET {path}")
            rows = page.data
            if last is not None and (not rows or _id(rows[0]) != last):
                return False
            if page.more and len(rows) < 2:
                raise BadAnswerError(f"Pipedrive's list at {path} does not go on; run the sync again later.")
            yield rows
            if not page.more:
                return True
            start, last = start + len(rows) - 1, _id(rows[-1])

    def _list(self, name: str, params: Mapping[str, str | int], first: Listing | None = None) -> Iterator[list[Any]]:
        """All pages; `first` is one that is there already."""

        def fetch(cursor: str | None) -> Listing:
            return first if first and cursor is None else self._page(name, params, cursor)

        pages = follow(fetch, lambda page: page.cursor, f"Pipedrive's list at {_V2}/{name}")
        return (page.data for page in pages)

    def _page(self, name: str, params: Mapping[str, str | int], cursor: str | None) -> Listing:
        path = f"{_V2}/{name}"
        asked = {**params, "limit": self._at_once} | ({"cursor": cursor} if cursor else {})
        return read(Listing, self._client.get_json(path, asked), f"Pipedrive's answer to GET {path}")


def pause(headers: Headers) -> float:
    """The seconds until the window of two seconds is over, if it has no room for another request."""
    if headers.get("x-ratelimit-remaining") != "0":
        return 0.0
    reset = headers.get("x-ratelimit-reset", "")
    return float(reset) if reset.isdecimal() else 0.0


def used_up(status: int, headers: Headers, _body: bytes) -> bool:
    """Whether the day's tokens are spent, or whoever stands before Pipedrive has had enough: it answers in HTML."""
    if status == 429:
        left = headers.get("x-daily-ratelimit-token-remaining", "")
        return left.lstrip("-").isdecimal() and int(left) <= 0
    return status == 403 and "html" in headers.get("content-type", "").lower()


def _since(moment: datetime | None) -> dict[str, str | int]:
    """Inclusive; a fraction of a second, or a blank for the T, is refused."""
    return {} if moment is None else {"updated_since": moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}


def _id(row: object) -> object:
    return row.get("id") if isinstance(row, Mapping) else None
