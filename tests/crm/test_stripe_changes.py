"""The Stripe connector: what it asks for after the first time, what goes wrong, and which account it is."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import stamina
import stripe_double as double
from stripe_double import (
    DAY,
    NOW,
    RECENT,
    SECRET,
    START,
    STREAMS,
    Account,
    at,
    event,
    gone,
    invoice,
    issues,
    items,
    opened,
    price,
    read,
    recorded,
    records,
    subscription,
)

from holdwater.crm.connector import Gone
from holdwater.crm.credentials import Token
from holdwater.crm.stripe import connect
from holdwater.errors import BadAnswerError, CredentialsError, ScopeError, SetupError
from holdwater.store.database import Store
from holdwater.store.sync import sync


@pytest.fixture
def account() -> Account:
    return Account()


# What changed


def test_nothing_new_costs_a_few_requests(account: Account) -> None:
    pages = read(account, RECENT)
    assert account.paths() == ["events", "events", "refunds", "credit_notes", "events", "invoices"]
    assert [page.watermark for page in pages if page.watermark] == [at(NOW)] * 3
    assert not any(page.whole or page.records for page in pages)


def test_the_window_overlaps_and_ends_by_the_clock_of_the_server(account: Account) -> None:
    read(account, RECENT)
    since = {request.url.params.get("created[gte]") for request in account.requests} - {None}
    assert since == {str(NOW - DAY - 3600)}


def test_what_an_event_is_about_is_read_as_it_is_now(account: Account) -> None:
    """An event shows an old state in an old version of the API: its status, its price are of no account."""
    account.lists["events"] = [recorded("event")]
    account.lists["subscriptions"].append(subscription("sub_2", "cus_other"))
    pages = read(account, RECENT)
    (found,) = records(pages, "subscriptions").values()
    assert (found.id, found.status, found.monthly.minor) == ("sub_1SKannYear", "active", 1000)
    assert set(records(pages, "customers")) == {"cus_ann"}
    assert [request.url.params.get("customer") for request in account.requests].count("cus_ann") == 1


@pytest.mark.parametrize(
    "about",
    [
        recorded("deleted_customer") | {"created": START},
        {"object": "subscription"},
        {"object": "subscription", "id": "sub_1", "customer": None},
        "nonsense",
    ],
    ids=["a deleted customer", "no id", "no customer", "no object"],
)
def test_where_an_event_does_not_say_whom_it_is_about_all_is_read(account: Account, about: Any) -> None:
    kind = "customer.deleted" if isinstance(about, dict) and "deleted" in about else "customer.subscription.updated"
    account.lists["events"] = [recorded("event", type=kind, data={"object": about})]
    pages = read(account, RECENT)
    assert set(records(pages, "customers")) == {"cus_ann"}
    assert [page.stream for page in pages if page.last] == ["subscriptions", "customers"]


@pytest.mark.parametrize(("count", "singly"), [(100, True), (101, False)])
def test_many_changed_customers_are_read_with_all(account: Account, count: int, singly: bool) -> None:
    about = recorded("event")["data"]["object"]
    account.lists["events"] = [
        event("customer.subscription.updated", about | {"customer": f"cus_{number}", "id": f"sub_{number}"})
        for number in range(count)
    ]
    read(account, RECENT)
    assert account.paths().count("subscriptions") == (count if singly else 1)


@pytest.mark.parametrize(("days", "whole"), [(28.9, False), (29, True), (400, True)])
def test_events_are_kept_for_thirty_days_and_then_all_is_read(account: Account, days: float, whole: bool) -> None:
    pages = read(account, dict.fromkeys(STREAMS, at(NOW) - timedelta(days=days)))
    assert {page.stream for page in pages if page.last} == (set(STREAMS) if whole else set())


def test_a_watermark_ahead_of_the_clock_hides_nothing(account: Account) -> None:
    account.lists["events"] = [recorded("event")]
    pages = read(account, dict.fromkeys(STREAMS, at(NOW + 400 * DAY)))
    assert set(records(pages, "subscriptions")) == {"sub_1SKannYear"}


def test_invoices_that_are_new_changed_credited_refunded_or_deleted(account: Account) -> None:
    account.lists["invoices"] = [
        invoice("in_new", created=NOW - 600),
        *(invoice(f"in_{name}") for name in ("changed", "credited", "refunded", "untouched")),
    ]
    account.lists["refunds"] = [recorded("refund", payment_intent="pi_in_refunded", created=NOW - 60)]
    account.lists["events"] = [
        event("invoice.paid", {"id": "in_changed", "object": "invoice", "created": START}),
        event("invoice.paid", {"id": "in_new", "object": "invoice", "created": NOW - 600}),
        event("invoice.updated", {"id": "in_draft", "object": "invoice", "created": START}),
        event("invoice.deleted", {"id": "in_draft", "object": "invoice", "created": START}),
        event("credit_note.created", {"id": "cn_1", "object": "credit_note", "invoice": "in_credited"}),
    ]
    pages = read(account, RECENT)
    assert set(records(pages, "invoices")) == {"in_new", "in_changed", "in_credited", "in_refunded"}
    assert records(pages, "invoices")["in_refunded"].refunded.minor == 1250
    assert gone(pages, "invoices") == [Gone("in_draft", "deleted")]
    assert [path for path in account.paths() if path.startswith("invoices/")] == [
        "invoices/in_changed",
        "invoices/in_credited",
        "invoices/in_refunded",
    ]


def test_a_refund_that_failed_later_is_taken_back(account: Account) -> None:
    """It was made long before, so only its event tells."""
    account.lists["invoices"] = [invoice("in_1", "pi_ann")]
    account.lists["refunds"] = [recorded("refund", status="failed")]
    account.lists["events"] = [event("refund.failed", recorded("refund", status="failed"))]
    assert records(read(account, RECENT), "invoices")["in_1"].refunded.minor == 0


def test_a_refund_of_an_old_charge_is_found_among_all(account: Account) -> None:
    account.lists["refunds"] = [recorded("refund", payment_intent=None)]
    account.lists["events"] = [event("charge.refunded", {"id": "ch_ann", "object": "charge", "created": START})]
    assert [page.stream for page in read(account, RECENT) if page.last] == ["invoices"]


def test_many_changed_invoices_are_read_as_a_list_from_the_oldest(account: Account) -> None:
    account.lists["events"] = [
        event("invoice.updated", {"id": f"in_{number}", "object": "invoice", "created": START + number})
        for number in range(101)
    ]
    read(account, RECENT)
    (listed,) = [request for request in account.requests if request.url.path == "/v1/invoices"]
    assert listed.url.params["created[gte]"] == str(START)


def test_a_later_reading_counts_though_stripe_keeps_no_time_of_change(account: Account, tmp_path: Path) -> None:
    with Store.open(tmp_path / "store.db") as store:
        for status, ended_at in (("active", None), ("canceled", NOW - 120), ("active", None)):
            account.lists["subscriptions"] = [subscription("sub_1", status=status, ended_at=ended_at)]
            account.lists["events"] = [event("customer.subscription.updated", {"id": "sub_1", "object": "subscription",
                                                                               "customer": "cus_ann"})]  # fmt: skip
            with opened(account) as stripe:
                sync(stripe, store)
            kept = [row for rows in store.rows("subscription", ["status"]) for row in rows]
            ended = [row[0] is not None for rows in store.rows("customer", ["ended_at"]) for row in rows]
            assert (kept, ended) == ([(status,)], [ended_at is not None])


def test_who_went_down_to_a_price_of_nothing_is_none_either_way(account: Account, tmp_path: Path) -> None:
    """A reading of changes and one of everything come to the same."""
    for full in (False, True):
        account.lists["subscriptions"] = [recorded("subscription")]
        with Store.open(tmp_path / f"{full}.db") as store:
            with opened(account) as stripe:
                assert sync(stripe, store).streams["customers"] == 1
            account.lists["subscriptions"] = [subscription("sub_1SKannYear", items=items(price(0)))]
            account.lists["events"] = [recorded("event")]
            with opened(account) as stripe:
                assert sync(stripe, store, full=full).rows_gone == 1
            assert not [row for rows in store.rows("customer", ["id"]) for row in rows]


# What goes wrong


def test_pages_go_on_behind_the_last_id_whatever_the_times(account: Account) -> None:
    """All of one second, and more of them while they are read: nothing is skipped or doubled."""
    account.lists["subscriptions"] = [subscription(f"sub_{number}", f"cus_{number}") for number in range(250)]

    def more(request: httpx.Request) -> None:
        new = subscription(f"sub_new{len(account.requests)}", "cus_new", created=START + len(account.requests))
        account.lists["subscriptions"].append(new)

    account.instead = more
    pages = read(account)
    found = [record.id for page in pages if page.stream == "subscriptions" for record in page.records]
    assert len(found) == len(set(found))
    assert {f"sub_{number}" for number in range(250)} <= set(found)


def test_a_cursor_that_comes_again_ends_the_run(account: Account) -> None:
    page = {"data": [recorded("subscription")], "has_more": True}
    account.instead = lambda request: (
        httpx.Response(200, json=page, headers={"Date": double.DATE}) if "subscriptions" in request.url.path else None
    )
    with pytest.raises(BadAnswerError, match="round in circles"):
        read(account)


@pytest.mark.parametrize("data", [[], [{"object": "subscription"}], [{"id": "Ada Example"}]])
def test_a_page_without_an_end_to_go_on_from_ends_the_run(account: Account, data: list[Any]) -> None:
    page = {"data": data, "has_more": True}
    account.instead = lambda request: (
        httpx.Response(200, json=page, headers={"Date": double.DATE}) if "subscriptions" in request.url.path else None
    )
    with pytest.raises(BadAnswerError, match="without a usable id") as caught:
        read(account)
    assert "Ada" not in str(caught.value)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("status", "Ada Example"),
        ("currency", "dollars"),
        ("start_date", "2026-03-01"),
        ("created", NOW + 3 * DAY),
        ("ended_at", 10**14),
        ("items", None),
        ("items", items(price("12,50"))),
        ("items", items(price(100, quantity=-1))),
    ],
)
def test_a_subscription_that_cannot_be_read_leaves_its_customer_unclear(
    account: Account, field: str, value: Any
) -> None:
    account.lists["subscriptions"] = [
        subscription("sub_bad", **{field: value}),
        subscription("sub_old", status="canceled", ended_at=START + DAY),
        subscription("sub_other", "cus_other"),
    ]
    pages = read(account)
    assert set(records(pages, "subscriptions")) == {"sub_old", "sub_other"}
    assert set(records(pages, "customers")) == {"cus_other"}
    assert set(issues(pages, "subscriptions")) == {"sub_bad"}
    assert set(issues(pages, "customers")) == {"cus_ann"}
    assert "Ada" not in repr(pages)


def test_an_ended_subscription_without_an_end_is_not_taken(account: Account) -> None:
    account.lists["subscriptions"] = [subscription("sub_1", status="canceled")]
    assert set(issues(read(account), "subscriptions")) == {"sub_1"}


def test_a_subscription_of_nobody_buries_nobody(account: Account) -> None:
    """Whoever is not met may be the one whose subscription it is."""
    account.lists["subscriptions"].append(subscription("sub_bad") | {"customer": None})
    pages = read(account)
    assert [page.stream for page in pages if page.last] == ["invoices"]
    assert set(issues(pages, "customers")) == {"customer of sub_bad"}


@pytest.mark.parametrize(("field", "value"), [("customer", None), ("total", None), ("total", 1.5), ("status", None)])
def test_an_invoice_that_cannot_be_read_is_told(account: Account, field: str, value: Any) -> None:
    account.lists["invoices"].append(invoice("in_bad", **{field: value}))
    pages = read(account)
    assert set(records(pages, "invoices")) == {"in_1SKann"}
    assert field in issues(pages, "invoices")["in_bad"]


# The account


def test_the_account_is_named_by_a_full_key_or_by_the_address(account: Account) -> None:
    with opened(account) as stripe:
        assert stripe.connection == "stripe:acct_1032D82eZvKYlo2C"
    transport = httpx.MockTransport(account)
    for address in ("https://api.stripe.com", "https://api.stripe.com/acct_1032D82eZvKYlo2C"):
        with connect(address, Token("sk_test_1"), transport=transport) as stripe:
            assert stripe.connection == "stripe:acct_1032D82eZvKYlo2C/test"
    account.instead = lambda request: httpx.Response(403, json={}) if request.url.path == "/v1/account" else None
    for key, name in (("rk_live_1", "stripe:acct_5"), ("rk_test_1", "stripe:acct_5/test")):
        with connect("https://api.stripe.com/acct_5", Token(key), transport=transport) as stripe:
            assert stripe.connection == name
            assert stripe.site == f"https://dashboard.stripe.com/{name.removeprefix('stripe:')}"


def test_an_account_that_the_key_does_not_open_is_refused(account: Account) -> None:
    """Under a second name, everything would be kept a second time."""
    transport = httpx.MockTransport(account)
    with (
        connect("https://api.stripe.com/acct_5", Token("rk_live_1"), transport=transport) as stripe,
        pytest.raises(SetupError, match=r"acct_1032D82eZvKYlo2C, not acct_5"),
    ):
        assert stripe.connection


def test_a_restricted_key_that_may_not_tell_its_account_needs_the_address(account: Account) -> None:
    account.instead = lambda request: httpx.Response(403, json={}) if request.url.path == "/v1/account" else None
    with opened(account) as stripe, pytest.raises(SetupError, match=r"--url https://api.stripe.com/acct_") as caught:
        assert stripe.connection
    assert not isinstance(caught.value, ScopeError)


@pytest.mark.parametrize("address", ["api.stripe.com", "https://api.stripe.com/v1", "https://api.stripe.com/acct_1/x"])
def test_an_address_that_is_none_is_told(address: str) -> None:
    with pytest.raises(SetupError, match="acct_"):
        connect(address, Token("rk_live_1"))


def test_a_key_in_the_wrong_is_told_and_not_shown(account: Account) -> None:
    account.instead = lambda request: httpx.Response(401, json={"error": {"message": "Invalid API Key"}})
    transport = httpx.MockTransport(account)
    with (
        connect("https://api.stripe.com/acct_1", Token(SECRET, "the keyring"), transport=transport) as stripe,
        pytest.raises(CredentialsError, match="the keyring") as caught,
    ):
        assert stripe.connection
    assert SECRET not in str(caught.value)


def test_too_many_requests_at_once_are_made_again(account: Account) -> None:
    refused = [httpx.Response(429, headers={"Stripe-Rate-Limited-Reason": "global-rate"}, json={})] * 2
    account.instead = lambda request: refused.pop() if refused else None
    with stamina.set_testing(True, attempts=6), opened(account) as stripe:
        pages = list(stripe.pages({}))
        assert stripe.retries == 2
    assert set(records(pages, "customers")) == {"cus_ann"}


def test_all_ids_for_a_comparison(account: Account) -> None:
    account.lists["subscriptions"].append(subscription("sub_bad", "cus_bad", status="odd"))
    found: dict[str, set[str]] = {}
    ended = set()
    with opened(account) as stripe:
        for one in stripe.identities():
            found.setdefault(one.stream, set()).update(one.ids)
            if one.last:
                ended.add(one.stream)
    assert found == {
        "subscriptions": {"sub_1SKannYear", "sub_bad"},
        "customers": {"cus_ann", "cus_bad"},
        "invoices": {"in_1SKann"},
    }
    assert ended == set(STREAMS)
