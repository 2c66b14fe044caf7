"""The sandbox beside a real Tryton with the same records: both answer the same questions alike."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from tryton_server import PASSWORD, Office, Server, amount, day, running_tryton
from tryton_twin import business_of_all_kinds, seed

from holdwater.crm.client import Client
from holdwater.crm.credentials import Token
from holdwater.crm.tryton import Tryton as Connector
from holdwater.crm.tryton_session import SESSION, Door
from holdwater.sandbox import Business, Sandbox
from holdwater.sandbox.dialect import Answer
from holdwater.sandbox.server import serving
from holdwater.sandbox.tryton import Tryton

pytestmark = pytest.mark.slow

OPPORTUNITY = "model.sale.opportunity"
Json = dict[str, Any]


class Recording(Tryton):
    """Keeps each question, and what it was answered."""

    def __init__(self, business: Business, **options: Any) -> None:
        super().__init__(business, **options)
        self.asked: list[tuple[bytes, Answer]] = []

    def answer(self, method: str, path: str, query: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        answer = super().answer(method, path, query, body, headers)
        self.asked.append((body, answer))
        return answer


class Both:
    """A sandbox and a real Tryton that hold the same business."""

    def __init__(self, business: Business, dialect: Recording, sandbox: Sandbox, server: Server) -> None:
        self.business, self.dialect, self.sandbox = business, dialect, sandbox
        self.real = Office(server.url, "admin", PASSWORD)
        self.simulated = Office(sandbox.url, "admin", PASSWORD)
        self.server = server
        self.merged = seed(server, business)

    def ask(self, method: str, *params: object, bare: bool = False, **request: Any) -> list[httpx.Response]:
        """The answer of the sandbox, and the real one."""
        question = {"id": 5, "method": method, "params": params}
        if bare:
            del question["id"]
        return [office.http.post("/crm/rpc/", json=question, **request) for office in (self.simulated, self.real)]


@contextmanager
def both_serving(server: Server) -> Iterator[Both]:
    business = business_of_all_kinds()
    with ExitStack() as stack:
        dialect = Recording(business, login="admin", password=PASSWORD, database="crm")
        both = Both(business, dialect, stack.enter_context(serving(business, PASSWORD, dialect)), server)
        stack.callback(both.real.http.close)
        stack.callback(both.simulated.http.close)
        yield both


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    with running_tryton(tmp_path_factory.mktemp("tryton")) as server, both_serving(server) as both:
        yield both


def connector(both: Both) -> Connector:
    door = Door(both.sandbox.url, "crm", Token(f"admin:{PASSWORD}"))

    def enter() -> Client:
        return Client(both.sandbox.url, door.session(), manners=SESSION, renew=door.session)

    return Connector(door, enter, person=lambda address: address, at_once=7)


def without_merged_past(rows: Any, both: Both, question: Json) -> Any:
    """The simulator forgets to whom an opportunity belonged before its party was merged."""
    if not question["params"][-1].get("_datetime"):
        return rows
    return [row | {"party": None} if row["id"] in both.merged else row for row in rows]


def test_every_question_of_a_sync_is_answered_alike(both: Both) -> None:
    before = len(both.dialect.asked)
    early = dict.fromkeys(("leads", "deals", "stage_events"), both.business.start + timedelta(days=9))
    with connector(both) as tryton:
        list(tryton.pages({}))
        list(tryton.pages(early))
        counted = tryton.counts(both.business.now)
    asked = both.dialect.asked[before:]
    compared = 0
    for body, simulated in asked:
        question = json.loads(body)
        if question["method"] == "common.db.login":
            continue
        real = both.real.http.post("/crm/rpc/", json=question)
        assert (real.status_code, simulated.status) == (200, 200)
        found, wanted = (without_merged_past(said["result"], both, question) for said in (simulated.body, real.json()))
        assert found == wanted, question
        compared += len(wanted) if isinstance(wanted, list) else 1
    print(f"{len(asked)} questions, {compared} rows alike")
    assert len(asked) > 50
    assert compared > 300
    assert counted["deals"] > 20


NOW: Json = {}
ALL = {"active_test": False}
QUESTIONS: Mapping[str, Sequence[object]] = {
    "ids": ["search", [], 0, None, [["id", "ASC"]], NOW],
    "some ids": ["search", [], 3, 4, [["id", "DESC"]], NOW],
    "how many": ["search_count", [], NOW],
    "how many of a state": ["search_count", [["state", "=", "won"]], NOW],
    "two orders": ["search", [], 0, None, [["start_date", "DESC"], ["id", None]], NOW],
    "what is empty first": ["search", [], 0, None, [["write_date", "ASC NULLS FIRST"], ["id", "ASC"]], NOW],
    "what is empty last": ["search", [], 0, None, [["write_date", "DESC NULLS LAST"], ["id", "ASC"]], NOW],
    "unlike": ["search", [["lost_reason", "!=", "No reply"]], 0, None, [["id", "ASC"]], NOW],
    "not among": ["search", [["lost_reason", "not in", ["No reply"]]], 0, None, [["id", "ASC"]], NOW],
    "among": ["search", [["state", "in", ["won", "lost"]]], 0, None, [["id", "ASC"]], NOW],
    "empty": ["search", [["party", "=", None]], 0, None, None, NOW],
    "an empty day has no order": ["search", [["end_date", ">=", day(date(2026, 1, 1))]], 0, None, [["id", "ASC"]], NOW],
    "an empty text comes first": ["search", [["lost_reason", "<", "O"]], 0, None, [["id", "ASC"]], NOW],
    "less": ["search", [["amount", "<", amount("78")]], 0, None, [["id", "ASC"]], NOW],
    "one or the other": [
        "search", ["OR", ["state", "=", "won"], [["id", "<", 9], ["amount", ">=", amount("500")]]], 0, None,
        [["id", "ASC"]], NOW,
    ],
    "none of them": ["search", [["id", "in", []]], 0, None, None, NOW],
    "nothing but the id": ["search_read", [["id", "<", 5]], 0, None, [["id", "ASC"]], NOW],
    "fields of others": [
        "search_read", [], 0, None, [["id", "ASC"]],
        ["party.email", "party.name", "party", "employee.end_date", "currency.code", "number", "rec_name", "company",
         "description", "start_date", "end_date", "amount", "lost_reason", "state", "create_date", "write_date"], NOW,
    ],
    "read": ["read", [2, 3], ["state", "amount"], NOW],
    "revisions": ["history_revisions", [1, 2, 3, 4, 5, 999], NOW],
}  # fmt: skip


@pytest.mark.parametrize("name", QUESTIONS)
def test_whatever_else_is_asked_of_opportunities_is_answered_alike(name: str, both: Both) -> None:
    method, *params = QUESTIONS[name]
    simulated, real = both.ask(f"{OPPORTUNITY}.{method}", *params)
    told = [answer.json() for answer in (simulated, real)]
    for said in told:  # of which there is none but for the tests of merging
        for row in said["result"] if name == "fields of others" else ():
            assert row.get("party.") is None or row["party."].pop("name").startswith("Simulated")
    assert told[0] == told[1]


PARTY = ["replaced_by", "active", "create_date", "write_date"]
EMPLOYEE = ["active", "end_date", "company", "create_date", "write_date"]


@pytest.mark.parametrize(
    ("model", "fields", "context"),
    [
        ("party.party", [*PARTY, "email"], NOW),
        ("party.party", PARTY, ALL),  # whose addresses are then those of the merged, too
        ("company.employee", EMPLOYEE, NOW),
        ("company.employee", EMPLOYEE, ALL),
    ],
)
def test_parties_and_employees_are_the_same(model: str, fields: list[str], context: Json, both: Both) -> None:
    """But for those that the sandbox does without: the company and the people in it."""
    since = [["id", ">", 100]]
    simulated, real = both.ask(f"model.{model}.search_read", since, 0, None, [["id", "ASC"]], fields, context)
    assert simulated.json() == real.json()
    assert len(real.json()["result"]) > 2


def test_the_past_is_the_same_at_any_moment(both: Both) -> None:
    for hours in range(0, 24 * 33, 17):
        at = both.business.start + timedelta(hours=hours, milliseconds=1)
        names = ("year", "month", "day", "hour", "minute", "second", "microsecond")
        context = {"_datetime": {"__class__": "datetime"} | {name: getattr(at, name) for name in names}}
        fields = ["state", "write_date", "create_date", "start_date"]
        simulated, real = both.ask(f"{OPPORTUNITY}.search_read", [], 0, None, [["id", "ASC"]], fields, context)
        assert simulated.json() == real.json(), at


REFUSED: Mapping[str, Sequence[object]] = {
    "no such field": [f"{OPPORTUNITY}.search_read", [], 0, None, None, ["nothing"], NOW],
    "no such field to search": [f"{OPPORTUNITY}.search", [["nothing", "=", 1]], 0, None, None, NOW],
    "no such field to sort by": [f"{OPPORTUNITY}.search", [], 0, None, [["nothing", "ASC"]], NOW],
    "no such record": [f"{OPPORTUNITY}.read", [9999], ["state"], NOW],
    "no such model": ["model.no.such.search", [], NOW],
    "no such method": [f"{OPPORTUNITY}.nothing", NOW],
    "no history": ["model.party.party.nothing", [101], NOW],
    "no method at all": ["nothing", NOW],
    "no context": [f"{OPPORTUNITY}.search", [], 0, None, None],
    "no password": ["common.db.login", "admin", {}],
    "a wrong password": ["common.db.login", "admin", {"password": "no"}],
    "nobody": ["common.db.login", "nobody-of-this-name", {"password": "no"}],
    "no name": ["common.db.login", 5, {"password": "no"}],
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("bare", [False, True], ids=["enveloped", "bare"])
def test_what_is_refused_is_refused_alike(name: str, bare: bool, both: Both) -> None:
    method, *params = REFUSED[name]
    simulated, real = both.ask(str(method), *params, bare=bare)
    assert simulated.status_code == real.status_code
    if real.status_code == 200:
        found, wanted = simulated.json(), real.json()
        assert found.keys() == wanted.keys() == {"id", "error"}
        known = wanted["error"][0].endswith(("Error", "Exception"))
        assert [type(part) for part in found["error"]] == [type(part) for part in wanted["error"]]
        assert found["error"][0] == wanted["error"][0] or not known


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"Authorization": ""}, {"id": 1, "method": f"{OPPORTUNITY}.search", "params": [[], NOW]}),
        ({"Authorization": "Session rubbish"}, {"id": 1, "method": f"{OPPORTUNITY}.search", "params": [[], NOW]}),
        ({"Authorization": "Session YWRtaW46MTphYmM="}, {"id": 1, "method": "model.no.such.read", "params": []}),
        ({}, {"id": 1, "params": []}),
        ({}, {}),
        ({"Content-Type": "text/plain"}, {"id": 1, "method": f"{OPPORTUNITY}.search", "params": [[], NOW]}),
    ],
)
def test_who_may_not_ask_is_refused_alike(headers: dict[str, str], body: Json, both: Both) -> None:
    simulated, real = (
        office.http.post("/crm/rpc/", content=json.dumps(body), headers={"Content-Type": "application/json"} | headers)
        for office in (both.simulated, both.real)
    )
    assert simulated.status_code == real.status_code >= 400
    assert simulated.headers.get("WWW-Authenticate") == real.headers.get("WWW-Authenticate")


def test_nobody_may_guess_passwords(both: Both) -> None:
    answers = [both.ask("common.db.login", "guessed", {"password": str(number)}) for number in range(7)]
    statuses = [[answer.status_code for answer in pair] for pair in answers]
    assert [simulated for simulated, _ in statuses] == [real for _, real in statuses]
    assert statuses[-1] == [429, 429]


def test_without_an_envelope_the_result_stands_alone(both: Both) -> None:
    simulated, real = both.ask(f"{OPPORTUNITY}.search", [["id", "<", 3]], 0, None, [["id", "ASC"]], NOW, bare=True)
    assert simulated.json() == real.json() == [1, 2]


def test_other_ways_to_the_server(both: Both) -> None:
    version = {"id": 1, "method": "common.server.version", "params": []}
    for answers in (
        [office.http.get("/crm/rpc/") for office in (both.simulated, both.real)],
        [office.http.post("/rpc/", json=version) for office in (both.simulated, both.real)],
    ):
        assert answers[0].status_code == answers[1].status_code
        if answers[0].status_code == 200:
            assert answers[0].json() == answers[1].json()


def test_a_session_ends_with_the_logout(both: Both) -> None:
    for url in (both.sandbox.url, both.server.url):
        office = Office(url, "admin", PASSWORD)
        assert office.call("common.db.logout") is None
        question = {"id": 1, "method": f"{OPPORTUNITY}.search", "params": [[], NOW]}
        assert office.http.post("/crm/rpc/", json=question).status_code == 401
        office.http.close()
