"""A portal of HubSpot for tests: the far end of the transport, with the recorded-style answers in fixtures/hubspot."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from far_end import FarEnd

from holdwater.crm.connector import Issue, Page
from holdwater.crm.hubspot import HubSpot
from holdwater.crm.records import Deal, Record

FIXTURES = Path(__file__).parent / "fixtures" / "hubspot"
DATE = "Sat, 31 Oct 2026 12:00:05 GMT"
END = datetime(2026, 10, 31, 12, 0, 5, tzinfo=UTC)
SINCE = datetime(2026, 10, 30, 12, 0, tzinfo=UTC)
SECRET = "pat-eu1-0b5e-do-not-show"

ACTIVITIES = ("calls", "emails", "meetings", "communications")

Json = dict[str, Any]
Key = tuple[str, str, str]  # what is read, "list" or "search" or "batch", the cursor


def recorded(name: str) -> Json:
    answer: Json = json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))
    return answer


def fixtures() -> dict[Key, Json]:
    nothing: dict[Key, Json] = {
        (name + suffix, what, after): {"results": []} | ({"total": 0} if what == "search" else {})
        for name in ("contacts", "deals", *ACTIVITIES)
        for suffix, what, after in (("_archived", "list", ""), ("", "search", "0"))
    }
    return nothing | {
        ("account", "details", ""): recorded("account"),
        ("owners", "list", ""): recorded("owners"),
        ("owners_archived", "list", ""): recorded("owners_archived"),
        ("pipelines", "list", ""): recorded("pipelines"),
        ("contacts", "list", ""): recorded("contacts_1"),
        ("contacts", "list", "203"): recorded("contacts_2"),
        ("contacts", "list", "205"): recorded("contacts_3"),
        ("deals", "list", ""): recorded("deals_1"),
        ("deals", "list", "7004"): recorded("deals_2"),
        ("contacts", "search", "0"): recorded("contacts_search_1"),
        ("contacts", "search", "200"): recorded("contacts_search_2"),
        ("deals", "search", "0"): recorded("deals_search"),
        **{(name, "list", ""): recorded(name) for name in ACTIVITIES},
        ("7001 7002 7003", "past", ""): recorded("deals_past"),
        ("7001 7002 7003", "batch", ""): recorded("contacts_of_changed"),
        ("7010", "batch", ""): recorded("contacts_of_7010_1"),
        ("7010", "batch", "500"): recorded("contacts_of_7010_2"),
    }


class Portal(FarEnd[Key]):
    def __init__(self) -> None:
        super().__init__(fixtures(), DATE)

    def response(self, answer: Any, headers: dict[str, str]) -> httpx.Response:
        if isinstance(answer, int):
            return httpx.Response(answer)
        status = 207 if "errors" in answer else 200
        return httpx.Response(status, json=answer, headers=headers)

    def key(self, request: httpx.Request) -> Key:
        path, params = request.url.path, request.url.params
        after = params.get("after", "")
        match request.method, path.strip("/").split("/"):
            case "GET", ["account-info", "2026-09", "details"]:
                return "account", "details", ""
            case "GET", ["crm", "owners", "2026-09"]:
                return "owners_archived" if params["archived"] == "true" else "owners", "list", after
            case "GET", ["crm", "pipelines", "2026-09", "deals"]:
                return "pipelines", "list", after
            case "GET", ["crm", "objects", "2026-09", name]:
                return name + "_archived" * (params["archived"] == "true"), "list", after
            case "POST", ["crm", "objects", "2026-09", name, "search"]:
                return name, "search", json.loads(request.content)["after"]
            case "POST", ["crm", "objects", "2026-09", "deals", "batch", "read"]:
                return " ".join(one["id"] for one in json.loads(request.content)["inputs"]), "past", ""
            case "POST", ["crm", "associations", "2026-09", _, "contacts", "batch", "read"]:
                inputs = json.loads(request.content)["inputs"]
                return " ".join(one["id"] for one in inputs), "batch", inputs[0].get("after", "")
        raise AssertionError(f"nothing is at {request.method} {path}")

    def bodies(self, what: str, kind: str = "search") -> list[Json]:
        return [
            json.loads(request.content)
            for key, request in zip(self.asked, self.requests, strict=True)
            if key[:2] == (what, kind)
        ]


def read(hubspot: HubSpot, **watermarks: datetime) -> list[Page]:
    return list(hubspot.pages(watermarks))


def of(pages: Sequence[Page], *streams: str) -> list[Page]:
    """The pages of some streams: how those of different streams follow one another is left to chance."""
    return [page for stream in streams for page in pages if page.stream == stream]


def issues(pages: Sequence[Page], stream: str) -> dict[str, str]:
    found: list[Issue] = [issue for page in of(pages, stream) for issue in page.issues]
    assert len({issue.id for issue in found}) == len(found)
    return {issue.id: issue.problem for issue in found}


def records(pages: list[Page], stream: str) -> dict[str, Record]:
    return {record.id: record for page in pages if page.stream == stream for record in page.records}


def deals(hubspot: HubSpot, **watermarks: datetime) -> Mapping[str, Deal]:
    found = records(read(hubspot, **watermarks), "deals")
    return {identity: record for identity, record in found.items() if isinstance(record, Deal)}
