"""The Tryton connector: what it asks, and what it makes of special answers. A real server is in tests/whole."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import tryton_double as double
from tryton_double import END, KEY, PASSWORD, SECRET, SESSION, at, error, moment, result

from holdwater.crm.client import Client
from holdwater.crm.connector import Connector, Gone, Page, Reconcilable
from holdwater.crm.credentials import Token
from holdwater.crm.records import Deal, Lead, Money, Owner, Record, Stage
from holdwater.crm.tryton import Tryton, connect
from holdwater.crm.tryton_session import SESSION as MANNERS
from holdwater.crm.tryton_session import Door
from holdwater.errors import BadAnswerError, CredentialsError, HoldwaterError, ScopeError, SetupError
from holdwater.store.database import Store
from holdwater.store.sync import sync

SINCE = at(1, 50)
LATER = dict.fromkeys(("leads", "deals", "stage_events"), SINCE)


@pytest.fixture
def server() -> double.Tryton:
    return double.Tryton()


def opened(server: double.Tryton, **options: Any) -> Tryton:
    transport = httpx.MockTransport(server)
    door = Door("http://127.0.0.1:8000", "crm", Token(SECRET, "HOLDWATER_TRYTON_TOKEN"), transport=transport)
    client = Client("http://127.0.0.1:8000", door.session(), manners=MANNERS, renew=door.session, transport=transport)
    return Tryton(client, door, **{"overlap": timedelta(minutes=10)} | options)


def read(server: double.Tryton, watermarks: Mapping[str, datetime] | None = None, **options: Any) -> list[Page]:
    with opened(server, **options) as tryton:
        return list(tryton.pages(watermarks or {}))


def records(pages: list[Page], stream: str) -> dict[str, Any]:
    return {record.id: record for page in pages if page.stream == stream for record in page.records}


def gone(pages: list[Page], stream: str) -> list[Gone]:
    return [one for page in pages if page.stream == stream for one in page.gone]


def issues(pages: list[Page], stream: str = "deals") -> dict[str, str]:
    return {one.id: one.problem for page in pages if page.stream == stream for one in page.issues}


# What the recorded answers become


def test_the_recorded_answers_become_records(server: double.Tryton) -> None:
    pages = read(server)
    owners: list[Record] = [Owner(id="1", updated_at=at(1, 24, 10, 142350))]
    assert list(records(pages, "owners").values()) == owners
    assert records(pages, "leads") == {
        "1": Lead(id="1", created_at=at(1, 24, 59, 663331), updated_at=at(1, 25, 37, 121742), owner_id="1"),
        "2": Lead(id="2", created_at=at(1, 24, 59, 774103), updated_at=at(1, 25, 1, 197229), owner_id="1"),
        "3": Lead(id="3", created_at=at(1, 24, 59, 885333), updated_at=at(1, 25, 0, 150080), owner_id="1"),
    }
    deals = records(pages, "deals")
    assert deals["1"] == Deal(
        id="1",
        status="won",
        created_at=at(1, 24, 59, 663331),
        updated_at=at(1, 25, 37, 121742),
        lead_id="1",
        closed_at=at(1, 25, 37, 121742),
        amount=Money(0, "EUR", "0.00"),
        pipeline_id="sale.opportunity",
        stage_id="won",
        owner_id="1",
    )
    assert deals["2"] == Deal(
        id="2",
        status="lost",
        created_at=at(1, 24, 59, 774103),
        updated_at=at(1, 25, 1, 197229),
        lead_id="2",
        closed_at=at(1, 25, 1, 197229),
        amount=Money(500, "JPY", "500"),
        pipeline_id="sale.opportunity",
        stage_id="lost",
        owner_id="1",
        lost_reason="too_dear",
        lost_reason_raw="Too dear",
    )
    assert (deals["3"].status, deals["3"].amount, deals["3"].closed_at) == ("open", None, None)
    assert [(e.deal_id, e.stage_id, e.entered_at) for e in records(pages, "stage_events").values()] == [
        ("1", "lead", at(1, 24, 59, 663331)),
        ("1", "opportunity", at(1, 25, 0, 150080)),
        ("1", "converted", at(1, 25, 0, 561439)),
        ("1", "won", at(1, 25, 37, 121742)),
        ("2", "lead", at(1, 24, 59, 774103)),
        ("2", "lost", at(1, 25, 1, 197229)),
        ("3", "lead", at(1, 24, 59, 885333)),
        ("3", "opportunity", at(1, 25, 0, 150080)),
    ]


def test_the_stages_are_the_states(server: double.Tryton) -> None:
    stages: list[Stage] = list(records(read(server), "stages").values())
    assert [(stage.id, stage.closed, stage.won) for stage in stages] == [
        ("lead", False, False),
        ("opportunity", False, False),
        ("converted", False, False),
        ("won", True, True),
        ("lost", True, False),
        ("cancelled", True, False),
    ]


@pytest.mark.parametrize(
    ("state", "status"), [("lead", "open"), ("converted", "open"), ("won", "won"), ("cancelled", "lost")]
)
def test_a_quotation_is_no_sale_and_what_was_called_off_is_lost(state: str, status: str, server: double.Tryton) -> None:
    server.add(4, (at(1), "lead", None), (at(2, day=21), state, None))
    assert records(read(server), "deals")["4"].status == status


def test_a_reason_counts_only_where_something_was_lost(server: double.Tryton) -> None:
    server.add(4, (at(1), "lost", None), (at(1, 5), "lead", None), lost_reason="Too dear")
    server.add(5, (at(1), "lead", None), (at(1, 5), "lost", None), lost_reason=" \n")
    deals = records(read(server), "deals")
    assert [(deals[id_].lost_reason, deals[id_].lost_reason_raw) for id_ in "45"] == [(None, None)] * 2


def test_one_that_came_back_was_closed_when_it_closed_last(server: double.Tryton) -> None:
    past = [(at(1, minute), state, None) for minute, state in enumerate(["lead", "lost", "lead", "lost", "lost"])]
    server.add(4, *past)
    pages = read(server)
    assert records(pages, "deals")["4"].closed_at == at(1, 3)
    events = [e.entered_at for e in records(pages, "stage_events").values() if e.deal_id == "4"]
    assert events == [at(1, 0), at(1, 1), at(1, 2), at(1, 3)]


def test_one_that_was_brought_over_as_closed_has_its_own_dates(server: double.Tryton) -> None:
    dates = {"start_date": {"__class__": "date", "year": 2025, "month": 3, "day": 1}}
    server.add(4, (at(1), "won", None), end_date={"__class__": "date", "year": 2025, "month": 6, "day": 30}, **dates)
    server.add(5, (at(1), "won", None), end_date=None)
    deals = records(read(server), "deals")
    assert deals["4"].created_at == datetime(2025, 3, 1, tzinfo=UTC)
    assert deals["4"].closed_at == datetime(2025, 6, 30, tzinfo=UTC)
    assert deals["5"].closed_at == at(1)


def test_a_start_date_of_the_same_days_says_less_than_the_clock(server: double.Tryton) -> None:
    server.add(4, (at(1), "lead", None), start_date={"__class__": "date", "year": 2026, "month": 11, "day": 21})
    assert records(read(server), "leads")["4"].created_at == at(1)


def test_an_employee_who_left_is_archived(server: double.Tryton) -> None:
    days = [{"__class__": "date", "year": 2026, "month": 11, "day": day} for day in (21, 22)]
    server.employees += [server.employees[0] | {"id": n, "end_date": day} for n, day in enumerate(days, 2)]
    owners = records(read(server), "owners")
    assert [owners[id_].archived for id_ in "123"] == [False, True, False]


# Leads


def test_who_comes_back_is_no_new_lead(server: double.Tryton) -> None:
    server.add(4, (at(1), "lead", 5))
    server.add(5, (at(1), "lead", None))
    pages = read(server)
    assert list(records(pages, "leads")) == ["1", "2", "3", "5"]
    assert gone(pages, "leads") == [Gone("4", "merged", into="1")]
    assert {id_: deal.lead_id for id_, deal in records(pages, "deals").items()} == {
        "1": "1",
        "2": "2",
        "3": "3",
        "4": "1",
        "5": "5",
    }


def test_the_first_is_known_though_it_is_on_another_page_or_has_not_changed(server: double.Tryton) -> None:
    server.add(90, (at(1, 55), "lead", 5))
    for pages in (read(server, at_once=1), read(server, LATER)):
        assert records(pages, "deals")["90"].lead_id == "1"


@pytest.mark.parametrize("how", ["it goes", "it moves to another"])
def test_when_the_first_goes_the_next_one_is_the_lead(how: str, server: double.Tryton) -> None:
    server.add(4, (at(1), "lead", 5))
    server.add(6, (at(1), "lead", 5))
    if how == "it goes":
        server.delete(1, at(1, 59))
    else:
        server.rows[1] |= {"party": 8, "write_date": moment(at(1, 59))}
        server.pasts[1].append((at(1, 59), "won", 8))
    pages = read(server, LATER)
    assert "4" in records(pages, "leads")
    assert [records(pages, "deals")[id_].lead_id for id_ in "46"] == ["4", "4"]
    assert Gone("6", "merged", into="4") in gone(pages, "leads")
    assert (Gone("1", "deleted") in gone(pages, "leads")) == (how == "it goes")


def test_a_lead_that_turns_out_to_be_somebody_known_is_merged(server: double.Tryton) -> None:
    server.add(4, (at(1), "lead", None), (at(1, 55), "lead", 5))
    assert Gone("4", "merged", into="1") in gone(read(server, LATER), "leads")


def test_parties_that_were_merged_are_one_lead(server: double.Tryton) -> None:
    """Tryton moves the opportunities of the one to the other without saying that they changed."""
    server.rows[3]["party"] = 5
    server.merged[6] = (5, at(1, 55))
    server.merged[77] = (78, at(1, 30))  # before the last time
    pages = read(server, LATER)
    assert gone(pages, "leads") == [Gone("3", "merged", into="1")]
    assert {id_: deal.lead_id for id_, deal in records(pages, "deals").items()} == {"1": "1", "3": "1"}


@pytest.mark.parametrize("asked", [True, False])
def test_an_address_is_asked_for_only_where_it_can_be_hidden(asked: bool, server: double.Tryton) -> None:
    server.rows[1]["party."] = {"id": 5, "email": "Ada@Example.com"}
    server.rows[3]["party."] = {"id": 6, "email": None}
    pages = read(server, person=(lambda address: address and f"hash of {len(address)}") if asked else None)
    people = {id_: lead.person for id_, lead in records(pages, "leads").items()}
    assert people == {"1": "hash of 15" if asked else None, "2": None, "3": None}
    fields = {field for method, params in server.calls if "search_read" in method for field in params[4]}
    assert ("party.email" in fields) == asked
    assert "Ada" not in repr(pages)


def test_only_what_a_figure_needs_is_asked_for(server: double.Tryton) -> None:
    read(server)
    read(server, LATER)
    fields = {field for method, params in server.calls if "search_read" in method for field in params[4]}
    assert fields == {
        "id",
        "party",
        "employee",
        "create_date",
        "write_date",
        "start_date",
        "end_date",
        "state",
        "amount",
        "currency.code",
        "lost_reason",
        "replaced_by",
    }


# Pages and windows


def test_the_streams_end_with_the_frozen_moment(server: double.Tryton) -> None:
    pages = read(server)
    last = {page.stream: (page.watermark, page.whole, page.last) for page in pages}
    assert last == {
        "owners": (END, True, True),
        "stages": (END, False, False),
        "leads": (END, True, True),
        "deals": (END, True, True),
        "stage_events": (END, False, False),
    }
    assert [page.stream for page in pages if page.watermark] == list(last)


def test_the_window_ends_where_the_first_answer_came(server: double.Tryton) -> None:
    watermarks = set()
    with opened(server) as tryton:
        for page in tryton.pages({}):
            watermarks.add(page.watermark)
            server.date = "Sun, 22 Nov 2026 08:00:00 GMT"  # the clock goes on while the pages are kept
    assert watermarks == {None, END}


def test_no_clock_no_window(server: double.Tryton) -> None:
    server.date = None
    with pytest.raises(BadAnswerError, match="no Date header"):
        read(server)


def test_equal_moments_over_page_boundaries(server: double.Tryton) -> None:
    """A thousand of one moment, and a server that sends fewer at once than it is asked for."""
    for id_ in range(10, 1010):
        server.add(id_, (at(1, 55), "lead", None))
    server.most = 99
    full, changed = read(server, at_once=90), read(server, LATER, at_once=90)
    assert len(records(full, "deals")) == 1003
    assert len(records(changed, "deals")) == 1000


def test_what_changes_while_it_is_read_is_not_missed(server: double.Tryton) -> None:
    for id_ in range(10, 60):
        server.add(id_, (at(1, 55), "lead", None))
    changing = iter(range(10, 60))

    def disturb(method: str, params: list[Any]) -> None:
        id_ = next(changing, None)
        if id_ is not None and method != "common.db.login":
            server.pasts[id_].append((at(1, 59), "lead", None))
            server.rows[id_]["write_date"] = moment(at(1, 59))

    server.instead = disturb
    assert len(records(read(server, LATER, at_once=7), "deals")) == 50


def test_what_never_changed_is_found_by_its_beginning(server: double.Tryton) -> None:
    server.add(4, (at(1, 45), "lead", None))
    server.add(5, (at(1, 35), "lead", None))
    server.add(6, (at(1, 35), "lead", None), (at(1, 45), "lead", None))
    assert list(records(read(server, LATER), "deals")) == ["4", "6"]  # from ten minutes before the last time


@pytest.mark.parametrize("stream", ["leads", "deals", "stage_events"])
def test_a_stream_that_was_not_finished_is_read_whole_with_its_sisters(stream: str, server: double.Tryton) -> None:
    pages = read(server, {name: moment for name, moment in LATER.items() if name != stream})
    assert len(records(pages, "deals")) == 3
    assert any(page.whole for page in pages if page.stream == "deals")


@pytest.mark.parametrize("ids", [[3, 2], [2, 2], [1]])
def test_pages_that_do_not_go_on_are_told(ids: list[int], server: double.Tryton) -> None:
    server.instead = lambda method, params: (
        result([{"id": id_, "party": None} for id_ in ids]) if params[0] == [["id", ">", 1]] else None
    )
    server.most = 1
    with pytest.raises(BadAnswerError, match="wrong order"):
        read(server)


# What went


def test_what_was_deleted_lately_is_gone_wherever_it_was(server: double.Tryton) -> None:
    for id_ in (5, 7, 9, 11):
        server.add(id_, (at(1), "cancelled", None))
    server.delete(5, at(1, 41))  # within the overlap
    server.delete(7, at(1, 39))  # before it, so an earlier sync was told
    server.delete(11, at(1, 59))  # behind the last
    pages = read(server, LATER, at_once=4)
    assert gone(pages, "deals") == gone(pages, "leads") == [Gone("5", "deleted"), Gone("11", "deleted")]


def test_one_whose_transaction_ended_meanwhile_is_not_gone(server: double.Tryton) -> None:
    """Its number was given before the list was made, and it was seen only after."""
    server.add(9, (at(1), "lead", None))
    row = server.add(8, (at(1, 59), "lead", None))
    del server.rows[8]

    def commit(method: str, params: list[Any]) -> None:
        if method.endswith("history_revisions"):
            server.rows[8] = row

    server.instead = commit
    assert gone(read(server, LATER), "deals") == []


def test_the_ids_alone(server: double.Tryton) -> None:
    server.add(4, (at(1), "lead", 5))
    with opened(server) as tryton:
        assert isinstance(tryton, Reconcilable)
        found = {one.stream: (list(one.ids), one.last) for one in tryton.identities()}
    assert found == {"leads": (["1", "2", "3"], True), "deals": (["1", "2", "3", "4"], True)}


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
        named = [row.get("id") for row in answer if isinstance(row, dict)] if isinstance(answer, list) else []
        others.append(at_call < 6 or (at_call == 6 and named != [1, 2, 3]))
        return result(answer)

    others: list[bool] = []  # whether it names other records, which is another list then
    server.instead = instead
    try:
        pages = read(server)
    except HoldwaterError as problem:
        told = str(problem)
        assert not [value for value in ("Too dear", "A Name", KEY, PASSWORD) if value in told]
    else:
        met = {*records(pages, "deals"), *issues(pages)}
        assert met >= {"1", "2", "3"} or others[0]


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
    with pytest.raises(kind, match=told) as caught:
        connect("http://127.0.0.1:8000/crm", Token(SECRET, "HOLDWATER_TRYTON_TOKEN"), transport=transport)
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


def test_a_sync_keeps_it_all_and_again_changes_nothing(server: double.Tryton, tmp_path: Any) -> None:
    server.add(4, (at(1), "lead", 5))
    with Store.open(tmp_path / "store.db") as store:
        with opened(server) as tryton:
            first = sync(tryton, store)
        before = store.checksum()
        with opened(server) as tryton:
            second = sync(tryton, store)
            third = sync(tryton, store, full=True, reconcile=True)
        assert first.rows_written == 1 + 6 + 3 + 4 + 9
        assert [(run.rows_written, run.rows_gone, run.issues) for run in (second, third)] == [(0, 0, 0)] * 2
        assert store.checksum() == before


@pytest.fixture(autouse=True)
def _no_person_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOLDWATER_PERSON_KEY", raising=False)
