"""What becomes of HubSpot's objects, and of those that cannot be read."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import httpx
import pytest
from hubspot_portal import ACTIVITIES, SECRET, Json, Portal, deals, issues, of, read, records

from holdwater.crm.client import Client
from holdwater.crm.connector import Gone
from holdwater.crm.credentials import Token
from holdwater.crm.hubspot import HubSpot
from holdwater.crm.hubspot_wire import WireDeal, read_record
from holdwater.crm.records import Activity, Consent, Deal, Lead, Money, Owner, Stage, StageEvent
from holdwater.errors import BadAnswerError, ScopeError


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]  # mypy takes the parts for the time zone


def test_owners_who_left_are_known(hubspot: HubSpot) -> None:
    at = utc(2024, 2, 1, 8, 0, 0, 500_000)
    assert read(hubspot)[0].records == [
        Owner(id="31", updated_at=at),
        Owner(id="32", updated_at=at),
        Owner(id="30", updated_at=at, archived=True),
    ]


def test_stages_of_every_pipeline(hubspot: HubSpot) -> None:
    stages = [stage for stage in read(hubspot)[1].records if isinstance(stage, Stage)]
    assert [(one.id, one.pipeline_id, one.label, one.position, one.closed, one.won) for one in stages] == [
        ("appointmentscheduled", "default", "Appointment", 0, False, False),
        ("closedwon", "default", "Won", 1, True, True),
        ("closedlost", "default", "Lost", 2, True, False),
        # These have no isClosed: the probability decides.
        ("998801", "774411", "Asked", 0, False, False),
        ("998802", "774411", "Renewed", 1, True, True),
        ("998803", "774411", "Gone", 2, True, False),
    ]
    assert stages[0].updated_at == utc(2022, 5, 1)


def test_contacts_become_leads(hubspot: HubSpot) -> None:
    leads = records(read(hubspot), "leads")
    created, updated = utc(2026, 3, 1, 9, 30, 0, 125_000), utc(2026, 6, 1, 10)
    assert leads["101"] == Lead(
        id="101",
        created_at=created,
        updated_at=updated,
        source="paid_search",
        source_raw="PAID_SEARCH",
        owner_id="31",
    )
    assert leads["202"] == Lead(id="202", created_at=created, updated_at=updated)
    # Epoch milliseconds; an empty text is no source.
    assert leads["204"] == Lead(id="204", created_at=created, updated_at=updated)
    # Without its property, the object's own time of change.
    assert leads["1001"] == Lead(
        id="1001", created_at=created, updated_at=updated, source="organic_search", source_raw="ORGANIC_SEARCH"
    )


def test_deals_become_deals(hubspot: HubSpot) -> None:
    created, updated = utc(2026, 4, 2, 11, 0, 0, 7000), utc(2026, 7, 1, 0, 0, 0, 1000)
    assert deals(hubspot) == {
        "7001": Deal(
            id="7001",
            status="won",
            created_at=created,
            updated_at=updated,
            lead_id="202",  # the smaller number, though "1001" comes first in the answer and as text
            closed_at=utc(2026, 5, 20),
            amount=Money(150_000, "EUR", "1500.00"),
            pipeline_id="default",
            stage_id="closedwon",
            owner_id="32",
        ),
        "7002": Deal(
            id="7002",
            status="open",
            created_at=created,
            updated_at=updated,
            lead_id=None,
            closed_at=None,  # it has a closedate, which is a hope
            amount=None,  # not zero
            pipeline_id="default",
            stage_id="appointmentscheduled",
            owner_id="32",
        ),
        "7003": Deal(
            id="7003",
            status="lost",
            created_at=created,
            updated_at=updated,
            lead_id="204",  # the primary one
            closed_at=utc(2026, 5, 20),  # epoch milliseconds
            amount=Money(0, "USD", "0"),  # zero, not None; no currency: the account's own
            pipeline_id="default",
            stage_id="closedlost",
            owner_id="32",
        ),
        "7010": Deal(
            id="7010",
            status="won",  # its flags are empty, its stage is won
            created_at=created,
            updated_at=updated,
            lead_id="202",  # on the second page of its contacts
            closed_at=None,
            amount=Money(12_000, "JPY", "12000"),
            pipeline_id="774411",
            stage_id="998802",
            owner_id="32",
        ),
    }


def test_the_home_currency_is_the_accounts(hubspot: HubSpot, portal: Portal) -> None:
    portal.answers["account", "details", ""]["companyCurrency"] = "JPY"
    assert deals(hubspot)["7003"].amount == Money(0, "JPY", "0")
    assert deals(hubspot)["7001"].amount == Money(150_000, "EUR", "1500.00")


def test_a_home_currency_that_is_given_comes_first(portal: Portal) -> None:
    client = Client("https://api.hubapi.com", Token(SECRET), transport=httpx.MockTransport(portal))
    with HubSpot(client, home_currency="KWD") as hubspot:
        assert deals(hubspot)["7003"].amount == Money(0, "KWD", "0")
        assert deals(hubspot)["7001"].amount == Money(150_000, "EUR", "1500.00")


@pytest.mark.parametrize(
    ("won", "closed", "stage", "status"),
    [
        ("true", "true", "closedwon", "won"),
        ("false", "true", "closedlost", "lost"),
        ("false", "false", "appointmentscheduled", "open"),
        # The deal's own flags count before the stage's.
        ("true", "true", "closedlost", "won"),
        ("false", "false", "closedwon", "open"),
        # What a flag leaves undecided, the stage decides.
        (None, None, "closedwon", "won"),
        (None, None, "closedlost", "lost"),
        (None, None, "appointmentscheduled", "open"),
        (None, "true", "closedwon", "won"),
        (None, "true", "closedlost", "lost"),
        ("false", None, "closedlost", "lost"),
        ("false", None, "appointmentscheduled", "open"),
        (None, "false", "appointmentscheduled", "open"),
        # Undecided, and not needed.
        ("true", None, "nowhere", "won"),
    ],
)
def test_how_a_deal_stands(
    won: str | None, closed: str | None, stage: str, status: str, hubspot: HubSpot, portal: Portal
) -> None:
    changed(portal, hs_is_closed_won=won, hs_is_closed=closed, dealstage=stage)
    assert deals(hubspot)["7001"].status == status


@pytest.mark.parametrize("stage", [None, "", "nowhere"])
def test_a_deal_that_stands_nowhere_is_named(stage: str | None, hubspot: HubSpot, portal: Portal) -> None:
    changed(portal, hs_is_closed_won=None, hs_is_closed=None, dealstage=stage)
    assert re.search(r"HubSpot deal 7001: .*dealstage", the_issue(hubspot, "deals", "7001"))


def the_issue(hubspot: HubSpot, stream: str, identity: str) -> str:
    """The only one of its stream; all else is read as ever, and what is there is not taken for gone."""
    pages = read(hubspot)
    found = issues(pages, stream)
    assert list(found) == [identity]
    assert identity not in records(pages, stream)
    kept = {"leads": {"101", "202", "204", "1001"}, "deals": {"7001", "7002", "7003", "7010"}}.get(stream, set())
    assert set(records(pages, stream)) >= kept - {identity}
    assert of(pages, stream)[-1].last is bool(kept)
    return found[identity]


def changed(portal: Portal, **properties: object) -> None:
    """Gives the first deal of the list other properties."""
    portal.answers["deals", "list", ""]["results"][0]["properties"].update(properties)


@pytest.mark.parametrize(
    ("text", "minor"),
    [("19.99", 1999), ("1.5E3", 150_000), ("0.005", 0), ("0.015", 2), ("-20", -2000), ("999999999999.99", 10**14 - 1)],
)
def test_amounts_are_exact(text: str, minor: int, hubspot: HubSpot, portal: Portal) -> None:
    changed(portal, amount=text)
    amount = deals(hubspot)["7001"].amount
    assert amount == Money(minor, "EUR", text)
    assert abs(amount.amount - Decimal(text)) <= Decimal("0.005")


@pytest.mark.parametrize(
    "text", ["a lot", "NaN", "Infinity", "1,500.00", "1e15", "1E+999999", "€5", "--1", "1_000", "١٢", " 12"]
)
def test_an_amount_that_is_no_number_is_named(text: str, hubspot: HubSpot, portal: Portal) -> None:
    changed(portal, amount=text)
    problem = the_issue(hubspot, "deals", "7001")
    assert "HubSpot deal 7001: its amount" in problem
    assert text not in problem


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("closedate", "next week"),
        ("closedate", "2026-05-20T00:00:00"),  # in which time zone?
        ("closedate", "9" * 30),
        ("closedate", "0001-01-01T00:00:00+05:00"),
        ("closedate", 5.5),
        ("closedate", "20260520"),  # no milliseconds since 1970
        ("closedate", 1_779_235_200),  # nor are seconds
        ("hs_lastmodifieddate", True),
        ("hs_is_closed", "perhaps"),
        ("deal_currency_code", "euros"),
        ("dealstage", 7),
        ("amount", {"value": 1}),
    ],
)
def test_a_field_that_cannot_be_read_is_named(field: str, value: object, hubspot: HubSpot, portal: Portal) -> None:
    changed(portal, **{field: value})
    assert f"HubSpot deal 7001 has something unusable in properties.{field};" in the_issue(hubspot, "deals", "7001")


@pytest.mark.parametrize("identity", [None, "", True, "jane", "jane@example.com", "12; drop", "9" * 5000, ["202"]])
def test_an_object_without_an_id_is_told_by_its_place(identity: object, hubspot: HubSpot, portal: Portal) -> None:
    portal.answers["contacts", "list", ""]["results"][1]["id"] = identity
    pages = read(hubspot)
    assert list(issues(pages, "leads")) == ["contacts no. 2"]
    problem = issues(pages, "leads")["contacts no. 2"]
    assert re.search(r"A HubSpot contact without a usable id .* in id;", problem)
    assert "jane" not in problem
    # The contact 202 may be the one without its id: nothing may be taken for gone.
    assert not any(page.last for page in of(pages, "leads"))


@pytest.mark.parametrize("result", [None, "x", 5, [], {}])
def test_a_result_that_is_no_object_is_told_by_its_place(result: object, hubspot: HubSpot, portal: Portal) -> None:
    portal.answers["contacts", "list", "203"]["results"].insert(0, result)
    pages = read(hubspot)
    assert list(issues(pages, "leads")) == ["contacts no. 3"]
    assert list(records(pages, "leads")) == ["101", "202", "204", "1001"]


def test_half_a_letter_which_no_file_can_hold_is_named() -> None:
    moment = "2026-05-20T00:00:00Z"
    deal = {"id": "7001", "createdAt": moment, "updatedAt": moment, "properties": {"closed_lost_reason": "a\ud800"}}
    with pytest.raises(BadAnswerError, match=r"deal 7001 has something unusable in properties\.closed_lost_reason;"):
        read_record(WireDeal, deal, "deal")


def test_an_object_from_the_future_is_not_taken(hubspot: HubSpot, portal: Portal) -> None:
    """It would be the newest version for ever."""
    changed(portal, hs_lastmodifieddate="2026-11-01T12:00:05.001Z")
    assert "future" in the_issue(hubspot, "deals", "7001")
    changed(portal, hs_lastmodifieddate="2026-11-01T12:00:05.000Z")  # a day for clocks that go wrong
    assert "7001" in deals(hubspot)


def test_personal_data_stays_out_of_errors(
    hubspot: HubSpot, portal: Portal, printed: Callable[[BaseException], str]
) -> None:
    portal.answers["owners", "list", ""]["results"][0]["updatedAt"] = "Ada's birthday"
    problem = the_issue(hubspot, "owners", "31")
    assert "HubSpot owner 31 has something unusable in updatedAt;" in problem
    assert "Ada" not in problem
    portal.answers["contacts", "list", ""]["paging"] = "Ada's page"
    with pytest.raises(BadAnswerError, match=r"/crm/objects/2026-09/contacts has .* in paging;") as caught:
        read(hubspot)
    assert "Ada" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert SECRET not in printed(caught.value)


def test_a_stage_that_cannot_be_read_is_told_and_the_others_are_taken(hubspot: HubSpot, portal: Portal) -> None:
    pipelines = portal.answers["pipelines", "list", ""]["results"]
    pipelines[0]["stages"][0]["displayOrder"] = 10**30
    pipelines[1]["stages"][1] = None
    pages = read(hubspot)
    assert list(issues(pages, "stages")) == ["appointmentscheduled", "stages no. 2.2"]
    assert list(records(pages, "stages")) == ["closedwon", "closedlost", "998801", "998803"]
    # Deal 7010 has no flags of its own, and what its stage means is not known now.
    assert list(issues(pages, "deals")) == ["7010"]


def test_merged_objects_are_named(hubspot: HubSpot, portal: Portal) -> None:
    changed(portal, hs_merged_object_ids="7001;7008")
    pages = read(hubspot)
    assert [one for page in of(pages, "leads") for one in page.gone] == [
        Gone("1005", "merged", into="1001"),
        Gone("1006", "merged", into="1001"),
    ]
    assert [one for page in of(pages, "consents") for one in page.gone] == [
        Gone("1005:email", "merged", into="1001:email"),
        Gone("1006:email", "merged", into="1001:email"),
    ]
    assert [one for page in of(pages, "deals") for one in page.gone] == [Gone("7008", "merged", into="7001")]


def test_every_entry_of_the_past_is_a_stage_event(hubspot: HubSpot) -> None:
    events = records(read(hubspot), "stage_events")
    assert len(events) == 7  # the empty one of deal 7003 is none
    entered = utc(2026, 5, 20, 9, 0, 0, 250_000)
    assert events["7001:2026-05-20T09:00:00.250+00:00:closedwon"] == StageEvent(
        id="7001:2026-05-20T09:00:00.250+00:00:closedwon",
        deal_id="7001",
        stage_id="closedwon",
        entered_at=entered,
        updated_at=entered,
        pipeline_id="default",
    )
    last = events["7010:2026-06-01T00:00:00.000+00:00:998802"]
    assert isinstance(last, StageEvent)
    assert last.pipeline_id == "774411"


@pytest.mark.parametrize(
    "past",
    [
        None,
        {},
        {"dealstage": None},
        {"dealstage": [None]},
        {"dealstage": [{"value": "closedwon", "timestamp": "yesterday"}]},
        {"dealstage": [{"timestamp": "2026-05-20T09:00:00Z"}]},
        {"dealstage": [{"value": "closedwon", "timestamp": "2027-05-20T09:00:00Z"}]},
    ],
)
def test_a_past_that_cannot_be_read_is_told_of_its_deal(past: object, hubspot: HubSpot, portal: Portal) -> None:
    portal.answers["deals", "list", ""]["results"][0]["propertiesWithHistory"] = past
    pages = read(hubspot)
    assert list(issues(pages, "deals")) == ["7001"]
    assert "7001" in records(pages, "deals")
    assert len(records(pages, "stage_events")) == 5


def test_consent_is_what_was_said_and_nothing_more(hubspot: HubSpot) -> None:
    consents = {id_: one for id_, one in records(read(hubspot), "consents").items() if isinstance(one, Consent)}
    assert {id_: (one.lead_id, one.status, one.legal_basis) for id_, one in consents.items()} == {
        "101:email": ("101", "opted_in", "Freely given consent from contact"),
        "202:email": ("202", "unknown", None),  # nobody asked
        "204:email": ("204", "opted_out", BOTH),  # whatever was given before
        "1001:email": ("1001", "unknown", "Performance of a contract"),
    }
    assert {one.channel for one in consents.values()} == {"email"}
    assert consents["101:email"].updated_at == utc(2026, 6, 1, 10)


BOTH = "Legitimate interest \u2013 existing customer;Freely given consent from contact"


@pytest.mark.parametrize(
    ("opted_out", "basis", "status"),
    [
        ("false", None, "unknown"),
        ("false", "Not applicable", "unknown"),
        (None, "Freely given consent from contact", "opted_in"),
        ("true", "Freely given consent from contact", "opted_out"),
        ("true", None, "opted_out"),
    ],
)
def test_three_states_of_consent(
    opted_out: str | None, basis: str | None, status: str, hubspot: HubSpot, portal: Portal
) -> None:
    properties = portal.answers["contacts", "list", ""]["results"][0]["properties"]
    properties |= {"hs_email_optout": opted_out, "hs_legal_basis": basis}
    consent = records(read(hubspot), "consents")["101:email"]
    assert isinstance(consent, Consent)
    assert consent.status == status


def test_activities_say_who_approached_whom(hubspot: HubSpot) -> None:
    found = {id_: one for id_, one in records(read(hubspot), "activities").items() if isinstance(one, Activity)}
    assert {id_: (one.kind, one.direction, one.lead_id) for id_, one in found.items()} == {
        "calls:601": ("call", "out", "101"),  # the smaller number of two
        "calls:602": ("call", "in", "202"),
        "calls:603": ("call", None, None),
        "emails:601": ("email", "out", "101"),  # each type is numbered on its own
        "emails:701": ("email", "in", "101"),
        "emails:702": ("email", None, "101"),
        "meetings:801": ("meeting", None, "204"),
        "communications:901": ("message", None, "204"),
    }
    assert found["calls:601"] == Activity(
        id="calls:601",
        kind="call",
        direction="out",
        occurred_at=utc(2026, 3, 1, 10, 15),
        updated_at=utc(2026, 3, 2, 8, 0, 0, 500_000),
        lead_id="101",
        owner_id="31",
    )
    assert found["emails:702"].occurred_at == utc(2026, 3, 1, 10, 15)


@pytest.mark.parametrize("value", [None, "", "soon"])
def test_an_activity_without_its_moment_is_told(value: str | None, hubspot: HubSpot, portal: Portal) -> None:
    portal.answers["calls", "list", ""]["results"][1]["properties"]["hs_timestamp"] = value
    pages = read(hubspot)
    assert list(issues(pages, "activities")) == ["calls:602"]
    assert len(records(pages, "activities")) == 7


@pytest.mark.parametrize("name", ["calls", "emails", "meetings", "communications"])
def test_activities_that_the_token_may_not_read_are_told_and_the_rest_is_read(
    name: str, hubspot: HubSpot, portal: Portal
) -> None:
    portal.answers[f"{name}_archived", "list", ""] = 403
    pages = read(hubspot)
    problem = issues(pages, "activities")[f"all {name}"]
    assert ("sales-email-read" if name == "emails" else "crm.objects.contacts.read") in problem
    assert "--full" in problem
    assert {id_.partition(":")[0] for id_ in records(pages, "activities")} == {*ACTIVITIES} - {name}
    assert of(pages, "activities")[-1].watermark is not None
    assert not any(page.last for page in of(pages, "activities")), "what may not be seen is not gone"
    identities = list(hubspot.identities())
    assert {one.stream for one in identities if one.last} == {"leads", "deals", "activities"}


@pytest.mark.parametrize("name", ["contacts", "deals"])
def test_what_a_sync_cannot_do_without_ends_it(name: str, hubspot: HubSpot, portal: Portal) -> None:
    portal.answers[name, "list", ""] = 403
    with pytest.raises(ScopeError, match=f"/crm/objects/2026-09/{name}"):
        read(hubspot)


def test_an_address_becomes_a_person_and_is_not_asked_for_without_need(hubspot: HubSpot, portal: Portal) -> None:
    portal.answers["contacts", "list", ""]["results"][0]["properties"]["email"] = "ada@example.com"
    client = Client("https://api.hubapi.com", Token(SECRET), transport=httpx.MockTransport(portal))
    with HubSpot(client, person=lambda address: address and address.upper()) as knowing:
        leads = records(read(knowing), "leads")
    assert [lead.person for lead in leads.values() if isinstance(lead, Lead)] == ["ADA@EXAMPLE.COM", None, None, None]
    assert any("email" in request.url.params.get("properties", "").split(",") for request in portal.requests)
    portal.requests.clear()
    assert {lead.person for lead in records(read(hubspot), "leads").values() if isinstance(lead, Lead)} == {None}
    assert not any("email" in request.url.params.get("properties", "").split(",") for request in portal.requests)


@pytest.mark.parametrize(
    "answer",
    [{"status": "error"}, {"results": None}, {"results": {}}, {"results": [], "paging": {"next": {"link": "/x"}}}],
)
def test_another_shape_is_named(answer: Json, hubspot: HubSpot, portal: Portal) -> None:
    portal.answers["contacts", "list", ""] = answer
    with pytest.raises(BadAnswerError, match=r"HubSpot's answer to GET /crm/objects/2026-09/contacts has"):
        read(hubspot)
