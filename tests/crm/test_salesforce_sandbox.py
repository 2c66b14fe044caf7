"""The Salesforce connector against the sandbox: sessions that end, jobs, and what the command line opens."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
import trustme

from holdwater.crm.connector import Page
from holdwater.crm.credentials import Token
from holdwater.crm.records import STREAMS
from holdwater.crm.salesforce import Salesforce, connect
from holdwater.crm.sources import SOURCES
from holdwater.errors import UnreachableError
from holdwater.sandbox import Business, Sandbox, Source, Truth, simulate
from holdwater.sandbox import salesforce as dialects
from holdwater.sandbox.server import serving

SECRET = "secret-do-not-show"


@pytest.fixture
def business() -> Business:
    source = Source(name="PAID_SEARCH", leads_per_month=80, conversion=0.3, days_to_win=10)
    truth = Truth(sources=(source,), churn=0.1, referral_rate=0.0, revenue_per_customer=Decimal(50), gross_margin=0.5)
    return simulate(truth, seed=4, months=3)


@pytest.fixture
def dialect(business: Business) -> dialects.Salesforce:
    return dialects.Salesforce(business, secret=SECRET)


@pytest.fixture
def sandbox(business: Business, dialect: dialects.Salesforce) -> Iterator[Sandbox]:
    with serving(business, SECRET, dialect) as running:
        yield running


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)


def opened(sandbox: Sandbox, **options: Any) -> Salesforce:
    return connect(sandbox.url, Token(f"{dialects.CONSUMER_KEY}:{SECRET}", "the test"), **options)


def records(pages: list[Page]) -> dict[str, dict[str, Any]]:
    return {
        stream: {record.id: record for page in pages if page.stream == stream for record in page.records}
        for stream in STREAMS
    }


def test_jobs_bring_what_pages_bring(sandbox: Sandbox) -> None:
    with opened(sandbox) as salesforce:
        paged = records(list(salesforce.pages({})))
    sandbox.requests.clear()
    with opened(sandbox, bulk_above=100) as salesforce:
        in_jobs = records(list(salesforce.pages({})))
        ids = {id_ for one in salesforce.identities() if one.stream == "leads" for id_ in one.ids}
    assert in_jobs == paged
    assert ids == set(paged["leads"])
    started = [path for method, path in sandbox.requests if (method, path[-11:]) == ("POST", "/jobs/query")]
    assert len(started) >= 7  # leads, opportunities, their history and tasks; ids of leads, opportunities and tasks


def test_sessions_that_end_again_and_again(sandbox: Sandbox, dialect: dialects.Salesforce) -> None:
    with opened(sandbox) as salesforce:
        whole = records(list(salesforce.pages({})))

    def end(number: int, path: str) -> None:
        if number % 7 == 0 and "oauth2" not in path:
            dialect.end_sessions()

    sandbox.requests.clear()
    sandbox.on_request = end
    with opened(sandbox, at_once=200) as salesforce:
        assert records(list(salesforce.pages({}))) == whole
    assert len([path for _, path in sandbox.requests if path == "/services/oauth2/token"]) > 2


def test_a_change_in_several_currencies(business: Business) -> None:
    deal = next(iter(business.deals))
    business.deals[deal] = replace(business.deals[deal], currency="KWD", amount="12.345")
    with (
        serving(business, SECRET, dialects.Salesforce(business, secret=SECRET, multi_currency=True)) as sandbox,
        opened(sandbox) as salesforce,
    ):
        deals = records(list(salesforce.pages({})))["deals"]
    money = deals[f"006{int(deal):012}AAA"].amount
    assert (money.minor, money.currency) == (12345, "KWD")


def test_a_second_sync_asks_for_an_hour_more(sandbox: Sandbox, business: Business) -> None:
    with opened(sandbox) as salesforce:
        end = next(page.watermark for page in salesforce.pages({}) if page.watermark)
        business.wait_until(business.now + timedelta(days=1))
        contact = next(iter(business.contacts.values()))
        late = end - timedelta(minutes=50)
        business.contacts[contact.id] = replace(contact, modified=late, source="LATE")
        leads = records(list(salesforce.pages(dict.fromkeys(STREAMS, end))))["leads"]
    assert "late" in [lead.source for lead in leads.values()]


def test_the_command_line_opens_it(sandbox: Sandbox) -> None:
    source = SOURCES["salesforce"]
    token = Token(f"{dialects.CONSUMER_KEY}:{SECRET}", "the test")
    with source.connect(sandbox.url, token) as connector:
        assert connector.connection == "salesforce:00D000000000001EAA"
    assert "secret" in source.where


def test_over_tls_only_to_whom_it_trusts(business: Business, dialect: dialects.Salesforce) -> None:
    authority = trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    token = Token(f"{dialects.CONSUMER_KEY}:{SECRET}", "the test")
    with serving(business, SECRET, dialect, tls=tls) as sandbox:
        with connect(sandbox.url, token) as salesforce, pytest.raises(UnreachableError):
            _ = salesforce.connection
        assert sandbox.requests == []  # nothing of the secret went out
        trusting = httpx.HTTPTransport(verify=ssl.create_default_context(cadata=authority.cert_pem.bytes().decode()))
        with connect(sandbox.url, token, transport=trusting) as salesforce:
            assert salesforce.connection == "salesforce:00D000000000001EAA"
