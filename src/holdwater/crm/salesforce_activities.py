"""Tasks and events of Salesforce: calls, e-mails and meetings with leads, contacts and about opportunities."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from holdwater.crm.connector import Issue, Page
from holdwater.crm.part import Part
from holdwater.crm.salesforce_api import Api
from holdwater.crm.salesforce_objects import EVENTS, MESSAGES, TASKS, ObjectType, Shape
from holdwater.crm.salesforce_reading import Reading
from holdwater.crm.salesforce_records import to_activity
from holdwater.crm.salesforce_wire import WireEvent, WireMessage, WireTask
from holdwater.errors import BadAnswerError, ScopeError

STREAM = "activities"
KINDS = (TASKS, EVENTS)


class Activities:
    """Reads what the user of the app may see of them; `whole` tells whether that was everything there is."""

    def __init__(self, api: Api, latest: datetime) -> None:
        self._api = api
        self._latest = latest
        self._messages: Reading | None = None  # who wrote an e-mail, where that may be seen
        self.whole = True

    def pages(self, since: datetime | None) -> Iterator[Page]:
        """Everything, or what changed since then; a last page is left to the caller."""
        for kind in (MESSAGES, *KINDS):
            try:
                description = self._api.described(kind)
            except ScopeError:
                self.whole = self.whole and kind is MESSAGES
                yield Page(STREAM, [], issues=[_hidden(kind)])
                continue
            reading = Reading(self._api, Shape.of(kind, description), self._latest)
            if kind is MESSAGES:
                self._messages = reading
            else:
                yield from self._of(reading, since)

    def _of(self, reading: Reading, since: datetime | None) -> Iterator[Page]:
        whole = reading.whole(since)
        yield from reading.gone(STREAM, since)
        for found in self._api.rows(reading.shape.alive(since)):
            part = Part(self._latest)
            if reading.shape.kind is TASKS:
                self._tasks(reading, found.rows, part)
            else:
                for wire in reading.wires(WireEvent, found.rows, part):
                    with part.noting(wire.id):
                        part.add(to_activity(wire))
            yield replace(part.page(STREAM), expected=found.expected, whole=whole)
        self.whole = self.whole and whole and reading.all_named

    def _tasks(self, reading: Reading, rows: Sequence[object], part: Part) -> None:
        tasks = reading.wires(WireTask, rows, part)
        emails = [task.id for task in tasks if task.kind == "Email"]
        messages, problems = self._messages.belonging(WireMessage, "ActivityId", emails) if self._messages else ({}, {})
        for task in tasks:
            with part.noting(task.id):
                if task.id in problems:
                    raise BadAnswerError(problems[task.id])
                part.add(to_activity(task, next(iter(messages.get(task.id, ())), None)))


def _hidden(kind: ObjectType) -> Issue:
    return Issue(
        f"all {kind.name}",
        f"Salesforce does not show {kind.name} to this app; let its user read it, then sync once with --full.",
    )
