"""The Tryton connector: opportunities are deals, and the first one of each party is a lead.

Nothing is asked for that a figure does not need: no name, no description. Every sync lists the number and the party of
all opportunities, which tells what was deleted and who came first; the rest is read of those that changed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property

import httpx

from holdwater.crm import credentials, persons
from holdwater.crm.client import Client
from holdwater.crm.connector import Identities, Issue, Page
from holdwater.crm.credentials import Token
from holdwater.crm.first_contact import FirstContact
from holdwater.crm.over_http import EnteredOverHttp
from holdwater.crm.part import FAST_CLOCK
from holdwater.crm.tryton_api import Api
from holdwater.crm.tryton_reading import WHOLE, Person, Reading
from holdwater.crm.tryton_records import ENTERED_LATE, STAGES, to_owner
from holdwater.crm.tryton_session import SESSION, Door
from holdwater.crm.tryton_wire import WireEmployee, id_of, read
from holdwater.errors import BadAnswerError, SetupError

_STREAMS = (*WHOLE, "stage_events")


def connect(address: str | None, token: Token | None = None, *, transport: httpx.BaseTransport | None = None) -> Tryton:
    """A connector to a database such as https://host/database; `token` is `login:password`, without it the
    environment's or the keyring's."""
    base_url, database = _place(address)
    door = Door(base_url, database, token or credentials.token("tryton"), transport=transport)

    def enter() -> Client:
        return Client(base_url, door.session(), manners=SESSION, renew=door.session, transport=transport)

    return Tryton(door, enter, person=persons.person_key if persons.recognised() else None)


def _place(address: str | None) -> tuple[str, str]:
    found = re.fullmatch(r"([a-z]+://[^/?#]+)/([\w.-]+)/?", address or "", re.ASCII)
    if not found:
        raise SetupError(
            "Tryton's address must name the database: --url https://host/database or https://host:8000/crm."
        )
    return found[1], found[2]


class Tryton(EnteredOverHttp):
    """Reads employees, opportunities and their history.

    `enter` comes in through the door when something is asked for the first time.
    `person` makes of an e-mail address what the store may keep of it; without it, no address is asked for.
    `at_once` is how many records are asked for together; Tryton's own client asks for as many.
    `overlap` is read again before each watermark, since a record carries the time at which its transaction began.
    """

    remembers = timedelta(0)  # nothing tells of what a user may not see any more

    def __init__(
        self,
        door: Door,
        enter: Callable[[], Client],
        *,
        person: Person | None = None,
        overlap: timedelta = timedelta(hours=1),
        at_once: int = 1000,
    ) -> None:
        super().__init__(door.client, enter)
        self._door = door
        self._person = person
        self._overlap = overlap
        self._at_once = at_once
        self._parties: dict[int, int | None] | None = None  # of every opportunity that the last reading knew of

    @cached_property
    def _api(self) -> Api:
        return Api(self._client, self._door.path, at_once=self._at_once, addresses=self._person is not None)

    @property
    def connection(self) -> str:
        """Tryton numbers no account: the host and the database are its name."""
        return f"tryton:{self._client.account}/{self._door.database}"

    def pages(self, watermarks: Mapping[str, datetime]) -> Iterator[Page]:
        """Owners and stages first, which are few; then leads, deals and stage events of the same opportunities.

        The window ends where the first answer came, by the server's clock.
        """
        employees = [row for rows in self._api.employees() for row in rows]
        end = self._client.present
        yield replace(_owners(employees, end), watermark=end, whole=True, last=True)
        yield Page("stages", STAGES, end)
        self._parties = parties = self._api.parties()
        since = min((watermarks[stream] for stream in _STREAMS if stream in watermarks), default=end)
        reading = Reading(self._api, parties, end + FAST_CLOCK, self._person)
        if not all(stream in watermarks for stream in _STREAMS):
            yield from reading.everything()
            yield from _last_pages(end, whole=True)
        else:
            yield from reading.changes(since - self._overlap)
            yield from _last_pages(end)

    def identities(self) -> Iterator[Identities]:
        """As the pages have listed them, so that comparing them after each sync costs nothing."""
        parties = self._api.parties() if self._parties is None else self._parties
        first = FirstContact(parties)
        leads = [str(id_) for id_, party in parties.items() if first.of(id_, party) == id_]
        yield Identities("leads", leads, last=True, exact=True)
        yield Identities("deals", [str(id_) for id_ in parties], last=True)

    def counts(self, before: datetime) -> Mapping[str, int]:
        """Of deals. One entered late counts from its start date on, and which one that is changes at midnight: around
        then, nothing is told."""
        started = (before - ENTERED_LATE).date()
        if started < (self._client.present - ENTERED_LATE).date():
            return {}
        return {"deals": self._api.count(before, started)}


def _owners(employees: Sequence[Mapping[str, object]], now: datetime) -> Page:
    owners, issues = [], []
    for row in employees:
        try:
            owners.append(to_owner(read(WireEmployee, row, f"Tryton employee {id_of(row)}"), now.date()))
        except BadAnswerError as problem:
            issues.append(Issue(str(id_of(row)), str(problem)))
    return Page("owners", owners, issues=issues)


def _last_pages(end: datetime, *, whole: bool = False) -> Iterator[Page]:
    for stream in _STREAMS:
        all_met = whole and stream in WHOLE
        yield Page(stream, [], end, whole=all_met, last=all_met)
