"""Stripe's own client, which nobody here wrote, reads the sandbox: every field is what the business says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from holdwater.sandbox import Business, Sandbox, Source, Truth, simulate
from holdwater.sandbox.stripe import ACCOUNT, serve_stripe, too_many_requests

stripe = pytest.importorskip("stripe")

KEY = "rk_test_open"
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def business() -> Business:
    """Some customers left, one was deleted; one invoice of each status, one paid back in part."""
    source = Source(name="PAID_SEARCH", leads_per_month=120, conversion=0.5, days_to_win=10)
    truth = Truth(sources=(source,), churn=0.2, referral_rate=0.0, revenue_per_customer=Decimal(50), gross_margin=0.5)
    business = simulate(truth, seed=3, months=4)
    business.delete_customer(next(one.id for one in business.customers.values() if not one.end))
    paid = next(bill for bill in business.invoices if bill.status == "paid")
    business.refund(paid.id, Decimal("12.50"))
    for status in ("open", "void", "uncollectible"):
        customer = business.win(business.open_deal(None).id)
        business.settle_invoice(f"{customer.id}-1", status)
    business.win(business.open_deal(None).id)
    return business


@pytest.fixture(scope="module")
def sandbox(business: Business) -> Iterator[Sandbox]:
    with serve_stripe(business, token=KEY) as running:
        yield running


def opened(sandbox: Sandbox, key: str = KEY, http: Any = None) -> Any:
    http = http or stripe.RequestsClient()
    return stripe.StripeClient(key, base_addresses={"api": sandbox.url}, http_client=http, max_network_retries=0)


@pytest.fixture(scope="module")
def client(sandbox: Sandbox) -> Iterator[Any]:
    http = stripe.RequestsClient()
    yield opened(sandbox, http=http)
    http.close()


def moment(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def whole(at: datetime | None) -> datetime | None:
    return None if at is None else at.replace(microsecond=0)


def everything(service: Any, **params: Any) -> list[Any]:
    return list(service.list({"limit": 100, **params}).auto_paging_iter())


def test_all_subscriptions_with_their_customers(client: Any, business: Business, sandbox: Sandbox) -> None:
    before = len(sandbox.requests)
    found = everything(client.v1.subscriptions, status="all", expand=["data.customer"])
    assert len(sandbox.requests) - before == -(-len(business.customers) // 100) > 1
    assert len(found) == len(business.customers)
    assert [one.created for one in found] == sorted((one.created for one in found), reverse=True)
    for one in found:
        known = business.customers[one.id.removeprefix("sub_")]
        assert moment(one.created) == moment(one.start_date) == whole(known.start)
        assert moment(one.ended_at) == moment(one.canceled_at) == whole(known.end)
        assert (one.status, one.currency, one.livemode) == ("canceled" if known.end else "active", "usd", False)
        assert (one.trial_start, one.trial_end) == (None, None)
        assert "current_period_end" not in one
        (item,) = one["items"].data
        assert (item.quantity, item.price.unit_amount, item.price.unit_amount_decimal) == (1, 5000, Decimal(5000))
        assert (item.price.recurring.interval, item.price.recurring.interval_count) == ("month", 1)
        assert item.price.recurring.usage_type == "licensed"
        begun, ends = moment(item.current_period_start), moment(item.current_period_end)
        assert begun is not None
        assert ends is not None
        bills = [bill for bill in business.invoices if bill.customer_id == known.id]
        assert (begun, ends) == (whole(bills[-1].period_start), whole(bills[-1].period_end)) or known.end
        check_customer(one.customer, business, known.id)


def check_customer(found: Any, business: Business, id_: str) -> None:
    known = business.customers[id_]
    assert (found.id, found.object) == (f"cus_{id_}", "customer")
    if known.deleted:
        assert found.deleted is True
        assert set(found.to_dict()) == {"id", "object", "deleted"}
        return
    contact = business.contacts[known.contact_id] if known.contact_id else None
    assert (found.email, found.name) == ((contact.email, contact.name) if contact else (None, None))
    assert moment(found.created) == whole(known.created)


def test_a_list_shows_no_ended_subscription_unless_asked(client: Any, business: Business) -> None:
    live = {f"sub_{one.id}" for one in business.customers.values() if not one.end}
    assert {one.id for one in everything(client.v1.subscriptions)} == live
    ended = {one.id for one in everything(client.v1.subscriptions, status="canceled")}
    assert ended == {f"sub_{one.id}" for one in business.customers.values()} - live
    assert ended


def test_all_customers_but_the_deleted_one(client: Any, business: Business) -> None:
    found = everything(client.v1.customers)
    for one in found:
        check_customer(one, business, one.id.removeprefix("cus_"))
    (gone,) = {f"cus_{id_}" for id_ in business.customers} - {one.id for one in found}
    assert client.v1.customers.retrieve(gone).deleted is True


def test_all_invoices_with_their_payments(client: Any, business: Business) -> None:
    bills = {f"in_{bill.id.replace('-', 'x')}": bill for bill in business.invoices}
    found = everything(client.v1.invoices, expand=["data.payments"])
    assert len(found) == len(bills) > 200
    for one in found:
        bill = bills[one.id]
        assert (one.status, one.customer) == (bill.status, f"cus_{bill.customer_id}")
        assert (one.total, one.currency, moment(one.created)) == (5000, "usd", whole(bill.period_start))
        assert (one.parent.type, one.parent.subscription_details.subscription) == (
            "subscription_details",
            f"sub_{bill.customer_id}",
        )
        (line,) = one.lines.data
        assert (moment(line.period.start), moment(line.period.end)) == (
            whole(bill.period_start),
            whole(bill.period_end),
        )
        changes = one.status_transitions
        settled = {"paid": changes.paid_at, "void": changes.voided_at, "uncollectible": changes.marked_uncollectible_at}
        for status, at in settled.items():
            assert moment(at) == (whole(bill.settled) if bill.status == status else None)
        assert (changes.finalized_at is None) == (bill.status == "draft")
        paid = [(payment.amount_paid, payment.payment.payment_intent) for payment in one.payments.data]
        assert paid == ([(5000, f"pi_{bill.id.replace('-', 'x')}")] if bill.status == "paid" else [])
    assert {one.status for one in found} == {"draft", "open", "paid", "void", "uncollectible"}


def test_an_invoice_looks_back_and_its_line_ahead(client: Any, business: Business) -> None:
    bill = next(bill for bill in business.invoices if bill.id.endswith("-2"))
    one = client.v1.invoices.retrieve(f"in_{bill.id.replace('-', 'x')}")
    assert moment(one.period_end) == moment(one.lines.data[0].period.start) == whole(bill.period_start)
    assert one.period_start < one.period_end


def test_what_was_paid_back(client: Any, business: Business) -> None:
    (refund,) = everything(client.v1.refunds)
    (known,) = business.refunds.values()
    assert (refund.amount, refund.status, moment(refund.created)) == (1250, "succeeded", whole(known.created))
    (payment,) = everything(
        client.v1.invoice_payments, payment={"type": "payment_intent", "payment_intent": refund.payment_intent}
    )
    assert payment.invoice == f"in_{known.invoice_id.replace('-', 'x')}"
    assert everything(client.v1.credit_notes) == []


def test_events_of_thirty_days_and_no_more(client: Any, business: Business) -> None:
    found = everything(client.v1.events)
    oldest = business.now - timedelta(days=30)
    assert all(whole(oldest) <= moment(one.created) <= business.now for one in found)  # type: ignore[operator]
    begun = {f"sub_{one.id}" for one in business.customers.values() if one.start >= oldest}
    made = {one.data.object.id for one in found if one.type == "customer.subscription.created"}
    assert made == begun
    ended = {f"sub_{one.id}" for one in business.customers.values() if one.end and one.end >= oldest}
    cancelled = [one.data.object for one in found if one.type == "customer.subscription.deleted"]
    assert {one.id for one in cancelled} == ended
    assert {one.status for one in cancelled} == {"canceled"}
    paid = {
        f"in_{bill.id.replace('-', 'x')}"
        for bill in business.invoices
        if bill.status == "paid" and bill.settled >= oldest
    }
    assert {one.data.object.id for one in found if one.type == "invoice.paid"} == paid
    kinds = {one.type for one in found}
    assert {"customer.deleted", "invoice.voided", "invoice.marked_uncollectible", "refund.created"} <= kinds
    some = everything(client.v1.events, types=["invoice.paid", "customer.deleted"])
    assert {one.type for one in some} == {"invoice.paid", "customer.deleted"}
    assert {one.type for one in everything(client.v1.events, type="customer.subscription.*")} == {
        kind for kind in kinds if kind.startswith("customer.subscription.")
    }


def test_an_interval(client: Any, business: Business) -> None:
    since = int((business.now - timedelta(days=20)).timestamp())
    found = everything(client.v1.invoices, created={"gte": since})
    assert {one.id for one in found} == {
        f"in_{bill.id.replace('-', 'x')}" for bill in business.invoices if int(bill.period_start.timestamp()) >= since
    }


def test_the_account(client: Any) -> None:
    assert client.v1.accounts.retrieve_current().id == ACCOUNT


def test_refusals_are_what_the_client_knows(sandbox: Sandbox, client: Any, business: Business) -> None:
    http = stripe.RequestsClient()
    with pytest.raises(stripe.AuthenticationError):
        opened(sandbox, "rk_test_shut", http).v1.subscriptions.list()
    http.close()
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.invoices.retrieve("in_none")
    assert (refused.value.http_status, refused.value.code, refused.value.param) == (404, "resource_missing", "id")
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.subscriptions.list({"starting_after": "sub_none"})
    assert (refused.value.http_status, refused.value.code) == (400, "resource_missing")
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.subscriptions.list({"limit": 101})
    assert refused.value.param == "limit"
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.subscriptions.list({"nonsense": 1})
    assert refused.value.code == "parameter_unknown"
    with pytest.raises(stripe.InvalidRequestError, match="expanded"):
        client.v1.subscriptions.list({"expand": ["data.nonsense"]})
    sandbox.on_request = lambda number, path: too_many_requests()
    with pytest.raises(stripe.RateLimitError):
        client.v1.subscriptions.list()
    sandbox.on_request = None
    with serve_stripe(business, token=KEY, closed=["account"]) as restricted:
        http = stripe.RequestsClient()
        with pytest.raises(stripe.PermissionError):
            opened(restricted, http=http).v1.accounts.retrieve_current()
        http.close()
