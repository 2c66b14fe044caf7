"""The HubSpot connector over real HTTP, against a simulated business whose every record is known."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
import stamina

from holdwater.crm.client import Client
from holdwater.crm.connector import Page
from holdwater.crm.credentials import Token
from holdwater.crm.hubspot import HubSpot, connect
from holdwater.crm.pacing import Pacing
from holdwater.crm.records import Deal, Lead, Money, Owner, Record, Stage
from holdwater.errors import BadAnswerError, CredentialsError, HoldwaterError, QuotaError, UnreachableError
from holdwater.sandbox.business import Business
from holdwater.sandbox.hubspot import rate_limited
from holdwater.sandbox.server import Sandbox, serve
from holdwater.sandbox.simulation import simulate

SECRET = "pat-eu1-0b5e-do-not-show"
OVERLAP = timedelta(minutes=10)


@pytest.fixture
def business() -> Business:
    business = simulate(months=3, seed=7)
    business.open_deal(None, amount=Decimal("99.90"))  # belongs to no contact
    business.archive_deal(next(iter(business.deals)))
    business.archive_contact(next(one.contact_id for one in business.deals.values() if one.contact_id))
    return business


@pytest.fixture
def sandbox(business: Business) -> Iterator[Sandbox]:
    with serve(business, token=SECRET) as sandbox:
        yield sandbox


@pytest.fixture
def hubspot(sandbox: Sandbox) -> Iterator[HubSpot]:
    with connector(sandbox.url) as hubspot:
        yield hubspot


@pytest.fixture(autouse=True)
def impatient() -> Iterator[None]:
    """Six tries as ever, without the waits between them."""
    with stamina.set_testing(True, attempts=6):
        yield


def connector(url: str, token: str = SECRET) -> HubSpot:
    return HubSpot(Client(url, Token(token, "this test")), searches=Pacing(1000, 1.0))


def read(hubspot: HubSpot, **watermarks: datetime) -> tuple[dict[str, dict[str, Record]], dict[str, datetime]]:
    """What each stream delivered, by id, and its new watermark."""
    found: dict[str, dict[str, Record]] = {}
    new: dict[str, datetime] = {}
    for page in hubspot.pages(watermarks):
        assert page.stream not in new, "a page after the last one"
        found.setdefault(page.stream, {}).update((record.id, record) for record in page.records)
        if page.watermark:
            new[page.stream] = page.watermark
    return found, new


def leads_of(business: Business, since: datetime | None = None) -> Mapping[str, Lead]:
    return {
        one.id: Lead(
            id=one.id,
            created_at=one.created,
            updated_at=one.modified,
            source=one.source.lower() if one.source else None,
            source_raw=one.source,
            owner_id=one.owner_id,
        )
        for one in business.contacts.values()
        if not one.archived and (since is None or one.modified >= since)
    }


def deals_of(business: Business, since: datetime | None = None) -> Mapping[str, Deal]:
    def lead(contact_id: str | None) -> str | None:
        return contact_id if contact_id and not business.contacts[contact_id].archived else None

    return {
        one.id: Deal(
            id=one.id,
            status=one.status,
            created_at=one.created,
            updated_at=one.modified,
            lead_id=lead(one.contact_id),
            closed_at=one.closed,
            amount=Money(int(Decimal(one.amount) * 100), "USD", one.amount),
            pipeline_id="default",
            stage_id=one.stage_id,
            owner_id=one.owner_id,
            lost_reason=one.lost_reason.lower().replace(" ", "_") if one.lost_reason else None,
            lost_reason_raw=one.lost_reason,
        )
        for one in business.deals.values()
        if not one.archived and (since is None or one.modified >= since)
    }


def test_a_full_pass_delivers_the_business(hubspot: HubSpot, business: Business) -> None:
    found, watermarks = read(hubspot)
    assert len(business.contacts) > 500
    assert {one.status for one in business.deals.values()} == {"open", "won", "lost"}
    assert found["leads"] == leads_of(business)
    assert found["deals"] == deals_of(business)
    assert found["owners"] == {
        one.id: Owner(id=one.id, updated_at=one.modified, archived=one.archived) for one in business.owners
    }
    assert found["stages"] == {
        one.id: Stage(
            id=one.id,
            pipeline_id="default",
            label=one.label,
            position=one.position,
            closed=one.status != "open",
            won=one.status == "won",
            updated_at=one.modified,
        )
        for one in business.stages
    }
    assert set(watermarks.values()) == {business.now.replace(microsecond=0)}
    assert set(watermarks) == {"owners", "stages", "leads", "consents", "deals", "stage_events", "activities"}


def test_the_connection_is_the_account_wherever_it_is_served(business: Business) -> None:
    names = []
    with serve(business) as here, serve(business) as there, serve(business, portal_id=77) as other:
        assert here.url != there.url
        for sandbox in (here, there, other):
            with connector(sandbox.url, sandbox.token) as hubspot:
                names.append(hubspot.connection)
    assert names == ["hubspot:1000001", "hubspot:1000001", "hubspot:77"]


def test_a_second_pass_delivers_what_changed_and_the_overlap(hubspot: HubSpot, business: Business) -> None:
    business.wait_until(business.now + timedelta(hours=1))
    within = business.add_contact(source="PAID_SEARCH", at=business.now + timedelta(hours=1))
    business.wait_until(business.now + OVERLAP)  # to the millisecond: just within the overlap
    _, watermarks = read(hubspot)

    later = business.now + timedelta(hours=2)
    new = business.add_contact(source=None, at=later)
    deal = business.open_deal(new.id, amount=Decimal("12.34"), at=later)
    business.win(deal.id, later + timedelta(minutes=5))
    stale = next(one for one in business.deals.values() if one.status == "open" and not one.archived)
    business.lose(stale.id, later + timedelta(minutes=5))

    found, again = read(hubspot, **watermarks)
    assert set(found["leads"]) == {within.id, new.id}
    assert set(found["deals"]) == {deal.id, stale.id}
    assert found["leads"] == leads_of(business, watermarks["leads"] - OVERLAP)
    assert found["deals"] == deals_of(business, watermarks["deals"] - OVERLAP)
    assert again["deals"] == business.now


def test_a_third_pass_without_changes_delivers_nothing(hubspot: HubSpot, business: Business) -> None:
    business.wait_until(business.now + timedelta(hours=1))
    _, watermarks = read(hubspot)
    found, _ = read(hubspot, **watermarks)
    streams = ("leads", "consents", "deals", "stage_events", "activities")
    assert [found[stream] for stream in streams] == [{}] * 5


def test_many_changes_are_searched_page_by_page(hubspot: HubSpot, business: Business, sandbox: Sandbox) -> None:
    start = business.start
    everything, _ = read(hubspot)
    sandbox.requests.clear()
    found, _ = read(hubspot, **dict.fromkeys(everything, start))
    assert found == everything
    assert found["leads"] == leads_of(business)
    assert found["deals"] == deals_of(business)
    paths = [path for _, path in sandbox.requests]
    assert paths.count("/crm/objects/2026-09/contacts/search") == -(-len(leads_of(business)) // 200)
    assert paths.count("/crm/objects/2026-09/contacts") == 1  # the archived ones


def test_a_change_while_the_pages_are_read_loses_nothing(
    hubspot: HubSpot, business: Business, sandbox: Sandbox
) -> None:
    """The contact that changes leaves the frozen window, and its successors move up one place."""
    searches = 0

    def disturb(number: int, path: str) -> None:
        nonlocal searches
        searches += path.endswith("contacts/search")
        if searches == 2 and path.endswith("contacts/search"):
            oldest = min(leads_of(business).values(), key=lambda lead: lead.updated_at)
            business.archive_contact(oldest.id, business.now + timedelta(minutes=1))

    sandbox.on_request = disturb
    found, watermarks = read(hubspot, leads=business.start, consents=business.start)
    assert set(leads_of(business)) <= set(found["leads"])
    assert watermarks["leads"] == business.now.replace(microsecond=0) - timedelta(minutes=1)


def test_refusals_on_the_way_change_nothing(hubspot: HubSpot, business: Business, sandbox: Sandbox) -> None:
    faults = {
        2: rate_limited(),
        4: rate_limited("TEN_SECONDLY_ROLLING", retry_after=10),
        5: (502, {"Content-Type": "text/html"}, b"<html>bad gateway</html>"),
    }
    sandbox.on_request = lambda number, path: faults.get(number)
    found, _ = read(hubspot)
    assert found["deals"] == deals_of(business)
    assert hubspot.client.retries == 3
    assert hubspot.client.requests == len(sandbox.requests)


def test_a_day_that_is_used_up_is_not_asked_again(sandbox: Sandbox) -> None:
    """Further tries would be in vain until the vendor's midnight, and might be counted too."""
    sandbox.on_request = lambda number, path: rate_limited("DAILY") if number == 4 else None
    with connect(sandbox.url, Token(SECRET)) as hubspot, pytest.raises(QuotaError, match="used up"):
        read(hubspot)
    assert (hubspot.requests, hubspot.retries) == (4, 0)


def test_a_login_page_is_no_answer(hubspot: HubSpot, sandbox: Sandbox) -> None:
    sandbox.on_request = lambda number, path: (200, {"Content-Type": "text/html"}, b"<html>log in</html>")
    with pytest.raises(BadAnswerError, match=r"GET /crm/owners/2026-09 \(200\)"):
        read(hubspot)


def test_the_proxy_of_the_environment_is_not_for_this_machine(
    sandbox: Sandbox, business: Business, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nobody is there; and it would see the token
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with connector(sandbox.url) as hubspot:
        assert read(hubspot)[0]["leads"] == leads_of(business)


def test_no_failure_of_a_real_connection_shows_the_token(
    sandbox: Sandbox, printed: Callable[[BaseException], str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    def failure(url: str, kind: type[HoldwaterError]) -> str:
        with connector(url) as hubspot, pytest.raises(kind) as caught:
            list[Page](hubspot.pages({}))
        return printed(caught.value)

    with socket.create_server(("127.0.0.1", 0)) as nobody:
        refused = f"http://127.0.0.1:{nobody.getsockname()[1]}"
    shown = failure(refused, UnreachableError)
    sandbox.on_request = lambda number, path: (500, {}, b"")
    shown += failure(sandbox.url, BadAnswerError)
    sandbox.on_request = lambda number, path: (200, {"Content-Encoding": "gzip"}, b"no gzip")
    shown += failure(sandbox.url, BadAnswerError)
    sandbox.on_request = lambda number, path: (401, {}, b"{}")
    shown += failure(sandbox.url, CredentialsError)
    assert SECRET not in shown
    logged = [f"{record.getMessage()} {vars(record)}" for record in caplog.records]
    assert any("127.0.0.1" in line for line in logged)  # the HTTP library does log
    assert not any(SECRET in line for line in logged)


def test_another_token_is_refused(sandbox: Sandbox) -> None:
    with connector(sandbox.url, "another-token") as hubspot, pytest.raises(CredentialsError, match="this test"):
        read(hubspot)
    assert len(sandbox.requests) == 1
