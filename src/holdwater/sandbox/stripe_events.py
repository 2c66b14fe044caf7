"""What has happened in a simulated business, as Stripe's events of the last 30 days tell it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from holdwater.sandbox.business import DRAFT, MONTH
from holdwater.sandbox.dialect import Json
from holdwater.sandbox.records import Customer, Invoice
from holdwater.sandbox.stripe_objects import Objects, unix

KEPT = timedelta(days=30)


class Event(NamedTuple):
    id: str
    type: str
    at: datetime
    shown: Callable[[datetime], Json]  # its object, at a moment

    def json(self, version: str) -> Json:
        return {
            "id": self.id,
            "object": "event",
            "api_version": version,
            "created": unix(self.at),
            "data": {"object": self.shown(self.at)},
            "livemode": False,
            "pending_webhooks": 0,
            "request": {"id": None, "idempotency_key": None},
            "type": self.type,
        }


def events(objects: Objects) -> list[Event]:
    """Those that Stripe still has, in no particular order."""
    now = objects.business.now
    return [event for event in _all(objects) if now - KEPT <= event.at <= now]


def _all(objects: Objects) -> Iterator[Event]:
    business = objects.business
    for customer in business.customers.values():
        yield from _of_customer(objects, customer)
    for bill in business.invoices:
        if bill.settled >= business.now - KEPT:  # nothing happens to it later
            yield from _of_invoice(objects, bill)
    for refund in business.refunds.values():
        yield _event("refund.created", refund.created, refund.id, _always(objects.refund(refund)))


def _always(json: Json) -> Callable[[datetime], Json]:
    return lambda at: json


def _of_customer(objects: Objects, one: Customer) -> Iterator[Event]:
    def customer(at: datetime) -> Json:
        """As it was: what an event tells of a deleted customer is no stub."""
        return objects.customer(one, min(at, one.created))

    def subscription(at: datetime) -> Json:
        return objects.subscription(one, at)

    yield _event("customer.created", one.created, one.id, customer)
    yield _event("customer.subscription.created", one.start, one.id, subscription)
    first = max(1, (objects.business.now - KEPT - one.start) // MONTH)
    renewed = one.start + first * MONTH
    while renewed < (one.end or objects.business.now):
        yield _event("customer.subscription.updated", renewed, one.id, subscription)
        renewed += MONTH
    if one.end:
        yield _event("customer.subscription.deleted", one.end, one.id, subscription)
    if one.deleted:
        yield _event("customer.deleted", one.deleted, one.id, customer)


def _of_invoice(objects: Objects, bill: Invoice) -> Iterator[Event]:
    def invoice(at: datetime) -> Json:
        return objects.invoice(bill, at)

    yield _event("invoice.created", bill.period_start, bill.id, invoice)
    if bill.status != "draft":
        yield _event("invoice.finalized", min(bill.settled, bill.period_start + DRAFT), bill.id, invoice)
        names = {"paid": "paid", "open": "payment_failed", "void": "voided", "uncollectible": "marked_uncollectible"}
        yield _event(f"invoice.{names[bill.status]}", bill.settled, bill.id, invoice)


def _event(type_: str, at: datetime, whose: str, shown: Callable[[datetime], Json]) -> Event:
    name = "".join(part.capitalize() for part in type_.replace("_", ".").split("."))
    return Event(f"evt_{name}{whose.replace('-', 'x')}at{unix(at)}", type_, at, shown)
