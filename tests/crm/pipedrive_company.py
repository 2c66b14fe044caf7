"""A company in Pipedrive for tests: the far end of the transport, with recorded-style answers of fixtures/pipedrive."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import httpx
from far_end import FarEnd

from holdwater.crm.connector import Page
from holdwater.crm.pipedrive import Pipedrive
from holdwater.crm.records import Record

FIXTURES = Path(__file__).parent / "fixtures" / "pipedrive"
DATE = "Sat, 31 Oct 2026 12:00:05 GMT"
END = datetime(2026, 10, 31, 12, 0, 5, tzinfo=UTC)
SINCE = datetime(2026, 10, 30, 12, 0, tzinfo=UTC)
SECRET = "5a5bbf28d9b3ac4b0cdd9c4e1d0c4f0e8f6c4a11"

Json = dict[str, Any]
Key = tuple[str, str]  # the path, with `changed` for a list by time of change; the cursor or the position
Kind = TypeVar("Kind", bound=Record)


def recorded(name: str) -> Json:
    answer: Json = json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))
    return answer


def page(*rows: object, cursor: str | None = None) -> Json:
    return {"success": True, "data": list(rows), "additional_data": {"next_cursor": cursor}}


def positions(rows: list[Json] | None, *, more: bool) -> Json:
    pagination = {"start": 0, "limit": 3, "more_items_in_collection": more}
    return {"success": True, "data": rows, "additional_data": {"pagination": pagination}}


def fixtures() -> dict[Key, Any]:
    return {
        ("/v1/users/me", ""): recorded("me"),
        ("/v1/users", ""): recorded("users"),
        ("stages", ""): recorded("stages"),
        ("dealFields", ""): recorded("fields"),
        ("deals", ""): recorded("deals_1"),
        ("deals", "b25l"): recorded("deals_2"),
        ("deals", "dHdv"): recorded("deals_3"),
        ("deals/archived", ""): recorded("archived"),
        ("changed deals", ""): recorded("changed"),
        ("changed deals/archived", ""): recorded("archived"),
        ("persons", ""): recorded("persons"),
        ("activities", ""): recorded("activities"),
        ("/v1/leads", "0"): recorded("leads"),
        ("/v1/leads/archived", "0"): recorded("leads_archived"),
        ("/v1/deals/1/changelog", ""): recorded("changelog_1_1"),
        ("/v1/deals/1/changelog", "aWQ6NTQ0"): recorded("changelog_1_2"),
        ("/v1/deals/9/changelog", ""): recorded("changelog_9"),
    }


class Company(FarEnd[Key]):
    """A test may also put a status in the place of an answer, or a whole response."""

    def __init__(self) -> None:
        super().__init__(fixtures(), DATE)

    def response(self, answer: Any, headers: dict[str, str]) -> httpx.Response:
        if isinstance(answer, httpx.Response):
            return answer
        if isinstance(answer, int):
            return httpx.Response(answer, json={"success": False, "error": "refused"})
        # As text of ASCII, which has also what no UTF-8 has.
        return httpx.Response(200, text=json.dumps(answer), headers=headers)

    def key(self, request: httpx.Request) -> Key:
        path, params = request.url.path, request.url.params
        if path.startswith("/v1/leads"):
            return path, params["start"]
        name = path.removeprefix("/api/v2/")
        changed = "changed " if params.get("sort_by") == "update_time" else ""
        return changed + name, params.get("cursor", "")

    def params(self, name: str) -> list[dict[str, str]]:
        """What stood behind the question mark, each time."""
        return [
            dict(request.url.params) for key, request in zip(self.asked, self.requests, strict=True) if key[0] == name
        ]


def read(pipedrive: Pipedrive, **watermarks: datetime) -> list[Page]:
    return list(pipedrive.pages(watermarks))


def of(pages: Sequence[Page], stream: str) -> list[Page]:
    return [page for page in pages if page.stream == stream]


def records(pages: Sequence[Page], kind: type[Kind]) -> dict[str, Kind]:
    return {record.id: record for page in pages for record in page.records if isinstance(record, kind)}


def issues(pages: Sequence[Page]) -> dict[tuple[str, str], str]:
    return {(page.stream, issue.id): issue.problem for page in pages for issue in page.issues}
