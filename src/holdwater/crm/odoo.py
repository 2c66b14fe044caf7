"""The Odoo connector: every record of `crm.lead` is a deal, and the first one of each partner is a lead.

What was deleted in Odoo leaves no trace, so every sync also compares all numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import httpx

from holdwater.crm import credentials, persons
from holdwater.crm.client import Client
from holdwater.crm.connector import Gone, Identities, Issue, Page
from holdwater.crm.credentials import Token
from holdwater.crm.first_contact import FirstContact
from holdwater.crm.manners import Manners
from holdwater.crm.odoo_api import Api, put_away
from holdwater.crm.odoo_records import to_deal, to_lead, to_owner, to_stage, to_stage_events
from holdwater.crm.odoo_wire import Json, WireLead, WireStage, WireUser, id_of, read
from holdwater.crm.over_http import OverHttp
from holdwater.crm.part import FAST_CLOCK
from holdwater.crm.records import Deal, Lead, Owner, Stage, StageEvent
from holdwater.errors import BadAnswerError, SetupError

_STREAMS = ("leads", "deals", "stage_events")
_WHOLE = ("leads", "deals")
Person = Callable[[str | None], str | None]


def connect(address: str | None, token: Token | None = None, *, transport: httpx.BaseTransport | None = None) -> Odoo:
    """A connector to https://host, or to https://host/database where a server has several; `token` is an API key."""
    found = re.fullmatch(r"([a-z]+://[^/?#]+)(?:/([\w.-]*))?", address or "", re.ASCII)
    if not found:
        raise SetupError("Odoo needs its address: --url https://host, or https://host/database if there are several.")
    database = found[2] or ""
    manners = Manners(scheme="bearer ", headers={"X-Odoo-Database": database} if database else {})
    client = Client(found[1], token or credentials.token("odoo"), manners=manners, transport=transport)
    return Odoo(client, database, person=persons.person_key if persons.recognised() else None)


class Odoo(OverHttp):
    """Reads users, stages, leads and what is tracked of their stages.

    `person` makes of an e-mail address what the store may keep of it; without it, no address is asked for.
    `overlap` is read again before each watermark, since a record carries the time at which its transaction began.
    """

    remembers = timedelta(0)

    def __init__(
        self,
        client: Client,
        database: str = "",
        *,
        person: Person | None = None,
        overlap: timedelta = timedelta(hours=1),
        at_once: int = 500,
    ) -> None:
        super().__init__(client)
        self._client = client
        self._database = database
        self._person = person
        self._overlap = overlap
        self._api = Api(client, at_once=at_once, addresses=person is not None)

    @property
    def connection(self) -> str:
        """The host, and the database if the address names one."""
        return f"odoo:{self._client.account}/{self._database}".rstrip("/")

    def pages(self, watermarks: Mapping[str, datetime]) -> Iterator[Page]:
        """Owners and stages first, which are few; then leads, deals and stage events of the same records.

        The window ends where the first answer came, by the server's clock.
        """
        users = self._api.users()
        end = self._client.present
        yield replace(_page("owners", users, _owner), watermark=end, whole=True, last=True)
        yield replace(_page("stages", self._api.stages(), _stage), watermark=end, whole=True, last=True)
        whole = not all(stream in watermarks for stream in _STREAMS[:2])
        since = None if whole else min(watermarks[stream] for stream in _STREAMS[:2]) - self._overlap
        first = FirstContact(self._api.partners())
        for rows in self._api.leads(since):
            for page in self._leads(rows, first, end + FAST_CLOCK):
                yield replace(page, whole=whole and page.stream in _WHOLE)
        for stream in _STREAMS:
            yield Page(stream, [], end, whole=whole and stream in _WHOLE, last=whole and stream in _WHOLE)

    def identities(self) -> Iterator[Identities]:
        """The numbers of all that count: what was archived without being lost does not."""
        partners = self._api.partners()
        first = FirstContact(partners)
        leads = [str(id_) for id_, partner in partners.items() if first.of(id_, partner) == id_]
        yield Identities("leads", leads, last=True)
        yield Identities("deals", [str(id_) for id_ in partners], last=True)

    def _leads(self, rows: Sequence[Json], first: FirstContact, latest: datetime) -> list[Page]:
        leads: list[Lead] = []
        deals: list[Deal] = []
        events: list[StageEvent] = []
        issues: list[Issue] = []
        gone: dict[str, list[Gone]] = {"leads": [], "deals": []}
        trackings = self._api.trackings([id_of(row) for row in rows])
        for row in rows:
            id_ = id_of(row)
            try:
                wire = read(WireLead, row, f"Odoo lead {id_}")
                if wire.write_date > latest:  # it would keep every later version out of the store
                    raise BadAnswerError(f"Odoo lead {id_} was changed in the future; check the server's clock.")  # noqa: TRY301 -- one of several
                if put_away(wire.active, wire.won_status):
                    gone["leads"].append(Gone(str(id_), "archived"))
                    gone["deals"].append(Gone(str(id_), "archived"))
                    continue
                lead_id = first.of(id_, wire.partner)
                deals.append(to_deal(wire, lead_id))
                if lead_id == id_:
                    leads.append(to_lead(wire, self._person))
                else:
                    gone["leads"].append(Gone(str(id_), "merged", into=str(lead_id)))
                if trackings is not None:
                    events += to_stage_events(wire, trackings.get(id_, []))
            except BadAnswerError as problem:
                issues.append(Issue(str(id_), str(problem)))
        return [
            Page("leads", leads, gone=gone["leads"], issues=issues),
            Page("deals", deals, gone=gone["deals"], issues=issues),
            Page("stage_events", events),
        ]


def _page(stream: str, rows: Sequence[Json], record_of: Callable[[Json], Any]) -> Page:
    records, issues = [], []
    for row in rows:
        try:
            records.append(record_of(row))
        except BadAnswerError as problem:
            issues.append(Issue(str(id_of(row)), str(problem)))
    return Page(stream, records, issues=issues)


def _owner(row: Json) -> Owner:
    return to_owner(read(WireUser, row, f"Odoo user {id_of(row)}"))


def _stage(row: Json) -> Stage:
    return to_stage(read(WireStage, row, f"Odoo stage {id_of(row)}"))
