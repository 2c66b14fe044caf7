"""An Odoo for tests: the far end of the transport, with answers in Odoo 19's form in fixtures/odoo to begin with."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

FIXTURES = Path(__file__).parent / "fixtures" / "odoo"
DATE = "Sun, 22 Nov 2026 12:00:00 GMT"
END = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECRET = "odoo-key-do-not-show"

Json = dict[str, Any]


class Odoo:
    """Answers `web_search_read` from `rows`, which a test may change; `instead` may answer before."""

    def __init__(self) -> None:
        self.rows: dict[str, list[Json]] = json.loads((FIXTURES / "rows.json").read_text(encoding="utf-8"))
        self.requests: list[httpx.Request] = []
        self.date: str | None = DATE
        self.most = 1_000_000
        self.merged_partners: dict[int, str] = {}  # those into which others were merged, and when
        self.instead: Callable[[str], httpx.Response | None] = lambda model: None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        _, _, version, model, method = request.url.path.split("/")
        assert (request.method, version, method) == ("POST", "2", "web_search_read")
        self.requests.append(request)
        answer = self.instead(model) or self._answer(model, json.loads(request.content))
        if self.date:
            answer.headers["Date"] = self.date
        return answer

    def _answer(self, model: str, question: Json) -> httpx.Response:
        assert set(question) - {"count_limit"} == {"domain", "specification", "order", "limit", "context"}
        assert (question["order"], question["context"]) == ("id asc", {"active_test": False})
        found = [row for row in self.rows[model] if self._meets(row, question["domain"])]
        page = sorted(found, key=lambda row: row["id"])[: min(question["limit"], self.most)]
        names = {"id", *question["specification"]}
        shown = [{name: value for name, value in row.items() if name in names} for row in page]
        return records(shown, len(page) if "count_limit" in question else len(found))

    def _meets(self, row: Json, domain: list[Any]) -> bool:
        found: list[bool] = []
        for leaf in reversed(domain):
            found.append(found.pop() | found.pop() if leaf == "|" else self._matches(row, leaf))
        return all(found)

    def _matches(self, row: Json, leaf: Any) -> bool:
        match leaf:
            case ["id", ">", last]:
                return bool(row["id"] > last)
            case ["write_date", ">=", since]:
                return bool(row["write_date"] >= since)
            case ["partner_id.write_date", ">=", since]:
                return bool(self.merged_partners.get(row["partner_id"], "") >= since)
            case ["mail_message_id.res_id", "in", ids]:
                return row["mail_message_id"]["res_id"] in ids
            case ["mail_message_id.subject", "=", False]:
                return not row["mail_message_id"].get("subject")
            case ["create_date", "<", before]:
                return bool(row["create_date"] < before)
            case ["active", "=", True]:
                return row["active"] is True
            case ["won_status", "!=", "pending"]:
                return bool(row["won_status"] != "pending")
            case ["share", "=", False]:
                return True
            case ["field_id.model" | "mail_message_id.model", "=", "crm.lead"] | ["field_id.name", "=", "stage_id"]:
                return True
        raise AssertionError(f"nobody asks for {leaf}")

    def lead(self, id_: int) -> Json:
        return next(row for row in self.rows["crm.lead"] if row["id"] == id_)

    def add(self, id_: int, **values: object) -> None:
        self.rows["crm.lead"].append(self.lead(1) | {"id": id_, "partner_id": False} | values)


def records(rows: list[Any], length: int | None = None) -> httpx.Response:
    """`length`: of how many these are a page."""
    body = {"length": len(rows) if length is None else length, "records": rows}
    return httpx.Response(200, content=json.dumps(body))
