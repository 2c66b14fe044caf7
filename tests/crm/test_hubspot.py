"""The HubSpot connector: what a full pass asks, and what it makes of the pages."""

from __future__ import annotations

import httpx
import pytest
import stamina
from hubspot_portal import ACTIVITIES, END, SECRET, Portal, deals, of, read, recorded, records

from holdwater.crm.connector import Connector
from holdwater.crm.credentials import Token
from holdwater.crm.hubspot import HubSpot, connect
from holdwater.errors import BadAnswerError, CredentialsError, SetupError


def test_a_connector_is_one(hubspot: HubSpot) -> None:
    connector: Connector = hubspot
    assert connector.connection == "hubspot:24681012"


@pytest.mark.parametrize(
    "told", ["app-eu1.hubspot.com", "app.hubspot.com", "evil.example", "app.hubspot.com/x", None, 7]
)
def test_people_look_at_hubspots_own_pages(told: object, hubspot: HubSpot, portal: Portal) -> None:
    portal.answers["account", "details", ""]["uiDomain"] = told
    host = told if told == "app-eu1.hubspot.com" else "app.hubspot.com"
    assert hubspot.site == f"https://{host}/contacts/24681012"


def test_the_account_is_asked_for_once(hubspot: HubSpot, portal: Portal) -> None:
    assert portal.asked == []
    first = hubspot.connection
    read(hubspot)
    assert hubspot.connection == first
    assert portal.asked.count(("account", "details", "")) == 1


def test_another_address_of_the_same_account_is_no_other_connection(hubspot: HubSpot, portal: Portal) -> None:
    with connect("http://127.0.0.1:8123", Token(SECRET), transport=httpx.MockTransport(portal)) as local:
        assert local.connection == hubspot.connection


@pytest.mark.parametrize("home_currency", [None, "EUR"])
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("portalId", None),
        ("portalId", 0),
        ("portalId", -24681012),
        ("portalId", "24681012"),
        ("portalId", 24681012.0),
        ("portalId", True),
        ("portalId", "Ada Example Ltd"),
        ("companyCurrency", None),
        ("companyCurrency", ""),
        ("companyCurrency", "usd"),
        ("companyCurrency", "US Dollar"),
        ("companyCurrency", ["USD"]),
    ],
)
def test_an_account_that_cannot_be_read_is_told(
    field: str, value: object, home_currency: str | None, portal: Portal
) -> None:
    portal.answers["account", "details", ""][field] = value
    with (
        connect(token=Token(SECRET), home_currency=home_currency, transport=httpx.MockTransport(portal)) as hubspot,
        pytest.raises(BadAnswerError, match=rf"GET /account-info/2026-09/details .* in {field};") as caught,
    ):
        _ = hubspot.connection
    assert "Ada" not in str(caught.value)


@pytest.mark.parametrize("field", ["portalId", "companyCurrency"])
def test_an_account_without_a_field_is_told_too(field: str, hubspot: HubSpot, portal: Portal) -> None:
    del portal.answers["account", "details", ""][field]
    with pytest.raises(BadAnswerError, match=rf"unusable in {field};"):
        _ = hubspot.connection


def test_every_stream_ends_with_the_frozen_moment(hubspot: HubSpot) -> None:
    pages = read(hubspot)
    assert [(page.stream, page.watermark) for page in pages[:2]] == [("owners", END), ("stages", END)]
    streams = ["leads", "consents", "deals", "stage_events", "activities"]
    assert {page.stream for page in pages[2:]} == set(streams)
    for stream in streams:
        watermarks = [page.watermark for page in of(pages, stream)]
        assert watermarks == [None] * (len(watermarks) - 1) + [END]
    assert {page.expected for page in pages} == {None}


def test_a_reading_of_everything_says_so_where_something_may_be_missing(hubspot: HubSpot) -> None:
    """Consents and stage events go with what they belong to; HubSpot forgets the oldest of a long past."""
    pages = read(hubspot)
    for stream, whole in [("leads", True), ("consents", False), ("deals", True), ("stage_events", False)]:
        assert {page.whole for page in of(pages, stream) if page.records} == {whole}
        assert [page.last for page in of(pages, stream)][-1] is whole
    assert [page.last for page in of(pages, "activities")].count(True) == 1


def test_what_is_archived_is_gone(hubspot: HubSpot, portal: Portal) -> None:
    for name, id_ in (("contacts", "9"), ("deals", "7009"), ("calls", "609")):
        portal.answers[f"{name}_archived", "list", ""] = {"results": [{"id": id_}, {"no": "id"}]}
    pages = read(hubspot)
    gone = {(page.stream, one.id, one.how) for page in pages for one in page.gone if one.how == "archived"}
    assert gone == {("leads", "9", "archived"), ("deals", "7009", "archived"), ("activities", "calls:609", "archived")}


def test_the_window_ends_where_the_first_answers_came(hubspot: HubSpot, portal: Portal) -> None:
    watermarks = set()
    for page in hubspot.pages({}):
        watermarks.add(page.watermark)
        portal.date = "Sat, 31 Oct 2026 18:00:00 GMT"  # the clock goes on while the pages are kept
    assert watermarks == {None, END}


def test_no_clock_no_window(hubspot: HubSpot, portal: Portal) -> None:
    portal.date = None
    with pytest.raises(BadAnswerError, match="no Date header"):
        read(hubspot)


def test_a_short_page_with_a_cursor_is_not_the_last(hubspot: HubSpot, portal: Portal) -> None:
    assert list(records(read(hubspot), "leads")) == ["101", "202", "204", "1001"]
    assert [key for key in portal.asked if key[0] == "contacts"] == [
        ("contacts", "list", ""),
        ("contacts", "list", "203"),
        ("contacts", "list", "205"),
    ]


def test_an_empty_page_with_a_cursor_is_not_the_last(hubspot: HubSpot, portal: Portal) -> None:
    portal.answers["contacts", "list", "203"]["results"] = []
    assert list(records(read(hubspot), "leads")) == ["101", "202", "1001"]


def test_only_what_a_figure_needs_is_asked_for(hubspot: HubSpot, portal: Portal) -> None:
    read(hubspot)
    asked = {key: dict(request.url.params) for key, request in zip(portal.asked, portal.requests, strict=True)}
    assert asked["contacts", "list", ""] == {
        "limit": "100",
        "archived": "false",
        "properties": "createdate,lastmodifieddate,hs_analytics_source,hubspot_owner_id,hs_merged_object_ids,"
        "hs_email_optout,hs_legal_basis",
    }
    assert asked["deals", "list", "7004"] == {
        "limit": "50",  # the most that a list with past values takes
        "archived": "false",
        "associations": "contacts",
        "propertiesWithHistory": "dealstage",
        "after": "7004",
        "properties": "amount,deal_currency_code,dealstage,pipeline,closedate,createdate,hs_lastmodifieddate,"
        "hs_is_closed,hs_is_closed_won,hubspot_owner_id,closed_lost_reason,hs_merged_object_ids",
    }
    assert asked["contacts_archived", "list", ""]["properties"] == "lastmodifieddate"
    assert asked["calls", "list", ""] == {
        "limit": "100",
        "archived": "false",
        "associations": "contacts",
        "properties": "hs_timestamp,hs_lastmodifieddate,hubspot_owner_id,hs_call_direction",
    }
    assert all(request.headers["Authorization"] == f"Bearer {SECRET}" for request in portal.requests)


def test_more_contacts_than_fit_are_read_to_the_end(hubspot: HubSpot, portal: Portal) -> None:
    read(hubspot)
    assert [key for key in portal.asked if key[1] == "batch"] == [("7010", "batch", ""), ("7010", "batch", "500")]


@pytest.mark.parametrize("currency", ["", "usd", "EURO", "€", "EU1"])
def test_a_home_currency_must_be_one(currency: str, portal: Portal) -> None:
    with pytest.raises(SetupError, match="three capital letters"):
        connect(token=Token(SECRET), home_currency=currency, transport=httpx.MockTransport(portal))


def test_an_empty_account_has_a_watermark_too(hubspot: HubSpot, portal: Portal) -> None:
    for name in ("contacts", "deals", *ACTIVITIES):
        portal.answers[name, "list", ""] = {"results": []}
    pages = read(hubspot)
    for stream in ("leads", "consents", "deals", "stage_events", "activities"):
        assert records(pages, stream) == {}
        assert of(pages, stream)[-1].watermark == END


def test_a_cursor_that_comes_twice_ends_the_pass(hubspot: HubSpot, portal: Portal) -> None:
    portal.answers["contacts", "list", "205"] = recorded("contacts_1")  # back to 203
    with pytest.raises(BadAnswerError, match=r"/crm/objects/2026-09/contacts goes round in circles"):
        read(hubspot)
    assert len([key for key in portal.asked if key[0] == "contacts"]) == 3


def test_contacts_of_a_deal_that_go_round_end_too(hubspot: HubSpot, portal: Portal) -> None:
    portal.answers["7010", "batch", "500"] = recorded("contacts_of_7010_1")
    with pytest.raises(BadAnswerError, match="contacts of deal 7010 goes round in circles"):
        read(hubspot)


def test_trouble_on_the_way_is_tried_again_and_counted(portal: Portal) -> None:
    refusals = {3: 429, 5: 500, 6: 503}
    count = 0

    def respond(request: httpx.Request) -> httpx.Response:
        nonlocal count
        count += 1
        return httpx.Response(refusals[count]) if count in refusals else portal(request)

    with (
        stamina.set_testing(True, attempts=6),  # no waits
        connect(token=Token(SECRET), transport=httpx.MockTransport(respond)) as hubspot,
    ):
        assert set(deals(hubspot)) == {"7001", "7002", "7003", "7010"}
        # Account, owners twice, pipelines; 3 + 2 + 4 pages of lists, 6 of archived objects; 2 of a deal's contacts.
        assert (hubspot.client.requests, hubspot.client.retries) == (4 + 3 + 2 + 4 + 6 + 2 + 3, 3)


def test_a_refused_token_names_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOLDWATER_HUBSPOT_TOKEN", SECRET)
    refuse = httpx.MockTransport(lambda request: httpx.Response(401))
    with (
        connect(transport=refuse) as hubspot,
        pytest.raises(CredentialsError, match="HOLDWATER_HUBSPOT_TOKEN") as caught,
    ):
        read(hubspot)
    assert SECRET not in str(caught.value)
