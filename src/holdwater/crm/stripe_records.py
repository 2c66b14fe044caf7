"""What Stripe's objects become: subscriptions, the customers they make, and invoices.

Stripe keeps no time of change. The time of creation stands for the version, so that of two readings the later counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from holdwater.crm.records import Customer, Invoice, Money, Subscription
from holdwater.crm.stripe_wire import WireInvoice, WireItem, WireSubscription
from holdwater.errors import BadAnswerError

# Stripe's amounts are in ISO 4217's smallest unit but for these: ISK and UGX go in hundredths though they have none,
# MGA goes whole though it has some.
_WHOLE = ("BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF")
_THOUSANDTHS = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")
_PLACES = dict.fromkeys(_WHOLE, 0) | dict.fromkeys(_THOUSANDTHS, 3)
_DAYS_IN_MONTH = Decimal("365.25") / 12
_MONTHS = {"day": 1 / _DAYS_IN_MONTH, "week": 7 / _DAYS_IN_MONTH, "month": Decimal(1), "year": Decimal(12)}
_NEVER_BEGAN = ("incomplete", "incomplete_expired")  # the first payment has not come
_ENDED = ("canceled", "incomplete_expired")


def money(amount: int | Decimal, currency: str, text: str | None = None) -> Money:
    """An amount in Stripe's unit of a currency."""
    return Money.of(Decimal(amount).scaleb(-_PLACES.get(currency, 2)), currency, text or str(amount))


def to_subscription(wire: WireSubscription) -> Subscription:
    if wire.status in _ENDED and wire.ended_at is None:
        raise BadAnswerError(f"Stripe subscription {wire.id} has ended without an ended_at; update Holdwater.")
    return Subscription(
        id=wire.id,
        customer_id=wire.customer.id,
        status=wire.status,
        started_at=wire.start_date,
        updated_at=wire.created,
        ended_at=wire.ended_at,
        monthly=_monthly(wire),
    )


def _monthly(wire: WireSubscription) -> Money | None:
    """Before discounts and tax; None where it depends on use or on a scale."""
    if wire.items.has_more or not wire.items.data:
        return None
    total, texts = Decimal(0), []
    for item in wire.items.data:
        priced = _price(item)
        if priced is None:
            return None
        total += priced[0]
        texts.append(priced[1])
    return money(total, wire.currency, " + ".join(texts))


def _price(item: WireItem) -> tuple[Decimal, str] | None:
    """The price of one item for a month, and what it was made of."""
    price, recurring = item.price, item.price.recurring
    if recurring is None or recurring.usage_type == "metered" or price.transform_quantity is not None:
        return None
    if price.unit_amount is None or item.quantity is None:
        return None
    months = _MONTHS[recurring.interval] * recurring.interval_count
    every = f"{recurring.interval_count} {recurring.interval}"
    return price.unit_amount * item.quantity / months, f"{price.unit_amount} x {item.quantity} / {every}"


@dataclass(slots=True)
class Span:
    """When somebody was a customer, by the subscriptions seen so far; `begun` None: has not paid for any yet."""

    created_at: datetime
    person: str | None
    begun: datetime | None = None
    last_end: datetime | None = None
    still: bool = False

    def take(self, wire: WireSubscription, subscription: Subscription) -> None:
        """Count one more subscription, unless nothing was ever to be paid for it."""
        self.created_at = min(self.created_at, subscription.updated_at)
        began = _began(wire, subscription)
        if began is None:
            return
        self.begun = began if self.begun is None else min(self.begun, began)
        if subscription.ended_at is None:
            self.still = True
        elif self.last_end is None or subscription.ended_at > self.last_end:
            self.last_end = subscription.ended_at

    def customer(self, id_: str) -> Customer | None:
        if self.begun is None:
            return None
        ended_at = None if self.still else self.last_end
        return Customer(
            id=id_, started_at=self.begun, updated_at=self.created_at, ended_at=ended_at, person=self.person
        )


def _began(wire: WireSubscription, subscription: Subscription) -> datetime | None:
    """When it began to cost something; None if it has not, or costs nothing."""
    if wire.status in _NEVER_BEGAN or (subscription.monthly is not None and subscription.monthly.minor == 0):
        return None
    on_trial_first = wire.trial_start is not None and wire.trial_start <= wire.start_date
    if not on_trial_first or wire.trial_end is None:
        return wire.start_date
    # Paused is what Stripe calls it when a trial is over and there is no card to charge.
    if wire.status in ("trialing", "paused") or (wire.ended_at is not None and wire.ended_at <= wire.trial_end):
        return None
    return wire.trial_end


def to_invoice(wire: WireInvoice, refunded: int) -> Invoice:
    """`refunded` is what was paid back without a credit note, in Stripe's unit."""
    details = wire.parent.subscription_details if wire.parent else None
    back = refunded + wire.pre_payment_credit_notes_amount + wire.post_payment_credit_notes_amount
    periods = [] if wire.lines.has_more else [line.period for line in wire.lines.data]
    return Invoice(
        id=wire.id,
        customer_id=wire.customer,
        status=wire.status,
        issued_at=wire.effective_at or wire.status_transitions.finalized_at or wire.created,
        updated_at=wire.created,
        subscription_id=details.subscription if details else None,
        paid_at=wire.status_transitions.paid_at,
        period_start=min((period.start for period in periods), default=None),
        period_end=max((period.end for period in periods), default=None),
        total=money(wire.total, wire.currency),
        refunded=money(back, wire.currency),
    )
