"""How HubSpot's answers become pages: each object a record, or an issue under its id."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import ClassVar, Generic, TypeVar

from holdwater.crm.connector import Gone, Page
from holdwater.crm.hubspot_api import Api
from holdwater.crm.hubspot_objects import CONTACTS, DEALS, ObjectType
from holdwater.crm.hubspot_records import (
    activity_id,
    consent_id,
    merged_into,
    to_activity,
    to_consent,
    to_deal,
    to_lead,
    to_stage_event,
)
from holdwater.crm.hubspot_wire import (
    Associated,
    Listing,
    PastValue,
    WireActivity,
    WireContact,
    WireDeal,
    WireHistory,
    name_of,
    read,
    read_record,
)
from holdwater.crm.part import Part
from holdwater.crm.records import Stage
from holdwater.crm.wire import read_all
from holdwater.errors import BadAnswerError

Wire = TypeVar("Wire", WireContact, WireDeal, WireActivity)
Linked = TypeVar("Linked", WireDeal, WireActivity)


class Reader(ABC, Generic[Wire]):
    """Reads the objects of one type; `streams` is what becomes of them, their own stream first.

    `all_named`: whether every object so far came with an id. One without is known by its place, and whatever is not
    met may be just that one.
    """

    streams: ClassVar[tuple[str, ...]]
    optional: ClassVar[bool] = False  # a token may well lack the right to read them
    model: type[Wire]

    def __init__(self, api: Api, kind: ObjectType, latest: datetime | None) -> None:
        self.api, self.kind = api, kind
        self.all_named = True
        self._latest = latest
        self._met = 0

    def id_of(self, id_: str) -> str:
        """What the store calls the object that HubSpot calls so."""
        return id_

    def pages(self, answer: Listing, *, listed: bool) -> list[Page]:
        """One of each stream; `listed`: the objects came with their contacts and their past."""
        parts = [Part(self._latest) for _ in self.streams]
        all_ = read_all(self.model, answer.results)
        wires = (
            self._one_by_one(answer.results, parts[0]) if all_ is None else list(zip(all_, answer.results, strict=True))
        )
        self._met += len(answer.results)
        self.take(wires, parts, listed=listed)
        return [part.page(stream) for stream, part in zip(self.streams, parts, strict=True)]

    def _one_by_one(self, results: Sequence[object], part: Part) -> list[tuple[Wire, object]]:
        """Those that can be read; the others become issues."""
        wires = []
        for place, result in enumerate(results, self._met + 1):
            name = name_of(result)
            self.all_named = self.all_named and name is not None
            with part.noting(f"{self.kind.name} no. {place}" if name is None else self.id_of(name)):
                wires.append((read_record(self.model, result, self.kind.singular), result))
        return wires

    @abstractmethod
    def take(self, wires: Sequence[tuple[Wire, object]], parts: Sequence[Part], *, listed: bool) -> None:
        """Make records of objects that can be read, each beside what it was read from."""


class Contacts(Reader[WireContact]):
    streams = ("leads", "consents")
    model = WireContact

    def __init__(self, api: Api, latest: datetime | None, person: Callable[[str | None], str | None] | None) -> None:
        super().__init__(api, CONTACTS.asking_for("email") if person else CONTACTS, latest)
        self._person = person

    def take(self, wires: Sequence[tuple[WireContact, object]], parts: Sequence[Part], *, listed: bool) -> None:
        leads, consents = parts
        for wire, _ in wires:
            with leads.noting(wire.id):
                leads.add(to_lead(wire, self._person(wire.properties.email) if self._person else None))
                consents.add(to_consent(wire))
                merged = merged_into(wire)
                leads.gone += merged
                # What the merged one allowed is settled by what the one that lives on allows.
                consents.gone += [Gone(consent_id(one.id), "merged", consent_id(wire.id)) for one in merged]


class Deals(Reader[WireDeal]):
    streams = ("deals", "stage_events")
    model = WireDeal

    def __init__(self, api: Api, latest: datetime | None, stages: Mapping[str, Stage], home_currency: str) -> None:
        super().__init__(api, DEALS, latest)
        self._stages = stages
        self._home_currency = home_currency

    def take(self, wires: Sequence[tuple[WireDeal, object]], parts: Sequence[Part], *, listed: bool) -> None:
        deals, events = parts
        contacts = _contacts(self.api, self.kind, [wire for wire, _ in wires], listed=listed)
        came = {}
        for wire, result in wires:
            with deals.noting(wire.id):
                deals.add(to_deal(wire, _known(contacts, self.kind, wire.id), self._stages, self._home_currency))
                deals.gone += merged_into(wire)
                came[wire.id] = result
        pasts = came if listed else {name_of(one): one for one in self.api.histories(self.kind, list(came))}
        for id_ in came:
            with deals.noting(id_):
                entries = read_record(WireHistory, pasts.get(id_, {"id": id_}), "deal").past.dealstage
                for past in _past(id_, entries, deals):
                    with deals.noting(id_):
                        event = to_stage_event(id_, past, self._stages)
                        if event:
                            events.add(event)


class Activities(Reader[WireActivity]):
    """Of one type: calls, e-mails, meetings or messages."""

    streams = ("activities",)
    optional = True
    model = WireActivity

    def id_of(self, id_: str) -> str:
        return activity_id(self.kind, id_)

    def take(self, wires: Sequence[tuple[WireActivity, object]], parts: Sequence[Part], *, listed: bool) -> None:
        (activities,) = parts
        contacts = _contacts(self.api, self.kind, [wire for wire, _ in wires], listed=listed)
        for wire, _ in wires:
            with activities.noting(self.id_of(wire.id)):
                activities.add(to_activity(self.kind, wire, _known(contacts, self.kind, wire.id)))


def _past(id_: str, entries: Sequence[object], deals: Part) -> list[PastValue]:
    found = read_all(PastValue, entries)
    if found is None:
        found = []
        for entry in entries:
            with deals.noting(id_):
                found.append(read(PastValue, entry, f"The past of HubSpot deal {id_}"))
    return found


def _contacts(
    api: Api, kind: ObjectType, wires: Sequence[Linked], *, listed: bool
) -> Mapping[str, Sequence[Associated]]:
    """All contacts of each object; a list brings some of them along."""
    if not listed:
        return api.contacts_of(kind, [wire.id for wire in wires])
    return {
        wire.id: api.all_contacts_of(kind, wire.id) if wire.contacts.after else wire.contacts.results for wire in wires
    }


def _known(contacts: Mapping[str, Sequence[Associated]], kind: ObjectType, id_: str) -> Sequence[Associated]:
    if id_ not in contacts:
        raise BadAnswerError(f"HubSpot {kind.singular} {id_}: its contacts came in a form that cannot be read.")
    return contacts[id_]
