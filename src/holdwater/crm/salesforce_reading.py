"""How Salesforce's rows become pages: each row a record, or an issue under its id."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from holdwater.crm.connector import Gone, Page
from holdwater.crm.part import Part
from holdwater.crm.salesforce_api import Api
from holdwater.crm.salesforce_objects import Shape
from holdwater.crm.salesforce_wire import WireGone, id_of, read_record
from holdwater.crm.wire import Model
from holdwater.errors import BadAnswerError


class Reading:
    """Reads the objects of one type.

    `all_named`: whether every row so far came with an id. One without is known by its place, and whatever is not met
    may be just that one.
    """

    def __init__(self, api: Api, shape: Shape, latest: datetime) -> None:
        self.api, self.shape = api, shape
        self.latest = latest
        self.all_named = True
        self._met = 0

    def whole(self, since: datetime | None) -> bool:
        """Whether everything is read: the first time, and where nobody can ask for changes."""
        return since is None or self.shape.changed is None

    def gone(self, stream: str, since: datetime | None) -> Iterator[Page]:
        """What was deleted, or merged into another one."""
        for found in self.api.rows(self.shape.gone(since)):
            part = Part(self.latest)
            for wire in self.wires(WireGone, found.rows, part):
                part.gone.append(Gone(wire.id, "merged" if wire.into else "deleted", wire.into))
            yield part.page(stream)

    def wires(
        self, model: type[Model], rows: Sequence[object], part: Part, names: Mapping[str, str] | None = None
    ) -> list[Model]:
        """The rows that can be read; the others are issues of the part. `names`: fields that are called otherwise."""
        found = []
        for row in rows:
            self._met += 1
            name = id_of(row)
            self.all_named = self.all_named and name is not None
            with part.noting(name or f"{self.shape.kind.name} no. {self._met}"):
                if names and isinstance(row, dict):
                    row = row | {own: row.get(field) for own, field in names.items()}
                found.append(read_record(model, row, self.shape.kind.name))
        return found

    def belonging(
        self, model: type[Model], field: str, ids: Sequence[str]
    ) -> tuple[Mapping[str, list[Model]], Mapping[str, str]]:
        """The objects whose `field` names one of the ids, by that id, and what is wrong with those of some ids."""
        found: defaultdict[str, list[Model]] = defaultdict(list)
        problems: dict[str, str] = {}
        for some, rows in self.api.all_of(self.shape.alive(), field, ids):
            for row in rows:
                whose = id_of(row, field)
                try:
                    wire = read_record(model, row, self.shape.kind.name)
                except BadAnswerError as problem:
                    # One that does not even say whose it is may be anybody's of those it was asked for.
                    problems |= dict.fromkeys([whose] if whose in some and whose else some, str(problem))
                    continue
                if whose not in some or whose is None:
                    text = f"Salesforce sent another {self.shape.kind.name} than those of these records; sync again."
                    problems |= dict.fromkeys(some, text)
                    continue
                found[whose].append(wire)
        return found, problems
