"""How Pipedrive's answers become pages: each row a record, or an issue under its id.

Persons, leads and deals are read whole every time. That costs one request for 500 of them, and it is the only way to
hear that a person was deleted or merged: Pipedrive tells nobody. The changelogs cost a request for each deal, so they
are read only where the stage has moved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from heapq import merge
from typing import Any

from holdwater.crm.connector import Gone, Issue, Page
from holdwater.crm.part import Part
from holdwater.crm.pipedrive_api import Api, Deals
from holdwater.crm.pipedrive_records import (
    Inquiries,
    tells_all,
    to_activity,
    to_consent,
    to_deal,
    to_lead,
    to_stage_events,
)
from holdwater.crm.pipedrive_wire import (
    WireActivity,
    WireChange,
    WireDeal,
    WireField,
    WireLead,
    WireMove,
    WirePerson,
    name_of,
    read,
    read_record,
)
from holdwater.errors import BadAnswerError, RefusedError

_LISTS: tuple[Deals, ...] = ("deals", "deals/archived")  # in this order: what is archived meanwhile is met twice
_DEALS_A_PAGE, _CHANGELOGS_A_PAGE = 500, 20
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


class Names:
    """Calls rows by their ids where an issue must name them, and those without one by their place.

    `all_named`: without an id for each, whatever is not met may be just the one without.
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._met = 0
        self.all_named = True

    def of(self, row: object) -> str:
        self._met += 1
        name = name_of(row)
        self.all_named = self.all_named and name is not None
        return name or f"{self._kind} no. {self._met}"


class Reader:
    """Reads up to `end`; no record can have changed later than `latest`.

    `person` makes of an e-mail address what the store may keep of it.
    """

    def __init__(
        self, api: Api, end: datetime, latest: datetime, person: Callable[[str | None], str | None] | None
    ) -> None:
        self._api = api
        self._end = end
        self._latest = latest
        self._person = person

    def people(self) -> Iterator[Page]:
        """Deals, then leads and what they allow: where a lead comes from, its first deal or inbox lead knows."""
        part = Part()
        inquiries = Inquiries(self._channels(part))
        yield replace(part.page("leads"), whole=True)
        names = Names("inbox leads")
        for archived in (False, True):
            for rows in self._api.leads(archived=archived):
                yield replace(self._inbox(rows, names, inquiries), whole=True)
        yield from self._deals(inquiries)
        yield from self._persons(inquiries)

    def activities(self, since: datetime | None) -> Iterator[Page]:
        """All of them, or those that have changed since then."""
        names = Names("activities")
        whole = since is None
        for rows in self._api.activities(since):
            part = Part(self._latest)
            for row in rows:
                name = names.of(row)
                with part.noting(name):
                    wire = read_record(WireActivity, row, "activity")
                    if wire.done and not wire.is_deleted:
                        part.add(to_activity(wire))
                    elif not whole:  # it may have been done the last time
                        part.gone.append(Gone(name, "deleted" if wire.is_deleted else "missing"))
            yield replace(part.page("activities"), whole=whole)
        whole = whole and names.all_named
        yield Page("activities", [], self._end, whole=whole, last=whole)

    def stage_events(
        self, since: datetime | None, moved_since: datetime | None, stages: Mapping[int, str]
    ) -> Iterator[Page]:
        """The stages of the deals that have changed `since`, as far as they have moved or were made `moved_since`.

        The changelogs of a large account cost more than a day's budget. Deals therefore come by their time of change,
        each page says how far that is, and the next run goes on from there.
        """
        lists = [self._changed(which, since) for which in _LISTS]
        part, met, asked, complete = Part(self._latest), 0, 0, True
        for at, deal in merge(*lists, key=lambda found: found[0]):
            met += 1
            if isinstance(deal, Issue):
                part.issues.append(deal)
            elif moved_since is None or (deal.moved or deal.add_time) >= moved_since:
                asked += bool(deal.moved)
                self._take_history(deal, stages, part)
            if met == _DEALS_A_PAGE or asked == _CHANGELOGS_A_PAGE:
                complete = complete and not part.issues
                yield replace(part.page("stage_events"), whole=since is None, watermark=min(at, self._end))
                part, met, asked = Part(self._latest), 0, 0
        complete = complete and not part.issues
        yield replace(part.page("stage_events"), whole=since is None)
        # A deal that could not be read keeps the history it has.
        whole = since is None and complete
        yield Page("stage_events", [], self._end, whole=whole, last=whole)

    def _channels(self, part: Part) -> dict[int, str]:
        """What the numbers of sources mean; deals and leads have them in common."""
        for row in self._api.deal_fields():
            if isinstance(row, Mapping) and row.get("field_code") == "channel":
                with part.noting("channels"):
                    return {option.id: option.label for option in read(WireField, row, "Pipedrive's channels").options}
        return {}

    def _inbox(self, rows: Sequence[Any], names: Names, inquiries: Inquiries) -> Page:
        part = Part()
        for row in rows:
            inquiries.meet(row)
            with part.noting(names.of(row)):
                inquiries.note(read_record(WireLead, row, "lead"))
        return part.page("leads")

    def _deals(self, inquiries: Inquiries) -> Iterator[Page]:
        names = Names("deals")
        for which in _LISTS:
            for rows in self._api.deals(which, deleted=which == "deals"):
                part = Part(self._latest)
                for row in rows:
                    name = names.of(row)
                    inquiries.meet(row)
                    with part.noting(name):
                        wire = read_record(WireDeal, row, "deal")
                        if wire.is_deleted:
                            part.gone.append(Gone(name, "deleted"))
                        else:
                            part.add(to_deal(wire))
                            inquiries.note(wire)
                yield replace(part.page("deals"), whole=True)
        yield Page("deals", [], self._end, whole=names.all_named, last=names.all_named)

    def _persons(self, inquiries: Inquiries) -> Iterator[Page]:
        names = Names("persons")
        for rows in self._api.persons():
            leads, consents = Part(self._latest), Part(self._latest)
            for row in rows:
                name = names.of(row)
                with leads.noting(name):
                    wire = read_record(WirePerson, row, "person")
                    if wire.is_deleted:
                        leads.gone.append(Gone(name, "deleted"))
                        continue
                    leads.add(to_lead(wire, inquiries.source_of(name), self._person))
                    consent = to_consent(wire)
                    if consent:
                        consents.add(consent)
            yield replace(leads.page("leads"), whole=True)
            yield consents.page("consents")
        companies = Part(self._latest)
        for lead in inquiries.companies():
            with companies.noting(lead.id):
                companies.add(lead)
        problem = "None of Pipedrive's deals and leads of this company can be read; see what is said of them."
        companies.issues += [Issue(id_, problem) for id_ in inquiries.unread()]
        yield replace(companies.page("leads"), whole=True)
        yield Page("leads", [], self._end, whole=names.all_named, last=names.all_named)
        yield Page("consents", [], self._end)

    def _changed(self, which: Deals, since: datetime | None) -> Iterator[tuple[datetime, WireDeal | Issue]]:
        """Each deal beside the time of its last change; what cannot be read goes with the one before."""
        at = since or _EARLIEST
        names = Names(which)
        for rows in self._api.changed_deals(which, since):
            for row in rows:
                name = names.of(row)
                try:
                    wire = read_record(WireDeal, row, "deal")
                except BadAnswerError as problem:
                    yield at, Issue(name, str(problem))
                else:
                    at = wire.changed
                    yield at, wire

    def _take_history(self, deal: WireDeal, stages: Mapping[int, str], part: Part) -> None:
        what = f"The changelog of Pipedrive deal {deal.id}"
        try:
            changes = [row for rows in self._api.changes(deal.id) for row in rows] if deal.moved else []
        except RefusedError as problem:  # the deal has just been deleted
            part.issues.append(Issue(str(deal.id), str(problem)))
            return
        with part.noting(str(deal.id)):
            moves = [
                read(WireMove, row, what) for row in changes if read(WireChange, row, what).field_key == "stage_id"
            ][::-1]
            for event in to_stage_events(deal, moves, stages):
                part.add(event)
            if not tells_all(deal, moves):
                raise BadAnswerError(f"{what} does not tell every stage that it was in; what it tells is kept.")
