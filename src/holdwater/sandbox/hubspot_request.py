"""A request to HubSpot, read as HubSpot reads it; what it cannot read it refuses."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from holdwater.sandbox.hubspot_rows import TYPES, ObjectType


class Refused(Exception):  # noqa: N818 - the answer to a bad request, not an error of Holdwater
    """HubSpot's answer to a request it does not accept: status, category and message."""

    def __init__(self, status: int, category: str, message: str) -> None:
        super().__init__(message)
        self.status, self.category = status, category


def invalid(message: str) -> Refused:
    return Refused(400, "VALIDATION_ERROR", message)


@dataclass(frozen=True, slots=True)
class Request:
    path: str
    parts: Mapping[str, str | None]  # of the path, by name
    query: Mapping[str, Sequence[str]]
    body: bytes
    host: str

    def object_type(self, part: str = "type") -> ObjectType:
        name = self.parts[part]
        if name not in TYPES:
            known = ", ".join(sorted({kind.name for kind in TYPES.values()}))
            raise invalid(f"The sandbox has {known}, no {name}.")
        return TYPES[name]

    def names(self, name: str) -> list[str]:
        """A list in the query: with commas, or repeated."""
        return [one for value in self.query.get(name, ()) for one in value.split(",") if one]

    def limit(self, default: int, most: int) -> int:
        text = self.query.get("limit", (str(default),))[-1]
        if not text.isdecimal() or not 0 < int(text) <= most:
            raise invalid(f"limit must be a number from 1 to {most}, not {text!r}.")
        return int(text)

    def after(self) -> int:
        """The id that the page before ended with; 0 at the start."""
        text = self.query.get("after", ("0",))[-1]
        if not text.isdecimal():
            raise invalid(f"after must be the cursor of the page before, not {text!r}.")
        return int(text)

    def archived(self) -> bool:
        text = self.query.get("archived", ("false",))[-1].lower()
        if text not in ("true", "false"):
            raise invalid(f"archived must be true or false, not {text!r}.")
        return text == "true"

    def json(self) -> dict[str, Any]:
        try:
            body = json.loads(self.body)
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise invalid("Invalid input JSON: the body must be an object.")
        return body


def inputs(body: Mapping[str, Any], most: int) -> list[str]:
    """The ids of a batch."""
    listed = body.get("inputs")
    if not isinstance(listed, list) or not 0 < len(listed) <= most:
        raise invalid(f"inputs must be a list of 1 to {most} ids.")
    ids = [one.get("id") if isinstance(one, dict) else None for one in listed]
    if not all(isinstance(one, str) and one.isdecimal() for one in ids):
        raise invalid("Each of the inputs must be an object with an id, a string of digits.")
    return [str(one) for one in ids]


def strings(value: object, name: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise invalid(f"{name} must be a list of strings.")
    return value


def objects(value: object, name: str) -> list[Mapping[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise invalid(f"{name} must be a list of objects.")
    return value
