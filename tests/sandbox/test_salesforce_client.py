"""simple-salesforce, which nobody here wrote, reads the sandbox over TLS: every field is what the business says."""

from __future__ import annotations

import csv
import io
import ssl
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from holdwater.sandbox import Business, Contact, Sandbox
from holdwater.sandbox.records import Activity, Deal
from holdwater.sandbox.salesforce import CONSUMER_KEY, Salesforce
from holdwater.sandbox.server import serving

requests = pytest.importorskip("requests")
simple_salesforce = pytest.importorskip("simple_salesforce")
trustme = pytest.importorskip("trustme")

SECRET = "shut"
FIELDS = {
    "Lead": "Id Name Company Email Status LeadSource IsDeleted IsConverted HasOptedOutOfEmail ConvertedDate"
    " MasterRecordId OwnerId ConvertedContactId ConvertedOpportunityId CreatedDate LastModifiedDate SystemModstamp",
    "Contact": "Id Name Email LeadSource IsDeleted HasOptedOutOfEmail MasterRecordId OwnerId CreatedDate"
    " LastModifiedDate SystemModstamp",
    "Opportunity": "Id Name StageName LeadSource Loss_Reason__c CurrencyIsoCode Amount Probability IsDeleted IsClosed"
    " IsWon CloseDate ContactId OwnerId CreatedDate LastModifiedDate SystemModstamp LastStageChangeDate",
    "OpportunityHistory": "Id OpportunityId StageName CurrencyIsoCode Amount Probability IsDeleted CloseDate"
    " CreatedDate SystemModstamp",
    "Task": "Id Subject Status TaskSubtype CallType IsDeleted IsClosed IsArchived ActivityDate WhoId WhatId OwnerId"
    " CreatedDate LastModifiedDate SystemModstamp CompletedDateTime",
    "EmailMessage": "Id Subject IsDeleted Incoming ActivityId CreatedDate LastModifiedDate SystemModstamp MessageDate",
    "User": "Id Name Email UserType IsActive CreatedDate LastModifiedDate SystemModstamp",
    "OpportunityStage": "Id ApiName MasterLabel SortOrder DefaultProbability IsActive IsClosed IsWon CreatedDate"
    " LastModifiedDate SystemModstamp",
}
SIGNS = {"00Q": "EAA", "00T": "EAA", "01J": "EAA"}  # of ids with a capital letter among the first five


def id_of(prefix: str, number: str | int) -> str:
    return f"{prefix}{int(number):012}{SIGNS.get(prefix, 'AAA')}"


def text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000+0000"


def times(created: datetime, modified: datetime) -> dict[str, str]:
    return {"CreatedDate": text(created), "LastModifiedDate": text(modified), "SystemModstamp": text(modified)}


@pytest.fixture(scope="module")
def sandbox(simulated: Business, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    authority = trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    with serving(simulated, SECRET, Salesforce(simulated, secret=SECRET, multi_currency=True), tls=tls) as running:
        path = tmp_path_factory.mktemp("authority") / "ca.pem"
        authority.cert_pem.write_to_path(path)
        running.authority = str(path)
        yield running


@pytest.fixture(scope="module")
def crm(sandbox: Sandbox) -> Iterator[Any]:
    with requests.Session() as session:
        session.trust_env = False
        session.verify = sandbox.authority
        answer = session.post(
            f"{sandbox.url}/services/oauth2/token",
            data={"grant_type": "client_credentials", "client_id": CONSUMER_KEY, "client_secret": SECRET},
        )
        yield simple_salesforce.Salesforce(
            session_id=answer.json()["access_token"],
            instance_url=answer.json()["instance_url"],
            version="67.0",
            session=session,
        )


def rows(crm: Any, name: str) -> dict[str, dict[str, Any]]:
    """All there are, through every page."""
    found = crm.query_all(f"SELECT {', '.join(FIELDS[name].split())} FROM {name}", include_deleted=True)
    assert found["totalSize"] == len(found["records"])
    assert {row["attributes"]["type"] for row in found["records"]} == {name}
    return {row["Id"]: {key: value for key, value in row.items() if key != "attributes"} for row in found["records"]}


def first_deal(business: Business, contact: Contact) -> Deal | None:
    deals = (business.deals[one] for one in business.deals_of.get(contact.id, ()))
    return min(deals, key=lambda deal: deal.created, default=None)


def lead(business: Business, contact: Contact) -> dict[str, Any]:
    deal = first_deal(business, contact)
    return {
        "Id": id_of("00Q", contact.id),
        "Name": f"Simulated lead {contact.id}",
        "Company": "Simulated company",
        "Email": f"simulated.lead.{contact.id}@example.com",
        "Status": "Closed - Converted" if deal else "Open - Not Contacted",
        "LeadSource": contact.source,
        "IsDeleted": False,
        "MasterRecordId": None,
        "HasOptedOutOfEmail": contact.opted_out is True,
        "OwnerId": id_of("005", contact.owner_id),
        "IsConverted": deal is not None,
        "ConvertedDate": f"{deal.created:%Y-%m-%d}" if deal else None,
        "ConvertedContactId": id_of("003", contact.id) if deal else None,
        "ConvertedOpportunityId": id_of("006", deal.id) if deal else None,
        **times(contact.created, deal.created if deal else contact.modified),
    }


def test_all_leads_and_contacts(crm: Any, sandbox: Sandbox) -> None:
    business = sandbox.business
    expected = [lead(business, contact) for contact in business.contacts.values()]
    assert len(expected) > 4000  # several pages
    assert rows(crm, "Lead") == {row["Id"]: row for row in expected}
    contacts = rows(crm, "Contact")
    for contact in business.contacts.values():
        deal = first_deal(business, contact)
        if deal:
            assert contacts.pop(id_of("003", contact.id)) == {
                "Id": id_of("003", contact.id),
                "Name": f"Simulated lead {contact.id}",
                "Email": f"simulated.lead.{contact.id}@example.com",
                "LeadSource": contact.source,
                "IsDeleted": False,
                "MasterRecordId": None,
                "HasOptedOutOfEmail": contact.opted_out is True,
                "OwnerId": id_of("005", contact.owner_id),
                **times(deal.created, contact.modified),
            }
    assert contacts == {}


CHANCES = {"qualifiedtobuy": 20.0, "contractsent": 60.0, "closedwon": 100.0, "closedlost": 0.0}


def test_all_opportunities_and_their_history(crm: Any, sandbox: Sandbox) -> None:
    deals = sandbox.business.deals.values()
    history = rows(crm, "OpportunityHistory")
    for deal in deals:
        for place, (at, stage) in enumerate(deal.stage_history):
            name = id_of("008", int(deal.id) * 100 + place)
            assert history.pop(name) == {
                "Id": name,
                "OpportunityId": id_of("006", deal.id),
                "StageName": stage,
                "CurrencyIsoCode": "USD",
                "Amount": float(deal.amount),
                "Probability": CHANCES[stage],
                "IsDeleted": False,
                "CloseDate": f"{deal.closed or deal.expected_close:%Y-%m-%d}",
                "CreatedDate": text(at),
                "SystemModstamp": text(at),
            }
    assert history == {}
    assert rows(crm, "Opportunity") == {
        id_of("006", deal.id): {
            "Id": id_of("006", deal.id),
            "Name": f"Simulated deal {deal.id}",
            "StageName": deal.stage_history[-1][1],
            "LeadSource": deal.source,
            "Loss_Reason__c": deal.lost_reason,
            "CurrencyIsoCode": "USD",
            "Amount": float(deal.amount),
            "Probability": CHANCES[deal.stage_history[-1][1]],
            "IsDeleted": False,
            "IsClosed": deal.status != "open",
            "IsWon": deal.status == "won",
            "CloseDate": f"{deal.closed or deal.expected_close:%Y-%m-%d}",
            "ContactId": id_of("003", deal.contact_id or 0),
            "OwnerId": id_of("005", deal.owner_id),
            "LastStageChangeDate": text(deal.stage_history[-1][0]),
            **times(deal.created, deal.modified),
        }
        for deal in deals
    }


def task(business: Business, activity: Activity) -> dict[str, Any]:
    converted = first_deal(business, business.contacts[activity.contact_id])
    call = activity.kind == "call"
    return {
        "Id": id_of("00T", activity.id),
        "Subject": f"Simulated {activity.kind}",
        "Status": "Completed",
        "TaskSubtype": "Call" if call else "Email",
        "CallType": ("Inbound" if activity.direction == "in" else "Outbound") if call else None,
        "IsDeleted": False,
        "IsClosed": True,
        "IsArchived": False,
        "ActivityDate": f"{activity.at:%Y-%m-%d}",
        "CompletedDateTime": text(activity.at),
        "WhoId": id_of("003" if converted else "00Q", activity.contact_id),
        "WhatId": None,
        "OwnerId": id_of("005", activity.owner_id),
        **times(activity.created, activity.modified),
    }


def test_all_tasks_and_messages(crm: Any, sandbox: Sandbox) -> None:
    activities = sandbox.business.activities.values()
    assert rows(crm, "Task") == {id_of("00T", one.id): task(sandbox.business, one) for one in activities}
    assert rows(crm, "EmailMessage") == {
        id_of("02s", one.id): {
            "Id": id_of("02s", one.id),
            "Subject": "Simulated email",
            "IsDeleted": False,
            "Incoming": one.direction == "in",
            "ActivityId": id_of("00T", one.id),
            "MessageDate": text(one.at),
            **times(one.created, one.modified),
        }
        for one in activities
        if one.kind == "email"
    }
    assert crm.query_all("SELECT Id FROM Event")["records"] == []


def test_all_users_and_stages(crm: Any, sandbox: Sandbox) -> None:
    business = sandbox.business
    assert list(rows(crm, "User").values()) == [
        {
            "Id": id_of("005", owner.id),
            "Name": owner.name,
            "Email": owner.email,
            "UserType": "Standard",
            "IsActive": not owner.archived,
            **times(owner.created, owner.modified),
        }
        for owner in business.owners
    ]
    assert list(rows(crm, "OpportunityStage").values()) == [
        {
            "Id": id_of("01J", place),
            "ApiName": stage.id,
            "MasterLabel": stage.label,
            "SortOrder": place,
            "DefaultProbability": stage.probability * 100,
            "IsActive": True,
            "IsClosed": stage.status != "open",
            "IsWon": stage.status == "won",
            **times(stage.created, stage.modified),
        }
        for place, stage in enumerate(business.stages, 1)
    ]


def test_a_bulk_job_has_the_same_rows(crm: Any, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simple_salesforce.bulk2.sleep", lambda seconds: None)
    question = f"SELECT {', '.join(FIELDS['Lead'].split())} FROM Lead"
    pieces = list(crm.bulk2.Lead.query_all(question, max_records=1500))
    assert len(pieces) == -(-len(sandbox.business.contacts) // 1500) > 2
    found = {row["Id"]: row for piece in pieces for row in csv.DictReader(io.StringIO(piece, newline=""))}

    def cell(value: Any) -> str:
        if isinstance(value, bool):
            return str(value).lower()
        return "" if value is None else str(value).replace("+0000", "Z")

    expected = (lead(sandbox.business, contact) for contact in sandbox.business.contacts.values())
    assert found == {row["Id"]: {key: cell(value) for key, value in row.items()} for row in expected}


def test_conditions_an_order_and_a_count(crm: Any, sandbox: Sandbox) -> None:
    since = datetime(2026, 6, 1, tzinfo=sandbox.business.now.tzinfo)
    query = (
        "FROM Opportunity WHERE (SystemModstamp >= 2026-06-01T00:00:00Z AND IsClosed = false)"
        " OR StageName IN ('closedwon')"
    )
    wanted = [
        (one.modified.replace(microsecond=0), id_of("006", one.id))
        for one in sandbox.business.deals.values()
        if (one.modified >= since and one.status == "open") or one.status == "won"
    ]
    assert 100 < len(wanted) < len(sandbox.business.deals)
    assert crm.query(f"SELECT COUNT() {query}")["totalSize"] == len(wanted)
    found = crm.query_all(f"SELECT Id {query} ORDER BY SystemModstamp DESC, Id LIMIT 50")["records"]
    assert [row["Id"] for row in found] == [
        name for _, name in sorted(wanted, key=lambda one: (-one[0].timestamp(), one[1]))[:50]
    ]


def test_what_the_user_may_see_is_described(crm: Any) -> None:
    for name, fields in FIELDS.items():
        described = getattr(crm, name).describe()
        assert {field["name"] for field in described["fields"]} == set(fields.split())
    kinds = {field["name"]: field["type"] for field in crm.Opportunity.describe()["fields"]}
    assert (kinds["Amount"], kinds["CloseDate"], kinds["Loss_Reason__c"]) == ("currency", "date", "picklist")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("SELECT Id FROM Nothing", "INVALID_TYPE"),
        ("SELECT Id, Nothing FROM Lead", "INVALID_FIELD"),
        ("SELECT Id FROM Lead WHERE Nothing = 1", "INVALID_FIELD"),
        ("SELECT Id FROM Lead WHERE IsDeleted = true AND Name = 'a' OR Name = 'b'", "MALFORMED_QUERY"),
        ("SELECT Id FROM Lead WHERE Name = 'open", "MALFORMED_QUERY"),
        ("SELECT Id FROM Lead LIMIT", "MALFORMED_QUERY"),
        ("", "MALFORMED_QUERY"),
    ],
)
def test_a_question_that_cannot_be_answered(crm: Any, query: str, code: str) -> None:
    with pytest.raises(simple_salesforce.SalesforceMalformedRequest) as refused:
        crm.query(query)
    assert refused.value.content[0]["errorCode"] == code


def test_a_session_that_nobody_gave_out(crm: Any, sandbox: Sandbox) -> None:
    other = simple_salesforce.Salesforce(
        session_id="wrong", instance_url=sandbox.url, version="67.0", session=crm.session
    )
    with pytest.raises(simple_salesforce.SalesforceExpiredSession) as refused:
        other.query("SELECT Id FROM Lead")
    assert refused.value.content[0]["errorCode"] == "INVALID_SESSION_ID"


def test_only_those_who_trust_its_certificate_come_in(sandbox: Sandbox, capfd: pytest.CaptureFixture[str]) -> None:
    with requests.Session() as stranger:
        stranger.trust_env = False
        with pytest.raises(requests.exceptions.SSLError):
            stranger.get(sandbox.url)
    assert capfd.readouterr() == ("", "")


def test_the_client_follows_the_cursors_of_the_answers(sandbox: Sandbox, crm: Any) -> None:
    before = len(sandbox.requests)
    crm.query_all("SELECT Id FROM Lead", include_deleted=True)
    paths = [path for _, path in sandbox.requests[before:]]
    assert paths[0] == "/services/data/v67.0/queryAll/"
    assert len(paths) == -(-len(sandbox.business.contacts) // 2000)
    assert all(path.startswith("/services/data/v67.0/query/01g") for path in paths[1:])
