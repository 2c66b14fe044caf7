"""The sandbox's Odoo: refusals, domains, orders and what is shown, as an Odoo 19 answered the same questions."""

from __future__ import annotations

import json
from operator import eq, ge, gt, le, lt
from typing import Any

import pytest

from holdwater.sandbox import Business
from holdwater.sandbox.dialect import Answer
from holdwater.sandbox.odoo import Odoo

KEY = "e1c2b3a4"
ALL = {"active_test": False}
HEADERS = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}


@pytest.fixture
def odoo(small: Business) -> Odoo:
    return Odoo(small, token=KEY)


def ask(odoo: Odoo, path: str, question: Any = None, method: str = "POST", **headers: str) -> Answer:
    body = question if isinstance(question, bytes) else json.dumps(question or {}).encode()
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return odoo.answer(method, f"/json/2/{path}", "", body, HEADERS | names)


def search(odoo: Odoo, domain: Any, *, context: Any = None, **options: Any) -> Any:
    question = {"domain": domain, "order": "id", "context": ALL if context is None else context} | options
    answer = ask(odoo, "crm.lead/search", question)
    assert answer.status == 200, answer.body
    return answer.body


def rows(odoo: Odoo, *fields: str) -> dict[int, dict[str, Any]]:
    question: dict[str, Any] = {"domain": [], "fields": fields, "context": ALL, "load": None}
    return {row["id"]: row for row in ask(odoo, "crm.lead/search_read", question).body}


@pytest.mark.parametrize(
    ("path", "question", "status", "name"),
    [
        ("crm.nothing/search", {"domain": []}, 404, "werkzeug.exceptions.NotFound"),
        ("crm.lead/nothing", {"domain": []}, 404, "werkzeug.exceptions.NotFound"),
        ("crm.lead/_search", {"domain": []}, 403, "odoo.exceptions.AccessError"),
        ("crm.lead/unlink", {"ids": [202]}, 403, "odoo.exceptions.AccessError"),
        ("crm.lead/search", {}, 422, "werkzeug.exceptions.UnprocessableEntity"),
        ("crm.lead/search", {"domain": [], "ids": [202]}, 422, "werkzeug.exceptions.UnprocessableEntity"),
        ("crm.lead/search", {"domain": [], "nothing": 1}, 422, "werkzeug.exceptions.UnprocessableEntity"),
        ("crm.lead/search_read", {"domian": []}, 500, "builtins.TypeError"),
        ("crm.lead/search_read", {"fields": ["nothing"]}, 500, "builtins.ValueError"),
        ("crm.lead/search_read", {"fields": ["partner_id.name"]}, 500, "builtins.ValueError"),
        ("crm.lead/search", {"domain": [["nothing", "=", 1]]}, 500, "builtins.ValueError"),
        ("crm.lead/search", {"domain": [["stage_id.nothing", "=", 1]]}, 500, "builtins.ValueError"),
        ("crm.lead/search", {"domain": [["name.nothing", "=", 1]]}, 500, "builtins.ValueError"),
        ("crm.lead/search", {"domain": [["id", "~", 1]]}, 500, "builtins.ValueError"),
        ("crm.lead/search", {"domain": ["&", ["id", ">", 1]]}, 500, "builtins.ValueError"),
        ("crm.lead/search", {"domain": [["id", ">"]]}, 500, "builtins.ValueError"),
        ("crm.lead/search", {"domain": "x"}, 500, "builtins.TypeError"),
        ("crm.lead/search", {"domain": [["write_date", ">", "2026-11-22T08:47:44Z"]]}, 500, "builtins.ValueError"),
        ("crm.lead/search", {"domain": [["write_date", ">", 5]]}, 500, "builtins.ValueError"),
        ("crm.lead/search", {"domain": [], "order": "id; drop"}, 422, "odoo.exceptions.UserError"),
        ("crm.lead/search", {"domain": [], "order": "nothing"}, 500, "builtins.ValueError"),
        ("crm.lead/search", {"domain": [], "order": "display_name"}, 500, "builtins.ValueError"),
        ("crm.lead/search", {"domain": [], "context": 3}, 500, "builtins.TypeError"),
        ("crm.lead/web_search_read", {"domain": []}, 422, "werkzeug.exceptions.UnprocessableEntity"),
        ("crm.lead/search", b"{", 400, "werkzeug.exceptions.BadRequest"),
        ("crm.lead/search", b"[]", 422, "werkzeug.exceptions.UnprocessableEntity"),
        ("crm.lead", {}, 404, "werkzeug.exceptions.NotFound"),
    ],
)
def test_a_question_it_cannot_work_with(path: str, question: Any, status: int, name: str, odoo: Odoo) -> None:
    answer = ask(odoo, path, question)
    assert (answer.status, answer.body["name"]) == (status, name)
    assert answer.body.keys() == {"name", "message", "arguments", "context", "debug"}
    assert answer.body["arguments"] == [answer.body["message"], *([status] if name.startswith("werkzeug") else [])]


def test_who_may_ask(odoo: Odoo, small: Business) -> None:
    question: dict[str, Any] = {"domain": []}
    assert ask(odoo, "crm.stage/search", question, authorization=f"bearer {KEY}").status == 200
    for given in ("", "Bearer x", KEY):
        answer = ask(odoo, "crm.stage/search", question, authorization=given)
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert ask(odoo, "crm.stage/search", question, x_odoo_database="simulated").status == 200
    other = ask(odoo, "crm.stage/search", question, x_odoo_database="other")
    assert (other.status, other.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert ask(odoo, "crm.stage/search", question, content_type="text/plain").status == 415
    assert ask(odoo, "crm.stage/search", question, method="GET").status == 404
    salesman = Odoo(small, token=KEY, administrator=False)
    assert ask(salesman, "crm.lead/search_count", question).status == 200
    assert ask(salesman, "mail.tracking.value/search_count", question).status == 403


def test_domains(odoo: Odoo) -> None:
    leads = rows(odoo, "partner_id", "active", "won_status", "date_closed", "expected_revenue", "source_id", "stage_id")

    def those(test: Any) -> list[int]:
        return [id_ for id_, row in sorted(leads.items()) if test(row)]

    some = sorted(leads)
    assert search(odoo, []) == some
    assert search(odoo, [["id", ">", some[3]], ["id", "<", some[9]]]) == some[4:9]
    assert search(odoo, ["|", "&", ["id", ">", some[3]], ["id", "<", some[6]], ["id", "=", some[0]]]) == [
        some[0], *some[4:6],
    ]  # fmt: skip
    assert search(odoo, ["!", ["id", "<", some[-2]]]) == some[-2:]
    assert search(odoo, [["id", "in", some[:2]]]) == search(odoo, [["id", "=", some[:2]]]) == some[:2]
    assert search(odoo, [["id", "in", some[4]]]) == search(odoo, [["id", "==", str(some[4])]]) == [some[4]]
    assert search(odoo, [["id", "IN", [some[1]]]]) == [some[1]]
    assert search(odoo, [["active", "=", None]]) == those(lambda row: not row["active"])
    assert search(odoo, [["won_status", "!=", "pending"]]) == those(lambda row: row["won_status"] != "pending")
    assert search(odoo, [["stage_id.is_won", "=", True]]) == those(lambda row: row["won_status"] == "won")
    partners = those(lambda row: row["partner_id"])
    assert search(odoo, [["partner_id", "=", False]]) == sorted(leads.keys() - set(partners))
    one = leads[partners[0]]["partner_id"]
    others = those(lambda row: row["partner_id"] != one)
    assert search(odoo, [["partner_id", "!=", one]]) == search(odoo, [["partner_id", "not in", [one]]]) == others
    # Of nobody it is not said that the name is another one.
    name = f"Simulated lead {one}"
    assert search(odoo, [["partner_id.name", "!=", name]]) == [id_ for id_ in partners if id_ in others]
    assert search(odoo, [["partner_id", "=", name]]) == those(lambda row: row["partner_id"] == one)
    assert search(odoo, [["partner_id", "not any", [["name", "=", name]]]]) == others
    assert search(odoo, [["name", "=like", "simulated%"]]) == []
    assert search(odoo, [["name", "=ilike", "simulated _eal%"]]) == [id_ for id_ in some if id_ % 2]
    assert search(odoo, [["name", "ilike", "DEAL"]]) == search(odoo, [["name", "like", "deal"]])
    assert search(odoo, [["name", "not ilike", "DEAL"]]) == [id_ for id_ in some if id_ % 2 == 0]
    assert search(odoo, [["lost_reason_id", "=?", False]]) == some
    assert search(odoo, [["expected_revenue", ">", 600]]) == those(lambda row: row["expected_revenue"] > 600)
    assert search(odoo, [["expected_revenue", "=", False]]) == [id_ for id_ in some if id_ % 2 == 0]


def test_a_moment_is_the_whole_of_its_second(odoo: Odoo) -> None:
    closed = {id_: row["date_closed"] for id_, row in sorted(rows(odoo, "date_closed").items()) if row["date_closed"]}
    moment = sorted(closed.values())[len(closed) // 2]
    for sign, compare in {">": gt, ">=": ge, "<": lt, "<=": le, "=": eq}.items():
        found = search(odoo, [["date_closed", sign, moment]])
        assert found == [id_ for id_, text in closed.items() if compare(text, moment)]
        assert found
    assert search(odoo, [["date_closed", "!=", False]]) == search(odoo, [["date_closed", ">", "2020-01-01"]])
    assert search(odoo, [["date_closed", "=", False]]) == sorted(rows(odoo, "id").keys() - closed.keys())


def test_orders_offsets_and_limits(odoo: Odoo) -> None:
    """What is empty comes last, and first from the other end; the usual order has the latest first."""
    closed = {id_: row["date_closed"] for id_, row in sorted(rows(odoo, "date_closed").items())}
    full = sorted((id_ for id_ in closed if closed[id_]), key=lambda id_: (closed[id_], id_))
    empty = [id_ for id_ in closed if not closed[id_]]
    assert [closed[id_] for id_ in search(odoo, [], order="date_closed asc, id")] == [
        closed[id_] for id_ in [*full, *empty]
    ]
    assert search(odoo, [], order="date_closed desc, id asc")[: len(empty)] == empty
    assert search(odoo, [], order="date_closed desc nulls last, id")[-len(empty) :] == empty
    assert search(odoo, [], order="") == search(odoo, [], order=None) == sorted(closed, reverse=True)
    assert search(odoo, [], limit=0) == search(odoo, [], limit=False) == sorted(closed)
    assert search(odoo, [], limit=3, offset=2) == sorted(closed)[2:5]
    by_stage = [row["stage_id"] for row in map(rows(odoo, "stage_id").get, search(odoo, [], order="stage_id"))]  # type: ignore[index]  # all are there
    assert by_stage == sorted(by_stage)


def test_what_is_archived_is_hidden(odoo: Odoo) -> None:
    active = {id_: row["active"] for id_, row in sorted(rows(odoo, "active").items())}
    shown = [id_ for id_ in active if active[id_]]
    assert search(odoo, [], context={}) == shown
    assert len(shown) < len(active)
    assert search(odoo, [["active", "in", [True, False]]], context={}) == list(active)
    either = ["|", ["active", "=", False], ["id", "=", shown[0]]]
    assert search(odoo, either, context={}) == [id_ for id_ in active if not active[id_] or id_ == shown[0]]


def test_what_the_web_client_reads(odoo: Odoo) -> None:
    """Numbers of other records, or what of them is asked for; and how many there are, as far as that was to be told."""
    one = search(odoo, [["won_status", "=", "won"]])[0]
    partner = rows(odoo, "partner_id")[one]["partner_id"]
    specification = {
        "stage_id": {},
        "partner_id": {"fields": {"name": {}}},
        "lost_reason_id": {"fields": {}},
        "company_currency": {"fields": {"name": {}}},
    }
    question = {"domain": [["id", ">=", one]], "specification": specification, "limit": 1, "order": "id"}
    answer = ask(odoo, "crm.lead/web_search_read", question | {"context": ALL}).body
    assert answer["records"] == [
        {
            "id": one,
            "stage_id": 4,
            "partner_id": {"id": partner, "name": f"Simulated lead {partner}"},
            "lost_reason_id": False,
            "company_currency": {"id": 1, "name": "USD"},
        }
    ]
    assert answer["length"] == len(search(odoo, [["id", ">=", one]])) > 5
    for most, length in ((1, 1), (3, 3)):
        limited = question | {"context": ALL, "count_limit": most}
        assert ask(odoo, "crm.lead/web_search_read", limited).body["length"] == length
    nothing = question | {"offset": 10_000}
    assert ask(odoo, "crm.lead/web_search_read", nothing).body == {"length": 0, "records": []}
