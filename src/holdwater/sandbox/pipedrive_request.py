"""A request to Pipedrive, read as Pipedrive reads it: v2 refuses what it does not know, v1 passes over it."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from holdwater.sandbox.pipedrive_rows import second
from holdwater.sandbox.records import Activity, Contact, Deal

LIMIT = 500
_Record = TypeVar("_Record", Deal, Contact, Activity)
_SORTS: Mapping[str, Callable[[Deal | Contact | Activity], str]] = {
    "id": lambda record: "",
    "update_time": lambda record: second(record.modified).isoformat(),
    "add_time": lambda record: second(record.created).isoformat(),
}
_EVERY_LIST = ("limit", "cursor", "sort_by", "sort_direction")
_BY_TIME = (*_EVERY_LIST, "updated_since", "updated_until", "include_fields")
PARAMETERS: Mapping[str, tuple[str, ...]] = {  # of the sandbox; Pipedrive has some more
    "deals": (*_BY_TIME, "status", "custom_fields"),
    "deals/archived": (*_BY_TIME, "status", "custom_fields"),
    "persons": (*_BY_TIME, "custom_fields"),
    "activities": (*_BY_TIME, "done"),
    "stages": (*_EVERY_LIST, "pipeline_id"),
    "pipelines": _EVERY_LIST,
    "dealFields": ("limit", "cursor", "include_fields"),
}


class Refused(Exception):  # noqa: N818 - the answer to a bad request, not an error of Holdwater
    """Pipedrive's answer to a request it does not accept."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Query:
    """The part behind the question mark."""

    values: Mapping[str, str]

    def check(self, name: str) -> None:
        """As v2 does for each of its lists."""
        unknown = sorted(self.values.keys() - set(PARAMETERS[name]))
        if unknown:
            raise Refused(400, f"Parameter validation failed: {', '.join(unknown)} is not allowed")

    def several(self, name: str, default: str = "") -> list[str]:
        return [one for one in self.values.get(name, default).split(",") if one]

    def statuses(self) -> Collection[str]:
        asked = self.several("status", "open,won,lost")
        if not set(asked) <= {"open", "won", "lost", "deleted"}:
            raise Refused(400, "status must be open, won, lost or deleted")
        return asked

    def number(self, name: str, default: int, most: int) -> int:
        text = self.values.get(name, str(default))
        if not text.isdecimal() or int(text) > most:
            raise Refused(400, f"{name} must be a number up to {most}")
        return int(text)

    def page(self, records: Iterable[_Record]) -> tuple[list[_Record], str | None]:
        """The records of one page and the cursor of the next: behind the last one in the order that was asked for."""
        field, descending = self._sort()
        key = _SORTS[field]
        since, until = self._moment("updated_since"), self._moment("updated_until")
        found = [
            record
            for record in records
            if (since is None or second(record.modified) >= since)
            and (until is None or second(record.modified) < until)
        ]
        after = self._after(field)

        def place(record: _Record) -> tuple[str, int]:
            return key(record), int(record.id)

        if after is not None:
            found = [one for one in found if (place(one) < after if descending else place(one) > after)]
        found.sort(key=place, reverse=descending)
        limit = self.number("limit", 100, LIMIT)
        page = found[:limit]
        return page, _cursor(field, key(page[-1]), page[-1].id) if len(found) > limit else None

    def _sort(self) -> tuple[str, bool]:
        field, direction = self.values.get("sort_by", "id"), self.values.get("sort_direction", "asc")
        if field not in _SORTS or direction not in ("asc", "desc"):
            raise Refused(400, "sort_by must be id, update_time or add_time, and sort_direction asc or desc")
        return field, direction == "desc"

    def _moment(self, name: str) -> datetime | None:
        text = self.values.get(name)
        if text is None:
            return None
        if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)", text):
            raise Refused(400, f"{name} must be in RFC3339 format, without fractions of a second")
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            raise Refused(400, f"{name} is no moment") from None

    def _after(self, field: str) -> tuple[str, int] | None:
        text = self.values.get("cursor")
        if text is None:
            return None
        try:
            found = json.loads(base64.urlsafe_b64decode(text))
            if found["field"] == field:
                return str(found["fieldValue"]), int(found["id"])
        except (ValueError, KeyError, TypeError):
            pass
        raise Refused(400, "cursor is not the one of the page before")


def _cursor(field: str, value: str, id_: str) -> str:
    text = json.dumps({"field": field, "fieldValue": value, "sortDirection": "asc", "id": int(id_)})
    return base64.urlsafe_b64encode(text.encode()).decode()
