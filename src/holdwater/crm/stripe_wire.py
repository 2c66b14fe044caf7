"""What Stripe's answers look like in the API version that every request asks for.

Times are whole seconds since 1970, amounts whole numbers in Stripe's smallest unit of the currency, and another object
stands as its id or, where a request asks for that, in full. An error names the object and the field, never a value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from holdwater.crm import wire
from holdwater.crm.wire import Model, Wire, Written

VERSION = "2026-10-28.endive"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_YEAR_10000 = 253_402_300_800
_ID = "[A-Za-z0-9_-]{1,255}"  # a customer's may be of the firm's own making: an address or a name is not taken


def seconds(at: datetime) -> int:
    """A moment as Stripe wants it in a question."""
    return (at - _EPOCH) // timedelta(seconds=1)


def _moment(value: object) -> datetime:
    if type(value) is not int or not 0 <= value < _YEAR_10000:
        raise ValueError("not a moment")
    return _EPOCH + timedelta(seconds=value)


def _decimal(value: object) -> Decimal:
    # Decimal itself would also take underscores, and the digits of every script.
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{1,14}(\.[0-9]{1,12})?", value):
        raise ValueError("not a plain number")
    return Decimal(value)


def _code(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch("[a-z]{3}", value):
        raise ValueError("not a currency")
    return value.upper()


def _bare(value: object) -> object:
    return value.get("id") if isinstance(value, Mapping) else value


Id = Annotated[str, Field(pattern=f"^{_ID}$", strict=True)]
Reference = Annotated[Id, BeforeValidator(_bare)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
Amount = Annotated[int, Field(gt=-(10**14), lt=10**14, strict=True)]  # the store's integers end not far beyond
Currency = Annotated[str, BeforeValidator(_code)]
Count = Annotated[int, Field(ge=0, lt=10**9, strict=True)]
Yes = Annotated[bool, Field(strict=True)]


class Listing(Wire):
    """A page of a list; its objects are read one by one, so that an error can name the one."""

    data: list[Any]
    has_more: Yes


class WireAccount(Wire):
    id: Annotated[str, Field(pattern="^acct_[A-Za-z0-9]{1,64}$", strict=True)]


class WireCustomer(Wire):
    """A customer as part of a subscription; of a deleted one there is nothing but its id."""

    id: Id
    deleted: Yes = False
    email: Written | None = None


class _Recurring(Wire):
    interval: Literal["day", "week", "month", "year"]
    interval_count: Annotated[int, Field(gt=0, lt=10**4, strict=True)]
    usage_type: Literal["licensed", "metered"]


class _Price(Wire):
    unit_amount: Annotated[Decimal, BeforeValidator(_decimal)] | None = Field(None, alias="unit_amount_decimal")
    recurring: _Recurring | None = None
    transform_quantity: object = None  # sold by the dozen, for instance


class WireItem(Wire):
    quantity: Count | None = None
    price: _Price


class _Items(Wire):
    data: list[WireItem]
    has_more: Yes


Status = Literal["incomplete", "incomplete_expired", "trialing", "active", "past_due", "canceled", "unpaid", "paused"]


class WireSubscription(Wire):
    """The periods that are running now stand at the items, none at the subscription itself."""

    id: Id
    customer: WireCustomer
    status: Status
    currency: Currency
    created: Moment
    start_date: Moment
    trial_start: Moment | None = None
    trial_end: Moment | None = None
    ended_at: Moment | None = None
    items: _Items


class _Period(Wire):
    start: Moment
    end: Moment


class _Line(Wire):
    period: _Period


class _Lines(Wire):
    data: list[_Line]
    has_more: Yes


class _SubscriptionDetails(Wire):
    subscription: Reference


class _Parent(Wire):
    subscription_details: _SubscriptionDetails | None = None


class _Paid(Wire):
    payment_intent: Reference | None = None
    charge: Reference | None = None


class WirePayment(Wire):
    """What was paid on one invoice, and with what."""

    invoice: Reference
    payment: _Paid


class _Payments(Wire):
    data: list[WirePayment]
    has_more: Yes


class _Transitions(Wire):
    finalized_at: Moment | None = None
    paid_at: Moment | None = None


class WireInvoice(Wire):
    """Its own period looks back on what was used before; what is billed for stands at its lines."""

    id: Id
    customer: Reference
    status: Literal["draft", "open", "paid", "void", "uncollectible"]
    currency: Currency
    created: Moment
    effective_at: Moment | None = None
    status_transitions: _Transitions
    total: Amount
    pre_payment_credit_notes_amount: Annotated[Amount, Field(ge=0)]
    post_payment_credit_notes_amount: Annotated[Amount, Field(ge=0)]
    parent: _Parent | None = None
    lines: _Lines
    payments: _Payments


class WireRefund(Wire):
    id: Id
    created: Moment
    amount: Annotated[Amount, Field(ge=0)]
    status: Literal["pending", "requires_action", "succeeded", "failed", "canceled"] | None = None
    payment_intent: Reference | None = None
    charge: Reference | None = None


class _Covered(Wire):
    refund: Reference | None = None
    amount_refunded: Annotated[Amount, Field(ge=0)]


class WireCreditNote(Wire):
    """A correction of an invoice; `refunds` are what of it was paid back."""

    id: Id
    status: Literal["issued", "void"]
    refunds: tuple[_Covered, ...] = ()


class _Changed(Wire):
    """What an event is about, in the API version that the account had then: the few fields that all versions share."""

    id: Id
    object: str
    created: Moment | None = None
    customer: Reference | None = None
    invoice: Reference | None = None


class _Data(Wire):
    object: _Changed


class WireEvent(Wire):
    type: str
    data: _Data


def read(model: type[Model], answer: object, what: str) -> Model:
    return wire.read(model, answer, what, "Stripe")


def name_of(answer: object) -> str | None:
    """The id of an object where it is one."""
    return id_of(answer) if isinstance(answer, Mapping) else None


def id_of(value: object) -> str | None:
    """The id of an object that stands as its id or in full."""
    found = _bare(value)
    return found if isinstance(found, str) and re.fullmatch(_ID, found) else None
