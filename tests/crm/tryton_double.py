"""A Tryton for tests: the far end of the transport, with the recorded answers in fixtures/tryton to begin with."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

FIXTURES = Path(__file__).parent / "fixtures" / "tryton"
DATE = "Sun, 22 Nov 2026 02:00:00 GMT"
END = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
LOGIN, PASSWORD = "reader", "open:sesame-of-this-test"
SECRET = f"{LOGIN}:{PASSWORD}"
KEY = "c0ffee-session-key"
SESSION = "Session " + b64encode(f"{LOGIN}:7:{KEY}".encode()).decode()

Json = dict[str, Any]
Past = tuple[datetime, str | None, int | None]  # since when, the state (None: it was deleted), the party


def moment(at: datetime) -> Json:
    names = ("year", "month", "day", "hour", "minute", "second", "microsecond")
    return {"__class__": "datetime"} | {name: getattr(at, name) for name in names}


def at(hour: int, minute: int = 0, second: int = 0, microsecond: int = 0, *, day: int = 22) -> datetime:
    return datetime(2026, 11, day, hour, minute, second, microsecond, tzinfo=UTC)


def of(written: Json) -> datetime:
    return datetime(**{name: part for name, part in written.items() if name != "__class__"}, tzinfo=UTC)


def recorded(name: str) -> Any:
    return json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))["result"]


class Tryton:
    """Opportunities as Tryton shows them in `rows`, and what they were in `pasts`.

    `instead` may answer a call before it is looked at: with a response, or None.
    """

    def __init__(self) -> None:
        self.rows: dict[int, Json] = {row["id"]: row for row in recorded("opportunities")}
        self.pasts: dict[int, list[Past]] = {
            1: [
                (at(1, 24, 59, 663331), "lead", 5),
                (at(1, 25, 0, 150080), "opportunity", 5),
                (at(1, 25, 0, 561439), "converted", 5),
                (at(1, 25, 36, 895299), "converted", 5),
                (at(1, 25, 37, 121742), "won", 5),
            ],
            2: [
                (at(1, 24, 59, 774103), "lead", None),
                (at(1, 25, 1, 80184), "lead", None),
                (at(1, 25, 1, 197229), "lost", None),
            ],
            3: [(at(1, 24, 59, 885333), "lead", 6), (at(1, 25, 0, 150080), "opportunity", 6)],
        }
        assert {(of(when), id_) for when, id_, _ in recorded("revisions")} == {
            (past[0], id_) for id_, pasts in self.pasts.items() for past in pasts
        }
        self.employees = recorded("employees")
        self.merged: dict[int, tuple[int, datetime]] = {}  # a party: into which, and when
        self.calls: list[tuple[str, list[Any]]] = []
        self.requests: list[httpx.Request] = []
        self.date: str | None = DATE
        self.most = 1_000_000  # records it sends at once
        self.key = KEY
        self.instead: Callable[[str, list[Any]], httpx.Response | None] = lambda method, params: None

    def add(self, id_: int, *past: Past, **values: object) -> Json:
        """One more, like the recorded third."""
        first, last = past[0] if past else (at(1, 30), "lead", None), past[-1] if past else (at(1, 30), "lead", None)
        self.pasts[id_] = list(past) or [last]
        self.rows[id_] = self.rows[3] | {
            "id": id_,
            "state": last[1],
            "party": last[2],
            "create_date": moment(first[0]),
            "write_date": moment(last[0]) if len(past) > 1 else None,
            **values,
        }
        return self.rows[id_]

    def delete(self, id_: int, when: datetime) -> None:
        del self.rows[id_]
        self.pasts[id_].append((when, None, None))

    def __call__(self, request: httpx.Request) -> httpx.Response:
        assert (request.method, request.url.path) == ("POST", "/crm/rpc/")
        assert request.headers["Content-Type"] == "application/json"
        question = json.loads(request.content)
        assert set(question) == {"id", "method", "params"}, "without an id the answer has no envelope"
        method, params = question["method"], question["params"]
        self.calls.append((method, params))
        self.requests.append(request)
        answer = self.instead(method, params)
        if answer is None:
            answer = self.answer(request, method, params)
        if self.date:
            answer.headers["Date"] = self.date
        return answer

    def answer(self, request: httpx.Request, method: str, params: list[Any]) -> httpx.Response:
        if method == "common.db.login":
            return result([7, self.key, None]) if params == [LOGIN, {"password": PASSWORD}] else httpx.Response(401)
        if request.headers["Authorization"] != "Session " + b64encode(f"{LOGIN}:7:{self.key}".encode()).decode():
            return httpx.Response(401)
        *params, context = params
        assert isinstance(context, dict), "the context comes last"
        match method, params:
            case "model.company.employee.search_read", [[["id", ">", last]], 0, limit, [["id", "ASC"]], _]:
                assert context == {"active_test": False}
                return result([row for row in self.employees if row["id"] > last][: min(limit, self.most)])
            case "model.party.party.search_read", [[*when, ["id", ">", last]], 0, _, [["id", "ASC"]], ["replaced_by"]]:
                assert context == {"active_test": False}
                assert when[0] == ["replaced_by", "!=", None]
                since = of(when[1][2])
                merged = [{"id": id_, "replaced_by": into} for id_, (into, at) in self.merged.items() if at >= since]
                return result([row for row in merged if row["id"] > last])
            case "model.sale.opportunity.history_revisions", [ids]:
                found = [[moment(past[0]), id_, "A Name"] for id_ in ids for past in self.pasts.get(id_, [])]
                return result(found[::-1])
            case "model.sale.opportunity.search_read", [[["id", "in", ids]], 0, limit, [["id", "ASC"]], fields]:
                rows = self._as_of(of(context["_datetime"])) if context else self.rows
                return self._found(rows, [id_ for id_ in sorted(rows) if id_ in ids], limit, fields)
            case "model.sale.opportunity.search_read", [[["id", ">", last]], 0, limit, [["id", "ASC"]], fields]:
                return self._found(self.rows, [id_ for id_ in sorted(self.rows) if id_ > last], limit, fields)
            case "model.sale.opportunity.search_read", [[when, ["id", ">", last]], 0, limit, [["id", "ASC"]], fields]:
                ids = [id_ for id_ in sorted(self.rows) if id_ > last and self._changed(id_, when)]
                return self._found(self.rows, ids, limit, fields)
            case "model.sale.opportunity.search_count", [["OR", ["create_date", "<", made], ["start_date", "<=", day]]]:
                of_row = [(of(row["create_date"]), of(row["start_date"])) for row in self.rows.values()]
                return result(sum(created < of(made) or began <= of(day) for created, began in of_row))
        raise AssertionError(f"nobody asks {method} with {params}")

    def _found(self, rows: dict[int, Json], ids: list[int], limit: int, fields: list[str]) -> httpx.Response:
        names = {"id", *(f"{field.split('.')[0]}." if "." in field else field for field in fields)}
        chosen = [rows[id_] for id_ in ids[: min(limit, self.most)]]
        return result([{name: value for name, value in row.items() if name in names} for row in chosen])

    def _changed(self, id_: int, domain: Any) -> bool:
        match domain:
            case ["OR", [["write_date", ">=", since]], [["write_date", "=", None], ["create_date", ">=", also]]]:
                assert since == also
                row = self.rows[id_]
                return of(row["write_date"] or row["create_date"]) >= of(since)
        raise AssertionError(f"nobody asks for {domain}")

    def _as_of(self, when: datetime) -> dict[int, Json]:
        """Each as its last version then; one that was deleted is not there."""
        found = {}
        for id_, pasts in self.pasts.items():
            versions = [past for past in pasts if past[0] <= when]
            if versions and versions[-1][1] is not None:
                found[id_] = {"id": id_, "state": versions[-1][1], "party": versions[-1][2]}
        return found


def result(value: object) -> httpx.Response:
    return httpx.Response(200, content=json.dumps({"id": 0, "result": value}))  # which may be odd, unlike `json=`


def error(*what: object) -> httpx.Response:
    return httpx.Response(200, json={"id": 0, "error": what})
