"""The HubSpot connector: what changed since a watermark."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hubspot_portal import ACTIVITIES, END, SINCE, Portal, deals, issues, of, read, recorded, records

from holdwater.crm.hubspot import HubSpot
from holdwater.errors import BadAnswerError

OVERLAP = timedelta(minutes=10)
LEADS = {"leads": SINCE, "consents": SINCE}
DEALS = {"deals": SINCE, "stage_events": SINCE}
ALL = LEADS | DEALS | {"activities": SINCE}


def test_a_search_asks_exactly_this(hubspot: HubSpot, portal: Portal) -> None:
    read(hubspot, **ALL)
    filters = [
        {"propertyName": "lastmodifieddate", "operator": "GTE", "value": ms(SINCE - OVERLAP)},
        {"propertyName": "lastmodifieddate", "operator": "LTE", "value": ms(END)},
    ]
    first = {
        "filterGroups": [{"filters": filters}],
        "sorts": [{"propertyName": "lastmodifieddate", "direction": "ASCENDING"}],
        "properties": [
            "createdate",
            "lastmodifieddate",
            "hs_analytics_source",
            "hubspot_owner_id",
            "hs_merged_object_ids",
            "hs_email_optout",
            "hs_legal_basis",
        ],
        "limit": 200,
        "after": "0",
    }
    assert portal.bodies("contacts") == [first, first | {"after": "200"}]
    (question,) = portal.bodies("deals")
    assert set(question) == {"filterGroups", "sorts", "properties", "limit", "after"}
    assert {one["propertyName"] for one in question["filterGroups"][0]["filters"]} == {"hs_lastmodifieddate"}
    assert question["sorts"] == [{"propertyName": "hs_lastmodifieddate", "direction": "ASCENDING"}]


def ms(moment: datetime) -> str:
    return str(round(moment.timestamp() * 1000))


def test_changes_come_with_their_number_and_end_with_the_frozen_moment(hubspot: HubSpot) -> None:
    pages = read(hubspot, **ALL)
    for stream, rows, expected in (
        ("leads", [1, 1], 2),
        ("consents", [1, 1], 2),
        ("deals", [3], 3),
        ("stage_events", [5], 3),
    ):
        filled = [page for page in of(pages, stream) if page.records]
        assert [len(page.records) for page in filled] == rows
        assert {page.expected for page in filled} == {expected}
        assert [page.watermark for page in of(pages, stream)][-1] == END
        assert not any(page.whole for page in of(pages, stream))
    assert list(records(pages, "leads")) == ["101", "202"]


def test_each_stream_has_its_own_watermark(hubspot: HubSpot, portal: Portal) -> None:
    read(hubspot, **LEADS)
    assert ("contacts", "search", "0") in portal.asked
    assert ("contacts", "list", "") not in portal.asked
    assert ("deals", "list", "") in portal.asked
    assert ("deals", "search", "0") not in portal.asked


def test_a_stream_without_its_watermark_is_read_whole_with_the_one_it_comes_with(
    hubspot: HubSpot, portal: Portal
) -> None:
    """A run may have been killed between the two pages that set them."""
    read(hubspot, leads=SINCE, stage_events=SINCE)
    assert {("contacts", "list", ""), ("deals", "list", "")} <= set(portal.asked)
    assert ("contacts", "search", "0") not in portal.asked


def test_the_earlier_of_two_watermarks_counts(hubspot: HubSpot, portal: Portal) -> None:
    read(hubspot, leads=END, consents=SINCE)
    (low, _) = portal.bodies("contacts")[0]["filterGroups"][0]["filters"]
    assert low["value"] == ms(SINCE - OVERLAP)


def test_changed_deals_are_read_with_their_past(hubspot: HubSpot, portal: Portal) -> None:
    pages = read(hubspot, **DEALS)
    assert portal.bodies("7001 7002 7003", "past") == [
        {
            "inputs": [{"id": "7001"}, {"id": "7002"}, {"id": "7003"}],
            "properties": ["hs_lastmodifieddate"],
            "propertiesWithHistory": ["dealstage"],
        }
    ]
    assert list(records(pages, "stage_events")) == [
        "7001:2026-05-20T09:00:00.250+00:00:closedwon",
        "7001:2026-04-02T11:00:00.007+00:00:appointmentscheduled",
        "7002:2026-04-02T11:00:00.007+00:00:appointmentscheduled",
        "7003:2026-05-20T09:00:00.000+00:00:closedlost",
        "7003:2026-04-02T11:00:00.007+00:00:appointmentscheduled",
    ]


def test_a_past_that_did_not_come_is_told(hubspot: HubSpot, portal: Portal) -> None:
    del portal.answers["7001 7002 7003", "past", ""]["results"][1]
    pages = read(hubspot, **DEALS)
    assert list(issues(pages, "deals")) == ["7002"]
    assert len(records(pages, "stage_events")) == 4
    assert len(records(pages, "deals")) == 3


def test_changed_deals_are_read_with_their_contacts(hubspot: HubSpot, portal: Portal) -> None:
    found = deals(hubspot, **ALL)
    # The same leads as in a full pass: smallest number, none, primary.
    assert {identity: deal.lead_id for identity, deal in found.items()} == {"7001": "202", "7002": None, "7003": "204"}
    (body,) = portal.bodies("7001 7002 7003", "batch")
    assert body == {"inputs": [{"id": "7001"}, {"id": "7002"}, {"id": "7003"}]}


@pytest.mark.parametrize(
    "broken",
    [
        {"from": {"id": "7003"}, "to": [{"toObjectId": "Ada"}]},
        {"from": {"id": ["7003"]}, "to": []},
        {"to": []},
        None,
    ],
)
def test_contacts_that_cannot_be_read_are_told_of_their_deal(broken: object, hubspot: HubSpot, portal: Portal) -> None:
    portal.answers["7001 7002 7003", "batch", ""]["results"][1] = broken
    portal.answers["7001 7002", "past", ""] = recorded("deals_past")
    pages = read(hubspot, **DEALS)
    assert issues(pages, "deals") == {"7003": "HubSpot deal 7003: its contacts came in a form that cannot be read."}
    assert list(records(pages, "deals")) == ["7001", "7002"]


def test_changed_deals_with_many_contacts_are_read_to_the_end(hubspot: HubSpot, portal: Portal) -> None:
    portal.answers["deals", "search", "0"] = {"total": 1, "results": recorded("deals_2")["results"]}
    portal.answers["7010", "past", ""] = recorded("deals_2")
    assert deals(hubspot, **DEALS)["7010"].lead_id == "202"


def test_nothing_changed(hubspot: HubSpot, portal: Portal) -> None:
    portal.answers |= {(name, "search", "0"): {"total": 0, "results": []} for name in ("contacts", "deals")}
    pages = read(hubspot, **ALL)
    for stream in ALL:
        assert records(pages, stream) == {}
        assert of(pages, stream)[-1].watermark == END
    assert not [key for key in portal.asked if key[1] in ("batch", "past")]
    assert not [key for key in portal.asked if key[0] in ("contacts", "deals", *ACTIVITIES) and key[1] == "list"]


def test_contacts_that_could_not_be_read_are_an_error(hubspot: HubSpot, portal: Portal) -> None:
    portal.answers["7001 7002 7003", "batch", ""]["errors"][0]["subCategory"] = "crm.associations.SOMETHING_ELSE"
    with pytest.raises(BadAnswerError, match="for some of the objects only"):
        read(hubspot, **DEALS)


def test_more_changes_than_a_search_lists_are_read_from_the_list(hubspot: HubSpot, portal: Portal) -> None:
    portal.answers["contacts", "search", "0"]["total"] = 10_001
    pages = [page for page in read(hubspot, **LEADS) if page.stream == "leads"]
    assert list(records(pages, "leads")) == ["101", "202", "204", "1001"]
    assert [page.watermark for page in pages if page.records or page.watermark] == [None, None, None, END]
    assert pages[-1].last
    assert [key for key in portal.asked if key[:2] == ("contacts", "search")] == [("contacts", "search", "0")]


def test_just_as_many_changes_as_a_search_lists_are_searched(hubspot: HubSpot, portal: Portal) -> None:
    for after in ("0", "200"):
        portal.answers["contacts", "search", after]["total"] = 10_000
    first = next(page for page in hubspot.pages(LEADS) if page.stream == "leads" and page.records)
    assert first.expected == 10_000


def test_a_window_that_moved_is_read_again(hubspot: HubSpot, portal: Portal) -> None:
    """While page 1 was read one object of it changed and left the window; the first of page 2 slipped to page 1."""
    before = [recorded("contacts_search_1") | {"total": 3}, recorded("contacts_search_1")]
    slipped = recorded("contacts_search_2")
    portal.answers["contacts", "search", "0"] = before
    portal.answers["contacts", "search", "200"] = [slipped, slipped]
    pages = [page for page in read(hubspot, **LEADS) if page.stream == "leads"]
    assert [key[2] for key in portal.asked if key[:2] == ("contacts", "search")] == ["0", "200", "0", "200"]
    assert [page.watermark for page in pages if page.records or page.watermark] == [None, None, None, None, END]


def test_a_window_that_moved_and_filled_up_again_has_moved(hubspot: HubSpot, portal: Portal) -> None:
    """One object left and another came late: the last total is the first again, and yet one was missed."""
    one, two, three = (
        result["results"] for result in map(recorded, ("contacts_search_1", "contacts_search_2", "contacts_3"))
    )
    portal.answers["contacts", "search", "0"] = {"total": 3, "results": one, "paging": {"next": {"after": "200"}}}
    portal.answers["contacts", "search", "200"] = {"total": 2, "results": two, "paging": {"next": {"after": "400"}}}
    portal.answers["contacts", "search", "400"] = {"total": 3, "results": three}
    pages = [page for page in read(hubspot, **LEADS) if page.stream == "leads"]
    assert len(records(pages, "leads")) == 4  # from the list
    assert ("contacts", "search", "400") not in portal.asked


def test_a_window_that_keeps_moving_is_left_for_the_list(hubspot: HubSpot, portal: Portal) -> None:
    portal.answers["contacts", "search", "200"]["total"] = 1
    pages = [page for page in read(hubspot, **LEADS) if page.stream == "leads"]
    assert len([key for key in portal.asked if key[:2] == ("contacts", "search")]) == 6
    assert list(records(pages[-4:], "leads")) == ["101", "202", "204", "1001"]
    assert [page.watermark for page in pages].count(END) == 1
    assert pages[-1].watermark == END


def test_a_search_that_gives_fewer_than_it_found_is_not_believed(hubspot: HubSpot, portal: Portal) -> None:
    portal.answers["contacts", "search", "0"] = {"total": 2, "results": recorded("contacts_search_1")["results"]}
    pages = [page for page in read(hubspot, **LEADS) if page.stream == "leads"]
    assert len(records(pages, "leads")) == 4  # from the list
    assert [page.watermark for page in pages].count(END) == 1


def test_a_search_without_its_total_is_named(hubspot: HubSpot, portal: Portal) -> None:
    del portal.answers["contacts", "search", "0"]["total"]
    with pytest.raises(
        BadAnswerError, match="POST /crm/objects/2026-09/contacts/search has something unusable in total"
    ):
        read(hubspot, **LEADS)


def test_a_search_that_goes_round_ends_too(hubspot: HubSpot, portal: Portal) -> None:
    portal.answers["contacts", "search", "200"] = recorded("contacts_search_1")
    with pytest.raises(BadAnswerError, match=r"search at .*contacts/search goes round in circles"):
        read(hubspot, **LEADS)
