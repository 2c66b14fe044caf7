"""The Odoo connector: every record of `crm.lead` is a deal, and the first one of each partner is a lead.

What was deleted in Odoo leaves no trace, so every sync also compares all numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import httpx

from holdwater.crm import credentials, persons
from holdwater.crm.client import Client
from holdwater.crm.connector import Gone, Identities, Issue, Page
from holdwater.crm.credentials import Token
from holdwater.crm.first_contact import FirstContact
from holdwater.crm.manners import Manners
from holdwater.crm.odoo_api import Api, put_away
from holdwater.crm.odoo_history import History
from holdwater.crm.odoo_records import to_deal, to_lead, to_owner, to_stage
from holdwater.crm.odoo_wire import Json, WireLead, WireStage, WireUser, id_of, read
from holdwater.crm.over_http import OverHttp
from holdwater.crm.part import FAST_CLOCK
from holdwater.crm.records import Deal, Lead, Owner, Stage
from holdwater.errors import BadAnswerError, SetupError

_STREAMS = ("leads", "deals")
Person = Callable[[str | None], str | None]


def connect(
    address: str | None,
    token: Token | None = None,
    *,
    transport: httpx.BaseTransport | None = None,
    at_once: int = 500,
) -> Odoo:
    """A connector to https://host, or to https://host/database where a server has several; `token` is an API key,
    `at_once` the records of one answer."""
    found = re.fullmatch(r"([a-z]+://[^/?#]+)(?:/([\w.-]*))?", address or "", re.ASCII)
    if not found:
        raise SetupError("Odoo needs its address: --url https://host, or https://host/database if there are several.")
    database = found[2] or ""
    manners = Manners(scheme="bearer ", headers={"X-Odoo-Database": database} if database else {})
    client = Client(found[1], token or credentials.token("odoo"), manners=manners, transport=transport)
    return Odoo(client, database, person=persons.person_key if persons.recognised() else None, at_once=at_once)


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
        self._listed: frozenset[int] = frozenset()
        self._out_of_step = False
        self._users: list[Json] | None = None  # as the key was tried with, for the reading that follows
        self._told = False  # whether the past of every lead could be read
        self._api = Api(client, at_once=at_once, addresses=person is not None)

    @cached_property
    def connection(self) -> str:
        """The host, and the database if the address names one; once the key has been tried."""
        self._users = self._api.users()
        return f"odoo:{self._client.account}/{self._database}".rstrip("/")

    @property
    def site(self) -> str:
        return f"https://{self._client.account}"

    def pages(self, watermarks: Mapping[str, datetime]) -> Iterator[Page]:
        """Owners and stages first, which are few; then leads, deals and stage events of the same records.

        The window ends where the first answer came, by the server's clock. Asked again after the comparison of what is
        there, for the store lacks something: if nothing has come meanwhile, it is the lead of a partner whose first
        record went, which changes nothing about the others. So all are read.
        """
        users, self._users = self._users or self._api.users(), None
        end = self._client.present
        yield replace(_page("owners", users, _owner), watermark=end, whole=True, last=True)
        yield replace(_page("stages", self._api.stages(), _stage), watermark=end, whole=True, last=True)
        whole = not all(stream in watermarks for stream in _STREAMS)
        since = min(watermarks[stream] for stream in _STREAMS) - self._overlap if not whole else None
        partners = self._api.partners()
        first = FirstContact(partners)
        self._listed = frozenset(partners)
        self._told = whole
        for rows in self._api.leads(None if self._out_of_step else since):
            for page in self._leads(rows, first, end + FAST_CLOCK):
                yield replace(page, whole=whole)
        # What cannot be read keeps the history it has.
        everything = {"leads": whole, "deals": whole, "stage_events": self._told and self._api.tracked}
        for stream, all_ in everything.items():
            yield Page(stream, [], end, whole=all_, last=all_)

    def identities(self) -> Iterator[Identities]:
        """The numbers of all that count: what was archived without being lost does not."""
        partners = self._api.partners()
        self._out_of_step = partners.keys() <= self._listed
        first = FirstContact(partners)
        leads = [str(id_) for id_, partner in partners.items() if first.of(id_, partner) == id_]
        yield Identities("leads", leads, last=True, exact=True)
        yield Identities("deals", [str(id_) for id_ in partners], last=True)

    def counts(self, before: datetime) -> Mapping[str, int]:
        """Of deals; Odoo does not know which of them was the first of its partner."""
        return {"deals": self._api.count(before)}

    def _leads(self, rows: Sequence[Json], first: FirstContact, latest: datetime) -> list[Page]:
        leads: list[Lead] = []
        deals: list[Deal] = []
        issues: list[Issue] = []
        gone: dict[str, list[Gone]] = {"leads": [], "deals": []}
        ids = frozenset(id_of(row) for row in rows)
        history = History(self._api.trackings(sorted(ids)), ids)
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
                    # It may have become the first just now, which changes nothing about the others.
                    later = [other for other in first.later(wire.partner) if other not in ids]
                    gone["leads"] += [Gone(str(other), "merged", into=str(id_)) for other in later]
                else:
                    gone["leads"].append(Gone(str(id_), "merged", into=str(lead_id)))
                if self._api.tracked:
                    history.take(wire)
            except BadAnswerError as problem:
                issues.append(Issue(str(id_), str(problem)))
        self._told = self._told and history.readable and not issues
        return [
            Page("leads", leads, gone=gone["leads"], issues=issues),
            Page("deals", deals, gone=gone["deals"], issues=issues),
            Page("stage_events", history.events, issues=history.issues),
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
