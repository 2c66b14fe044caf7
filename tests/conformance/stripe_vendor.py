"""Stripe for the conformance suite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from happenings import Happenings

from holdwater.crm.client import Client
from holdwater.crm.credentials import Token
from holdwater.crm.records import Customer, Invoice, Money, Record, Subscription
from holdwater.crm.stripe import MANNERS, Stripe
from holdwater.sandbox import Business, Sandbox
from holdwater.sandbox.stripe import serve_stripe


def connect(sandbox: Sandbox) -> Stripe:
    return Stripe(Client(sandbox.url, Token(sandbox.token, "the sandbox"), manners=MANNERS))


def second(at: datetime) -> datetime:
    return at.replace(microsecond=0)


def maybe_second(at: datetime | None) -> datetime | None:
    return at and second(at)


def invoice_id(bill_id: str) -> str:
    return "in_{}x{}".format(*bill_id.split("-"))


def expected(business: Business) -> Mapping[str, Sequence[Record]]:
    """All amounts of the suite are in dollars."""
    price = business.truth.revenue_per_customer
    refunded = {bill.id: Decimal(0) for bill in business.invoices}
    for refund in business.refunds.values():
        refunded[refund.invoice_id] += refund.amount
    return {
        "customers": [
            Customer(
                id=f"cus_{one.id}",
                started_at=second(one.start),
                updated_at=second(one.start),
                ended_at=maybe_second(one.end),
            )
            for one in business.customers.values()
        ],
        "subscriptions": [
            Subscription(
                id=f"sub_{one.id}",
                customer_id=f"cus_{one.id}",
                status="canceled" if one.end else "active",
                started_at=second(one.start),
                updated_at=second(one.start),
                ended_at=maybe_second(one.end),
                monthly=Money.of(price, "USD", f"{price * 100:.0f} x 1 / 1 month"),
            )
            for one in business.customers.values()
        ],
        "invoices": [
            Invoice(
                id=invoice_id(bill.id),
                customer_id=f"cus_{bill.customer_id}",
                status=bill.status,
                issued_at=second(
                    bill.period_start
                    if bill.status == "draft"
                    else min(bill.settled, bill.period_start + timedelta(hours=1))
                ),
                updated_at=second(bill.period_start),
                subscription_id=f"sub_{bill.customer_id}",
                paid_at=second(bill.settled) if bill.status == "paid" else None,
                period_start=second(bill.period_start),
                period_end=second(bill.period_end),
                total=Money.of(price, "USD", f"{price * 100:.0f}"),
                refunded=Money.of(refunded[bill.id], "USD", f"{refunded[bill.id] * 100:.0f}"),
            )
            for bill in business.invoices
        ],
    }


def delete(business: Business) -> int:
    """A customer who was deleted was one all the same: a row of the store changes, and none goes."""
    business.delete_customer(next(one.id for one in business.customers.values() if not one.end))
    return 0


def vanish(business: Business) -> int:
    before = len(business.invoices)
    for id_ in list(business.customers)[:7]:
        del business.customers[id_]
    return 7 + 7 + before - len(business.invoices)


def edit_all(business: Business) -> None:
    for id_, one in business.customers.items():
        if not one.end:
            business.customers[id_] = replace(one, end=business.now, modified=business.now)


def change(business: Business, number: int) -> None:
    """Old customers leave; new ones come, and their bills are paid back."""
    customer = list(business.customers.values())[number]
    if not customer.end:
        business.end_customer(customer.id)
    business.refund(f"{customer.id}-1", Decimal("1.50"))
    business.win(business.open_deal(None).id)


HAPPENINGS = Happenings(delete, vanish, edit_all, change)
COMPUTED = frozenset({("subscriptions", "monthly_minor")})
STRIPE = ("stripe", serve_stripe, connect, expected, HAPPENINGS, COMPUTED)
