"""The Pipedrive connector: what it asks, page after page, and the limits it keeps to."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import stamina
from pipedrive_company import END, SECRET, SINCE, Company, Json, issues, of, positions, read, recorded, records

from holdwater.crm.connector import Connector, Gone, Page, Reconcilable
from holdwater.crm.credentials import Token
from holdwater.crm.pipedrive import Pipedrive, connect
from holdwater.crm.pipedrive_api import pause, used_up
from holdwater.crm.records import Activity, Consent, Deal, Lead, StageEvent
from holdwater.errors import BadAnswerError, CredentialsError, QuotaError, ScopeError

STREAMS = ("leads", "consents", "deals", "stage_events", "activities")
CHANGELOGS = [("/v1/deals/9/changelog", ""), ("/v1/deals/1/changelog", ""), ("/v1/deals/1/changelog", "aWQ6NTQ0")]


def changelogs(company: Company) -> list[tuple[str, str]]:
    return [key for key in company.asked if key[0].endswith("changelog")]


def test_a_connector_is_one_and_knows_the_company(pipedrive: Pipedrive, company: Company) -> None:
    connector: Connector = pipedrive
    assert connector.connection == connector.connection == "pipedrive:7654321"
    assert company.asked == [("/v1/users/me", "")]
    assert isinstance(pipedrive, Reconcilable)


@pytest.mark.parametrize("domain", ["example", "evil.test/", "", None, 7])
def test_people_look_at_the_companys_own_pages(domain: object, pipedrive: Pipedrive, company: Company) -> None:
    company.answers["/v1/users/me", ""]["data"]["company_domain"] = domain
    assert pipedrive.site == ("https://example.pipedrive.com" if domain == "example" else "")


@pytest.mark.parametrize("number", [None, 0, "7654321", True, "Example Ltd"])
def test_a_company_without_a_number_is_told(number: object, pipedrive: Pipedrive, company: Company) -> None:
    company.answers["/v1/users/me", ""]["data"]["company_id"] = number
    with pytest.raises(BadAnswerError, match=r"GET /v1/users/me has something unusable in data\.company_id") as caught:
        _ = pipedrive.connection
    assert "Example" not in str(caught.value)


def test_the_token_travels_in_a_header_alone(pipedrive: Pipedrive, company: Company) -> None:
    """In the address it would stand in the logs of every machine between."""
    read(pipedrive)
    assert all(request.headers["x-api-token"] == SECRET for request in company.requests)
    assert not [request for request in company.requests if SECRET in str(request.url)]
    assert not [request for request in company.requests if "authorization" in request.headers]


def test_every_stream_ends_with_the_frozen_moment(pipedrive: Pipedrive, company: Company) -> None:
    pages = []
    for one in pipedrive.pages({}):
        pages.append(one)
        company.date = "Sat, 31 Oct 2026 18:00:00 GMT"  # the clock goes on while the pages are kept
    assert [(one.stream, one.watermark) for one in pages[:2]] == [("owners", END), ("stages", END)]
    for stream in STREAMS:
        watermarks = [one.watermark for one in of(pages, stream)]
        assert watermarks == [None] * (len(watermarks) - 1) + [END], stream
    assert [one.stream for one in pages][-2:] == ["stage_events", "stage_events"]  # what costs most comes last


def test_persons_leads_and_deals_are_read_whole_every_time(pipedrive: Pipedrive) -> None:
    for watermarks in ({}, dict.fromkeys(("owners", "stages", *STREAMS), SINCE)):
        pages = read(pipedrive, **watermarks)
        for stream, whole in [("leads", True), ("deals", True), ("consents", False), ("activities", not watermarks)]:
            assert {one.whole for one in of(pages, stream)} == {whole}, stream
            assert [one.last for one in of(pages, stream)][-1] is whole
        assert issues(pages) == {}


def test_no_clock_no_window(pipedrive: Pipedrive, company: Company) -> None:
    company.date = None
    with pytest.raises(BadAnswerError, match="no Date header"):
        read(pipedrive)


def test_what_is_asked_the_first_time(pipedrive: Pipedrive, company: Company) -> None:
    read(pipedrive)
    by_id = {"sort_by": "id", "sort_direction": "asc", "limit": "500"}
    by_time = {"sort_by": "update_time", "sort_direction": "asc", "limit": "500"}
    assert company.params("deals") == [
        {**by_id, "status": "open,won,lost,deleted"},
        {**by_id, "status": "open,won,lost,deleted", "cursor": "b25l"},
        {**by_id, "status": "open,won,lost,deleted", "cursor": "dHdv"},
    ]
    assert company.params("deals/archived") == [by_id]
    assert company.params("changed deals") == company.params("changed deals/archived") == [by_time]
    assert company.params("persons") == [{**by_id, "include_fields": "marketing_status"}]
    assert company.params("activities") == company.params("stages") == [by_id]
    assert company.params("/v1/leads") == company.params("/v1/leads/archived") == [{"start": "0", "limit": "500"}]
    assert company.params("/v1/deals/1/changelog") == [{"limit": "500"}, {"limit": "500", "cursor": "aWQ6NTQ0"}]
    assert not [key for key in company.asked if "recents" in key[0]]  # which forgets after a month


def test_what_is_asked_later(pipedrive: Pipedrive, company: Company) -> None:
    """Ten minutes are read again; a fraction of a second would be refused."""
    since = SINCE + timedelta(microseconds=123_456)
    read(pipedrive, **dict.fromkeys(STREAMS, since))
    for name in ("activities", "changed deals", "changed deals/archived"):
        (params,) = company.params(name)
        assert params["updated_since"] == "2026-10-30T11:50:00Z", name
    for name in ("deals", "deals/archived", "persons"):
        assert not [params for params in company.params(name) if "updated_since" in params]


def test_a_time_in_another_zone_is_asked_for_in_utc(pipedrive: Pipedrive, company: Company) -> None:
    there = datetime.fromisoformat("2026-10-30T17:30:00+05:30")
    read(pipedrive, activities=there)
    assert company.params("activities")[0]["updated_since"] == "2026-10-30T11:50:00Z"


# Changelogs cost a request for each deal.


def test_a_changelog_is_read_where_the_stage_has_moved(pipedrive: Pipedrive, company: Company) -> None:
    read(pipedrive)
    assert changelogs(company) == CHANGELOGS


@pytest.mark.parametrize(
    ("moved", "asked"),
    [("2026-05-20T09:00:00Z", []), ("2026-10-30T11:49:59Z", []), ("2026-10-30T11:50:00Z", CHANGELOGS[1:])],
)
def test_later_only_where_it_has_moved_since(
    moved: str, asked: list[tuple[str, str]], pipedrive: Pipedrive, company: Company
) -> None:
    """All four deals have changed, but most of them in other ways."""
    company.answers["changed deals", ""]["data"][1]["stage_change_time"] = moved
    pages = read(pipedrive, **dict.fromkeys(STREAMS, SINCE))
    assert changelogs(company) == asked
    assert {event.deal_id for event in records(pages, StageEvent).values()} == ({"1"} if asked else set())


def test_a_deal_that_is_deleted_just_then_ends_nothing(pipedrive: Pipedrive, company: Company) -> None:
    company.answers["/v1/deals/9/changelog", ""] = 404
    pages = read(pipedrive)
    assert list(issues(pages)) == [("stage_events", "9")]
    assert {event.deal_id for event in records(pages, StageEvent).values()} == {"1", "2", "3", "5"}
    company.answers["/v1/deals/9/changelog", ""] = {"success": True}
    with pytest.raises(BadAnswerError):  # no answer at all is another thing
        read(pipedrive)


def test_a_new_deal_that_has_not_moved_is_in_a_stage_too(pipedrive: Pipedrive, company: Company) -> None:
    company.answers["changed deals", ""]["data"][2]["add_time"] = "2026-10-30T11:50:00Z"
    pages = read(pipedrive, **dict.fromkeys(STREAMS, SINCE))
    assert list(records(pages, StageEvent)) == ["2:2026-10-30T11:50:00+00:00:1"]
    assert changelogs(company) == []


def test_a_first_reading_that_broke_off_goes_on_with_all_that_it_has_not_seen(
    pipedrive: Pipedrive, company: Company
) -> None:
    """However long ago those deals have moved: the other streams are further than the stage events."""
    read(pipedrive, deals=END, stage_events=SINCE)
    assert company.params("changed deals")[0]["updated_since"] == "2026-10-30T11:50:00Z"
    assert changelogs(company) == CHANGELOGS


def test_each_page_of_stage_events_says_how_far_it_is(
    pipedrive: Pipedrive, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("holdwater.crm.pipedrive_reading._CHANGELOGS_A_PAGE", 1)
    marks = [one.watermark for one in of(read(pipedrive), "stage_events")]
    assert marks == [
        datetime(2026, 3, 1, tzinfo=UTC),  # deal 9 in the archive
        datetime(2026, 6, 1, 10, 11, 12, tzinfo=UTC),  # deals 3 and 1
        None,
        END,
    ]


def test_a_quota_that_ends_leaves_what_was_read(pipedrive: Pipedrive, company: Company) -> None:
    spent = {"x-daily-ratelimit-token-remaining": "0", "x-ratelimit-reset": "2"}
    company.answers["/v1/deals/1/changelog", ""] = httpx.Response(429, json={"success": False}, headers=spent)
    pages: list[Page] = []

    def keep_all() -> None:
        for one in pipedrive.pages({}):
            pages.append(one)

    with pytest.raises(QuotaError, match=r"quota of api\.pipedrive\.com is used up"):
        keep_all()
    ended = {one.stream for one in pages if one.watermark == END}
    assert ended == {"owners", "stages", "leads", "consents", "deals", "activities"}
    assert pipedrive.retries == 0


# Lists.


def test_a_short_or_an_empty_page_with_a_cursor_is_not_the_last(pipedrive: Pipedrive, company: Company) -> None:
    assert set(records(read(pipedrive), Deal)) == {"1", "2", "3", "5", "9"}
    assert [key[1] for key in company.asked if key[0] == "deals"] == ["", "b25l", "dHdv"]


@pytest.mark.parametrize("more", [None, {}, {"next_cursor": None}, {"next_cursor": ""}])
def test_a_list_ends_without_a_cursor(more: object, pipedrive: Pipedrive, company: Company) -> None:
    company.answers["deals", "dHdv"]["additional_data"] = more
    assert len(records(read(pipedrive), Deal)) == 5


@pytest.mark.parametrize(
    ("name", "cursor", "what"),
    [
        ("deals", "dHdv", "/api/v2/deals goes round"),
        ("changed deals", "", "/api/v2/deals goes round"),
        ("/v1/deals/1/changelog", "aWQ6NTQ0", "/v1/deals/1/changelog goes round"),
    ],
)
def test_a_cursor_that_comes_twice_ends_the_run(
    name: str, cursor: str, what: str, pipedrive: Pipedrive, company: Company
) -> None:
    again = next(iter(key[1] for key in company.answers if key[0] == name and key[1]), "again")
    company.answers[name, cursor]["additional_data"]["next_cursor"] = again
    company.answers.setdefault((name, again), company.answers[name, cursor])
    with pytest.raises(BadAnswerError, match=what):
        read(pipedrive)


@pytest.mark.parametrize("rows", [[], None])
def test_an_inbox_without_leads(rows: list[Json] | None, pipedrive: Pipedrive, company: Company) -> None:
    """v1 writes null where there is nothing."""
    for path in ("/v1/leads", "/v1/leads/archived"):
        company.answers[path, "0"] = positions(rows, more=False)
    assert set(records(read(pipedrive), Lead)) == {"101", "102", "103", "104", "organization:31"}


def inbox() -> list[Json]:
    first: Json = recorded("leads")["data"][0]
    return [
        {**first, "id": f"adf21080-0e10-11eb-879b-{n:012}", "person_id": None, "organization_id": n}
        for n in range(1, 8)
    ]


def companies(pipedrive: Pipedrive) -> set[int]:
    found = (id_.partition(":") for id_ in records(read(pipedrive), Lead) if ":" in id_)
    return {int(number) for _, _, number in found} - {31, 32}


def test_each_page_of_the_inbox_begins_with_the_last_lead_of_the_one_before(
    pipedrive: Pipedrive, company: Company
) -> None:
    leads = inbox()
    company.answers["/v1/leads", "0"] = positions(leads[:3], more=True)
    company.answers["/v1/leads", "2"] = positions(leads[2:5], more=True)
    company.answers["/v1/leads", "4"] = positions(leads[4:], more=False)
    assert companies(pipedrive) == {1, 2, 3, 4, 5, 6, 7}
    assert len(company.params("/v1/leads")) == 3


def test_an_inbox_that_moves_up_is_read_again(pipedrive: Pipedrive, company: Company) -> None:
    """The first lead has become a deal between two pages: the fourth would be missed."""
    leads = inbox()
    company.answers["/v1/leads", "0"] = [positions(leads[:3], more=True), positions(leads[1:4], more=True)]
    company.answers["/v1/leads", "2"] = [positions(leads[3:6], more=True), positions(leads[3:6], more=True)]
    company.answers["/v1/leads", "4"] = positions(leads[5:], more=False)
    assert companies(pipedrive) == {1, 2, 3, 4, 5, 6, 7}
    assert [params["start"] for params in company.params("/v1/leads")] == ["0", "2", "0", "2", "4"]


def test_an_inbox_that_keeps_moving_ends_the_run(pipedrive: Pipedrive, company: Company) -> None:
    leads = inbox()
    company.answers["/v1/leads", "0"] = positions(leads[:3], more=True)
    company.answers["/v1/leads", "2"] = positions([], more=False)
    with pytest.raises(BadAnswerError, match="/v1/leads changes faster than it can be read"):
        read(pipedrive)


@pytest.mark.parametrize("count", [0, 1])
def test_an_inbox_that_does_not_go_on_ends_the_run(count: int, pipedrive: Pipedrive, company: Company) -> None:
    company.answers["/v1/leads", "0"] = positions(inbox()[:count], more=True)
    with pytest.raises(BadAnswerError, match="/v1/leads does not go on"):
        read(pipedrive)


@pytest.mark.parametrize("status", [400, 403])
def test_an_account_without_the_marketing_add_on(status: int, pipedrive: Pipedrive, company: Company) -> None:
    """It refuses to tell what persons allow; they are leads all the same."""
    without = recorded("persons")
    for row in without["data"]:
        del row["marketing_status"]
    company.answers["persons", ""] = [status, without]
    pages = read(pipedrive)
    assert records(pages, Consent) == {}
    assert len(records(pages, Lead)) == 6
    assert ["include_fields" in params for params in company.params("persons")] == [True, False]


def test_a_token_without_a_right_is_told(pipedrive: Pipedrive, company: Company) -> None:
    company.answers["persons", ""] = 403
    with pytest.raises(ScopeError):
        read(pipedrive)


# Activities.


def test_an_activity_that_is_no_longer_done_goes(pipedrive: Pipedrive, company: Company) -> None:
    company.answers["activities", ""]["data"][0]["is_deleted"] = True
    pages = read(pipedrive, activities=SINCE)
    assert [gone for one in of(pages, "activities") for gone in one.gone] == [
        Gone("801", "deleted"),
        Gone("805", "missing"),
    ]
    assert set(records(pages, Activity)) == {"802", "803", "804"}


def test_the_ids_of_what_may_go_without_a_word(pipedrive: Pipedrive, company: Company) -> None:
    """All else is compared in every sync."""
    found = list(pipedrive.identities())
    assert [(one.stream, list(one.ids), one.last) for one in found] == [
        ("activities", ["801", "802", "803", "804"], False),
        ("activities", [], True),
    ]
    company.answers["activities", ""]["data"][0]["id"] = None
    with pytest.raises(BadAnswerError, match="without a usable id"):
        list(pipedrive.identities())


# Limits.


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "2"}, 2.0),
        ({"x-ratelimit-remaining": "1", "x-ratelimit-reset": "2"}, 0.0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "soon"}, 0.0),
        ({"x-ratelimit-remaining": "0"}, 0.0),
        ({}, 0.0),
    ],
)
def test_the_reset_is_in_seconds_from_now(headers: dict[str, str], seconds: float) -> None:
    assert pause(headers) == seconds


@pytest.mark.parametrize(
    ("status", "headers", "spent"),
    [
        (429, {"x-daily-ratelimit-token-remaining": "0"}, True),
        (429, {"x-daily-ratelimit-token-remaining": "-15"}, True),
        (429, {"x-daily-ratelimit-token-remaining": "20"}, False),
        (429, {"x-daily-ratelimit-token-remaining": "none"}, False),
        (429, {}, False),  # too many in two seconds
        (403, {"content-type": "text/html; charset=UTF-8"}, True),  # blocked after going on for too long
        (403, {"content-type": "application/json"}, False),  # a right that the token lacks
        (500, {"content-type": "text/html", "x-daily-ratelimit-token-remaining": "0"}, False),
    ],
)
def test_a_budget_of_the_day_is_told_from_one_of_two_seconds(status: int, headers: dict[str, str], spent: bool) -> None:
    assert used_up(status, httpx.Headers(headers), b"") is spent


def test_a_window_that_is_full_is_waited_for(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    full = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "2", "Date": "Sat, 31 Oct 2026 12:00:05 GMT"}
    company.answers["/v1/users", ""] = httpx.Response(200, json=recorded("users"), headers=full)
    with connect(token=Token(SECRET), transport=httpx.MockTransport(company)) as pipedrive:
        read(pipedrive)
        assert 1.5 < waits[0] <= 2.0
        assert pipedrive.throttled_seconds >= waits[0]


@pytest.mark.parametrize("refuse", [lambda: httpx.Response(429), lambda: httpx.Response(502)])
def test_trouble_on_the_way_is_tried_again_and_counted(refuse: Callable[[], httpx.Response], company: Company) -> None:
    count = 0

    def respond(request: httpx.Request) -> httpx.Response:
        nonlocal count
        count += 1
        return refuse() if count in (2, 5) else company(request)

    with (
        stamina.set_testing(True, attempts=6),  # no waits
        connect(token=Token(SECRET), transport=httpx.MockTransport(respond)) as pipedrive,
    ):
        assert len(records(read(pipedrive), Deal)) == 5
        assert (pipedrive.requests, pipedrive.retries) == (len(company.asked) + 2, 2)


def test_a_refused_token_names_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOLDWATER_PIPEDRIVE_TOKEN", SECRET)
    refuse = httpx.MockTransport(lambda request: httpx.Response(401))
    with connect(transport=refuse) as pipedrive, pytest.raises(CredentialsError, match="PIPEDRIVE_TOKEN") as caught:
        read(pipedrive)
    assert SECRET not in str(caught.value)


def test_requests_are_few(pipedrive: Pipedrive, company: Company) -> None:
    """Beside the changelogs: two lists of deals by number and two by time, and one of everything else."""
    _ = pipedrive.connection
    read(pipedrive)
    counted = Counter(key[0] for key in company.asked if not key[0].endswith("changelog"))
    assert counted == {
        "/v1/users/me": 1,
        "/v1/users": 1,
        "stages": 1,
        "dealFields": 1,
        "/v1/leads": 1,
        "/v1/leads/archived": 1,
        "deals": 3,
        "deals/archived": 1,
        "persons": 1,
        "activities": 1,
        "changed deals": 1,
        "changed deals/archived": 1,
    }
