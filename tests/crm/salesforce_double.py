"""A Salesforce for tests: the far end of the transport, with answers as recorded in fixtures/salesforce to begin with.

The rows are found by the sandbox's reader of questions, which an official client has proven.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx

from holdwater.sandbox.salesforce_soql import Query

FIXTURES = Path(__file__).parent / "fixtures" / "salesforce"
ADDRESS = "https://example.my.salesforce.com"
DATA = "/services/data/v67.0"
DATE = "Sun, 22 Nov 2026 12:00:00 GMT"
END = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECRET = "consumer-key:secret-do-not-show"

Json = dict[str, Any]


def fixture(name: str) -> Json:
    found: Json = json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))
    return found


class Organization:
    """Answers from `rows`, which a test may change, `most` in one answer. `instead` may answer before, by the path and
    the question. `hidden` fields and objects are not shown, `unfilterable` ones cannot be asked for."""

    def __init__(self) -> None:
        self.rows: dict[str, list[Json]] = fixture("rows")
        self.token, self.organization = fixture("token"), fixture("organization")
        self.most = 2000
        self.hidden: set[str] = set()
        self.unfilterable: set[str] = set()
        self.questions: list[str] = []
        self.paths: list[str] = []
        self.instead: Callable[[str, str], httpx.Response | None] = lambda path, question: None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        question = request.url.params.get("q") or ""
        self.paths.append(path)
        self.questions += [question] if question else []
        answer = self.instead(path, question) or self._answer(request, path, question)
        answer.headers["Date"] = DATE
        return answer

    def _answer(self, request: httpx.Request, path: str, question: str) -> httpx.Response:
        if path == "/services/oauth2/token":
            assert request.headers["Authorization"] == "Basic " + b64encode(SECRET.encode()).decode()
            assert parse_qs(request.content.decode()) == {"grant_type": ["client_credentials"]}
            return httpx.Response(200, json=self.token)
        if request.headers["Authorization"] != f"Bearer {self.token['access_token']}":
            return refused(401, "INVALID_SESSION_ID")
        if path == f"{DATA}/connect/organization":
            return httpx.Response(200, json=self.organization)
        if path.endswith("/describe"):
            return self._described(path.split("/")[-2])
        assert (request.method, path) == ("GET", f"{DATA}/queryAll")
        query = Query.parse(question)
        found = query.run(typed(row) for row in self.rows[query.object])
        records = [self.shown(query, row["raw"]) for row in found[: self.most]]
        done = len(found) <= self.most
        body = json.dumps({"totalSize": len(found), "done": done, "records": records})
        return httpx.Response(200, content=body)

    def shown(self, query: Query, row: Json) -> Json:
        """What the question asked for, and no more."""
        fields = {name.split(".")[0] for name in query.fields}
        return {key: value for key, value in row.items() if key in fields | {"attributes"}}

    def _described(self, name: str) -> httpx.Response:
        if name in self.hidden:
            return refused(404, "NOT_FOUND")
        fields = [
            {"name": field, "filterable": usable, "sortable": usable}
            for field in self.rows[name][0]
            if f"{name}.{field}" not in self.hidden and field != "attributes"
            for usable in [f"{name}.{field}" not in self.unfilterable]
        ]
        return httpx.Response(200, json={"name": name, "fields": fields})


def typed(row: Json) -> Json:
    """With moments that can be compared, and the row as it is sent."""
    return {"raw": row, **{key: _typed(key, value) for key, value in row.items()}}


def _typed(key: str, value: Any) -> Any:
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+\+0000", value):
        return datetime.fromisoformat(value)
    return END if key == "SystemModstamp" else value  # a test has put something else there, which comes last


def refused(status: int, code: str) -> httpx.Response:
    return httpx.Response(status, json=[{"message": "Refused.", "errorCode": code}])
