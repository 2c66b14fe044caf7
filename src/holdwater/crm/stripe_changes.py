"""What Stripe's events say has changed; the objects themselves are then read as they are now.

An event shows its object in the API version that the account had at that moment and as it was then, so no more is taken
from it than whom or what it is about. None stands for what only a reading of everything can tell.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from holdwater.crm.stripe_api import Api
from holdwater.crm.stripe_refunds import Refunds
from holdwater.crm.stripe_wire import WireEvent, WirePayment, read
from holdwater.errors import BadAnswerError

KEPT = timedelta(days=29)  # Stripe keeps events for 30 days, and counts them by its own clock
SINGLY = 100  # read one by one; more are sooner read as pages of everything

_CUSTOMERS = (
    "customer.updated",
    "customer.deleted",
    "customer.subscription.created",
    "customer.subscription.updated",
    "customer.subscription.deleted",
    "customer.subscription.paused",
    "customer.subscription.resumed",
    "customer.subscription.pending_update_applied",
)
_INVOICES = (  # Stripe takes 20 names at most
    "invoice.deleted",
    "invoice.finalized",
    "invoice.marked_uncollectible",
    "invoice.overpaid",
    "invoice.paid",
    "invoice.payment_succeeded",
    "invoice.updated",
    "invoice.voided",
    "credit_note.created",
    "credit_note.updated",
    "credit_note.voided",
    "charge.refunded",
    "charge.refund.updated",
    "refund.created",
    "refund.updated",
    "refund.failed",
)


def changed_customers(api: Api, since: datetime) -> list[str] | None:
    """With whom or whose subscriptions something has happened.

    The subscriptions of a deleted customer are read among all others: a list of theirs alone may be refused.
    """
    found: set[str] = set()
    try:
        for event in _events(api, _CUSTOMERS, since):
            about = event.data.object
            who = about.id if about.object == "customer" else about.customer
            if event.type == "customer.deleted" or who is None:
                return None
            found.add(who)
            if len(found) > SINGLY:
                return None
    except _UnclearError:
        return None
    return sorted(found)


@dataclass(slots=True)
class ChangedInvoices:
    """`start`: all that were made since then are to be read; `singly`: these too; `deleted`: drafts that went."""

    start: datetime
    singly: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)


def changed_invoices(api: Api, since: datetime, refunds: Refunds) -> ChangedInvoices | None:
    """The invoices that are new, changed, credited, refunded or deleted."""
    changed = ChangedInvoices(since)
    older: dict[str, datetime] = {}  # when each was made
    paid_back: set[str] = set()  # refunds and charges
    try:
        for event in _events(api, _INVOICES, since):
            about = event.data.object
            if event.type == "invoice.deleted":
                changed.deleted.add(about.id)
            elif about.object == "invoice" and about.created is not None:
                older[about.id] = about.created
            elif about.object == "credit_note" and about.invoice is not None:
                changed.singly.add(about.invoice)
            elif about.object in ("refund", "charge"):
                paid_back.add(about.id)
            else:
                return None
    except _UnclearError:
        return None
    older = {id_: made for id_, made in older.items() if made < since}
    if len(older) > SINGLY:
        changed.start = min(older.values())
    else:
        changed.singly |= older.keys()
    for intent in refunds.payment_intents(since, paid_back):
        if intent is None:
            return None
        for rows in api.payments(payment_intent=intent):
            for row in rows:
                changed.singly.add(read(WirePayment, row, f"A payment of Stripe payment intent {intent}").invoice)
    changed.singly -= changed.deleted
    return changed


class _UnclearError(Exception):
    """An event that cannot be read."""


def _events(api: Api, types: tuple[str, ...], since: datetime) -> Iterator[WireEvent]:
    for rows in api.events(types, since):
        for row in rows:
            try:
                event = read(WireEvent, row, "A Stripe event")
            except BadAnswerError:
                raise _UnclearError from None
            yield event
