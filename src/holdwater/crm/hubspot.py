"""The HubSpot connector: contacts are leads, deals are deals.

Only the properties that a figure needs are requested: no name, no e-mail address. What was deleted is listed among the
archived objects for some weeks, and what was merged is named by the object that lives on; neither is found by a search.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Literal

import httpx

from holdwater.crm import credentials, persons
from holdwater.crm.client import Client
from holdwater.crm.connector import Gone, Identities, Issue, Page
from holdwater.crm.credentials import Token
from holdwater.crm.hubspot_api import MOST_LEFT_OUT, Api, used_up
from holdwater.crm.hubspot_objects import CALLS, CONTACTS, DEALS, EMAILS, MEETINGS, MESSAGES
from holdwater.crm.hubspot_reading import Activities, Contacts, Deals, Reader
from holdwater.crm.hubspot_records import to_owner, to_stage
from holdwater.crm.hubspot_wire import (
    WireAccount,
    WireOwner,
    WirePipeline,
    WireStage,
    archived_since,
    name_of,
    read_record,
)
from holdwater.crm.manners import Manners
from holdwater.crm.over_http import OverHttp
from holdwater.crm.pacing import Pacing
from holdwater.crm.part import FAST_CLOCK, Part
from holdwater.crm.records import Stage
from holdwater.crm.together import together
from holdwater.errors import BadAnswerError, ScopeError, SetupError

ADDRESS = "https://api.hubapi.com"
_PAGES = re.compile(r"app(-[a-z0-9]+)?\.hubspot\.com")  # the host where people look at an account
MANNERS = Manners(used_up=used_up)
_SEARCH_CAP = 10_000  # a search answers 400 beyond its first 10,000 results
_SEARCH_TRIES = 3
_COUNTED = {"leads": CONTACTS, "deals": DEALS}
_INDEX_DELAY = timedelta(hours=1)  # for so long a search may go on finding what is gone

Readers = Sequence[Reader[Any]]  # each has its own type of object


def connect(
    base_url: str = ADDRESS,
    token: Token | None = None,
    *,
    home_currency: str | None = None,
    transport: httpx.BaseTransport | None = None,
) -> HubSpot:
    """A connector within the limits of the smallest plan; without `token`, the environment's or the keyring's."""
    pacing = Pacing(requests=100, seconds=10)
    token = token or credentials.token("hubspot")
    client = Client(base_url, token, manners=MANNERS, pacing=pacing, transport=transport)
    person = persons.person_key if persons.recognised() else None
    return HubSpot(client, home_currency=home_currency, person=person)


class HubSpot(OverHttp):
    """Reads owners, stages, contacts, deals and activities; `client` counts what that cost.

    `home_currency` is for deals that state none; without it, the account's own, in which HubSpot means them.
    `person` makes of an e-mail address what the store may keep of it; without it, no address is asked for.
    `overlap` is read again before each watermark, since a search sees changes late.
    """

    remembers = timedelta(days=60)  # what was deleted can be restored for some three months, and is listed for so long

    def __init__(
        self,
        client: Client,
        *,
        home_currency: str | None = None,
        person: Callable[[str | None], str | None] | None = None,
        overlap: timedelta = timedelta(minutes=10),
        searches: Pacing | None = None,
        search_cap: int = _SEARCH_CAP,
    ) -> None:
        if home_currency is not None and not re.fullmatch("[A-Z]{3}", home_currency):
            raise SetupError("The home currency must be three capital letters, such as USD or EUR.")
        super().__init__(client)
        self.client = client
        self._api = Api(client, searches or Pacing(requests=5, seconds=1))
        self._home_currency = home_currency
        self._person = person
        self._overlap = overlap
        self._search_cap = search_cap
        self._just_gone: dict[str, set[str]] = {stream: set() for stream in _COUNTED}

    @property
    def connection(self) -> str:
        """The account's own number: the address is the same for all accounts, and a token may be exchanged."""
        return f"hubspot:{self._account.portal_id}"

    @property
    def site(self) -> str:
        told = self._account.ui_domain
        host = told if isinstance(told, str) and _PAGES.fullmatch(told) else "app.hubspot.com"
        return f"https://{host}/contacts/{self._account.portal_id}"

    @cached_property
    def _account(self) -> WireAccount:
        return self._api.account()

    def pages(self, watermarks: Mapping[str, datetime]) -> Iterator[Page]:
        """Owners and stages first, which are few and always read in full; then all other streams side by side.

        The window ends where the owners' answer came, by the server's clock: what changes while the other pages
        are read belongs to the next window.
        """
        owners = self._owners()
        end = self.client.present
        yield replace(owners.page("owners"), watermark=end)
        stages = self._stages()
        yield replace(stages.page("stages"), watermark=end)
        known = {stage.id: stage for stage in stages.records if isinstance(stage, Stage)}
        groups = self._readers(known, end + FAST_CLOCK)
        yield from together([self._group(readers, watermarks, end) for readers in groups])

    def identities(self) -> Iterator[Identities]:
        """The ids of all leads, deals and activities that are not archived."""
        for readers in self._readers({}, None):
            try:
                for reader in readers:
                    for answer in self._api.ids(reader.kind, archived=False):
                        yield Identities(reader.streams[0], [reader.id_of(_id(result)) for result in answer.results])
                yield Identities(readers[0].streams[0], [], last=True)
            except ScopeError:
                if not readers[0].optional:
                    raise

    def counts(self, before: datetime) -> Mapping[str, int]:
        """Of contacts and deals, as a search finds them; one that has gone too many of late is left out."""
        return {
            stream: self._api.count(kind, before, sorted(self._just_gone[stream]))
            for stream, kind in _COUNTED.items()
            if len(self._just_gone[stream]) <= MOST_LEFT_OUT
        }

    def _readers(self, stages: Mapping[str, Stage], latest: datetime | None) -> list[Readers]:
        """The types of object that are read, those of one stream together."""
        currency = self._home_currency or self._account.company_currency
        kinds = (CALLS, EMAILS, MEETINGS, MESSAGES)
        return [
            [Contacts(self._api, latest, self._person)],
            [Deals(self._api, latest, stages, currency)],
            [Activities(self._api, kind, latest) for kind in kinds],
        ]

    def _owners(self) -> Part:
        part = Part()
        answers = [answer for archived in (False, True) for answer in self._api.owners(archived=archived)]
        results = [result for answer in answers for result in answer.results]
        for place, result in enumerate(results, 1):
            with part.noting(name_of(result) or f"owners no. {place}"):
                part.add(to_owner(read_record(WireOwner, result, "owner")))
        return part

    def _stages(self) -> Part:
        part = Part()
        results = [one for answer in self._api.pipelines() for one in answer.results]
        for place, result in enumerate(results, 1):
            with part.noting(name_of(result) or f"pipelines no. {place}"):
                pipeline = read_record(WirePipeline, result, "pipeline")
                for number, stage in enumerate(pipeline.stages, 1):
                    with part.noting(name_of(stage) or f"stages no. {place}.{number}"):
                        part.add(to_stage(read_record(WireStage, stage, "stage"), pipeline.id))
        return part

    def _group(self, readers: Readers, watermarks: Mapping[str, datetime], end: datetime) -> Iterator[Page]:
        """All objects of one group of streams, or their changes; a last page of each stream sets its watermark."""
        streams = readers[0].streams
        known = [watermarks[stream] for stream in streams if stream in watermarks]
        since = min(known) if len(known) == len(streams) else None
        whole = True
        for reader in readers:
            try:
                whole = (yield from self._objects(reader, since, end)) and whole
            except ScopeError:
                if not reader.optional:
                    raise
                whole = False
                yield Page(streams[0], [], issues=[_refused(reader)])
        for stream in streams:
            everything = whole and stream == streams[0]  # the others go with what they belong to
            yield Page(stream, [], end, whole=everything, last=everything)

    def _objects(self, reader: Reader[Any], since: datetime | None, end: datetime) -> Generator[Page, None, bool]:
        """The objects of one type; gives whether it read everything and knows what of it is what."""
        for answer in self._api.ids(reader.kind, archived=True):
            named = {name: result for result in answer.results if (name := name_of(result))}
            yield Page(reader.streams[0], [], gone=[Gone(reader.id_of(name), "archived") for name in named])
            late = (name for name, result in named.items() if archived_since(result, end - _INDEX_DELAY))
            self._just_gone.get(reader.streams[0], set()).update(late)
        outcome = "too many"
        if since is not None:
            for _ in range(_SEARCH_TRIES):
                outcome = yield from self._changes(reader, since - self._overlap, end)
                if outcome == "complete":
                    return False
                if outcome == "too many":
                    break
        for answer in self._api.objects(reader.kind):
            for page in reader.pages(answer, listed=True):
                self._note_merged(page, end)
                yield replace(page, whole=page.stream == reader.streams[0])
        return reader.all_named

    def _changes(
        self, reader: Reader[Any], start: datetime, end: datetime
    ) -> Generator[Page, None, Literal["complete", "moved", "too many"]]:
        """What changed from `start` to `end`.

        A search's cursor is a position. An object that changes while the pages are read leaves the window, all
        after it move up by one, and the first of the next page would be missed; the changed total gives it away.
        So does the number of different objects, where a search does not keep to its order from page to page.
        """
        seen: set[object] = set()
        total: int | None = None
        for answer in self._api.changed(reader.kind, start, end):
            total = answer.total if total is None else total
            if total > self._search_cap:
                # Cutting the window into pieces below the cap fails where a bulk edit gave them all one time;
                # a list has no cap, and 10,000 changes are a good part of most accounts anyway.
                return "too many"
            seen.update(name_of(result) for result in answer.results)
            for page in reader.pages(answer, listed=False):
                self._note_merged(page, end)
                yield replace(page, expected=total)
            if answer.total != total:
                return "moved"
        return "complete" if len(seen) == total else "moved"

    def _note_merged(self, page: Page, end: datetime) -> None:
        """Into records that changed of late; and what is there is not gone."""
        just_gone = self._just_gone.get(page.stream)
        if just_gone:
            just_gone.difference_update(record.id for record in page.records)
        if just_gone is not None and page.gone:
            late = {record.id for record in page.records if record.updated_at > end - _INDEX_DELAY}
            just_gone.update(one.id for one in page.gone if one.into in late)


def _id(result: object) -> str:
    name = name_of(result)
    if name is None:  # it cannot be told from one that is missing
        raise BadAnswerError("HubSpot listed an object without a usable id; run the sync again later.")
    return name


def _refused(reader: Reader[Any]) -> Issue:
    return Issue(
        f"all {reader.kind.name}",
        f"HubSpot does not show the {reader.kind.name} to this token; give it the scope {reader.kind.scope},"
        " then sync once with --full.",
    )
