"""What becomes of Pipedrive's records: persons and companies that nobody stands for are leads."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from pipedrive_company import SECRET, Company, issues, of, page, read, records

from holdwater.crm import persons
from holdwater.crm.connector import Gone
from holdwater.crm.credentials import Token
from holdwater.crm.pipedrive import Pipedrive, connect
from holdwater.crm.records import Activity, Consent, Deal, Lead, Money, Owner, Stage, StageEvent

LEAD_2 = "adf21080-0e10-11eb-879b-05d71fb426e2"


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type] # a year, a month and so on


@pytest.fixture
def _far_from_greenwich(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if not hasattr(time, "tzset"):
        pytest.skip("Windows has one time zone for all processes")
    with monkeypatch.context() as changed:
        changed.setenv("TZ", "America/New_York")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("_far_from_greenwich")
def test_users_are_owners_with_times_that_hide_that_they_are_utc(pipedrive: Pipedrive) -> None:
    assert list(records(read(pipedrive), Owner).values()) == [
        Owner(id="11", updated_at=at(2026, 10, 1, 8)),
        Owner(id="12", updated_at=at(2024, 5, 6, 7, 8, 9), archived=True),  # never modified, and gone
    ]


def test_stages_of_all_pipelines_are_open(pipedrive: Pipedrive) -> None:
    found = records(read(pipedrive), Stage)
    assert list(found) == ["1", "2", "3", "8"]
    assert found["8"] == Stage(
        id="8", pipeline_id="4", label="Renewal", position=1, closed=False, won=False, updated_at=at(2024, 1, 1)
    )
    assert found["1"].updated_at == at(2023, 2, 1, 8)  # never changed since it was added


def test_a_person_is_a_lead_with_the_source_of_the_first_deal_or_inbox_lead(pipedrive: Pipedrive) -> None:
    found = records(read(pipedrive), Lead)
    assert found["101"] == Lead(
        id="101",
        created_at=at(2026, 4, 30, 10),
        updated_at=at(2026, 6, 1, 10, 11, 12),
        source="paid_search",  # of the first deal, not of the second
        source_raw="Paid Search",
        owner_id="11",
    )
    assert found["102"].source_raw is None  # its deal says nothing
    assert found["103"].source_raw == "Paid Search"  # an archived lead, which came before its deal
    assert (found["104"].source_raw, found["104"].owner_id) == ("Trade fair", "12")


def test_a_deal_that_came_before_the_inbox_lead_has_the_source(pipedrive: Pipedrive, company: Company) -> None:
    company.answers["/v1/leads", "0"]["data"][0]["person_id"] = 102  # of the trade fair, a year after the deal
    assert records(read(pipedrive), Lead)["102"].source_raw is None


def test_a_company_that_nobody_stands_for_is_a_lead_of_its_own(pipedrive: Pipedrive) -> None:
    pages = read(pipedrive)
    found = records(pages, Lead)
    assert found["organization:31"] == Lead(
        id="organization:31",
        created_at=datetime(2026, 2, 3, 4, 5, 6, 789000, tzinfo=UTC),  # its inbox lead came before its deal
        updated_at=at(2026, 9, 1),
        owner_id="12",
    )
    assert found["organization:32"].source_raw == "77"  # a source that has no name any more
    assert records(pages, Deal)["3"].lead_id == "organization:31"
    assert records(pages, Activity)["803"].lead_id == "organization:31"
    assert set(found) == {"101", "102", "103", "104", "organization:31", "organization:32"}


def test_deals_that_are_won_lost_open_and_in_the_archive(pipedrive: Pipedrive) -> None:
    found = records(read(pipedrive), Deal)
    assert set(found) == {"1", "2", "3", "5", "9"}
    assert found["1"] == Deal(
        id="1",
        status="won",
        created_at=at(2026, 5, 1, 7, 25, 37),
        updated_at=at(2026, 6, 1, 10, 11, 12),
        lead_id="101",
        closed_at=at(2026, 6, 1, 10, 11, 12),
        amount=Money(123450, "EUR", "1234.5"),
        pipeline_id="1",
        stage_id="3",
        owner_id="11",
    )
    assert found["2"].amount == Money(900, "JPY", "900")
    assert (found["3"].status, found["3"].closed_at) == ("lost", at(2026, 5, 9))
    assert (found["3"].lost_reason, found["3"].lost_reason_raw) == ("too_expensive", "Too Expensive")
    assert (found["5"].status, found["5"].lost_reason, found["5"].closed_at) == ("open", None, None)
    assert (found["9"].status, found["9"].closed_at) == ("won", at(2025, 2, 1))


@pytest.mark.parametrize("value", [0, None])
def test_what_nobody_has_filled_in_is_no_amount(value: object, pipedrive: Pipedrive, company: Company) -> None:
    company.answers["deals", ""]["data"][0]["value"] = value
    assert records(read(pipedrive), Deal)["1"].amount is None


def test_every_cent_of_an_amount_is_kept(company: Company) -> None:
    """As text: the number would not survive a float."""
    text = httpx.Response(200, json=company.answers["deals", ""]).text.replace("1234.5", "90071992547409.93")
    company.answers["deals", ""] = httpx.Response(200, text=text)
    with connect(token=Token(SECRET), transport=httpx.MockTransport(company)) as pipedrive:
        assert records(read(pipedrive), Deal)["1"].amount == Money(9007199254740993, "EUR", "90071992547409.93")


def test_a_deleted_deal_is_gone(pipedrive: Pipedrive) -> None:
    assert [gone for page in of(read(pipedrive), "deals") for gone in page.gone] == [Gone("4", "deleted")]


def test_a_person_that_is_listed_as_deleted_is_no_lead(pipedrive: Pipedrive, company: Company) -> None:
    company.answers["persons", ""]["data"][3]["is_deleted"] = True
    pages = read(pipedrive)
    assert [gone for page in of(pages, "leads") for gone in page.gone] == [Gone("104", "deleted")]
    assert not {"104", "104:email"} & {*records(pages, Lead), *records(pages, Consent)}


def test_the_stages_of_a_deal(pipedrive: Pipedrive) -> None:
    found = records(read(pipedrive), StageEvent)
    assert [(event.id, event.pipeline_id) for event in found.values() if event.deal_id == "1"] == [
        ("1:2026-05-01T07:25:37+00:00:1", "1"),
        ("1:2026-05-03T12:00:00+00:00:2", "1"),
        ("1:2026-05-20T09:00:00+00:00:3", "1"),
    ]
    assert found["1:2026-05-20T09:00:00+00:00:3"] == StageEvent(
        id="1:2026-05-20T09:00:00+00:00:3",
        deal_id="1",
        stage_id="3",
        entered_at=at(2026, 5, 20, 9),
        updated_at=at(2026, 5, 20, 9),
        pipeline_id="1",
    )
    assert [id_ for id_ in found if not id_.startswith("1:")] == [
        "9:2025-01-01T00:00:00+00:00:1",
        "9:2025-01-03T00:00:00+00:00:2",
        "3:2026-05-01T07:25:37+00:00:1",
        "2:2026-07-01T00:00:00+00:00:1",
        "5:2026-05-01T07:25:37+00:00:8",  # made in another pipeline, and never moved
    ]


@pytest.mark.parametrize(
    ("missing", "left"),
    [
        (("1", "2"), ["2026-05-01T07:25:37+00:00:2", "2026-05-20T09:00:00+00:00:3"]),
        (("2", "3"), ["2026-05-01T07:25:37+00:00:1", "2026-05-03T12:00:00+00:00:2", "2026-05-20T09:00:00+00:00:3"]),
    ],
)
def test_a_changelog_with_a_gap_is_told(
    missing: tuple[str, str], left: list[str], pipedrive: Pipedrive, company: Company
) -> None:
    """The first cannot be seen: a deal may have begun anywhere. The last one the deal itself knows."""
    for answer in (company.answers["/v1/deals/1/changelog", ""], company.answers["/v1/deals/1/changelog", "aWQ6NTQ0"]):
        answer["data"] = [row for row in answer["data"] if (row["old_value"], row["new_value"]) != missing]
    pages = read(pipedrive)
    assert [id_[2:] for id_ in records(pages, StageEvent) if id_.startswith("1:")] == left
    told = issues(pages)
    assert list(told) == ([] if missing == ("1", "2") else [("stage_events", "1")])
    assert not [page for page in of(pages, "stage_events") if page.last and told]


def test_a_gap_in_the_middle_is_told_too(pipedrive: Pipedrive, company: Company) -> None:
    before = {"field_key": "stage_id", "old_value": "8", "new_value": "3", "time": "2025-01-02 00:00:00"}
    company.answers["/v1/deals/9/changelog", ""]["data"].append(before)  # then from 1 to 2
    pages = read(pipedrive)
    assert list(issues(pages)) == [("stage_events", "9")]
    assert [id_[-7:] for id_ in records(pages, StageEvent) if id_.startswith("9:")] == ["00:00:8", "00:00:3", "00:00:2"]


def test_a_move_without_a_changelog_is_kept_and_told(pipedrive: Pipedrive, company: Company) -> None:
    company.answers["/v1/deals/9/changelog", ""] = page()
    pages = read(pipedrive)
    assert [id_ for id_ in records(pages, StageEvent) if id_.startswith("9:")] == ["9:2025-01-03T00:00:00+00:00:2"]
    assert "does not tell every stage" in issues(pages)["stage_events", "9"]


def test_a_changelog_that_begins_with_the_making_of_the_deal(pipedrive: Pipedrive, company: Company) -> None:
    first = {"field_key": "stage_id", "old_value": None, "new_value": 1, "time": "2025-01-01 00:00:01"}
    company.answers["/v1/deals/9/changelog", ""]["data"].append(first)
    pages = read(pipedrive)
    assert [id_[-7:] for id_ in records(pages, StageEvent) if id_.startswith("9:")] == ["00:00:1", "00:00:2"]
    assert issues(pages) == {}


def test_what_users_have_done_are_activities(pipedrive: Pipedrive) -> None:
    found = records(read(pipedrive), Activity)
    assert found["801"] == Activity(
        id="801",
        kind="call",
        direction="out",
        occurred_at=at(2026, 5, 1, 9, 30),
        updated_at=at(2026, 5, 2, 8),
        lead_id="101",
        owner_id="11",
    )
    assert (found["802"].kind, found["802"].deal_id, found["802"].occurred_at) == ("email", "1", at(2026, 5, 1, 8))
    assert (found["803"].kind, found["803"].direction) == ("meeting", None)
    assert (found["804"].kind, found["804"].direction) == ("task", None)  # a type of the company's own
    assert "805" not in found  # is planned


def test_what_persons_allow(pipedrive: Pipedrive) -> None:
    found = records(read(pipedrive), Consent)
    assert found["101:email"] == Consent(
        id="101:email",
        lead_id="101",
        channel="email",
        status="opted_in",
        updated_at=at(2026, 6, 1, 10, 11, 12),
    )
    assert [found[f"{id_}:email"].status for id_ in (102, 103, 104)] == ["opted_out", "unknown", "unknown"]


def test_nobody_is_known_without_a_key(pipedrive: Pipedrive) -> None:
    assert {lead.person for lead in records(read(pipedrive), Lead).values()} == {None}


def test_a_person_is_known_by_the_main_address(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(persons.VARIABLE, "k" * 32)
    with connect(token=Token(SECRET), transport=httpx.MockTransport(company)) as pipedrive:
        pages = read(pipedrive)
    found = records(pages, Lead)
    assert found["101"].person == persons.person_key("ada@example.com")
    assert found["103"].person == persons.person_key("third@example.com")
    assert found["104"].person is None
    assert "example.com" not in repr(pages)


def test_no_name_leaves_the_connector(pipedrive: Pipedrive) -> None:
    assert "Ada" not in repr(read(pipedrive))


BAD: list[tuple[str, str, Any, str, str]] = [
    ("deals", "currency", "euro", "deals", "1"),
    ("deals", "currency", None, "deals", "1"),
    ("deals", "value", "1234.5", "deals", "1"),
    ("deals", "value", True, "deals", "1"),
    ("deals", "value", 10**20, "deals", "1"),
    ("deals", "status", "Ada", "deals", "1"),
    ("deals", "status", "deleted", "deals", "1"),
    ("deals", "add_time", "2026-05-01 07:25:37", "deals", "1"),
    ("deals", "add_time", None, "deals", "1"),
    ("deals", "person_id", "Ada", "deals", "1"),
    ("deals", "update_time", "2027-06-01T00:00:00Z", "deals", "1"),
    ("deals", "lost_reason", "\ud800", "deals", "1"),
    ("deals", "id", "Ada", "deals", "deals no. 1"),
    ("persons", "update_time", "yesterday", "leads", "101"),
    ("persons", "emails", "ada@example.com", "leads", "101"),
    ("persons", "id", None, "leads", "persons no. 1"),
    ("/v1/users", "created", "2023-02-01T08:00:00Z", "owners", "11"),
    ("stages", "order_nr", "1", "stages", "1"),
    ("activities", "done", 1, "activities", "801"),
    ("/v1/leads", "add_time", "01/08/2026", "leads", "adf21080-0e10-11eb-879b-05d71fb426e1"),
    ("/v1/leads", "channel", "Ada", "leads", "adf21080-0e10-11eb-879b-05d71fb426e1"),
    ("dealFields", "options", "Ada", "leads", "channels"),
    ("changed deals", "add_time", "Ada", "stage_events", "3"),
    ("/v1/deals/1/changelog", "field_key", None, "stage_events", "1"),
    ("/v1/deals/9/changelog", "time", "2025-01-03T00:00:00Z", "stage_events", "9"),
    ("/v1/deals/9/changelog", "new_value", "Ada", "stage_events", "9"),
]


@pytest.mark.parametrize(("name", "field", "value", "stream", "named"), BAD)
def test_what_cannot_be_taken_is_told_with_its_id_and_no_value(
    name: str, field: str, value: Any, stream: str, named: str, pipedrive: Pipedrive, company: Company
) -> None:
    start = "0" if name == "/v1/leads" else ""
    row = company.answers[name, start]["data"][1 if name == "dealFields" else 0]
    row[field] = value
    if field == "lost_reason":
        row["status"] = "lost"
    pages = read(pipedrive)
    told = issues(pages)
    assert list(told) == [(stream, named)]
    assert "Ada" not in "".join(told.values())
    assert "example.com" not in "".join(told.values())
    for whole in of(pages, "leads") + of(pages, "deals"):
        # Without an id for each, nobody can say who is missing.
        assert not (whole.last and "no." in named and whole.stream == stream)
    if stream == "deals":
        assert set(records(pages, Deal)) == {"2", "3", "5", "9"}
        assert len(records(pages, Lead)) == 6


@pytest.mark.parametrize("deleted", [False, True])
def test_a_company_whose_rows_cannot_be_read_is_still_there(
    deleted: bool, pipedrive: Pipedrive, company: Company
) -> None:
    company.answers["deals", ""]["data"][1] |= {"person_id": None, "org_id": 55, "add_time": "Ada"}
    company.answers["deals", ""]["data"][1]["is_deleted"] = deleted
    pages = read(pipedrive)
    assert (("leads", "organization:55") in issues(pages)) is not deleted
    assert "organization:55" not in records(pages, Lead)
    assert of(pages, "leads")[-1].last


def test_a_source_without_a_name_keeps_its_number(pipedrive: Pipedrive, company: Company) -> None:
    company.answers["dealFields", ""] = page()
    found = records(read(pipedrive), Lead)
    assert (found["101"].source, found["102"].source) == ("51", None)
    assert found["104"].id not in LEAD_2
