"""Asking the sandbox as a client would, without the network in between."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from holdwater.sandbox import Business
from holdwater.sandbox.hubspot import HubSpot

TOKEN = "simulated-token"
OBJECTS = ("/crm/objects/2026-09", "/crm/v3/objects")
DATED = OBJECTS[0]
Json = dict[str, Any]


class Asker:
    """Asks a dialect and gives status and body."""

    def __init__(self, business: Business, search_cap: int = 10_000) -> None:
        self.business = business
        self.hubspot = HubSpot(business, token=TOKEN, search_cap=search_cap)

    def __call__(
        self, method: str, path: str, body: object = None, *, token: str = TOKEN, **query: Any
    ) -> tuple[int, Json]:
        status, self.headers, answer = self.hubspot.answer(
            method,
            path,
            urlencode(query, doseq=True),
            b"" if body is None else json.dumps(body).encode(),
            {"authorization": f"Bearer {token}", "host": "127.0.0.1:1"},
        )
        json.dumps(answer)  # whatever is answered can be sent
        return status, answer

    def good(self, method: str, path: str, body: object = None, **query: Any) -> Json:
        status, answer = self(method, path, body, **query)
        assert status == 200, answer
        return answer

    def pages(self, path: str, **query: Any) -> Iterator[Json]:
        after: Json = {}
        while True:
            answer = self.good("GET", path, **query, **after)
            yield answer
            if "paging" not in answer:
                return
            after = {"after": answer["paging"]["next"]["after"]}

    def search(self, path: str = f"{DATED}/deals/search", **changes: object) -> tuple[int, Json]:
        return self("POST", path, search_body(**changes))


def search_body(**changes: object) -> Json:
    return {"filterGroups": [], "sorts": [], "properties": [], "limit": 200, "after": "0"} | changes


def only(name: str, operator: str, **values: object) -> list[Json]:
    return [{"filters": [{"propertyName": name, "operator": operator, **values}]}]


def ms(moment: datetime) -> str:
    return str(round(moment.timestamp() * 1000))


def ids(answer: Json) -> list[str]:
    return [row["id"] for row in answer["results"]]
