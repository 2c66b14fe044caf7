"""A simulated business as Stripe shows it, at any moment of its past: moments in seconds, amounts in the smallest unit.

One subscription a customer, with one item of one price; customers are named after the business's own numbers.
"""

from __future__ import annotations

from collections.abc import Set
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from holdwater.sandbox.business import DRAFT, MONTH, Business
from holdwater.sandbox.dialect import Json
from holdwater.sandbox.records import Customer, Invoice, Refund

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WHOLE = {"BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"}
_THOUSANDTHS = {"BHD", "JOD", "KWD", "OMR", "TND"}
_PRICE, _PRODUCT = "price_simulatedMonthly", "prod_simulated"


def unix(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(seconds=1)


def maybe_unix(moment: datetime | None) -> int | None:
    return None if moment is None else unix(moment)


def smallest(amount: Decimal, currency: str) -> int:
    """An amount as Stripe writes it."""
    places = 0 if currency in _WHOLE else 3 if currency in _THOUSANDTHS else 2
    return int(amount.scaleb(places))


def invoice_id(bill_id: str) -> str:
    return f"in_{bill_id.replace('-', 'x')}"


class Objects:
    """Renders the records of one business; `at` is the moment that is shown, an object's past as events have it.

    `parts` names the other objects that come in full instead of as their ids, or at all.
    """

    def __init__(self, business: Business) -> None:
        self.business = business

    def customer(self, one: Customer, at: datetime) -> Json:
        """Of a deleted one, only a stub."""
        if one.deleted and one.deleted <= at:
            return {"id": f"cus_{one.id}", "object": "customer", "deleted": True}
        contact = self.business.contacts.get(one.contact_id or "")
        return {
            "id": f"cus_{one.id}",
            "object": "customer",
            "address": None,
            "balance": 0,
            "created": unix(one.created),
            "currency": self._currency,
            "default_source": None,
            "delinquent": False,
            "description": None,
            "email": contact.email if contact else None,
            "invoice_prefix": f"SIM{one.id}",
            "livemode": False,
            "metadata": {},
            "name": contact.name if contact else None,
            "phone": None,
            "preferred_locales": [],
            "shipping": None,
            "tax_exempt": "none",
            "test_clock": None,
        }

    def subscription(self, one: Customer, at: datetime, parts: Set[str] = frozenset()) -> Json:
        ended = one.end if one.end and one.end <= at else None
        return {
            "id": f"sub_{one.id}",
            "object": "subscription",
            "billing_cycle_anchor": unix(one.start),
            "cancel_at": None,
            "cancel_at_period_end": False,
            "canceled_at": maybe_unix(ended),
            "collection_method": "charge_automatically",
            "created": unix(one.start),
            "currency": self._currency,
            "customer": self._customer(one.id, at, parts),
            "days_until_due": None,
            "discounts": [],
            "ended_at": maybe_unix(ended),
            "items": _list(f"/v1/subscription_items?subscription=sub_{one.id}", [self._item(one, ended or at)]),
            "livemode": False,
            "metadata": {},
            "start_date": unix(one.start),
            "status": "canceled" if ended else "active",
            "test_clock": None,
            "trial_end": None,
            "trial_start": None,
        }

    def _customer(self, id_: str, at: datetime, parts: Set[str]) -> str | Json:
        return self.customer(self.business.customers[id_], at) if "customer" in parts else f"cus_{id_}"

    def _item(self, one: Customer, at: datetime) -> Json:
        """The only place that tells which period is running."""
        begun = one.start + max(0, (at - one.start) // MONTH) * MONTH
        return {
            "id": f"si_{one.id}",
            "object": "subscription_item",
            "created": unix(one.start),
            "current_period_end": unix(begun + MONTH),
            "current_period_start": unix(begun),
            "discounts": [],
            "metadata": {},
            "price": self._price(),
            "quantity": 1,
            "subscription": f"sub_{one.id}",
            "tax_rates": [],
        }

    def _price(self) -> Json:
        amount = smallest(self.business.truth.revenue_per_customer, self.business.truth.currency)
        recurring = {
            "interval": "month",
            "interval_count": 1,
            "meter": None,
            "trial_period_days": None,
            "usage_type": "licensed",
        }
        return {
            "id": _PRICE,
            "object": "price",
            "active": True,
            "billing_scheme": "per_unit",
            "created": unix(self.business.start),
            "currency": self._currency,
            "livemode": False,
            "lookup_key": None,
            "metadata": {},
            "nickname": None,
            "product": _PRODUCT,
            "recurring": recurring,
            "tax_behavior": "unspecified",
            "tiers_mode": None,
            "transform_quantity": None,
            "type": "recurring",
            "unit_amount": amount,
            "unit_amount_decimal": str(amount),
        }

    def invoice(self, bill: Invoice, at: datetime, parts: Set[str] = frozenset()) -> Json:
        status = bill.status if bill.settled <= at else "draft"
        settled = {
            "marked_uncollectible_at": unix(bill.settled) if status == "uncollectible" else None,
            "paid_at": unix(bill.settled) if status == "paid" else None,
            "voided_at": unix(bill.settled) if status == "void" else None,
        }
        finalized = None if status == "draft" else unix(min(bill.settled, bill.period_start + DRAFT))
        first = bill.id.endswith("-1")
        amount = smallest(bill.amount, bill.currency)
        paid = amount if status == "paid" else 0
        id_ = invoice_id(bill.id)
        payments = [self.payment(bill)] if status == "paid" else []
        more = {"payments": _list(f"/v1/invoice_payments?invoice={id_}", payments)} if "payments" in parts else {}
        return more | {
            "id": id_,
            "object": "invoice",
            "amount_due": amount,
            "amount_overpaid": 0,
            "amount_paid": paid,
            "amount_remaining": amount - paid,
            "attempted": status != "draft",
            "auto_advance": status in ("draft", "open"),
            "billing_reason": "subscription_create" if first else "subscription_cycle",
            "collection_method": "charge_automatically",
            "created": unix(bill.period_start),
            "currency": bill.currency.lower(),
            "customer": self._customer(bill.customer_id, at, parts),
            "discounts": [],
            "effective_at": finalized,
            "ending_balance": None if status == "draft" else 0,
            "lines": _list(f"/v1/invoices/{id_}/lines", [_line(bill, amount)]),
            "livemode": False,
            "metadata": {},
            "number": None if status == "draft" else f"SIM{bill.id}",
            "parent": {
                "type": "subscription_details",
                "quote_details": None,
                "subscription_details": {"metadata": {}, "subscription": f"sub_{bill.customer_id}"},
            },
            # Of the invoice itself, the period that is over: what is billed for stands at the line.
            "period_end": unix(bill.period_start),
            "period_start": unix(bill.period_start if first else bill.period_start - MONTH),
            "post_payment_credit_notes_amount": 0,
            "pre_payment_credit_notes_amount": 0,
            "starting_balance": 0,
            "status": status,
            "status_transitions": {"finalized_at": finalized, **settled},
            "subtotal": amount,
            "test_clock": None,
            "total": amount,
            "total_excluding_tax": amount,
            "total_taxes": [],
        }

    def payment(self, bill: Invoice) -> Json:
        """What was paid on a paid invoice."""
        amount = smallest(bill.amount, bill.currency)
        return {
            "id": f"inpay_{bill.id.replace('-', 'x')}",
            "object": "invoice_payment",
            "amount_paid": amount,
            "amount_requested": amount,
            "created": unix(bill.settled),
            "currency": bill.currency.lower(),
            "invoice": invoice_id(bill.id),
            "is_default": True,
            "livemode": False,
            "payment": {"type": "payment_intent", "payment_intent": payment_intent(bill.id)},
            "status": "paid",
            "status_transitions": {"canceled_at": None, "paid_at": unix(bill.settled)},
        }

    def refund(self, one: Refund) -> Json:
        return {
            "id": f"re_{one.id}",
            "object": "refund",
            "amount": smallest(one.amount, self.business.truth.currency),
            "balance_transaction": f"txn_{one.id}",
            "charge": f"ch_{one.invoice_id.replace('-', 'x')}",
            "created": unix(one.created),
            "currency": self._currency,
            "metadata": {},
            "payment_intent": payment_intent(one.invoice_id),
            "reason": "requested_by_customer",
            "status": "succeeded",
        }

    @property
    def _currency(self) -> str:
        return self.business.truth.currency.lower()


def payment_intent(bill_id: str) -> str:
    return f"pi_{bill_id.replace('-', 'x')}"


def _line(bill: Invoice, amount: int) -> Json:
    details = {
        "proration": False,
        "subscription": f"sub_{bill.customer_id}",
        "subscription_item": f"si_{bill.customer_id}",
    }
    return {
        "id": f"il_{bill.id.replace('-', 'x')}",
        "object": "line_item",
        "amount": amount,
        "currency": bill.currency.lower(),
        "description": "Simulated subscription",
        "discountable": True,
        "discounts": [],
        "invoice": invoice_id(bill.id),
        "livemode": False,
        "metadata": {},
        "parent": {"type": "subscription_item_details", "subscription_item_details": details},
        "period": {"end": unix(bill.period_end), "start": unix(bill.period_start)},
        "pricing": {
            "type": "price_details",
            "price_details": {"price": _PRICE, "product": _PRODUCT},
            "unit_amount_decimal": str(amount),
        },
        "quantity": 1,
        "subtotal": amount,
        "taxes": [],
    }


def _list(url: str, data: list[Json]) -> Json:
    """A list inside an object, which is short enough to be there in full."""
    return {"object": "list", "data": data, "has_more": False, "url": url}
