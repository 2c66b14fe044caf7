"""Answers that are wrong in one place, as a server's fault or a changed vendor would make them."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

PERSONAL = "Ada Example"  # must be told to nobody
Json = Any
Path = tuple[str | int, ...]
_GONE = object()

TYPES: tuple[Json, ...] = (None, True, False, 5, -1, 5.5, "", PERSONAL, [], {}, [1], {"value": 1}, [None])
HUGE = (10**30, -(10**30), 1e308, "9" * 40, "1E+999999", "9" * 5000)
ODD = (
    "\x00",
    "\ud800",
    "\u202eAda",
    "\U0001f469\u200d\U0001f467" * 40,
    "\u0130",
    "\u0661\u0662\u0663",
    "1_000",
    " 12 ",
)
TIMES = (
    "31/12/2026",
    "2026-13-45T99:99:99Z",
    "2026-05-01 07:25",
    "yesterday",
    "20260501",
    1_777_620_337,
    "9999-12-31T23:59:59Z",
    "0000-00-00",
    "2026-W18-5T00:00:00Z",
)


class Mutation(NamedTuple):
    """What was put where; `value` is nothing (...) where something was taken away."""

    path: Path
    value: Any


def mutated(body: bytes, chance: random.Random, *, inside_records: bool) -> tuple[bytes, Mutation] | None:
    """A JSON answer with one thing changed, and what that was; None where there is nothing to change.

    `inside_records`: only in what stands in a list, and not the envelope around it, which may hold cursors.
    """
    try:
        answer = copy.deepcopy(json.loads(body))
    except ValueError:
        return None
    roots = list(_records(answer)) if inside_records else [()]
    if not roots:
        return None
    root = chance.choice(roots)
    paths = [path for path in _paths(_at(answer, root), root) if path != root]
    if not paths:
        return None
    path = chance.choice(paths)
    value = chance.choice((_GONE, *chance.choice((TYPES, HUGE, ODD, TIMES))))
    holder = _at(answer, path[:-1])
    if value is _GONE and isinstance(holder, dict):
        del holder[path[-1]]
        return json.dumps(answer).encode(), Mutation(path, ...)
    holder[path[-1]] = None if value is _GONE else value
    return json.dumps(answer).encode(), Mutation(path, holder[path[-1]])


def honest(mutations: list[Mutation]) -> set[str | int]:
    """What a moment or a number may have become where a changed value could be read as one."""
    found: set[str | int] = set()
    for _, value in mutations:
        if isinstance(value, int | float | str) and not isinstance(value, bool):
            found |= set(_as_moments(value)) | set(_as_numbers(value))
    return found


def _records(value: Json, path: Path = ()) -> Iterator[Path]:
    """The outermost objects that stand in lists."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _records(one, (*path, key))
    elif isinstance(value, list):
        for place, one in enumerate(value):
            if isinstance(one, dict):
                yield (*path, place)


def _paths(value: Json, path: Path) -> Iterator[Path]:
    yield path
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inside:
        yield from _paths(one, (*path, key))


def _at(value: Json, path: Path) -> Json:
    for key in path:
        value = value[key]
    return value


def _as_moments(value: float | str) -> Iterator[str]:
    moments = []
    if isinstance(value, str):
        try:
            moments.append(datetime.fromisoformat(value))
        except ValueError:
            return
    else:
        for unit in (timedelta(seconds=1), timedelta(milliseconds=1)):
            try:
                moments.append(datetime(1970, 1, 1, tzinfo=UTC) + value * unit)
            except OverflowError:
                continue
    for moment in moments:
        if moment.tzinfo is not None:
            yield moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _as_numbers(value: float | str) -> Iterator[int]:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return
    if number.is_finite() and number.adjusted() < 18:
        yield from (int(number * unit) for unit in (1, 100, 1000))
