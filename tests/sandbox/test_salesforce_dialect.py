"""The sandbox's Salesforce, asked without a client: what was deleted, merged and converted, and what is refused."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from holdwater.sandbox import Business
from holdwater.sandbox.salesforce import CONSUMER_KEY, Salesforce

DATA = "/services/data/v67.0"
Ask = Callable[..., Any]


def lead(number: str) -> str:
    return f"00Q{int(number):012}EAA"


def contact(number: str) -> str:
    return f"003{int(number):012}AAA"


@pytest.fixture
def crm(small: Business) -> Salesforce:
    return Salesforce(small, secret="open")


def basic(secret: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{CONSUMER_KEY}:{secret}".encode()).decode()}


def session(crm: Salesforce) -> dict[str, str]:
    answer = crm.answer("POST", "/services/oauth2/token", "", b"grant_type=client_credentials", basic("open"))
    return {"authorization": f"Bearer {answer.body['access_token']}"}


@pytest.fixture
def ask(crm: Salesforce) -> Ask:
    """The answer's body, which must come with the status that is expected."""
    headers = session(crm)

    def asked(path: str, *, status: int = 200, body: object = None, options: str = "", **query: str) -> Any:
        method = "GET" if body is None else "POST"
        more = headers | {"sforce-query-options": options}
        answer = crm.answer(method, DATA + path, urlencode(query), json.dumps(body).encode(), more)
        assert answer.status == status, answer.body
        return answer.body

    return asked


def row(ask: Ask, fields: str, name: str, id_: str) -> dict[str, Any]:
    (found,) = ask("/queryAll", q=f"SELECT {fields} FROM {name} WHERE Id = '{id_}'")["records"]
    return {key: value for key, value in found.items() if key != "attributes"}


def test_a_lead_without_a_deal_that_is_deleted(small: Business, ask: Ask) -> None:
    one = next(one.id for one in small.contacts.values() if one.lifecycle == "lead")
    small.archive_contact(one, small.now + timedelta(hours=1))
    assert row(ask, "IsDeleted, MasterRecordId", "Lead", lead(one)) == {"IsDeleted": True, "MasterRecordId": None}
    question = f"SELECT Id FROM Lead WHERE Id = '{lead(one)}'"
    assert ask("/query", q=question)["totalSize"] == 0  # only queryAll sees it
    assert ask("/query", q=f"SELECT Id FROM Contact WHERE Id = '{contact(one)}'")["totalSize"] == 0


def test_leads_that_are_merged(small: Business, ask: Ask) -> None:
    loser, winner = [one.id for one in small.contacts.values() if one.lifecycle == "lead"][:2]
    small.merge_contacts(loser, winner)
    assert row(ask, "IsDeleted, MasterRecordId", "Lead", lead(loser)) == {
        "IsDeleted": True,
        "MasterRecordId": lead(winner),
    }


def test_contacts_that_are_merged(small: Business, ask: Ask) -> None:
    """The loser's lead stays, and is one of the winner."""
    loser, winner = [deal.contact_id or "" for deal in small.deals.values() if deal.status == "won"][:2]
    small.merge_contacts(loser, winner)
    assert row(ask, "IsDeleted, MasterRecordId", "Contact", contact(loser)) == {
        "IsDeleted": True,
        "MasterRecordId": contact(winner),
    }
    assert row(ask, "IsDeleted, IsConverted, ConvertedContactId", "Lead", lead(loser)) == {
        "IsDeleted": False,
        "IsConverted": True,
        "ConvertedContactId": contact(winner),
    }


def test_a_lead_is_converted_by_its_first_deal(small: Business, ask: Ask) -> None:
    one = small.add_contact(source="PAID_SEARCH")
    call = small.note_activity(one.id, "call", "out")
    task = f"00T{int(call.id):012}EAA"
    assert row(ask, "ConvertedContactId", "Lead", lead(one.id)) == {"ConvertedContactId": None}
    assert row(ask, "WhoId", "Task", task) == {"WhoId": lead(one.id)}
    at = small.now + timedelta(days=2)
    small.open_deal(one.id, at=at)
    assert row(ask, "ConvertedContactId, ConvertedDate", "Lead", lead(one.id)) == {
        "ConvertedContactId": contact(one.id),
        "ConvertedDate": f"{at:%Y-%m-%d}",
    }
    assert row(ask, "WhoId", "Task", task) == {"WhoId": contact(one.id)}
    assert row(ask, "CreatedDate", "Contact", contact(one.id)) == {"CreatedDate": f"{at:%Y-%m-%dT%H:%M:%S}.000+0000"}


def test_the_size_of_a_page_and_the_end_of_a_cursor(small: Business, ask: Ask) -> None:
    for _ in range(450 - len(small.contacts)):
        small.add_contact(source=None)
    first = ask("/query", q="SELECT Id FROM Lead", options="batchSize=5")
    assert (len(first["records"]), first["totalSize"], first["done"]) == (200, 450, False)
    path = first["nextRecordsUrl"].removeprefix(DATA)
    assert len(ask(path, options="batchSize=300")["records"]) == 250
    for _ in range(10):  # as many may be open; this one was the first
        ask("/query", q="SELECT Id FROM Lead", options="batchSize=200")
    assert ask(path, status=400)[0]["errorCode"] == "INVALID_QUERY_LOCATOR"


def test_a_job_takes_its_time(small: Business, ask: Ask) -> None:
    job = ask("/jobs/query", body={"operation": "query", "query": "SELECT Id, Email FROM Lead"})
    assert job["state"] == "UploadComplete"
    path = f"/jobs/query/{job['id']}"
    assert ask(f"{path}/results", status=409)[0]["errorCode"] == "INVALIDJOBSTATE"
    assert [ask(path)["state"] for _ in range(3)] == ["InProgress", "JobComplete", "JobComplete"]
    small.add_contact(source=None)  # too late
    assert ask(f"{path}/results").count("\n") == len(small.contacts)


@pytest.mark.parametrize(
    "body",
    [{}, [], {"operation": "insert", "query": "SELECT Id FROM Lead"}, {"operation": "query"}],
)
def test_a_job_that_is_none(ask: Ask, body: object) -> None:
    assert ask("/jobs/query", status=400, body=body)[0]["errorCode"] == "INVALIDJOB"


def test_who_gets_no_session(crm: Salesforce) -> None:
    def given(body: bytes, headers: dict[str, str]) -> tuple[int, object]:
        answer = crm.answer("POST", "/services/oauth2/token", "", body, headers)
        return answer.status, answer.body.get("error")

    assert given(b"grant_type=client_credentials", basic("shut")) == (400, "invalid_client")
    assert given(b"grant_type=client_credentials", {}) == (400, "invalid_client")
    assert given(b"grant_type=password", basic("open")) == (400, "unsupported_grant_type")
    form = f"grant_type=client_credentials&client_id={CONSUMER_KEY}&client_secret=open"
    assert given(form.encode(), {}) == (200, None)


def test_sessions_end(crm: Salesforce, ask: Ask) -> None:
    assert ask("/query", q="SELECT COUNT() FROM Lead")["records"] == []
    crm.end_sessions()
    assert ask("/query", status=401, q="SELECT COUNT() FROM Lead")[0]["errorCode"] == "INVALID_SESSION_ID"


def test_a_count_has_no_order_and_no_records(small: Business, ask: Ask) -> None:
    moment = sorted(deal.created for deal in small.deals.values())[2].replace(microsecond=0)
    before = f"WHERE CreatedDate < {moment:%Y-%m-%dT%H:%M:%SZ}"
    made = [deal for deal in small.deals.values() if deal.created.replace(microsecond=0) < moment]
    answer = ask("/queryAll", q=f"SELECT COUNT() FROM Opportunity {before} AND IsDeleted = false")
    assert answer == {"totalSize": len([deal for deal in made if not deal.archived]), "done": True, "records": []}
    (refused,) = ask("/queryAll", status=400, q=f"SELECT COUNT() FROM Opportunity {before} ORDER BY Id")
    assert refused["errorCode"] == "MALFORMED_QUERY"


def test_what_is_hidden_or_cannot_be_asked_for(small: Business) -> None:
    crm = Salesforce(small, secret="open", hidden=["Task", "Lead.Email"], unfilterable=["Lead.SystemModstamp"])
    headers = session(crm)

    def code(path: str, question: str = "") -> object:
        answer = crm.answer("GET", DATA + path, urlencode({"q": question}), b"", headers)
        return answer.body[0]["errorCode"]

    assert code("/sobjects/Task/describe") == "NOT_FOUND"
    assert code("/query", "SELECT Id FROM Task") == "INVALID_TYPE"
    assert code("/query", "SELECT Email FROM Lead") == "INVALID_FIELD"
    assert code("/query", "SELECT Id FROM Lead WHERE SystemModstamp > 2026-01-01T00:00:00Z") == "INVALID_FIELD"
    assert code("/query", "SELECT CurrencyIsoCode FROM Opportunity") == "INVALID_FIELD"  # there is one currency only
    described = crm.answer("GET", DATA + "/sobjects/Lead/describe", "", b"", headers).body["fields"]
    assert "Email" not in {field["name"] for field in described}
    assert [field["filterable"] for field in described if field["name"] == "SystemModstamp"] == [False]
    assert code("/nothing") == "NOT_FOUND"
