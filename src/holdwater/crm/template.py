"""A connector to begin with: of Pocket, a CRM that does not exist; docs/add_your_crm.md walks through it.

Pocket lists people and deals in the order of their last change, also those that were removed of late.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, Literal

import httpx
from pydantic import Field, PlainValidator

from holdwater.crm import credentials
from holdwater.crm.client import Client
from holdwater.crm.connector import Gone, Identities, Page
from holdwater.crm.credentials import Token
from holdwater.crm.over_http import OverHttp
from holdwater.crm.pacing import Pacing
from holdwater.crm.paging import follow
from holdwater.crm.part import FAST_CLOCK, Part
from holdwater.crm.records import Deal, Lead, Money, source_name
from holdwater.crm.wire import Wire, Written, read, utc_moment

ADDRESS = "https://api.pocket.example"
_STREAMS = {"leads": "people", "deals": "deals"}  # what Holdwater calls them, and what Pocket does

# 1. What Pocket's answers look like. pydantic refuses what cannot be right; what is not listed here is not read.

Id = Annotated[str, Field(pattern="^[0-9]{1,18}$")]


def _maybe_moment(value: object) -> datetime | None:
    return None if value is None else utc_moment(value)


Moment = Annotated[datetime, PlainValidator(utc_moment)]
MaybeMoment = Annotated[datetime | None, PlainValidator(_maybe_moment)]


class WireAccount(Wire):
    id: Id


class Listing(Wire):
    items: list[Any]  # read one by one, so that one bad item does not take the others along
    next: Written | None


class WireCount(Wire):
    count: Annotated[int, Field(ge=0, strict=True)]


class WireRemoved(Wire):
    id: Id
    removed: Literal[True]
    merged_into: Id | None = None


class WirePerson(Wire):
    id: Id
    created: Moment
    changed: Moment
    source: Written | None


class WireDeal(Wire):
    id: Id
    created: Moment
    changed: Moment
    state: Literal["open", "won", "lost"]
    person: Id | None
    amount: Annotated[str, Field(pattern=r"^-?[0-9]{1,12}(\.[0-9]{1,4})?$")] | None
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]
    closed: MaybeMoment
    reason: Written | None


# 2. How they become records. Times are UTC, money keeps its text, what is missing is None: never 0, never "".


def to_lead(wire: WirePerson) -> Lead:
    return Lead(
        id=wire.id,
        created_at=wire.created,
        updated_at=wire.changed,
        source=source_name(wire.source),
        source_raw=wire.source,
    )


def to_deal(wire: WireDeal) -> Deal:
    return Deal(
        id=wire.id,
        status=wire.state,
        created_at=wire.created,
        updated_at=wire.changed,
        lead_id=wire.person,
        closed_at=None if wire.state == "open" else wire.closed,
        amount=Money.of(Decimal(wire.amount), wire.currency, wire.amount) if wire.amount else None,
        lost_reason=source_name(wire.reason),
        lost_reason_raw=wire.reason,
    )


# 3. The connector: which pages there are, and up to when everything has been read.


def connect(address: str | None, token: Token | None = None, *, transport: httpx.BaseTransport | None = None) -> Pocket:
    """Without `token`, the environment's or the keyring's. Pocket allows five requests a second."""
    given = token or credentials.token("pocket")
    return Pocket(Client(address or ADDRESS, given, pacing=Pacing(5, 1), transport=transport))


class Pocket(OverHttp):
    """Reads people and deals; `overlap` is read again before each watermark, for changes that were listed late."""

    remembers = timedelta(days=30)  # how long Pocket lists what was removed; leave it out if yours does so for ever

    def __init__(self, client: Client, *, overlap: timedelta = timedelta(minutes=10)) -> None:
        super().__init__(client)
        self._client = client
        self._overlap = overlap

    @cached_property
    def connection(self) -> str:
        """By the account's own number: a token may be exchanged, and the address is the same for all."""
        return f"pocket:{self._account().id}"

    def pages(self, watermarks: Mapping[str, datetime]) -> Iterator[Page]:
        """What changed since the watermarks; the window ends now, by the server's clock and not by ours."""
        self._account()
        end = self._client.present
        for stream in _STREAMS:
            yield from self._stream(stream, watermarks.get(stream), end)

    def identities(self) -> Iterator[Identities]:
        """All ids, so that what went without a trace is found."""
        for stream, listed in _STREAMS.items():
            for answer in self._list(f"/pocket/{listed}/ids", {}):
                ids = [read(WireAccount, item, f"Pocket's list of {listed}", "Pocket").id for item in answer.items]
                yield Identities(stream, ids)
            yield Identities(stream, [], last=True)

    def counts(self, before: datetime) -> Mapping[str, int]:
        """What Pocket says it has. Leave this out if your CRM does not count exactly what becomes a record of ours."""
        asked = {"before": before.isoformat()}
        return {
            stream: read(
                WireCount,
                self._client.get_json(f"/pocket/{listed}/count", asked),
                f"Pocket's count of {listed}",
                "Pocket",
            ).count
            for stream, listed in _STREAMS.items()
        }

    def _stream(self, stream: str, since: datetime | None, end: datetime) -> Iterator[Page]:
        whole, place = since is None, 0
        asked = {"since": (since - self._overlap).isoformat()} if since else {}
        for answer in self._list(f"/pocket/{_STREAMS[stream]}", asked):
            part = Part(end + FAST_CLOCK)
            for item in answer.items:
                place += 1
                name = name_of(item)
                whole = whole and name is not None  # what has no name may be what would be missed
                with part.noting(name or f"{_STREAMS[stream]} no. {place}"):
                    _take(stream, item, f"Pocket's {stream} {name or 'without an id'}", part)
            yield replace(part.page(stream), whole=since is None)
        # What a reading of everything has not met is gone.
        yield Page(stream, [], end, whole=whole, last=whole)

    def _account(self) -> WireAccount:
        return read(
            WireAccount, self._client.get_json("/pocket/account"), "Pocket's answer about the account", "Pocket"
        )

    def _list(self, path: str, asked: Mapping[str, str]) -> Iterator[Listing]:
        def fetch(cursor: str | None) -> Listing:
            params = {**asked, "cursor": cursor} if cursor else asked
            return read(Listing, self._client.get_json(path, params), f"Pocket's answer to {path}", "Pocket")

        return follow(fetch, lambda answer: answer.next, f"Pocket's list at {path}")


def _take(stream: str, item: Any, what: str, part: Part) -> None:
    """One item becomes a record, or the news that one is gone."""
    if isinstance(item, dict) and "removed" in item:
        removed = read(WireRemoved, item, what, "Pocket")
        part.gone.append(Gone(removed.id, "merged" if removed.merged_into else "deleted", removed.merged_into))
    elif stream == "leads":
        part.add(to_lead(read(WirePerson, item, what, "Pocket")))
    else:
        part.add(to_deal(read(WireDeal, item, what, "Pocket")))


def name_of(item: object) -> str | None:
    """The id, where it looks like one: anything else might be personal, and is not shown."""
    found = item.get("id") if isinstance(item, dict) else None
    return found if isinstance(found, str) and re.fullmatch("[0-9]{1,18}", found) else None
