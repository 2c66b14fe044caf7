"""The projects that FIX_SEQUENCE puts in order, read from rows and checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

from holdwater.bucket.improvement import LEVERS, improved
from holdwater.bucket.labels import label_of
from holdwater.bucket.model import LONGEST_HORIZON, Bucket
from holdwater.errors import KindError, NumError
from holdwater.formula import Argument, registry
from holdwater.rows import as_text, filled_rows, is_blank
from holdwater.units import COUNT, PERCENT, Cost, Unit

MOST = 10

_Change = Unit("improvement", PERCENT, low=0)
_WholePeriods = Unit("whole periods", COUNT, low=0, high=LONGEST_HORIZON, whole=True)
_BELONGS = "give rows of name, lever, change, cost, periods, and if wanted needs and running_cost"


@dataclass(frozen=True, slots=True)
class Project:
    """One fix: it costs money, takes time, and then makes one label of the model better."""

    name: str
    lever: str
    change: float
    cost: float  # due at its start
    periods: int  # from its start until its lever moves; 0 moves it at once
    needs: tuple[str, ...]  # names of projects to be done before it
    running_cost: float  # each period from its start

    def done(self, bucket: Bucket) -> Bucket:
        return improved(bucket, self.lever, self.change, points=1)


def projects_from(rows: Any, bucket: Bucket) -> list[Project]:
    """The projects of a range or list; KindError or NumError name the row that is wrong."""
    projects: list[Project] = []
    for position, cells in filled_rows(rows, "FIX_SEQUENCE: projects", _BELONGS):
        if not 5 <= len(cells) <= 7:
            raise KindError(f"FIX_SEQUENCE: row {position} of projects has {len(cells)} cells, not 5 to 7; {_BELONGS}.")
        project = _project(f"in row {position} of projects", cells + [None] * (7 - len(cells)))
        if any(_alike(project.name) == _alike(other.name) for other in projects):
            raise KindError(f"FIX_SEQUENCE: row {position} of projects is a second {project.name!r}; rename one.")
        try:
            project.done(bucket)
        except NumError as error:
            raise NumError(f"FIX_SEQUENCE: row {position} of projects: {error}") from None
        projects.append(project)
    if len(projects) > MOST:
        raise NumError(f"FIX_SEQUENCE: projects has {len(projects)} projects; allowed are {MOST}, give the best ones.")
    names = {_alike(project.name): project.name for project in projects}
    projects = [replace(p, needs=tuple(_needed(name, p, names) for name in p.needs)) for p in projects]
    _check_that_all_can_be_done(projects)
    return projects


def _project(where: str, cells: Sequence[Any]) -> Project:
    name, lever, change, cost, periods, needs, running_cost = cells

    def number(column: str, unit: Unit, cell: Any, required: bool = True) -> float:
        argument = Argument(f"{column} {where}", unit, required, None if required else 0)
        checked: float = registry["FIX_SEQUENCE"].check(argument, None if is_blank(cell) else cell)
        return checked

    if is_blank(name):
        raise KindError(f"FIX_SEQUENCE: name {where} is missing; give each project a name.")
    return Project(
        as_text(name),
        label_of(lever, LEVERS, f"FIX_SEQUENCE: lever {where}"),
        number("change", _Change, change),
        # A type checker reads a unit's name as the number it stands for.
        number("cost", Cost, cost),  # type: ignore[arg-type]
        int(number("periods", _WholePeriods, periods)),
        () if is_blank(needs) else tuple(need.strip() for need in as_text(needs).split(",") if need.strip()),
        number("running_cost", Cost, running_cost, required=False),  # type: ignore[arg-type]
    )


def _needed(name: str, project: Project, names: dict[str, str]) -> str:
    if _alike(name) in names:
        return names[_alike(name)]
    closest = names[get_close_matches(_alike(name), names, n=1, cutoff=0)[0]]
    raise KindError(
        f"FIX_SEQUENCE: {project.name!r} needs {name!r}, which is no project of the list; the closest is {closest!r}."
    )


def _check_that_all_can_be_done(projects: Sequence[Project]) -> None:
    done: set[str] = set()
    waiting = list(projects)
    while waiting:
        ready = [p for p in waiting if done.issuperset(p.needs)]
        if not ready:
            names = ", ".join(repr(p.name) for p in waiting)
            raise NumError(f"FIX_SEQUENCE: {names} can never start, because they need each other; take a need away.")
        done.update(p.name for p in ready)
        waiting = [p for p in waiting if p.name not in done]


def _alike(name: str) -> str:
    return name.strip().casefold()
