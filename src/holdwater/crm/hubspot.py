"""The HubSpot connector: contacts are leads, deals are deals.

Only the properties that a figure needs are requested: no name, no e-mail address. What was deleted is listed among the
archived objects for some weeks, and what was merged is named by the object that lives on; neither is found by a search.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from types import TracebackType
from typing import Generic, Literal, Self, TypeVar

import httpx

from holdwater.crm import credentials
from holdwater.crm.client import Client
from holdwater.crm.connector import Gone, Identities, Issue, Page
from holdwater.crm.credentials import Token
from holdwater.crm.hubspot_api import CONTACTS, DEALS, Api
from holdwater.crm.hubspot_records import merged_into, to_deal, to_lead, to_owner, to_stages
from holdwater.crm.hubspot_wire import (
    Listing,
    WireAccount,
    WireContact,
    WireDeal,
    WireOwner,
    WirePipeline,
    read_record,
)
from holdwater.crm.pacing import Pacing
from holdwater.crm.records import Owner, Record, Stage
from holdwater.crm.together import together
from holdwater.errors import BadAnswerError, SetupError

ADDRESS = "https://api.hubapi.com"
_SEARCH_CAP = 10_000  # a search answers 400 beyond its first 10,000 results
_SEARCH_TRIES = 3
Wire = TypeVar("Wire", WireContact, WireDeal)

_STREAMS = {"leads": CONTACTS, "deals": DEALS}


def connect(
    base_url: str = ADDRESS,
    token: Token | None = None,
    *,
    home_currency: str | None = None,
    transport: httpx.BaseTransport | None = None,
) -> HubSpot:
    """A connector within the limits of the smallest plan; without `token`, the environment's or the keyring's."""
    pacing = Pacing(requests=100, seconds=10)
    client = Client(base_url, token or credentials.token("hubspot"), pacing=pacing, transport=transport)
    return HubSpot(client, home_currency=home_currency)


class HubSpot:
    """Reads owners, stages, contacts and deals; `client` counts what that cost.

    `home_currency` is for deals that state none; without it, the account's own, in which HubSpot means them.
    `overlap` is read again before each watermark, since a search sees changes late.
    """

    def __init__(
        self,
        client: Client,
        *,
        home_currency: str | None = None,
        overlap: timedelta = timedelta(minutes=10),
        searches: Pacing | None = None,
    ) -> None:
        if home_currency is not None and not re.fullmatch("[A-Z]{3}", home_currency):
            raise SetupError("The home currency must be three capital letters, such as USD or EUR.")
        self.client = client
        self._api = Api(client, searches or Pacing(requests=5, seconds=1))
        self._home_currency = home_currency
        self._overlap = overlap

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self.client.close()

    @property
    def requests(self) -> int:
        return self.client.requests

    @property
    def retries(self) -> int:
        return self.client.retries

    @property
    def throttled_seconds(self) -> float:
        return self.client.throttled_seconds

    @property
    def connection(self) -> str:
        """The account's own number: the address is the same for all accounts, and a token may be exchanged."""
        return f"hubspot:{self._account.portal_id}"

    @cached_property
    def _account(self) -> WireAccount:
        return self._api.account()

    def pages(self, watermarks: Mapping[str, datetime]) -> Iterator[Page]:
        """Owners, stages, leads, deals, in this order; owners and stages are few and always read in full.

        The window ends where the owners' answer came, by the server's clock: what changes while the other pages
        are read belongs to the next window.
        """
        owners = self._owners()
        end = self.client.server_time
        if end is None:
            raise BadAnswerError(f"{self.client.account} sends no Date header; check the address, or a proxy between.")
        yield Page("owners", owners, end)
        stages = self._stages()
        yield Page("stages", list(stages.values()), end)
        yield from together([self._stream(stream, stages, watermarks.get(stream), end) for stream in _STREAMS])

    def identities(self) -> Iterator[Identities]:
        """The ids of all leads and deals that are not archived."""
        for stream, kind in _STREAMS.items():
            for answer in self._api.ids(kind, archived=False):
                yield Identities(stream, _ids(answer), last=answer.after is None)

    def _owners(self) -> list[Owner]:
        return [
            to_owner(read_record(WireOwner, result, "owner"))
            for archived in (False, True)
            for answer in self._api.owners(archived=archived)
            for result in answer.results
        ]

    def _stages(self) -> dict[str, Stage]:
        pipelines = (
            read_record(WirePipeline, result, "pipeline")
            for answer in self._api.pipelines()
            for result in answer.results
        )
        return {stage.id: stage for pipeline in pipelines for stage in to_stages(pipeline)}

    def _stream(
        self, stream: str, stages: Mapping[str, Stage], since: datetime | None, end: datetime
    ) -> Iterator[Page]:
        outcome = "too many"
        if since is not None:
            for _ in range(_SEARCH_TRIES):
                outcome = yield from self._changes(stream, stages, since - self._overlap, end)
                if outcome != "moved":
                    break
        if outcome != "complete":
            yield from self._everything(stream, stages, end)
        for answer in self._api.ids(_STREAMS[stream], archived=True):
            yield Page(stream, [], gone=[Gone(id_, "archived") for id_ in _ids(answer)])

    def _everything(self, stream: str, stages: Mapping[str, Stage], end: datetime) -> Iterator[Page]:
        kind = _STREAMS[stream]
        for answer in self._api.objects(kind, associations="contacts" if kind is DEALS else None):
            page, last = self._page(stream, answer, stages, associated=True), answer.after is None
            yield replace(page, watermark=end if last else None, whole=True, last=last)

    def _changes(
        self, stream: str, stages: Mapping[str, Stage], start: datetime, end: datetime
    ) -> Generator[Page, None, Literal["complete", "moved", "too many"]]:
        """What changed from `start` to `end`; only a complete answer sets the watermark.

        A search's cursor is a position. An object that changes while the pages are read leaves the window, all
        after it move up by one, and the first of the next page would be missed; the changed total gives it away.
        """
        kind = _STREAMS[stream]
        seen: set[object] = set()
        total: int | None = None
        complete = False
        for answer in self._api.changed(kind, start, end):
            total = answer.total if total is None else total
            if total > _SEARCH_CAP:
                # Cutting the window into pieces below the cap fails where a bulk edit gave them all one time;
                # a list has no cap, and 10,000 changes are a good part of most accounts anyway.
                return "too many"
            seen.update(result.get("id") for result in answer.results)
            complete = answer.after is None and answer.total == total == len(seen)
            page = self._page(stream, answer, stages, associated=False)
            yield replace(page, watermark=end if complete else None, expected=total)
            if answer.total != total:
                break
        return "complete" if complete else "moved"

    def _page(self, stream: str, answer: Listing, stages: Mapping[str, Stage], *, associated: bool) -> Page:
        """`associated`: each deal comes with its contacts, or with the first of them."""
        if _STREAMS[stream] is CONTACTS:
            contacts = Readings(stream, "contact", WireContact, answer)
            return contacts.page(to_lead)
        currency = self._home_currency or self._account.company_currency
        deals = Readings(stream, "deal", WireDeal, answer)
        if associated:
            known = {
                deal.id: self._api.all_contacts_of(deal.id) if deal.contacts.after else deal.contacts.results
                for deal in deals.read
            }
        else:
            known = self._api.contacts_of([deal.id for deal in deals.read])
        return deals.page(lambda deal: to_deal(deal, known.get(deal.id, []), stages, currency))


def _ids(answer: Listing) -> list[str]:
    return [str(result["id"]) for result in answer.results if "id" in result]


class Readings(Generic[Wire]):
    """The objects of one answer: those that can be read, and an issue for each that cannot."""

    def __init__(self, stream: str, kind: str, model: type[Wire], answer: Listing) -> None:
        self._stream: str = stream
        self._issues: list[Issue] = []
        self.read: list[Wire] = []
        for result in answer.results:
            with self._noting(str(result.get("id"))):
                self.read.append(read_record(model, result, kind))

    def page(self, record_of: Callable[[Wire], Record]) -> Page:
        records, gone = [], []
        for wire in self.read:
            with self._noting(wire.id):
                records.append(record_of(wire))
                gone += merged_into(wire)
        return Page(self._stream, records, gone=gone, issues=self._issues)

    @contextmanager
    def _noting(self, id_: str) -> Iterator[None]:
        try:
            yield
        except BadAnswerError as problem:
            self._issues.append(Issue(id_, str(problem)))
