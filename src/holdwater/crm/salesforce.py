"""The Salesforce connector: leads, and contacts that were none before, are leads; opportunities are deals.

Only the fields that a figure needs are requested: no name, no subject, no text. What was deleted or merged stays in
the recycle bin for some weeks, and is asked for there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from itertools import chain

import httpx

from holdwater.crm import credentials, persons
from holdwater.crm.client import Client
from holdwater.crm.connector import Identities, Page
from holdwater.crm.credentials import Token
from holdwater.crm.over_http import EnteredOverHttp
from holdwater.crm.part import FAST_CLOCK, Part
from holdwater.crm.records import Stage
from holdwater.crm.salesforce_activities import KINDS, STREAM, Activities
from holdwater.crm.salesforce_api import Api
from holdwater.crm.salesforce_objects import CONTACTS, HISTORY, LEADS, OPPORTUNITIES, PERSON_ACCOUNT
from holdwater.crm.salesforce_people import STREAMS, People
from holdwater.crm.salesforce_query import Query
from holdwater.crm.salesforce_reading import Reading
from holdwater.crm.salesforce_records import Person, to_deal, to_owner, to_stage, to_stage_event
from holdwater.crm.salesforce_session import Door, manners
from holdwater.crm.salesforce_wire import (
    WireEntry,
    WireOpportunity,
    WireOrganization,
    WireStage,
    WireUser,
    id_of,
    read_record,
)
from holdwater.crm.together import together
from holdwater.errors import BadAnswerError, ScopeError, SetupError

_USERS = Query("User", ("Id", "SystemModstamp", "IsActive"), ("UserType = 'Standard'",))
_STAGES = Query(
    "OpportunityStage", ("Id", "SystemModstamp", "ApiName", "MasterLabel", "SortOrder", "IsClosed", "IsWon")
)


def connect(
    address: str | None,
    token: Token | None = None,
    *,
    transport: httpx.BaseTransport | None = None,
    at_once: int = 2000,
    bulk_above: int = 20_000,
) -> Salesforce:
    """A connector to https://NAME.my.salesforce.com; `token` is `key:secret` of an app, without it the environment's
    or the keyring's. `at_once` records come in one answer; more than `bulk_above` are left to a bulk job."""
    if not address:
        raise SetupError("Salesforce needs the address of My Domain: --url https://NAME.my.salesforce.com.")
    door = Door(address, token or credentials.token("salesforce"), transport=transport)

    def enter() -> Client:
        ways = manners(at_once=at_once)
        return Client(address, door.session(), manners=ways, renew=door.session, transport=transport)

    person = persons.person_key if persons.recognised() else None
    return Salesforce(door, enter, person=person, bulk_above=bulk_above)


class Salesforce(EnteredOverHttp):
    """Reads users, stages, leads, contacts, opportunities with their history, tasks and events.

    `enter` comes in through the door when something is asked for the first time.
    `person` makes of an e-mail address what the store may keep of it; without it, no address is asked for.
    `overlap` is read again before each watermark: a record shows up only once its transaction has ended, with the
    time at which it was written.
    """

    remembers = timedelta(days=14)  # the recycle bin is emptied after 15

    def __init__(
        self,
        door: Door,
        enter: Callable[[], Client],
        *,
        person: Person | None = None,
        overlap: timedelta = timedelta(hours=1),
        bulk_above: int = 20_000,
    ) -> None:
        super().__init__(door.client, enter)
        self._door = door
        self._bulk_above = bulk_above
        self._person = person
        self._overlap = overlap

    @cached_property
    def _api(self) -> Api:
        return Api(self._client, bulk_above=self._bulk_above)

    @property
    def connection(self) -> str:
        """The organisation's own id: its address may be given another name."""
        return f"salesforce:{self._organization.id}"

    @property
    def site(self) -> str:
        return f"https://{self._client.account}"

    @cached_property
    def _organization(self) -> WireOrganization:
        return self._api.organization()

    def pages(self, watermarks: Mapping[str, datetime]) -> Iterator[Page]:
        """Owners and stages first, which are few and always read in full; then all other streams side by side.

        The window ends where the users' answer came, by the server's clock. What changes while the other pages are
        read may be in them already, and is read again in the next window.
        """
        users = [row for found in self._api.rows(_USERS) for row in found.rows]
        end = self._client.present
        latest = end + FAST_CLOCK
        owners = Part(latest)
        for place, row in enumerate(users, 1):
            with owners.noting(id_of(row) or f"User no. {place}"):
                owners.add(to_owner(read_record(WireUser, row, "User")))
        yield replace(owners.page("owners"), watermark=end)
        stages = self._stages(latest)
        yield replace(stages.page("stages"), watermark=end)
        known = {stage.id: stage for stage in stages.records if isinstance(stage, Stage)}
        addresses = ["Email"] if self._person else []
        leads, contacts = (self._api.shape(kind, *addresses) for kind in (LEADS, CONTACTS))
        accounts = ["Account.PersonContactId"] if PERSON_ACCOUNT in contacts.fields else []
        people = People(self._api, leads, contacts, latest, self._person)
        deals = Reading(self._api, self._api.shape(OPPORTUNITIES, *accounts), latest)
        history = Reading(self._api, self._api.shape(HISTORY), latest)
        yield from together(
            [
                self._leads(people, self._since(watermarks, *STREAMS), end),
                chain(
                    self._deals(deals, self._since(watermarks, "deals"), end, known),
                    # Behind the deals: what was deleted takes its history along.
                    self._events(history, self._since(watermarks, "stage_events"), end),
                ),
                self._activities(Activities(self._api, latest), self._since(watermarks, STREAM), end),
            ]
        )

    def identities(self) -> Iterator[Identities]:
        """The ids of all leads, deals and activities that were not deleted."""
        contacts: set[str] = set()
        for ids in self._ids(self._api.shape(CONTACTS).ids()):
            contacts.update(ids)
            yield Identities("leads", list(ids))
        for ids in self._ids(self._api.shape(LEADS).ids("ConvertedContactId")):
            yield Identities("leads", [id_ for id_, contact in ids.items() if contact not in contacts])
        yield Identities("leads", [], last=True)
        for ids in self._ids(self._api.shape(OPPORTUNITIES).ids()):
            yield Identities("deals", list(ids))
        yield Identities("deals", [], last=True)
        try:
            for kind in KINDS:
                for ids in self._ids(self._api.shape(kind).ids()):
                    yield Identities(STREAM, list(ids))
            yield Identities(STREAM, [], last=True)
        except ScopeError:
            return  # a sync has said so, and what cannot be seen is not gone

    def counts(self, before: datetime) -> Mapping[str, int]:
        """Of opportunities alone: a lead of ours may be two or more records of Salesforce."""
        return {"deals": self._api.count(OPPORTUNITIES, before)}

    def _ids(self, query: Query) -> Iterator[dict[str, str | None]]:
        for found in self._api.rows(query):
            ids = {id_of(row): id_of(row, "ConvertedContactId") for row in found.rows}
            if None in ids:  # it cannot be told from one that is missing
                raise BadAnswerError(f"Salesforce listed a {query.object} without a usable id; run the sync again.")
            yield {id_: contact for id_, contact in ids.items() if id_}

    def _stages(self, latest: datetime) -> Part:
        part = Part(latest)
        rows = [row for found in self._api.rows(_STAGES) for row in found.rows]
        for place, row in enumerate(rows, 1):
            with part.noting(id_of(row) or f"OpportunityStage no. {place}"):
                part.add(to_stage(read_record(WireStage, row, "OpportunityStage")))
        return part

    def _leads(self, people: People, since: datetime | None, end: datetime) -> Iterator[Page]:
        yield from people.pages(since)
        yield _last_page("leads", end, whole=people.whole(since) and people.all_named)
        yield _last_page("consents", end, whole=False)  # they go with their leads

    def _deals(
        self, reading: Reading, since: datetime | None, end: datetime, stages: Mapping[str, Stage]
    ) -> Iterator[Page]:
        currency = self._organization.features.currency
        reason = reading.shape.lost_reason
        yield from reading.gone("deals", since)
        for found in self._api.rows(reading.shape.alive(since)):
            part = Part(reading.latest)
            for wire in reading.wires(WireOpportunity, found.rows, part, {"lost_reason": reason} if reason else {}):
                with part.noting(wire.id):
                    part.add(to_deal(wire, stages, currency))
            yield replace(part.page("deals"), expected=found.expected, whole=reading.whole(since))
        yield _last_page("deals", end, whole=reading.whole(since) and reading.all_named)

    def _events(self, reading: Reading, since: datetime | None, end: datetime) -> Iterator[Page]:
        for found in self._api.rows(reading.shape.alive(since)):
            part = Part(reading.latest)
            for entry in reading.wires(WireEntry, found.rows, part):
                event = to_stage_event(entry)
                with part.noting(entry.id):
                    if event:
                        part.add(event)
            yield replace(part.page("stage_events"), expected=found.expected, whole=reading.whole(since))
        yield _last_page("stage_events", end, whole=reading.whole(since) and reading.all_named)

    def _activities(self, activities: Activities, since: datetime | None, end: datetime) -> Iterator[Page]:
        yield from activities.pages(since)
        yield _last_page(STREAM, end, whole=activities.whole)

    def _since(self, watermarks: Mapping[str, datetime], *streams: str) -> datetime | None:
        """From when on changes are read; None where everything is."""
        known = [watermarks[stream] for stream in streams if stream in watermarks]
        return min(known) - self._overlap if len(known) == len(streams) else None


def _last_page(stream: str, end: datetime, *, whole: bool) -> Page:
    return Page(stream, [], end, whole=whole, last=whole)
