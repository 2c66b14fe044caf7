"""A real Tryton with a business at work in it: the synced store equals the server, record by record."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Literal

import pytest
from tryton_server import PASSWORD, Office, Server, amount, day, running_tryton

from holdwater.cli import main
from holdwater.crm.client import Client
from holdwater.crm.connector import Page
from holdwater.crm.credentials import Token
from holdwater.crm.records import STREAMS, Deal, Lead, Money, Owner, Record, StageEvent
from holdwater.crm.tryton import Tryton, connect
from holdwater.crm.tryton_session import SESSION, Door
from holdwater.errors import CredentialsError, ScopeError
from holdwater.store.database import Store
from holdwater.store.runs import Run
from holdwater.store.schema import CANONICAL
from holdwater.store.sync import sync

pytestmark = pytest.mark.slow

READER = "reader:Sees-nothing-but-opportunities"
STATUS: dict[str, Literal["won", "lost"]] = {"won": "won", "lost": "lost", "cancelled": "lost"}


class Business:
    """A company that sells, through Tryton's own API."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.office = office = Office(server.url, "admin", PASSWORD)
        company, (_, self.yen) = office.found_company(
            {"name": "Euro", "code": "EUR", "symbol": "E", "digits": 2, "rounding": amount("0.01")},
            {"name": "Yen", "code": "JPY", "symbol": "Y", "digits": 0, "rounding": amount("1")},
        )
        ann, bob = office.create("party.party", {"name": "Ann Seller"}, {"name": "Bob Gone"})
        self.ann, self.bob = office.create(
            "company.employee",
            {"party": ann, "company": company},
            {"party": bob, "company": company, "end_date": day(date(2020, 1, 31))},
        )
        office.do("res.user.write", [office.user_id], {"employees": [["add", [self.ann]]], "employee": self.ann})
        works_here = {"companies": [["add", [company]]], "company": company}
        group = office.do("res.group.search", [["name", "=", "Sale Opportunity"]], 0, None, None)
        login, _, password = READER.partition(":")
        office.create(
            "res.user",
            works_here | {"name": "Reader", "login": login, "password": password, "groups": [["add", group]]},
        )
        office.create("res.user", works_here | {"name": "Nobody", "login": "nobody", "password": password})
        address = {"type": "email", "value": "Buyer.Zero@Example.com"}
        self.parties = office.create(
            "party.party",
            {
                "name": "Buyer 0",
                "addresses": [["create", [{"city": "X"}]]],
                "contact_mechanisms": [["create", [address]]],
            },
            *({"name": f"Buyer {n - n % 2}", "addresses": [["create", [{"city": "X"}]]]} for n in range(1, 30)),
        )

    def clock(self) -> datetime:
        answer = self.office.http.post("/rpc/", json={"id": 1, "method": "common.server.version", "params": []})
        return parsedate_to_datetime(answer.headers["Date"])

    def open(self, *values: dict[str, Any]) -> list[int]:
        """All made in one transaction, so at one and the same moment."""
        same = {"company": 1, "currency": 1, "employee": self.ann}
        return self.office.create("sale.opportunity", *(same | one for one in values))

    def write(self, id_: int, **values: object) -> None:
        self.office.do("sale.opportunity.write", [id_], values)

    def lose(self, id_: int, reason: str) -> None:
        self.write(id_, lost_reason=reason)
        self.office.press("lost", id_)

    def quote(self, id_: int, price: str) -> int:
        """A sale that asks for this much, sent to the customer."""
        self.office.press("convert", id_)
        (sale,) = self.office.do("sale.sale.search", [["origin", "=", f"sale.opportunity,{id_}"]], 0, None, None)
        line = {"type": "line", "description": "Work", "quantity": 2, "unit_price": amount(price)}
        self.office.do(
            "sale.sale.write",
            [sale],
            {"invoice_method": "manual", "shipment_method": "manual", "lines": [["create", [line]]]},
        )
        self.office.do("sale.sale.quote", [sale])
        return int(sale)

    def win(self, id_: int, price: str) -> None:
        self.office.do("sale.sale.confirm", [self.quote(id_, price)])

    def start(self) -> dict[str, int]:
        """Some months in a minute; the numbers of the opportunities that are told apart later."""
        plain = self.open(*({"party": self.parties[n % 25], "amount": amount(f"{n * 7}.50")} for n in range(80)))
        self.office.press("opportunity", *plain[:60])
        for id_ in plain[:4]:
            self.win(id_, "80.25")
        self.quote(plain[4], "12")
        self.lose(plain[5], "Too dear")
        self.lose(plain[6], "Went to another")
        self.office.press("cancel", plain[7])
        for _ in range(2):  # it came back, and went again
            self.office.press("lead", plain[6])
            self.office.press("opportunity", plain[6])
            self.lose(plain[6], "  ")
        nobodys = self.open({"employee": None}, {"amount": None}, {"currency": self.yen, "amount": amount("9000")})
        old, recent = self.open(
            {"start_date": day(date(2026, 3, 1)), "party": self.parties[26]},
            {"start_date": day(datetime.now(UTC).date() - timedelta(days=1)), "employee": self.bob},
        )
        again = self.open({"party": self.parties[26]}, {"party": self.parties[26]}, {"party": self.parties[27]})
        self.office.delete(plain[70])
        return {
            "won": plain[0],
            "quoted": plain[4],
            "cancelled": plain[7],
            "open": plain[10],
            "lead": plain[65],
            "other": plain[66],
            "unknown": nobodys[0],
            "first of 26": old,
            "recent": recent,
            "second of 26": again[0],
            "third of 26": again[1],
            "only of 27": again[2],
        }


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def midnight(text: str) -> datetime:
    return datetime.combine(date.fromisoformat(text), time(), UTC)


def expected(business: Business) -> dict[str, set[Record]]:
    """What the store must hold, from the tables of Tryton's database; from its API what SQLite writes its own way."""
    server = business.server
    amounts = {
        row["id"]: row["amount"] and row["amount"]["decimal"]
        for row in business.office.do("sale.opportunity.search_read", [], 0, None, None, ["amount"])
    }
    entered: dict[int, list[tuple[str, datetime]]] = {}
    for row in server.rows(
        "SELECT id, state, coalesce(write_date, create_date) AS at FROM sale_opportunity__history ORDER BY __id"
    ):
        known = entered.setdefault(row["id"], [])
        if known and known[-1][1] == at(row["at"]):  # twice in one transaction: what it ended with
            known.pop()
        if not known or known[-1][0] != row["state"]:
            known.append((row["state"], at(row["at"])))
    first: dict[int, str] = {}
    leads: set[Record] = set()
    deals: set[Record] = set()
    events: set[Record] = set()
    for row in server.rows(
        "SELECT o.*, c.code FROM sale_opportunity o JOIN currency_currency c ON c.id = o.currency ORDER BY o.id"
    ):
        id_, state = str(row["id"]), row["state"]
        changed = at(row["write_date"] or row["create_date"])
        made = at(row["create_date"])
        began = midnight(row["start_date"]) if made - midnight(row["start_date"]) > timedelta(days=2) else made
        owner = row["employee"] and str(row["employee"])
        lead = id_
        if row["party"]:
            lead = first.setdefault(row["party"], id_)
        if lead == id_:
            leads.add(Lead(id=id_, created_at=began, updated_at=changed, owner_id=owner))
        reason = row["lost_reason"] if STATUS.get(state) == "lost" and (row["lost_reason"] or "").strip() else None
        text = amounts[row["id"]]
        deals.add(
            Deal(
                id=id_,
                status=STATUS.get(state, "open"),
                created_at=began,
                updated_at=changed,
                lead_id=lead,
                closed_at=entered[row["id"]][-1][1] if state in STATUS else None,
                amount=None if text is None else Money.of(Decimal(text), row["code"], text),
                pipeline_id="sale.opportunity",
                stage_id=state,
                owner_id=owner,
                lost_reason=reason.strip().lower().replace(" ", "_") if reason else None,
                lost_reason_raw=reason,
            )
        )
        events |= {
            StageEvent(
                id=f"{id_}:{moment.isoformat()}:{state}",
                deal_id=id_,
                stage_id=state,
                entered_at=moment,
                updated_at=moment,
                pipeline_id="sale.opportunity",
            )
            for state, moment in entered[row["id"]]
        }
    owners: set[Record] = {
        Owner(
            id=str(row["id"]),
            updated_at=at(row["write_date"] or row["create_date"]),
            archived=row["end_date"] is not None,
        )
        for row in server.rows("SELECT * FROM company_employee")
    }
    return {"owners": owners, "leads": leads, "deals": deals, "stage_events": events}


def assert_equal(store: Store, business: Business) -> None:
    (connection,) = store.connections()
    for stream, records in expected(business).items():
        table = CANONICAL[STREAMS[stream]]
        columns = ["connection", *(column.name for column in table.columns)]
        kept = {row for rows in store.rows(table.name, columns) for row in rows}
        assert kept == set(table.rows(connection, records)), stream
    assert store.issues(connection) == {}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_tryton(tmp_path_factory.mktemp("tryton")) as server:
        yield server


@pytest.fixture(scope="module")
def business(server: Server) -> Iterator[Business]:
    business = Business(server)
    yield business
    business.office.http.close()


@pytest.fixture(scope="module")
def marked(business: Business) -> dict[str, int]:
    marked = business.start()
    wait_until_older(business)  # or the second sync would bury what was deleted before the first, and is no change
    return marked


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store.db") as store:
        yield store


def opened(server: Server, *, overlap: timedelta = timedelta(seconds=1), at_once: int = 7) -> Tryton:
    """With small pages, so that records made at one moment are on several of them."""
    door = Door(server.url, "crm", Token(READER))

    def enter() -> Client:
        return Client(server.url, door.session(), manners=SESSION, renew=door.session)

    return Tryton(door, enter, overlap=overlap, at_once=at_once)


def synced(server: Server, store: Store, *, full: bool = False, reconcile: bool = False) -> Run:
    with opened(server) as tryton:
        return sync(tryton, store, full=full, reconcile=reconcile)


def wait_until_older(business: Business) -> None:
    """Until the server's clock is past the overlap of what was done so far."""
    (row,) = business.server.rows(
        "SELECT max(coalesce(write_date, create_date)) AS last FROM sale_opportunity__history"
    )
    while business.clock() < at(row["last"]) + timedelta(seconds=3):
        pass


def test_everything_then_what_changed(business: Business, marked: dict[str, int], store: Store) -> None:
    server = business.server
    full = synced(server, store)
    assert_equal(store, business)
    assert full.streams["deals"] == 87
    assert full.streams["stage_events"] > 87 + 60

    wait_until_older(business)
    before = store.checksum()
    nothing = synced(server, store)
    assert (nothing.rows_written, nothing.rows_gone, store.checksum()) == (0, 0, before)
    synced(server, store)  # its watermark lies behind all of the above

    business.win(marked["open"], "1000")
    business.office.press("opportunity", marked["lead"])
    business.lose(marked["lead"], "No budget, this year")
    business.office.press("lead", marked["cancelled"])
    business.write(marked["other"], amount=amount("0"), employee=business.bob)
    business.write(marked["unknown"], party=business.parties[27])  # who is first of 27 now, being older
    business.office.merge(business.parties[21], into=business.parties[20])
    business.office.delete(marked["first of 26"])  # the second of them becomes the first
    (fresh, last) = business.open({"party": business.parties[28]}, {"party": business.parties[28]})
    business.office.delete(last)
    business.office.press("opportunity", fresh)
    changes = synced(server, store)
    assert_equal(store, business)
    assert changes.rows_gone == 4  # what was deleted, as a lead and as a deal, and two leads that came second
    assert changes.streams["deals"] < full.streams["deals"] / 2  # and those of the same parties
    assert changes.requests < full.requests


def test_what_was_deleted_behind_everything_else_is_found(
    business: Business, marked: dict[str, int], store: Store
) -> None:
    *_, last = business.open({}, {}, {})
    synced(business.server, store)
    business.office.delete(last)
    assert synced(business.server, store).rows_gone == 2
    assert_equal(store, business)


@pytest.mark.parametrize("how", ["as ever", "full", "reconcile"])
def test_what_went_long_ago_is_found(how: str, business: Business, marked: dict[str, int], store: Store) -> None:
    (gone,) = business.open({})
    synced(business.server, store)
    business.office.delete(gone)
    wait_until_older(business)
    with opened(business.server) as tryton:  # a sync that was told of it and lost what it was told
        for page in tryton.pages(store.watermarks(tryton.connection)):
            if page.watermark:
                store.keep(tryton.connection, Page(page.stream, [], page.watermark))
    wait_until_older(business)
    assert synced(business.server, store, full=how == "full", reconcile=how == "reconcile").rows_gone == 2
    assert_equal(store, business)


def test_what_a_user_may_not_see_any_more_is_gone(business: Business, marked: dict[str, int], store: Store) -> None:
    """It goes to another company: its history stays, and nothing says that it was changed."""
    (moved,) = business.open({})
    synced(business.server, store)
    (other,) = business.office.create("company.company", {"party": business.parties[0], "currency": 1})
    for company, went in ((other, 2), (1, 0)):
        business.server.rows("UPDATE sale_opportunity SET company = ? WHERE id = ?", company, moved)
        assert synced(business.server, store).rows_gone == went
    (connection,) = store.connections()
    told = store.issues(connection)
    assert {stream: [one.id for one in found] for stream, found in told.items()} == {
        "leads": [str(moved)],
        "deals": [str(moved)],
    }  # it is back, and nothing says so either
    synced(business.server, store, full=True)
    assert_equal(store, business)


def test_a_session_that_ends_midway_is_renewed(business: Business, marked: dict[str, int], store: Store) -> None:
    server = business.server
    with opened(server) as tryton:
        for number, page in enumerate(tryton.pages({})):
            store.keep(tryton.connection, page)
            if number == 9:
                server.rows("DELETE FROM ir_session WHERE create_uid <> ?", business.office.user_id)
        assert tryton.retries == 1
    synced(server, store)
    assert_equal(store, business)


def test_the_command_line_syncs_it(
    business: Business,
    marked: dict[str, int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("HOLDWATER_TRYTON_TOKEN", READER)
    command = ["sync", "tryton", "--url", business.server.address, "--store", str(tmp_path / "store.db")]
    assert main(command) == 0
    assert "deals" in capsys.readouterr().out
    with Store.open(tmp_path / "store.db") as store:
        assert_equal(store, business)


def test_a_payer_is_recognised_and_no_address_is_kept(
    business: Business, marked: dict[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOLDWATER_PERSON_KEY", "0123456789abcdef0123456789abcdef")
    from holdwater.crm.persons import person_key

    with Store.open(tmp_path / "store.db") as store, connect(business.server.address, Token(READER)) as tryton:
        sync(tryton, store)
        kept = [person for rows in store.rows("lead", ["person"]) for (person,) in rows if person]
    assert kept == [person_key("buyer.zero@example.com")]
    assert b"zero@" not in (tmp_path / "store.db").read_bytes().lower()


def test_nobody_gets_in_with_a_wrong_password(business: Business) -> None:
    token = Token("reader:not-the-password", "HOLDWATER_TRYTON_TOKEN")
    with (
        connect(business.server.address, token) as tryton,
        pytest.raises(CredentialsError, match="refused the token") as caught,
    ):
        assert tryton.connection
    assert "not-the-password" not in str(caught.value)


def test_a_user_without_the_group_is_told_which(business: Business, store: Store) -> None:
    password = READER.partition(":")[2]
    with (
        connect(business.server.address, Token(f"nobody:{password}")) as tryton,
        pytest.raises(ScopeError, match="group Sale Opportunity"),
    ):
        sync(tryton, store)


def test_tryton_answers_as_the_fixtures_say(business: Business, marked: dict[str, int]) -> None:
    """The answers that the other tests replay have the form of the real ones."""
    fixtures = Path(__file__).parents[1] / "crm" / "fixtures" / "tryton"
    for name, (method, *params) in json.loads((fixtures / "questions.json").read_text()).items():
        real = business.office.call(method, *params)
        replayed = json.loads((fixtures / f"{name}.json").read_text())["result"]
        assert shape(real[0]) == shape(replayed[0]), name


def shape(value: object) -> object:
    """What is where, whatever it says; null stands for anything."""
    if isinstance(value, dict):
        return {key: shape(part) for key, part in sorted(value.items()) if part is not None}
    if isinstance(value, list):
        return [shape(part) for part in value]
    return type(value).__name__


def test_the_servers_own_count_is_the_stores_rows(business: Business, marked: dict[str, int], store: Store) -> None:
    """Of those that were entered late; the others are younger than an hour."""
    business.open({"start_date": day(date(2026, 3, 2))}, {"start_date": day(date(2026, 4, 1))})
    with connect(business.server.address, Token(READER, "this test")) as tryton:
        sync(tryton, store)
        counted = store.counts()
        if datetime.now(UTC).hour == 0:  # around midnight nothing is told
            return
        (found,) = counted[tryton.connection]
        assert found.told == found.kept >= 2
