"""The Salesforce connector: what it asks, and what it makes of the answers."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import stamina
from salesforce_double import ADDRESS, DATA, END, SECRET, Json, Organization, refused
from vault import Vault

from holdwater.crm import persons
from holdwater.crm.connector import Connector, Gone, Page, Reconcilable
from holdwater.crm.credentials import Token
from holdwater.crm.records import STREAMS, Activity, Consent, Deal, Lead, Money, Owner, Stage, StageEvent
from holdwater.crm.salesforce import Salesforce, connect
from holdwater.errors import BadAnswerError, CredentialsError, HoldwaterError, QuotaError, ScopeError, SetupError
from holdwater.store.database import Store
from holdwater.store.sync import sync

LATER = dict.fromkeys(STREAMS, datetime(2026, 11, 21, 12, tzinfo=UTC))
OWNER = "0055g000001AbCdAAK"
OPEN, BO, CY = "00Q5g000001Open1AA", "0035g000001Bo001AA", "0035g000001Cy001AA"
WON, LOST, WIP = "0065g000001Won01AA", "0065g000001Lost1AA", "0065g000001Open1AA"


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-{text}").replace(tzinfo=UTC)


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000+0000")


@pytest.fixture
def org() -> Organization:
    return Organization()


@pytest.fixture(autouse=True)
def _no_waiting_and_no_key(monkeypatch: pytest.MonkeyPatch, vault: Vault) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    vault.locked = True


def opened(org: Organization, secret: str = SECRET, **options: Any) -> Salesforce:
    return connect(ADDRESS, Token(secret, "the test"), transport=httpx.MockTransport(org), **options)


def read(org: Organization, watermarks: Mapping[str, datetime] | None = None, **options: Any) -> list[Page]:
    with opened(org, **options) as salesforce:
        return list(salesforce.pages(watermarks or {}))


def records(pages: list[Page], stream: str) -> dict[str, Any]:
    return {record.id: record for page in pages if page.stream == stream for record in page.records}


def gone(pages: list[Page], stream: str) -> set[Gone]:
    return {one for page in pages if page.stream == stream for one in page.gone}


def issues(pages: list[Page], stream: str) -> dict[str, str]:
    return {one.id: one.problem for page in pages if page.stream == stream for one in page.issues}


def row(org: Organization, id_: str) -> Json:
    return next(row for rows in org.rows.values() for row in rows if row["Id"] == id_)


# What the answers become


def test_it_is_a_connector(org: Organization) -> None:
    with opened(org) as salesforce:
        assert org.paths == []  # nothing is asked before somebody wants to know
        assert isinstance(salesforce, Reconcilable)
        connector: Connector = salesforce
        assert connector.connection == "salesforce:00D5g000001Org1EAA"
        assert salesforce.site == "https://example.my.salesforce.com"


def test_owners_and_stages(org: Organization) -> None:
    pages = read(org)
    assert [(page.stream, page.watermark) for page in pages[:2]] == [("owners", END), ("stages", END)]
    assert list(records(pages, "owners").values()) == [  # no robots among them
        Owner(id=OWNER, updated_at=at("01T08:00:00")),
        Owner(id="0055g000001AbCeAAK", updated_at=at("10T08:00:00"), archived=True),
    ]
    assert records(pages, "stages")["Prospecting"] == Stage(
        id="Prospecting",  # what opportunities call it, whatever its label is now
        pipeline_id="Opportunity",
        label="First talks",
        position=1,
        closed=False,
        won=False,
        updated_at=at("01T08:00:00"),
    )


def test_each_person_is_one_lead_since_the_first_record_of_it(org: Organization) -> None:
    """Bo was converted twice into one contact; Cy was a contact from the start; Ada is a lead that nobody took yet."""
    pages = read(org)
    assert records(pages, "leads") == {
        OPEN: Lead(id=OPEN, created_at=at("02T09:00:00"), updated_at=at("02T09:30:00"), source="web", source_raw="Web"),
        BO: Lead(
            id=BO,
            created_at=at("03T09:00:00"),
            updated_at=at("09T10:00:00"),
            source="trade_show",
            source_raw="Trade Show",
            owner_id=OWNER,
        ),
        CY: Lead(id=CY, created_at=at("01T10:00:00"), updated_at=at("01T10:00:00"), owner_id=OWNER),
    }
    assert gone(pages, "leads") == {
        Gone("00Q5g000001Conv1AA", "merged", BO),
        Gone("00Q5g000001Conv2AA", "merged", BO),
        Gone("00Q5g000001Dupl1AA", "merged", OPEN),
        Gone("00Q5g000001Gone1AA", "deleted"),
        Gone("0035g000001Dupl1AA", "merged", CY),
    }


def test_consent_is_what_the_contact_says(org: Organization) -> None:
    consents = records(read(org), "consents")
    assert {one.lead_id: one.status for one in consents.values()} == {OPEN: "unknown", BO: "opted_out", CY: "unknown"}
    assert consents[f"{BO}:email"] == Consent(
        id=f"{BO}:email", lead_id=BO, channel="email", status="opted_out", updated_at=at("06T10:00:00")
    )


def test_deals(org: Organization) -> None:
    pages = read(org)
    deals = records(pages, "deals")
    assert deals[WON] == Deal(
        id=WON,
        status="won",
        created_at=at("05T10:00:00"),
        updated_at=at("12T15:00:00"),
        lead_id=BO,
        closed_at=at("12T00:00:00"),
        amount=Money(123450, "EUR", "1234.5"),
        pipeline_id="Opportunity",
        stage_id="Closed Won",
        owner_id=OWNER,
    )
    lost, wip = deals[LOST], deals[WIP]
    assert (lost.status, lost.lost_reason, lost.lost_reason_raw) == ("lost", "too_expensive", "Too Expensive")
    assert lost.closed_at == at("10T10:00:00")  # made that day: it did not end before it began
    assert lost.amount is None  # nobody filled it in
    assert wip.amount == Money(0, "EUR", "0")  # somebody did
    assert (wip.status, wip.closed_at, wip.lost_reason, wip.lead_id) == ("open", None, None, None)
    assert gone(pages, "deals") == {Gone("0065g000001Gone1AA", "deleted")}


def test_the_history_of_stages(org: Organization) -> None:
    assert records(read(org), "stage_events") == {
        id_: StageEvent(
            id=id_, deal_id=WON, stage_id=stage, entered_at=moment, updated_at=moment, pipeline_id="Opportunity"
        )
        for id_, stage, moment in (
            ("0085g000001Hi01AAA", "Prospecting", at("05T10:00:00")),
            ("0085g000001Hi02AAA", "Closed Won", at("12T15:00:00")),
        )
    }


def test_activities(org: Organization) -> None:
    """What was archived counts; what is yet to be done does not, nor the copies of a meeting that its guests have."""
    activities = records(read(org), "activities")
    assert activities == {
        "00T5g000001Call1AA": Activity(
            id="00T5g000001Call1AA",
            kind="call",
            direction="out",
            occurred_at=at("02T11:00:00"),
            updated_at=at("02T11:00:00"),
            lead_id=OPEN,
            owner_id=OWNER,
        ),
        "00T5g000001Mail1AA": Activity(
            id="00T5g000001Mail1AA",
            kind="email",
            direction="in",
            occurred_at=at("06T07:59:00"),
            updated_at=at("06T08:00:05"),
            lead_id=BO,
            deal_id=WON,
            owner_id=OWNER,
        ),
        "00T5g000001Mail2AA": Activity(  # a plug-in wrote it down: who wrote it, nobody knows; it is about an account
            id="00T5g000001Mail2AA",
            kind="email",
            direction=None,
            occurred_at=at("07T08:00:00"),
            updated_at=at("07T08:00:00"),
            lead_id=BO,
            owner_id=OWNER,
        ),
        "00U5g000001Meet1AA": Activity(
            id="00U5g000001Meet1AA",
            kind="meeting",
            direction=None,
            occurred_at=at("09T14:00:00"),
            updated_at=at("06T08:00:00"),
            lead_id=BO,
            deal_id=WON,
            owner_id=OWNER,
        ),
    }


def test_no_name_and_no_text_is_ever_asked_for(org: Organization) -> None:
    read(org)
    asked = " ".join(org.questions)
    assert "FROM Lead" in asked
    assert not re.search(r"\b(Name|FirstName|LastName|Company|Email|Phone|Subject|Description|TextBody)\b", asked)


def test_an_address_becomes_a_keyed_hash(org: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(persons.VARIABLE, "k" * 40)
    leads = records(read(org), "leads")
    assert leads[OPEN].person == persons.person_key("ada.example@example.com")
    assert leads[BO].person == persons.person_key("bo@example.com")  # the contact's, not a lead's of old
    assert "@" not in repr(leads)


def test_an_organisation_with_several_currencies_names_each(org: Organization) -> None:
    org.organization["features"] = {"multiCurrency": True, "defaultCurrencyIsoCode": None}
    for one in org.rows["Opportunity"]:
        one["CurrencyIsoCode"] = "JPY"
    assert records(read(org), "deals")[WON].amount == Money(1234, "JPY", "1234.5")
    org.hidden = {"Opportunity.CurrencyIsoCode"}
    pages = read(org)
    assert "currency" in issues(pages, "deals")[WON]
    assert set(records(pages, "deals")) == {LOST}  # no amount, no question


@pytest.mark.parametrize(
    ("text", "minor"), [("0.1", 10), ("1234567.89", 123456789), ("1e3", 100000), ("-5", -500), ("99999999999.99", None)]
)
def test_an_amount_is_never_rounded_on_the_way(org: Organization, text: str, minor: int | None) -> None:
    def instead(path: str, question: str) -> httpx.Response | None:
        if "FROM Opportunity WHERE IsDeleted = false" not in question:
            return None
        sent = json.dumps({**row(org, WON), "Amount": "@"}).replace('"@"', text)
        return httpx.Response(200, content=f'{{"totalSize": 1, "done": true, "records": [{sent}]}}')

    org.instead = instead
    money = records(read(org), "deals")[WON].amount
    assert (money.minor, money.text.lower().replace("e+", "e")) == (minor or 9999999999999, text)


def test_a_stage_that_was_renamed_or_redefined_counts_as_it_is_today(org: Organization) -> None:
    row(org, WIP)["StageName"] = "Closed Lost"  # the opportunity itself still says that it is open
    assert records(read(org), "deals")[WIP].status == "lost"
    row(org, WIP)["StageName"] = "Nobody knows"
    assert records(read(org), "deals")[WIP].status == "open"


@pytest.mark.parametrize(
    "name", ["Loss_Reason__c", "Closed_Lost_Reason__c", "Reason_Lost__c", "ns__Reason_for_Loss__c"]
)
def test_the_reason_of_a_loss_is_a_field_of_their_own(org: Organization, name: str) -> None:
    for one in org.rows["Opportunity"]:
        one[name] = one.pop("Loss_Reason__c")
    assert records(read(org), "deals")[LOST].lost_reason == "too_expensive"


def test_without_such_a_field_nobody_knows_why(org: Organization) -> None:
    for one in org.rows["Opportunity"]:
        del one["Loss_Reason__c"]
    assert records(read(org), "deals")[LOST].lost_reason is None


def test_a_person_account_is_a_contact(org: Organization) -> None:
    for contact in org.rows["Contact"]:
        contact["IsPersonAccount"] = contact["Id"] == CY
    for deal in org.rows["Opportunity"]:
        deal["Account"] = {"attributes": {"type": "Account"}, "PersonContactId": CY} if deal["Id"] == WIP else None
        deal["Account.PersonContactId"] = None  # for the reader of questions
    deals = records(read(org), "deals")
    assert (deals[WIP].lead_id, deals[WON].lead_id) == (CY, BO)
    assert any("Account.PersonContactId" in question for question in org.questions)


# Merges and conversions between two syncs


def incremental(org: Organization, changed: str, **fields: Any) -> list[Page]:
    """What a sync reads after one record has changed."""
    row(org, changed).update(fields, SystemModstamp=stamp(at("21T13:00:00")))
    return read(org, LATER)


def test_a_lead_that_is_converted_becomes_its_contact(org: Organization, tmp_path: Path) -> None:
    with Store.open(tmp_path / "store.db") as store:
        with opened(org) as salesforce:
            sync(salesforce, store)
        ada = dict(row(org, CY), Id="0035g000001Ada01AA", LeadSource="Web", SystemModstamp=stamp(at("22T11:59:00")))
        org.rows["Contact"].append(ada | {"CreatedDate": ada["SystemModstamp"]})
        row(org, OPEN).update(ConvertedContactId=ada["Id"], SystemModstamp=stamp(at("22T11:59:00")))
        with opened(org) as salesforce:
            sync(salesforce, store)
        leads = {row for rows in store.rows("lead", ["id", "created_at"]) for row in rows}
        assert ("0035g000001Ada01AA", "2026-11-02T09:00:00.000000Z") in leads
        assert OPEN not in {id_ for id_, _ in leads}
        calls = {row for rows in store.rows("activity", ["id", "lead_id"]) for row in rows}
        assert ("00T5g000001Call1AA", "0035g000001Ada01AA") in calls
        assert len(leads) == 3


def test_a_lead_converted_into_a_contact_that_did_not_change(org: Organization) -> None:
    pages = incremental(org, OPEN, ConvertedContactId=CY)
    assert gone(pages, "leads") == {Gone(OPEN, "merged", CY)}
    # Cy was there first, and where from nobody knows: what brought the lead later was no first contact.
    assert records(pages, "leads")[CY].created_at == at("01T10:00:00")
    assert records(pages, "leads")[CY].source is None


def test_a_contact_changes_alone_and_its_leads_still_tell_since_when(org: Organization) -> None:
    pages = incremental(org, BO, LeadSource="Referral")
    bo = records(pages, "leads")[BO]
    assert (bo.created_at, bo.source, bo.updated_at) == (at("03T09:00:00"), "referral", at("21T13:00:00"))
    assert list(records(pages, "leads")) == [BO]


def test_a_lead_of_a_contact_that_was_merged_goes_with_it(org: Organization) -> None:
    """Salesforce gives it to the winner, as a rule; where it did not, the way leads over the recycle bin."""
    pages = incremental(org, OPEN, ConvertedContactId="0035g000001Dupl1AA")
    assert gone(pages, "leads") == {Gone(OPEN, "merged", CY)}
    pages = read(org)
    assert OPEN not in records(pages, "leads")
    assert Gone(OPEN, "merged", CY) in gone(pages, "leads")


@pytest.mark.parametrize("contact", ["0035g000001Nobody1A"[:18], None])
def test_a_lead_whose_contact_is_no_more_counts_by_itself(org: Organization, contact: str | None) -> None:
    for pages in (incremental(org, OPEN, ConvertedContactId=contact), read(org)):
        assert records(pages, "leads")[OPEN].created_at == at("02T09:00:00")
        assert OPEN not in {one.id for one in gone(pages, "leads")}


def test_the_ids_of_a_reconciliation_are_those_of_a_sync(org: Organization) -> None:
    pages = read(org)
    with opened(org) as salesforce:
        found: dict[str, set[str]] = {}
        for one in salesforce.identities():
            found.setdefault(one.stream, set()).update(one.ids)
    assert found == {stream: set(records(pages, stream)) for stream in ("leads", "deals", "activities")}


# Windows, pages and times


def test_the_first_sync_reaches_back_to_the_beginning(org: Organization) -> None:
    """Other connectors start two years ago, and the rest of history is never seen."""
    row(org, WON).update(CreatedDate="2009-01-05T10:00:00.000+0000", SystemModstamp="2009-02-05T10:00:00.000+0000")
    assert WON in records(read(org), "deals")
    assert not [question for question in org.questions if ">=" in question]


def test_a_record_that_comes_late_with_an_older_stamp_is_read(org: Organization) -> None:
    """Its transaction was still open when the last sync came by."""
    row(org, WON)["SystemModstamp"] = stamp(LATER["deals"] - timedelta(minutes=55))
    pages = read(org, LATER)
    assert list(records(pages, "deals")) == [WON]
    assert {page.stream: page.watermark for page in pages if page.watermark} == dict.fromkeys(
        ("owners", "stages", "leads", "consents", "deals", "stage_events", "activities"), END
    )


def test_equal_stamps_over_page_boundaries_are_all_read(org: Organization) -> None:
    deals = [dict(row(org, WIP), Id=f"0065g0000{number:05}AAAA") for number in range(450)]
    org.rows["Opportunity"] = deals
    org.most = 200
    assert set(records(read(org), "deals")) == {deal["Id"] for deal in deals}
    asked = [question for question in org.questions if "FROM Opportunity WHERE IsDeleted = false" in question]
    assert len(asked) == 3
    assert f"(SystemModstamp = 2026-11-11T10:00:00.000Z AND Id > '{deals[199]['Id']}')" in asked[1]
    assert all(question.endswith("ORDER BY SystemModstamp, Id") for question in asked)


def test_how_many_come_in_one_answer_is_the_servers_choice(org: Organization) -> None:
    whole = read(org)
    org.most = 1
    small = read(org)
    for stream in STREAMS:
        assert records(small, stream) == records(whole, stream)
        assert gone(small, stream) == gone(whole, stream)


def test_a_stamp_that_cannot_be_asked_for(org: Organization) -> None:
    """Some objects have it, and cannot be filtered by it."""
    org.unfilterable = {"Opportunity.SystemModstamp", "OpportunityHistory.SystemModstamp", "Task.SystemModstamp"}
    org.unfilterable |= {"Task.LastModifiedDate"}
    row(org, WON)["LastModifiedDate"] = stamp(at("21T13:00:00"))
    pages = read(org, LATER)
    assert list(records(pages, "deals")) == [WON]
    assert any("LastModifiedDate >= 2026-11-21T11:00:00.000Z" in question for question in org.questions)
    assert any("CreatedDate >= 2026-11-21T11:00:00.000Z" in question for question in org.questions)
    # Tasks have no time that could be asked for: they are all read, page by page.
    assert len([id_ for id_ in records(pages, "activities") if id_.startswith("00T")]) == 3
    org.most = 1
    assert set(records(read(org, LATER), "activities")) == set(records(pages, "activities"))


def test_a_version_from_the_future_is_not_kept(org: Organization) -> None:
    row(org, WON)["SystemModstamp"] = "2031-01-01T00:00:00.000+0000"
    pages = read(org)
    assert "future" in issues(pages, "deals")[WON]
    assert WON not in records(pages, "deals")


@pytest.mark.parametrize(
    "listing",
    [
        {"totalSize": 5, "done": True, "records": []},
        {"totalSize": 5, "done": False, "records": []},
        {"totalSize": 5, "done": False, "records": [{"Id": WON}]},
        {"totalSize": 5, "done": False, "records": [{"SystemModstamp": stamp(END)}]},
        {"totalSize": 5, "done": False, "records": [{"Id": LOST, "SystemModstamp": stamp(END)}] * 2},
        {
            "totalSize": 5,
            "done": False,
            "records": [
                {"Id": WON, "SystemModstamp": stamp(END)},
                {"Id": LOST, "SystemModstamp": stamp(at("01T00:00"))},
            ],
        },
        {"totalSize": -1, "done": True, "records": []},
        {"totalSize": 0, "done": 1, "records": []},
    ],
)
def test_pages_that_would_lose_something_end_the_run(org: Organization, listing: Json) -> None:
    org.instead = lambda path, question: (
        httpx.Response(200, json=listing) if "FROM Opportunity WHERE IsDeleted = false" in question else None
    )
    with pytest.raises(BadAnswerError):
        read(org)


@pytest.mark.parametrize(
    ("id_", "stream", "field", "value"),
    [
        (WON, "deals", "Amount", "much"),
        (WON, "deals", "Amount", True),
        (WON, "deals", "Amount", 10**20),
        (WON, "deals", "CloseDate", "12.11.2026"),
        (WON, "deals", "SystemModstamp", "2026-11-12 15:00"),
        (OPEN, "leads", "CreatedDate", None),
        (OPEN, "leads", "ConvertedContactId", "Ada"),
        (BO, "leads", "OwnerId", 5),
        (CY, "leads", "LeadSource", "\ud800"),
        ("00T5g000001Call1AA", "activities", "WhoId", "Ada"),
        ("0085g000001Hi01AAA", "stage_events", "OpportunityId", None),
    ],
)
def test_what_cannot_be_read_is_named_and_the_rest_is_taken(
    org: Organization, id_: str, stream: str, field: str, value: object
) -> None:
    whole = records(read(org), stream)
    row(org, id_)[field] = value
    pages = read(org)
    problem = issues(pages, stream)[id_]
    assert field in problem
    assert id_ in problem
    assert "Ada" not in problem
    assert records(pages, stream) == {key: one for key, one in whole.items() if key != id_}


def test_a_lead_that_cannot_be_read_does_not_make_its_contact_younger(org: Organization) -> None:
    row(org, "00Q5g000001Conv1AA")["CreatedDate"] = "long ago"
    pages = read(org)
    assert set(issues(pages, "leads")) == {BO, "00Q5g000001Conv1AA"}
    assert BO not in records(pages, "leads")


def test_a_record_without_an_id_buries_nothing(org: Organization) -> None:
    row(org, WON)["Id"] = None
    pages = read(org)
    assert set(issues(pages, "deals")) == {"Opportunity no. 4"}  # the last, and one was deleted
    assert not [page for page in pages if page.stream == "deals" and page.last]
    assert [page for page in pages if page.stream == "leads" and page.last]


# Bulk jobs


CSV = {"Content-Type": "text/csv"}


def jobs(org: Organization, *pieces: str, states: tuple[str, ...] = ("InProgress", "JobComplete")) -> list[Json]:
    """Lets opportunities be so many that a job must bring them, as these pieces of CSV; gives the jobs asked for."""
    asked: list[Json] = []
    states_left = list(states)

    def job(state: str) -> httpx.Response:
        return httpx.Response(200, json={"id": "7505g000001Job1AAA", "state": state, "operation": "queryAll"})

    def instead(path: str, question: str) -> httpx.Response | None:
        if "FROM Opportunity WHERE IsDeleted = false" in question:
            return httpx.Response(200, json={"totalSize": 20_001, "done": False, "records": [row(org, WON)]})
        if path == f"{DATA}/jobs/query":
            asked.append({})
            return job("UploadComplete")
        if path == f"{DATA}/jobs/query/7505g000001Job1AAA":
            return job(states_left.pop(0) if len(states_left) > 1 else states_left[0])
        if path.endswith("/results"):
            place = len([one for one in org.paths if one.endswith("/results")]) - 1
            locator = f"place{place + 1}" if place + 1 < len(pieces) else "null"
            count = str(len(list(csv.reader(io.StringIO(pieces[place], newline="")))) - 1)
            headers = {**CSV, "Sforce-Locator": locator, "Sforce-NumberOfRecords": count}
            return httpx.Response(200, text=pieces[place], headers=headers)
        return None

    org.instead = instead
    return asked


HEADER = (
    '"Id","SystemModstamp","IsDeleted","CreatedDate","OwnerId","StageName","Amount","CloseDate","IsClosed","IsWon",'
    '"ContactId","Loss_Reason__c"\n'
)


def line(id_: str, amount: str = "", reason: str = "") -> str:
    moment = "2026-11-10T10:00:00.000Z"
    return (
        f'"{id_}","{moment}","false","{moment}","{OWNER}","Closed Lost","{amount}","2026-11-10","true","false","",'
        f'"{reason}"\n'
    )


def test_more_than_rest_is_for_comes_as_a_job(org: Organization) -> None:
    asked = jobs(org, HEADER + line(WON, "1234.5") + line(LOST, "", 'Said ""no"",\nthen left'), HEADER + line(WIP))
    deals = records(read(org), "deals")
    assert len(asked) == 1
    assert set(deals) == {WON, LOST, WIP}
    assert deals[WON].amount == Money(123450, "EUR", "1234.5")
    assert deals[LOST].lost_reason_raw == 'Said "no",\nthen left'
    # An empty cell is nothing: no amount, no contact, no reason.
    assert (deals[WIP].amount, deals[WIP].lead_id, deals[WIP].lost_reason_raw) == (None, None, None)
    assert (deals[WIP].status, deals[WIP].created_at) == ("lost", at("10T10:00:00"))


def test_a_job_is_asked_for_without_an_order(org: Organization) -> None:
    jobs(org, HEADER)
    sent: list[Json] = []

    def watch(request: httpx.Request) -> httpx.Response:
        if request.url.path == f"{DATA}/jobs/query":
            sent.append(json.loads(request.content))
        return org(request)

    with connect(ADDRESS, Token(SECRET, "the test"), transport=httpx.MockTransport(watch)) as salesforce:
        list(salesforce.pages(LATER))
    (job,) = sent
    assert job["operation"] == "queryAll"
    assert job["query"].endswith("WHERE IsDeleted = false AND SystemModstamp >= 2026-11-21T11:00:00.000Z")


@pytest.mark.parametrize(
    ("pieces", "states", "told"),
    [
        ([HEADER], ("Failed",), "is failed"),
        ([HEADER], ("Aborted",), "is aborted"),
        ([HEADER], ("InProgress",), "not ended in an hour"),
        ([HEADER + line(WON).replace(",", ";")], ("JobComplete",), "other than its rows"),
        (["<!DOCTYPE html>\n<p>\n"], ("JobComplete",), "other than its rows"),
        ([HEADER.replace("Amount", "Other") + line(WON)], ("JobComplete",), "other than its rows"),
        ([HEADER + line(WON).replace("\n", "")[:-3] + "\n"], ("JobComplete",), "other than its rows"),
        ([HEADER, HEADER, HEADER], ("Melting",), "state"),
    ],
)
def test_a_job_that_goes_wrong_ends_the_run(
    org: Organization, pieces: list[str], states: tuple[str, ...], told: str
) -> None:
    jobs(org, *pieces, states=states)
    with pytest.raises(BadAnswerError, match=told):
        read(org)


def test_a_job_that_never_ends_to_send_is_noticed(org: Organization) -> None:
    jobs(org, HEADER)
    before = org.instead

    def instead(path: str, question: str) -> httpx.Response | None:
        answer = before(path, question) if not path.endswith("/results") else None
        if path.endswith("/results"):
            more = {**CSV, "Sforce-Locator": "again", "Sforce-NumberOfRecords": "1"}
            return httpx.Response(200, text=HEADER + line(WON), headers=more)
        return answer

    org.instead = instead
    with pytest.raises(BadAnswerError, match="circles"):
        read(org)


# Refusals


def test_a_used_up_quota_is_no_matter_of_waiting(org: Organization, tmp_path: Path) -> None:
    org.instead = lambda path, question: (
        refused(403, "REQUEST_LIMIT_EXCEEDED") if "FROM OpportunityHistory" in question else None
    )
    with Store.open(tmp_path / "store.db") as store:
        with opened(org) as salesforce, pytest.raises(QuotaError, match="used up"):
            sync(salesforce, store)
        assert any(True for _ in store.rows("deal", ["id"]))  # what was read is kept
    assert len([question for question in org.questions if "FROM OpportunityHistory" in question]) == 1


def test_a_session_that_ends_midway_is_renewed_once(org: Organization) -> None:
    whole = read(org)
    calls = 0

    def instead(path: str, question: str) -> httpx.Response | None:
        nonlocal calls
        calls += 1
        if calls == 9:
            org.token["access_token"] = "00D5g000001Org1!second-session"
        return None

    org.paths.clear()
    org.instead = instead
    pages = read(org)
    for stream in STREAMS:
        assert records(pages, stream) == records(whole, stream)
    assert org.paths.count("/services/oauth2/token") == 2


def test_an_app_that_is_let_in_no_more_is_told(org: Organization, printed: Callable[[BaseException], str]) -> None:
    answer = {"error": "invalid_client", "error_description": "invalid client credentials"}
    org.instead = lambda path, question: httpx.Response(400, json=answer) if path == "/services/oauth2/token" else None
    with opened(org) as salesforce, pytest.raises(CredentialsError) as caught:
        _ = salesforce.connection
    assert "the test" in str(caught.value)
    assert "secret-do-not-show" not in printed(caught.value)


@pytest.mark.parametrize("secret", ["no-colon", "key:", ":secret"])
def test_a_token_without_both_parts_is_told_at_once(org: Organization, secret: str) -> None:
    with pytest.raises(CredentialsError, match="key:secret"):
        opened(org, secret)


@pytest.mark.parametrize(
    ("token", "kind"),
    [
        ({}, BadAnswerError),
        ({"access_token": 5}, BadAnswerError),
        ({"access_token": ""}, BadAnswerError),
        ({"access_token": "line\nbreak"}, BadAnswerError),
        ({"access_token": "good"}, SetupError),
        ({"access_token": "good", "instance_url": "https://elsewhere.my.salesforce.com"}, SetupError),
        ({"access_token": "good", "instance_url": "https://example.my.salesforce.com:8443"}, SetupError),
        ({"access_token": "good", "instance_url": "::"}, SetupError),
    ],
)
def test_an_answer_without_a_usable_session(
    org: Organization, token: Json, kind: type[HoldwaterError], printed: Callable[[BaseException], str]
) -> None:
    org.token = token
    with opened(org) as salesforce, pytest.raises(kind) as caught:
        _ = salesforce.connection
    assert "line\nbreak" not in str(caught.value)
    assert "secret-do-not-show" not in printed(caught.value)
    assert org.paths == ["/services/oauth2/token"]  # the session went nowhere


@pytest.mark.parametrize("status", [406, 420, 500, 503])
def test_what_passes_is_tried_again(org: Organization, status: int) -> None:
    trouble = iter([True, True])
    org.instead = lambda path, question: (
        refused(status, "UNKNOWN") if "FROM Opportunity " in question and next(trouble, False) else None
    )
    with stamina.set_testing(True, attempts=5):
        assert WON in records(read(org), "deals")


def test_a_field_that_is_hidden_is_named(org: Organization) -> None:
    org.hidden = {"Opportunity.Amount"}
    with pytest.raises(ScopeError, match=r"Opportunity\.Amount"):
        read(org)


def test_an_object_that_is_hidden_is_told(org: Organization) -> None:
    org.hidden = {"Lead"}
    with pytest.raises(ScopeError, match="Lead/describe"):
        read(org)


@pytest.mark.parametrize("name", ["Task", "Event", "EmailMessage"])
def test_activities_that_are_hidden_are_told_and_nothing_is_buried(org: Organization, name: str) -> None:
    org.hidden = {name}
    pages = read(org)
    assert list(issues(pages, "activities")) == [f"all {name}"]
    whole = name == "EmailMessage"  # it only tells who wrote
    assert [page.last for page in pages if page.stream == "activities" and page.watermark] == [whole]
    assert WON in records(pages, "deals")
    with opened(org) as salesforce:
        last = {one.stream for one in salesforce.identities() if one.last}
    assert last == {"leads", "deals", *(["activities"] if whole else [])}


def test_the_address_is_needed(org: Organization) -> None:
    with pytest.raises(SetupError, match=r"my\.salesforce\.com"):
        connect(None, Token(SECRET, "the test"))
