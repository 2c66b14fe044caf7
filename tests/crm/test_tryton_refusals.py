"""The Tryton connector, where the server or a record says something that cannot be taken."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
import tryton_double as double
from tryton_double import END, KEY, PASSWORD, SECRET, SESSION, at, error, moment, result
from tryton_reader import issues, opened, read, records

from holdwater.crm.connector import Connector
from holdwater.crm.credentials import Token
from holdwater.crm.tryton import connect
from holdwater.errors import BadAnswerError, CredentialsError, HoldwaterError, ScopeError, SetupError


@pytest.fixture
def server() -> double.Tryton:
    return double.Tryton()


# What cannot be read


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("state", "dreaming of Ada"),
        ("amount", {"__class__": "Decimal", "decimal": "NaN"}),
        ("amount", {"__class__": "Decimal", "decimal": "1e15"}),
        ("amount", {"__class__": "Decimal", "decimal": "Ada"}),
        ("amount", 12.5),
        ("currency.", {"id": 1, "code": "Ada"}),
        ("currency.", None),
        ("create_date", None),
        ("write_date", "2026-11-22"),
        ("write_date", {"__class__": "datetime", "year": 20260, "month": 1, "day": 1}),
        ("write_date", moment(END + timedelta(days=2))),
        ("party", "Ada"),
        ("lost_reason", ["Ada"]),
        ("lost_reason", "\ud800"),
    ],
)
def test_a_record_that_cannot_be_read_is_an_issue(field: str, value: object, server: double.Tryton) -> None:
    server.rows[2][field] = value
    pages = read(server)
    for stream in ("leads", "deals"):
        assert list(records(pages, stream)) == ["1", "3"]
        (told,) = issues(pages, stream).items()
        assert told[0] == "2"
        assert told[1].startswith("Tryton opportunity 2 ")
        assert "Ada" not in told[1]


def test_an_employee_that_cannot_be_read_is_an_issue(server: double.Tryton) -> None:
    server.employees[0]["create_date"] = "yesterday"
    assert list(issues(read(server), "owners")) == ["1"]


LISTED, PAST, PRESENT = 1, 2, 10  # the three questions about opportunities, by how many fields they ask for


def change_rows(question: int, change: Callable[[list[Any]], object], server: double.Tryton) -> None:
    """From now on the answers to this question are changed."""

    def instead(method: str, params: list[Any]) -> httpx.Response | None:
        if not method.endswith("opportunity.search_read") or len(params[4]) != question:
            return None
        rows = json.loads(server.answer(server.requests[-1], method, params).content)["result"]
        if len(rows) > 1:
            change(rows)
        return result(rows)

    server.instead = instead


OTHER_IDS: dict[str, Callable[[list[Any]], object]] = {
    "one is not sent": lambda rows: rows.pop(1),
    "one has no number": lambda rows: rows[1].pop("id"),
    "one has a number that nobody asked for": lambda rows: rows[1].update(id=99),
    "one has the number of another": lambda rows: rows[1].update(id=3),
}


@pytest.mark.parametrize("case", OTHER_IDS)
def test_what_was_listed_is_taken_or_told(case: str, server: double.Tryton) -> None:
    change_rows(PRESENT, OTHER_IDS[case], server)
    pages = read(server)
    told = issues(pages)
    assert set(told) | set(records(pages, "deals")) == {"1", "2", "3"}
    assert set(told) == ({"2", "3"} if "another" in case else {"2"})
    assert "was listed, but not sent" in told["2"]


@pytest.mark.parametrize("case", OTHER_IDS)
def test_a_past_that_cannot_be_read_is_told(case: str, server: double.Tryton) -> None:
    """What is not sent was not there, as with one that was deleted and brought back."""
    server.add(4, (at(1, 24), "lead", 9), (at(1, 25), "opportunity", 9), (at(1, 26), "lost", 9))
    change_rows(PAST, OTHER_IDS[case], server)
    pages = read(server)
    told, kept = issues(pages), records(pages, "deals")
    assert set(told) | set(kept) == {"1", "2", "3", "4"}
    assert set(told).isdisjoint(kept)
    assert bool(told) == (case != "one is not sent")
    assert {event.deal_id for event in records(pages, "stage_events").values()} == set(kept)


def test_nobody_comes_after_one_of_whom_two_parties_are_told(server: double.Tryton) -> None:
    """In the list the first belongs to the party of the third, and for itself to its own."""
    change_rows(LISTED, lambda rows: rows[0].update(party=6), server)
    pages = read(server)
    assert list(issues(pages)) == ["1"]
    assert "another party" in issues(pages)["1"]
    assert records(pages, "deals")["3"].lead_id == "3"


@pytest.mark.parametrize("seed", range(40))
def test_whatever_comes_is_taken_or_told(seed: int, server: double.Tryton) -> None:
    disturbed(server, random.Random(seed))


@pytest.mark.slow
def test_a_thousand_odd_answers_are_taken_or_told() -> None:
    for seed in range(1000, 2000):
        disturbed(double.Tryton(), random.Random(seed))


def disturbed(server: double.Tryton, chance: random.Random) -> None:
    """One value of one answer is something else: a record is taken or an issue, or the run ends with a sentence."""
    text = ["", "x", "\ud800", "\x00", "٣"]
    odd: list[Any] = [None, -1, 0, 10**30, 1.5, True, [], {}, [[]], {"__class__": "datetime"}, *text]
    at_call = chance.randint(2, 8)

    def mutate(value: Any) -> Any:
        if isinstance(value, dict) and value and chance.random() < 0.9:
            key = chance.choice(sorted(value))
            return value | {key: mutate(value[key])}
        if isinstance(value, list) and value and chance.random() < 0.9:
            place = chance.randrange(len(value))
            return [*value[:place], mutate(value[place]), *value[place + 1 :]]
        return chance.choice(odd)

    def instead(method: str, params: list[Any]) -> httpx.Response | None:
        if len(server.calls) != at_call:
            return None
        answer = mutate(json.loads(server.answer(server.requests[-1], method, params).content)["result"])
        return result(answer)

    server.instead = instead
    try:
        pages = read(server)
    except HoldwaterError as problem:
        told = str(problem)
        assert not [value for value in ("Too dear", "A Name", KEY, PASSWORD) if value in told]
    else:
        met = {*records(pages, "deals"), *issues(pages)}
        assert met >= {"1", "2", "3"} or at_call < 6  # which may be another list of what there is


REFUSALS: dict[str, tuple[httpx.Response, type[HoldwaterError], str]] = {
    "rights": (error("UserError", ["Ada may not read", "", None]), ScopeError, "group Sale Opportunity"),
    "no module": (error("'sale.opportunity'", "Traceback of Ada"), BadAnswerError, "module sale_opportunity"),
    "no list": (result({"Ada": 1}), BadAnswerError, "could not answer"),
    "no records": (result(["Ada"]), BadAnswerError, "other than records"),
    "no id": (result([{"name": "Ada"}]), BadAnswerError, "without|unusable in id"),
    "forbidden": (httpx.Response(403, text="Ada"), ScopeError, "403"),
    "gone": (httpx.Response(404, text="Ada"), BadAnswerError, "404"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_refusal_says_what_to_do_and_quotes_nobody(
    case: str, server: double.Tryton, printed: Callable[[BaseException], str]
) -> None:
    answer, kind, told = REFUSALS[case]
    server.instead = lambda method, params: answer if "opportunity" in method else None
    with pytest.raises(kind, match=told) as caught:
        read(server)
    assert "Ada" not in str(caught.value)


# Getting in


def test_a_connector_is_one(server: double.Tryton) -> None:
    with connect("http://127.0.0.1:8000/crm", Token(SECRET), transport=httpx.MockTransport(server)) as tryton:
        connector: Connector = tryton
        assert connector.connection == "tryton:127.0.0.1:8000/crm"
        assert tryton.requests == 1
        assert (tryton.retries, tryton.throttled_seconds) == (0, 0)


def test_the_password_is_said_once_and_the_session_after_it(server: double.Tryton) -> None:
    read(server)
    others = server.requests[1:]
    assert server.calls[0] == ("common.db.login", [double.LOGIN, {"password": PASSWORD}])
    assert others
    for request in others:
        assert request.headers["Authorization"] == SESSION
        assert PASSWORD.encode() not in request.content


def test_a_session_that_ends_is_renewed_once(server: double.Tryton) -> None:
    with connect("http://127.0.0.1:8000/crm", Token(SECRET), transport=httpx.MockTransport(server)) as tryton:
        pages = tryton.pages({})
        next(pages)
        server.key = "another-key"
        rest = list(pages)
        assert tryton.retries == 1
    assert len(records(rest, "deals")) == 3
    assert [method for method, _ in server.calls].count("common.db.login") == 2


def test_a_password_that_is_changed_midway_is_told(
    server: double.Tryton, printed: Callable[[BaseException], str]
) -> None:
    with opened(server) as tryton:
        pages = tryton.pages({})
        next(pages)
        server.instead = lambda method, params: httpx.Response(401)
        with pytest.raises(CredentialsError, match="HOLDWATER_TRYTON_TOKEN") as caught:
            list(pages)
    assert not [secret for secret in (PASSWORD, KEY) if secret in printed(caught.value)]


ENTRIES: dict[str, tuple[httpx.Response, type[HoldwaterError], str]] = {
    "wrong": (httpx.Response(401), CredentialsError, "check HOLDWATER_TRYTON_TOKEN"),
    "no such database": (httpx.Response(404), BadAnswerError, "404"),
    "a second factor": (
        error("LoginException", ["sms_code", "Code", "char"]),
        CredentialsError,
        "more than a password",
    ),
    "no session": (result(None), BadAnswerError, "no session"),
    "half a session": (result([7]), BadAnswerError, "no session"),
    "a page": (httpx.Response(200, text="<html>"), BadAnswerError, "JSON"),
}


@pytest.mark.parametrize("case", ENTRIES)
def test_who_is_not_let_in_learns_why_and_nobody_learns_the_password(
    case: str, server: double.Tryton, printed: Callable[[BaseException], str]
) -> None:
    answer, kind, told = ENTRIES[case]
    server.instead = lambda method, params: answer
    transport = httpx.MockTransport(server)
    token = Token(SECRET, "HOLDWATER_TRYTON_TOKEN")
    with (
        connect("http://127.0.0.1:8000/crm", token, transport=transport) as tryton,
        pytest.raises(kind, match=told) as caught,
    ):
        assert tryton.connection
    assert PASSWORD not in printed(caught.value)


@pytest.mark.parametrize("text", ["only-a-password", ":password", "login:"])
def test_a_token_that_is_no_login_and_password_is_told(text: str, printed: Callable[[BaseException], str]) -> None:
    with pytest.raises(CredentialsError, match="login:password") as caught:
        connect("https://tryton.example/crm", Token(text, "HOLDWATER_TRYTON_TOKEN"))
    assert text not in str(caught.value).replace("login:password", "")


@pytest.mark.parametrize(
    "address",
    [
        None,
        "",
        "https://tryton.example",
        "https://tryton.example/",
        "https://tryton.example/crm/rpc",
        "https://tryton.example/../crm",
        "https://tryton.example/cr m",
        "https://tryton.example/crm?x=1",
        "https://ada:pass@tryton.example/crm",
        "http://tryton.example/crm",
        "tryton.example/crm",
        "https:///crm",
    ],
)
def test_an_address_must_name_a_host_and_a_database(address: str | None) -> None:
    with pytest.raises(SetupError) as caught:
        connect(address, Token(SECRET))
    assert "pass@" not in str(caught.value)
