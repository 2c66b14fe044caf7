"""The Odoo connector: what it asks, and what it makes of answers in the form of Odoo 19."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import stamina
from odoo_double import END, SECRET
from odoo_double import Odoo as Server
from odoo_double import records as answer

from holdwater.crm.client import Client
from holdwater.crm.connector import Connector, Gone, Page, Reconcilable
from holdwater.crm.credentials import Token
from holdwater.crm.manners import Manners
from holdwater.crm.odoo import Odoo, connect
from holdwater.crm.records import Deal, Lead, Money
from holdwater.errors import BadAnswerError, CredentialsError, HoldwaterError, SetupError
from holdwater.store.database import Store
from holdwater.store.sync import sync

LATER = dict.fromkeys(("leads", "deals", "stage_events"), datetime(2026, 11, 21, 12, tzinfo=UTC))


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-{text}").replace(tzinfo=UTC)


@pytest.fixture
def server() -> Server:
    return Server()


def opened(server: Server, **options: Any) -> Odoo:
    client = Client(
        "http://127.0.0.1:8069",
        Token(SECRET, "HOLDWATER_ODOO_TOKEN"),
        manners=Manners(scheme="bearer "),
        transport=httpx.MockTransport(server),
    )
    return Odoo(client, **options)


def read(server: Server, watermarks: Mapping[str, datetime] | None = None, **options: Any) -> list[Page]:
    with opened(server, **options) as odoo:
        return list(odoo.pages(watermarks or {}))


def records(pages: list[Page], stream: str) -> dict[str, Any]:
    return {record.id: record for page in pages if page.stream == stream for record in page.records}


def gone(pages: list[Page], stream: str) -> list[Gone]:
    return [one for page in pages if page.stream == stream for one in page.gone]


def kept(store: Store, table: str, *columns: str) -> set[tuple[Any, ...]]:
    return {row for rows in store.rows(table, columns) for row in rows}


def issues(pages: list[Page], stream: str = "deals") -> dict[str, str]:
    return {one.id: one.problem for page in pages if page.stream == stream for one in page.issues}


def test_the_answers_become_records(server: Server) -> None:
    pages = read(server)
    assert records(pages, "leads") == {
        "1": Lead(
            id="1",
            created_at=at("20 09:00"),
            updated_at=at("20 09:00"),
            source="search_engine",
            source_raw="Search engine",
        ),
        "2": Lead(id="2", created_at=at("20 09:00"), updated_at=at("21 10:30"), owner_id="2"),
        "3": Lead(
            id="3",
            created_at=at("20 09:00"),
            updated_at=at("21 11:00"),
            source="newsletter",
            source_raw="Newsletter",
            owner_id="5",
        ),
    }
    deals = records(pages, "deals")
    assert (deals["1"].status, deals["1"].amount, deals["1"].closed_at) == ("open", None, None)
    assert deals["2"] == Deal(
        id="2",
        status="won",
        created_at=at("20 09:00"),
        updated_at=at("21 10:30"),
        lead_id="2",
        closed_at=at("21 10:30"),
        amount=Money(125050, "EUR", "1250.5"),
        pipeline_id="crm.lead",
        stage_id="4",
        owner_id="2",
    )
    assert (deals["3"].status, deals["3"].lost_reason, deals["3"].lost_reason_raw) == (
        "lost",
        "too_expensive",
        "Too expensive",
    )
    assert [(e.deal_id, e.stage_id, e.entered_at) for e in records(pages, "stage_events").values()] == [
        ("1", "1", at("20 09:00")),
        ("2", "1", at("20 09:00")),
        ("2", "2", at("20 15:00")),
        ("2", "4", at("21 10:30")),
        ("3", "1", at("20 09:00")),
        ("3", "2", at("21 08:00")),
    ]
    assert {id_: owner.archived for id_, owner in records(pages, "owners").items()} == {"2": False, "5": True}
    assert [(stage.label, stage.closed, stage.won) for stage in records(pages, "stages").values()] == [
        ("New", False, False),
        ("Proposition", False, False),
        ("Won", True, True),
    ]


def test_the_lost_are_asked_for_and_the_key_travels_in_the_header(server: Server) -> None:
    read(server)  # the server insists on active_test
    for request in server.requests:
        assert request.headers["Authorization"] == f"bearer {SECRET}"
        assert SECRET not in str(request.url)


def test_the_past_needs_a_right_of_its_own(server: Server) -> None:
    server.instead = lambda model: httpx.Response(403, json={}) if model == "mail.tracking.value" else None
    pages = read(server)
    assert records(pages, "stage_events") == {}
    assert len(records(pages, "deals")) == 3


def test_who_comes_back_is_no_new_lead(server: Server) -> None:
    server.add(4, partner_id=41)
    for pages in (read(server), read(server, LATER | {"deals": at("20 01:00")})):
        assert gone(pages, "leads") == [Gone("4", "merged", into="2")]
        assert records(pages, "deals")["4"].lead_id == "2"


def test_a_merge_of_partners_changes_their_leads_without_a_time(server: Server, tmp_path: Path) -> None:
    """Odoo moves the leads of the one that goes, and leaves their time of change as it was."""
    server.add(4, partner_id=40)
    with Store.open(tmp_path / "store.db") as store, opened(server) as odoo:
        sync(odoo, store)
        server.lead(4)["partner_id"] = 41
        server.merged_partners[41] = "2026-11-22 11:59:00"
        assert sync(odoo, store).rows_gone == 1
        assert kept(store, "deal", "id", "lead_id") == {("1", "1"), ("2", "2"), ("3", "3"), ("4", "2")}


def test_what_a_merge_of_leads_brought_along_is_no_past_of_the_one_that_stays(server: Server) -> None:
    """Odoo moves the messages of the other, and says in their subject whose they were."""
    moved = {"id": 90, "create_date": "2026-11-20 20:00:00", "old_value_integer": 1, "new_value_integer": 2}
    message = {"id": 900, "res_id": 1, "subject": "From Ada"}
    server.rows["mail.tracking.value"].append(moved | {"mail_message_id": message})
    assert [one.stage_id for one in records(read(server), "stage_events").values() if one.deal_id == "1"] == ["1"]


def test_an_old_inquiry_of_a_later_partner(server: Server, tmp_path: Path) -> None:
    """It becomes the first of the partner's leads, of which none changes by that."""
    server.add(4, partner_id=41)
    with Store.open(tmp_path / "store.db") as store, opened(server) as odoo:
        sync(odoo, store)
        server.lead(1).update(partner_id=41, write_date="2026-11-22 11:59:00")
        sync(odoo, store)
        assert kept(store, "deal", "id", "lead_id") == {("1", "1"), ("2", "1"), ("3", "3"), ("4", "1")}
        assert kept(store, "lead", "id") == {("1",), ("3",)}


@pytest.mark.parametrize("to", [None, False, 40])
def test_who_is_first_after_the_first_went(to: int | bool | None, server: Server, tmp_path: Path) -> None:
    """It was deleted, or is of nobody or of another partner now; nothing about the others changes by that."""
    for id_, partner in ((4, 41), (5, 41), (1, 40)):
        server.rows["crm.lead"] = [row for row in server.rows["crm.lead"] if row["id"] != id_] + [
            server.lead(1) | {"id": id_, "partner_id": partner}
        ]
    with Store.open(tmp_path / "store.db") as store:
        with opened(server) as odoo:
            sync(odoo, store)
        server.lead(2).update(partner_id=to, write_date="2026-11-22 11:59:00")
        if to is None:
            server.rows["crm.lead"].remove(server.lead(2))
        with opened(server) as odoo:
            assert sync(odoo, store).issues == 0
        there = {} if to is None else {"2": "1" if to else "2"}
        deals = {"1": "1", "3": "3", "4": "4", "5": "4"} | there
        assert kept(store, "deal", "id", "lead_id") == set(deals.items())
        assert kept(store, "lead", "id") == {(lead,) for lead in deals.values()}


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("new_value_integer", 3, {"2"}),  # and the next one says that it was another
        ("old_value_integer", -1, {"tracking value 7", "2"}),
        ("create_date", False, {"tracking value 7", "2"}),
        ("mail_message_id", {"id": 91, "res_id": 99, "subject": False}, {"tracking value 7", "1", "2", "3"}),
        ("mail_message_id", {"id": 91, "res_id": ["2"], "subject": False}, {"tracking value 7", "1", "2", "3"}),
    ],
)
def test_a_past_with_gaps_is_told(field: str, value: object, told: set[str], server: Server) -> None:
    """And what there is of it is kept; of whom something could not be read keeps the history it has."""
    rows = [one for one in server.rows["mail.tracking.value"] if one["mail_message_id"]["res_id"] == 2]
    rows[0][field] = value
    answers = iter([answer(rows), answer([])])
    server.instead = lambda model: next(answers) if model == "mail.tracking.value" else None
    pages = read(server)
    assert set(issues(pages, "stage_events")) == told
    stages = [one.stage_id for one in records(pages, "stage_events").values() if one.deal_id == "2"]
    assert ("4" in stages) == ("tracking value 7" not in told)
    assert [page.last for page in pages if page.stream == "stage_events"][-1] == ("tracking value 7" not in told)
    assert records(pages, "deals").keys() == {"1", "2", "3"}


def test_what_was_archived_without_being_lost_counts_no_more(server: Server) -> None:
    server.lead(2).update(active=False, won_status="pending")
    server.add(4, partner_id=41)
    pages = read(server)
    assert gone(pages, "deals") == gone(pages, "leads") == [Gone("2", "archived")]
    assert records(pages, "deals")["4"].lead_id == "4"
    with opened(server) as odoo:
        assert isinstance(odoo, Reconcilable)
        assert {one.stream: (list(one.ids), one.last) for one in odoo.identities()} == {
            "leads": (["1", "3", "4"], True),
            "deals": (["1", "3", "4"], True),
        }


def test_equal_seconds_over_page_boundaries(server: Server) -> None:
    for id_ in range(10, 310):
        server.add(id_, write_date="2026-11-21 12:00:00")
    server.most = 33  # fewer than are asked for
    assert len(records(read(server), "deals")) == 303
    assert len(records(read(server, LATER, overlap=timedelta(0)), "deals")) == 300


def test_the_window(server: Server) -> None:
    server.lead(1)["write_date"] = "2026-11-21 11:59:59"
    pages = read(server, LATER, overlap=timedelta(minutes=30))
    assert list(records(pages, "deals")) == ["1"]
    assert {page.watermark for page in pages} == {None, END}
    assert not any(page.whole for page in pages if page.stream in ("leads", "deals"))


def test_no_clock_no_window(server: Server) -> None:
    server.date = None
    with pytest.raises(BadAnswerError, match="no Date header"):
        read(server)


def test_pages_that_do_not_go_on_are_told(server: Server) -> None:
    server.instead = lambda model: answer([{"id": 3}, {"id": 2}]) if model == "crm.stage" else None
    with pytest.raises(BadAnswerError, match="wrong order"):
        read(server)


@pytest.mark.parametrize("hashed", [True, False])
def test_an_address_is_asked_for_only_where_it_can_be_hidden(hashed: bool, server: Server) -> None:
    server.lead(1)["email_from"] = "Ada@Example.com"
    pages = read(server, person=(lambda address: address and str(len(address))) if hashed else None)
    assert records(pages, "leads")["1"].person == ("15" if hashed else None)
    asked = [json.loads(request.content)["specification"] for request in server.requests]
    assert any("email_from" in one for one in asked) == hashed
    assert "Ada" not in repr(pages)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("won_status", "Ada"),
        ("expected_revenue", "Ada"),
        ("expected_revenue", 10**15),
        ("expected_revenue", True),
        ("company_currency", False),
        ("create_date", False),
        ("write_date", "2026-11-22T10:00:00Z"),
        ("write_date", "2026-11-25 10:00:00"),
        ("active", "true"),
        ("partner_id", "Ada"),
        ("source_id", {"id": 1, "name": "\ud800"}),
    ],
)
def test_a_record_that_cannot_be_read_is_an_issue(field: str, value: object, server: Server) -> None:
    server.lead(2)[field] = value
    pages = read(server)
    for stream in ("leads", "deals"):
        assert list(records(pages, stream)) == ["1", "3"]
        assert list(issues(pages, stream)) == ["2"]
        assert "Ada" not in issues(pages, stream)["2"]


@pytest.mark.parametrize("seed", range(40))
def test_whatever_comes_is_taken_or_told(seed: int, server: Server) -> None:
    disturbed(server, random.Random(seed))


@pytest.mark.slow
def test_a_thousand_odd_values_are_taken_or_told() -> None:
    for seed in range(1000, 2000):
        disturbed(Server(), random.Random(seed))


def disturbed(server: Server, chance: random.Random) -> None:
    """One value of one lead is something else."""
    text = ["", "x", "\ud800", "\x00", "٣"]
    odd: list[Any] = [None, False, True, -1, 0, 10**30, 1.5, [], {}, [[]], *text]
    row = server.lead(chance.choice([1, 2, 3]))
    row[chance.choice(sorted(set(row) - {"id"}))] = chance.choice(odd)
    pages = read(server)
    kept = {*records(pages, "deals"), *issues(pages), *(one.id for one in gone(pages, "deals"))}
    assert kept == {"1", "2", "3"}


def test_a_refused_key_is_told_and_not_shown(server: Server) -> None:
    server.instead = lambda model: httpx.Response(401, json={"message": "Ada"})
    with pytest.raises(CredentialsError, match="HOLDWATER_ODOO_TOKEN") as caught:
        read(server)
    assert not [secret for secret in (SECRET, "Ada") if secret in str(caught.value)]


@pytest.mark.parametrize("status", [404, 422, 500])
def test_a_refusal_is_a_sentence(status: int, server: Server) -> None:
    server.instead = lambda model: httpx.Response(status, json={"message": "Ada"})
    with stamina.set_testing(True, attempts=2), pytest.raises(HoldwaterError, match=str(status)) as caught:
        read(server)
    assert "Ada" not in str(caught.value)


@pytest.mark.parametrize(
    ("address", "connection", "database"),
    [
        ("https://crm.example", "odoo:crm.example", None),
        ("https://crm.example/", "odoo:crm.example", None),
        ("https://crm.example:8069/sales-1", "odoo:crm.example:8069/sales-1", "sales-1"),
    ],
)
def test_the_address_may_name_a_database(
    address: str, connection: str, database: str | None, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HOLDWATER_PERSON_KEY", raising=False)
    with connect(address, Token(SECRET), transport=httpx.MockTransport(server)) as odoo:
        connector: Connector = odoo
        assert connector.connection == connection
        assert odoo.site == address.removesuffix("/sales-1").removesuffix("/")
        list(connector.pages({}))
    assert {request.headers.get("X-Odoo-Database") for request in server.requests} == {database}


@pytest.mark.parametrize("address", [None, "", "crm.example", "https://crm.example/a/b", "http://crm.example"])
def test_another_address_is_refused(address: str | None) -> None:
    with pytest.raises(SetupError):
        connect(address, Token(SECRET))


@pytest.mark.parametrize("how", ["", "full", "reconcile"])
def test_what_was_deleted_is_found_by_its_number(how: str, server: Server, tmp_path: Path) -> None:
    with Store.open(tmp_path / "store.db") as store:
        with opened(server) as odoo:
            sync(odoo, store)
            before = store.checksum()
            assert sync(odoo, store).rows_written == 0
            assert store.checksum() == before
        server.rows["crm.lead"].remove(server.lead(2))
        with opened(server) as odoo:
            assert sync(odoo, store, full=how == "full", reconcile=how == "reconcile").rows_gone == 2


def test_a_connector_that_reads_twice_knows_the_time_and_the_users_of_each_reading(server: Server) -> None:
    with opened(server) as odoo:
        assert odoo.connection
        for _ in range(2):
            list(odoo.pages({}))
    asked = [request.url.path.split("/")[3] for request in server.requests]
    assert asked.count("res.users") == 2 * 2  # each list ends with an empty page
