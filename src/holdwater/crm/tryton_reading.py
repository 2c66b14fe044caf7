"""How Tryton's opportunities become pages: all of them, or what changed and whatever that has an effect on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import count, islice

from holdwater.crm.connector import Gone, Issue, Page
from holdwater.crm.first_contact import FirstContact
from holdwater.crm.records import Deal, Lead, StageEvent
from holdwater.crm.tryton_api import Api
from holdwater.crm.tryton_history import read_history
from holdwater.crm.tryton_records import to_deal, to_lead, to_stage_events
from holdwater.crm.tryton_wire import WireOpportunity, read
from holdwater.errors import BadAnswerError

WHOLE = ("leads", "deals")  # what goes missing; a stage event goes with its deal, and only with it
Person = Callable[[str | None], str | None]


class Reading:
    """Reads opportunities of whom the `parties` are known, as pages; none can have changed later than `latest`.

    What is met besides is added to the `parties`.
    """

    def __init__(self, api: Api, parties: dict[int, int | None], latest: datetime, person: Person | None) -> None:
        self._api = api
        self._parties = parties
        self._first = FirstContact(parties)
        self._latest = latest
        self._person = person
        self._met: set[int | None] = set()  # every party that a changed opportunity has or had

    def everything(self) -> Iterator[Page]:
        for ids in self._in_parts(list(self._parties)):
            yield from (replace(page, whole=page.stream in WHOLE) for page in self.pages(ids))

    def changes(self, since: datetime) -> Iterator[Page]:
        """What is new, changed or gone since then, and what this does to who came first of a party."""
        changed = self._api.changed(since)
        for ids in self._in_parts(changed):
            yield from self.pages(ids)
        gone = self._gone(since)
        for stream in WHOLE:
            yield Page(stream, [], gone=[Gone(str(id_), "deleted") for id_ in gone])
        self._met |= self._api.merged(since)
        done = set(changed)
        others = [id_ for id_, party in self._parties.items() if party in self._met - {None} and id_ not in done]
        for ids in self._in_parts(others):
            yield from self.pages(ids)

    def pages(self, ids: Sequence[int]) -> list[Page]:
        """One page of leads, of deals and of stage events."""
        issues: list[Issue] = []
        wires = self._wires(ids, issues)
        history = read_history(self._api, self._api.revisions(list(wires)), wires)
        leads: list[Lead] = []
        merged: list[Gone] = []
        deals: list[Deal] = []
        events: list[StageEvent] = []
        for id_, wire in wires.items():
            versions = history.get(id_, [])
            if versions is None:
                issues.append(Issue(str(id_), f"The past of Tryton opportunity {id_} cannot be read; sync again."))
                continue
            self._met |= {wire.party_id, *(version.party_id for version in versions)}
            first = self._first.of(id_, wire.party_id)
            if first == id_:
                leads.append(to_lead(wire, self._person))
            else:
                merged.append(Gone(str(id_), "merged", into=str(first)))
            deals.append(to_deal(wire, first, versions))
            events += to_stage_events(id_, versions)
        expected = len(self._parties)
        return [
            Page("leads", leads, expected=expected, gone=merged, issues=issues),
            Page("deals", deals, expected=expected, issues=issues),
            Page("stage_events", events),
        ]

    def _wires(self, ids: Sequence[int], issues: list[Issue]) -> dict[int, WireOpportunity]:
        """What can be read of these opportunities; of the others, `issues`."""
        rows = self._api.opportunities(ids)
        wires: dict[int, WireOpportunity] = {}
        for id_ in ids:
            try:
                wires[id_] = self._read(id_, rows.get(id_))
            except BadAnswerError as problem:
                issues.append(Issue(str(id_), str(problem)))
        for id_, wire in list(wires.items()):
            if self._parties.setdefault(id_, wire.party_id) != wire.party_id:
                # Whoever is right: until that is known, nobody can have come after it.
                del wires[id_]
                self._parties[id_] = None
                self._first = FirstContact(self._parties)
                issues.append(Issue(str(id_), f"Tryton opportunity {id_} got another party meanwhile; sync again."))
        return wires

    def _read(self, id_: int, row: Mapping[str, object] | None) -> WireOpportunity:
        what = f"Tryton opportunity {id_}"
        if row is None:
            raise BadAnswerError(f"{what} was listed, but not sent; the next sync sees if it was deleted meanwhile.")
        wire = read(WireOpportunity, row, what)
        if wire.changed_at > self._latest:  # it would keep every later version out of the store
            raise BadAnswerError(
                f"{what} was changed in the future; check the server's clock, then change it once more."
            )
        return wire

    def _gone(self, since: datetime) -> list[int]:
        """What was deleted since then: there is a history of it, and nothing else.

        Numbers are given in order and never twice, so what is missing between them, or behind the last, was there.
        """
        missing = (id_ for id_ in range(1, max(self._parties, default=0)) if id_ not in self._parties)
        gone = [id_ for ids in self._in_parts(missing) for id_ in self._deleted(self._api.revisions(ids), since)]
        for start in count(max(self._parties, default=0) + 1, self._api.at_once):
            revisions = self._api.revisions(range(start, start + self._api.at_once))
            if not revisions:
                break
            gone += self._deleted(revisions, since)
        return gone

    def _deleted(self, revisions: Mapping[int, Sequence[datetime]], since: datetime) -> list[int]:
        recent = {id_: moments for id_, moments in revisions.items() if moments[-1] >= since}
        there = {id_ for ids in self._in_parts(recent) for id_ in self._api.opportunities(ids)}  # made meanwhile
        gone = {id_: moments for id_, moments in recent.items() if id_ not in there}
        for versions in read_history(self._api, gone, {}).values():
            self._met |= {version.party_id for version in versions or ()}
        return list(gone)

    def _in_parts(self, ids: Iterable[int]) -> Iterator[list[int]]:
        left = iter(ids)
        while part := list(islice(left, self._api.at_once)):
            yield part
