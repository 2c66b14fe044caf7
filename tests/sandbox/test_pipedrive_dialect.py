"""Pipedrive's dialect where it refuses, forgets and counts, which its own client does not try."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from holdwater.sandbox import Business
from holdwater.sandbox.pipedrive import Pipedrive, blocked, rate_limited
from holdwater.sandbox.server import Reply, serving

DEALS, PERSONS = "/api/v2/deals", "/api/v2/persons"


@pytest.fixture
def dialect(small: Business) -> Pipedrive:
    return Pipedrive(small, token="open", daily_tokens=1000)


@pytest.fixture
def client(small: Business, dialect: Pipedrive) -> Iterator[httpx.Client]:
    with (
        serving(small, "open", dialect) as sandbox,
        httpx.Client(base_url=sandbox.url, headers={"x-api-token": "open"}) as opened,
    ):
        yield opened


def rows(client: httpx.Client, path: str, **params: Any) -> list[Any]:
    answer = client.get(path, params=params)
    assert answer.status_code == 200, answer.text
    found: list[Any] = answer.json()["data"]
    return found


@pytest.mark.parametrize("path", [DEALS, "/v1/users", "/v1/leads"])
def test_the_token_is_taken_from_its_header_alone(path: str, client: httpx.Client) -> None:
    for headers, params in (
        ({"x-api-token": "shut"}, {}),
        ({"x-api-token": ""}, {"api_token": "open"}),
        ({"x-api-token": "", "Authorization": "Bearer open"}, {}),
    ):
        assert client.get(path, headers=headers, params=params).status_code == 401


@pytest.mark.parametrize(
    "params",
    [
        {"start": "0"},  # is v1's
        {"api_token": "open"},
        {"limit": "501"},
        {"limit": "all"},
        {"sort_by": "title"},
        {"sort_direction": "up"},
        {"status": "open,gone"},
        {"updated_since": "2026-10-01T00:00:00.000Z"},
        {"updated_since": "2026-10-01 00:00:00"},
        {"updated_since": "2026-10-01"},
        {"updated_until": "2026-13-01T00:00:00Z"},
        {"cursor": "e30="},
        {"cursor": "nonsense"},
    ],
)
def test_v2_refuses_what_it_does_not_know(params: dict[str, str], client: httpx.Client) -> None:
    answer = client.get(DEALS, params=params)
    assert (answer.status_code, answer.json()["success"]) == (400, False)


def test_a_cursor_is_for_its_own_order(client: httpx.Client) -> None:
    cursor = client.get(DEALS, params={"limit": 1}).json()["additional_data"]["next_cursor"]
    assert client.get(DEALS, params={"limit": 1, "cursor": cursor, "sort_by": "update_time"}).status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v2/recents", 404),
        ("GET", "/v1/deals/9999999/changelog", 404),
        ("POST", DEALS, 405),
        ("DELETE", PERSONS, 405),
    ],
)
def test_what_is_not_there_is_not_found(method: str, path: str, status: int, client: httpx.Client) -> None:
    assert client.request(method, path).status_code == status


def test_the_end_of_a_window_is_not_in_it(client: httpx.Client) -> None:
    changed = sorted(row["update_time"] for row in rows(client, DEALS, limit=500))
    at = changed[len(changed) // 2]
    since, until = (rows(client, DEALS, limit=500, **{name: at}) for name in ("updated_since", "updated_until"))
    assert min(row["update_time"] for row in since) == at
    assert len(since) + len(until) == len(changed)


def test_a_deleted_deal_is_forgotten_after_a_month(small: Business, client: httpx.Client) -> None:
    deal_id = next(iter(small.deals))
    small.archive_deal(deal_id)
    for days, shown in ((0, 1), (30, 1), (31, 0)):
        small.wait_until(small.deals[deal_id].modified + timedelta(days=days))
        assert len(rows(client, DEALS, status="deleted")) == shown
        assert int(deal_id) not in {row["id"] for row in rows(client, DEALS, limit=500)}
        assert int(deal_id) not in {row["id"] for row in rows(client, "/api/v2/deals/archived", limit=500)}


def test_a_deleted_person_is_forgotten_at_once(small: Business, client: httpx.Client) -> None:
    contact_id = next(iter(small.contacts))
    small.archive_contact(contact_id)
    assert int(contact_id) not in {row["id"] for row in rows(client, PERSONS, limit=500)}


def test_a_lead_that_becomes_a_deal_leaves_the_inbox(small: Business, client: httpx.Client) -> None:
    fresh = small.add_contact(source="PAID_SEARCH")
    (lead,) = [row for row in rows(client, "/v1/leads", limit=500) if row["person_id"] == int(fresh.id)]
    deal = small.open_deal(fresh.id)
    assert lead not in rows(client, "/v1/leads", limit=500)
    (row,) = [
        row for row in rows(client, DEALS, limit=500, include_fields="source_lead_id") if row["id"] == int(deal.id)
    ]
    assert (row["source_lead_id"], row["channel"]) == (lead["id"], lead["channel"])
    assert "source_lead_id" not in rows(client, DEALS)[0]


def test_without_the_add_on_nobody_knows_what_persons_allow(small: Business) -> None:
    dialect = Pipedrive(small, token="open", marketing=False)
    with serving(small, "open", dialect) as sandbox:
        headers = {"x-api-token": "open"}
        asked = {"include_fields": "marketing_status"}
        assert httpx.get(f"{sandbox.url}{PERSONS}", headers=headers, params=asked).status_code == 400
        assert httpx.get(f"{sandbox.url}{PERSONS}", headers=headers).status_code == 200


def test_tokens_are_counted_by_the_day(small: Business, client: httpx.Client, dialect: Pipedrive) -> None:
    for path, cost in ((DEALS, 10), ("/api/v2/deals/archived", 20), ("/v1/leads", 20), ("/v1/users/me", 2)):
        before = dialect.spent
        answer = client.get(path)
        assert dialect.spent - before == cost
        assert answer.headers["x-daily-ratelimit-token-remaining"] == str(1000 - dialect.spent)
    while (answer := client.get("/v1/leads/archived")).status_code == 200:
        pass
    assert (answer.status_code, answer.headers["x-daily-ratelimit-token-remaining"]) == (429, "0")
    assert "retry-after" not in answer.headers
    assert client.get("/v1/users/me").status_code == 429  # and stays so
    small.wait_until(small.now + timedelta(days=1))
    assert client.get("/v1/users/me").status_code == 200


@pytest.mark.parametrize(
    ("refusal", "status", "kind"), [(rate_limited(), 429, "application/json"), (blocked(), 403, "text/html")]
)
def test_refusals_to_put_in_the_place_of_an_answer(refusal: Reply, status: int, kind: str, small: Business) -> None:
    with serving(small, "open", Pipedrive(small, token="open")) as sandbox:
        sandbox.on_request = lambda number, path: refusal
        answer = httpx.get(f"{sandbox.url}{DEALS}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, kind)


def test_everything_a_person_can_see_is_called_simulated(client: httpx.Client) -> None:
    for path, name in ((DEALS, "title"), (PERSONS, "name"), ("/api/v2/activities", "subject"), ("/v1/leads", "title")):
        found = rows(client, path, limit=500)
        assert found
        assert all(row[name].startswith("Simulated") for row in found)


def test_paths_of_other_vendors_are_not_its_own(client: httpx.Client) -> None:
    answer = client.get("/v1/customers")
    assert (answer.status_code, answer.json()["status"]) == (404, "error")
