"""Leads and contacts of Salesforce, each person once.

A lead is converted into a contact, a new one or one that was there; from then on the contact is the person, and the
lead only tells since when. A contact that nobody converted was a first contact itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from holdwater.crm.connector import Gone, Page
from holdwater.crm.part import Part
from holdwater.crm.salesforce_api import Api
from holdwater.crm.salesforce_objects import Shape
from holdwater.crm.salesforce_reading import Reading
from holdwater.crm.salesforce_records import Person, to_consent, to_lead
from holdwater.crm.salesforce_wire import WireContact, WireLead, id_of
from holdwater.errors import BadAnswerError

STREAMS = ("leads", "consents")


class People:
    """Reads both types of object into both streams; `person` makes of an e-mail address what the store may keep."""

    def __init__(self, api: Api, leads: Shape, contacts: Shape, latest: datetime, person: Person | None) -> None:
        self._api = api
        self._leads, self._contacts = Reading(api, leads, latest), Reading(api, contacts, latest)
        self._latest = latest
        self._person = person
        self._taken: set[str] = set()  # contacts that stand for their leads
        self._into: dict[str, str | None] = {}  # contacts that are no more, and what they were merged into

    def pages(self, since: datetime | None) -> Iterator[Page]:
        """Everyone, or those who changed since then; a last page of each stream is left to the caller."""
        whole = self.whole(since)
        since = None if whole else since
        yield from self._leads.gone("leads", since)
        yield from self._contacts.gone("leads", since)
        for found in self._api.rows(self._contacts.shape.alive(since)):
            yield from self._of_contacts(found.rows, found.expected, whole=whole)
        for found in self._api.rows(self._leads.shape.alive(since)):
            yield from self._of_leads(found.rows, found.expected, whole=whole)

    def whole(self, since: datetime | None) -> bool:
        return self._leads.whole(since) or self._contacts.whole(since)

    @property
    def all_named(self) -> bool:
        return self._leads.all_named and self._contacts.all_named

    def _of_contacts(self, rows: Sequence[object], expected: int | None, *, whole: bool) -> Iterator[Page]:
        leads, consents = Part(self._latest), Part(self._latest)
        contacts = self._contacts.wires(WireContact, rows, leads)
        self._taken.update(name for row in rows if (name := id_of(row)))
        before, problems = self._leads.belonging(WireLead, "ConvertedContactId", [contact.id for contact in contacts])
        for contact in contacts:
            with leads.noting(contact.id):
                if contact.id in problems:
                    raise BadAnswerError(problems[contact.id])
                leads.add(to_lead(contact, before[contact.id], self._person))
                leads.gone += [Gone(one.id, "merged", contact.id) for one in before[contact.id]]
                consents.add(to_consent(contact))
        yield replace(leads.page("leads"), expected=expected, whole=whole)
        yield consents.page("consents")

    def _of_leads(self, rows: Sequence[object], expected: int | None, *, whole: bool) -> Iterator[Page]:
        leads, consents = Part(self._latest), Part(self._latest)
        wires = self._leads.wires(WireLead, rows, leads)
        yield from self._meet({wire.contact for wire in wires if wire.contact}, whole=whole)
        for wire in wires:
            master = self._master(wire.contact)
            if master in self._taken:
                if master != wire.contact:  # the others have gone with their contact already
                    leads.gone.append(Gone(wire.id, "merged", master))
                continue
            with leads.noting(wire.id):
                leads.add(to_lead(wire, (), self._person))
                consents.add(to_consent(wire))
        yield replace(leads.page("leads"), expected=expected, whole=whole)
        yield consents.page("consents")

    def _meet(self, contacts: set[str], *, whole: bool) -> Iterator[Page]:
        """Look up contacts that did not change themselves, and those they were merged into."""
        while unknown := sorted({one for one in map(self._master, contacts) if one} - self._taken - set(self._into)):
            for some, rows in self._api.all_of(self._contacts.shape.gone(), "Id", unknown):
                into = {id_of(row): id_of(row, "MasterRecordId") for row in rows}
                self._into |= {one: into.get(one) for one in some}
            for _, rows in self._api.all_of(self._contacts.shape.alive(), "Id", unknown):
                for name in map(id_of, rows):
                    self._into.pop(name or "", None)
                yield from self._of_contacts(rows, None, whole=whole)

    def _master(self, contact: str | None) -> str | None:
        """What a contact was merged into in the end; the contact itself if it was not."""
        seen = set()
        while contact is not None and self._into.get(contact) and contact not in seen:
            seen.add(contact)
            contact = self._into[contact]
        return contact
