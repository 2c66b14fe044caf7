"""The canonical records: what every connector delivers and the store keeps.

Times are aware UTC datetimes. A missing value is None, never zero and never an empty string.
`updated_at` is the version: the store replaces a row only by a newer one.
Personal data has no field here, so it cannot be kept by accident.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from typing import Literal

# ISO 4217 currencies whose minor unit is not a hundredth.
_NO_MINOR_UNIT = ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV",
                  "XAF", "XOF", "XPF")  # fmt: skip
_THOUSANDTHS = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")
_EXPONENTS = dict.fromkeys(_NO_MINOR_UNIT, 0) | dict.fromkeys(_THOUSANDTHS, 3)


def minor_units(currency: str) -> int:
    """How many of its smallest units make one of the currency."""
    return int(10 ** _EXPONENTS.get(currency, 2))


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units (cents), its currency, and the text it came from."""

    minor: int
    currency: str
    text: str

    @classmethod
    def of(cls, amount: Decimal, currency: str, text: str) -> Money:
        exponent = _EXPONENTS.get(currency, 2)
        minor = amount.scaleb(exponent).to_integral_value(rounding=ROUND_HALF_EVEN)
        return cls(int(minor), currency, text)

    @property
    def amount(self) -> Decimal:
        return Decimal(self.minor).scaleb(-_EXPONENTS.get(self.currency, 2))


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    id: str
    updated_at: datetime
    archived: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage of one pipeline; `id` is unique within the source."""

    id: str
    pipeline_id: str
    label: str
    position: int
    closed: bool
    won: bool
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """One person or company at first contact.

    `person` is the keyed hash of an e-mail address, which joins the lead to a payer; the address itself is never kept.
    """

    id: str
    created_at: datetime
    updated_at: datetime
    source: str | None = None
    source_raw: str | None = None
    owner_id: str | None = None
    person: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal:
    """One sale in progress or ended; won deals make a lead a customer."""

    id: str
    status: Literal["open", "won", "lost"]
    created_at: datetime | None
    updated_at: datetime
    lead_id: str | None = None
    closed_at: datetime | None = None
    amount: Money | None = None
    pipeline_id: str | None = None
    stage_id: str | None = None
    owner_id: str | None = None
    lost_reason: str | None = None
    lost_reason_raw: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StageEvent:
    """A deal came into a stage. `id` is made of the deal, the moment and the stage: it is the same each time."""

    id: str
    deal_id: str
    stage_id: str
    entered_at: datetime
    updated_at: datetime
    pipeline_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """One contact with a lead or customer: who approached whom, and when; never what was said."""

    id: str
    kind: Literal["call", "email", "meeting", "note", "task", "message"]
    direction: Literal["in", "out"] | None
    occurred_at: datetime
    updated_at: datetime
    lead_id: str | None = None
    deal_id: str | None = None
    owner_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What a person allows on one channel. `unknown` is an answer too: nobody asked."""

    id: str
    lead_id: str
    channel: str
    status: Literal["opted_in", "opted_out", "unknown"]
    updated_at: datetime
    recorded_at: datetime | None = None
    legal_basis: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """One customer, from the first payment to the last (None: still a customer)."""

    id: str
    started_at: datetime
    updated_at: datetime
    lead_id: str | None = None
    ended_at: datetime | None = None
    person: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """What one customer has agreed to pay again and again; `monthly` is its price brought to a month."""

    id: str
    customer_id: str
    status: str
    started_at: datetime
    updated_at: datetime
    ended_at: datetime | None = None
    monthly: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """One bill, the span it is for, and what of it was paid back."""

    id: str
    customer_id: str
    status: Literal["draft", "open", "paid", "void", "uncollectible"]
    issued_at: datetime
    updated_at: datetime
    subscription_id: str | None = None
    paid_at: datetime | None = None
    period_start: datetime | None = None
    period_end: datetime | None = None
    total: Money | None = None
    refunded: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spend:
    """Money spent to win leads of one source on one day."""

    id: str
    day: date
    amount: Money
    updated_at: datetime
    source: str | None = None
    source_raw: str | None = None


Record = (
    Owner | Stage | Lead | Deal | StageEvent | Activity | Consent | Customer | Subscription | Invoice | Spend
)  # fmt: skip

STREAMS: Mapping[str, type[Record]] = {
    "owners": Owner,
    "stages": Stage,
    "leads": Lead,
    "deals": Deal,
    "stage_events": StageEvent,
    "activities": Activity,
    "consents": Consent,
    "customers": Customer,
    "subscriptions": Subscription,
    "invoices": Invoice,
    "spend": Spend,
}


def id_text(number: int | None) -> str | None:
    """The canonical id of a record that its CRM numbers."""
    return None if number is None else str(number)


@lru_cache(maxsize=1024)  # the same few for hundreds of thousands of records
def source_name(text: str | None) -> str | None:
    """One spelling for one source: `Paid Search`, `PAID_SEARCH` and `paid-search` are `paid_search`."""
    return re.sub(r"[\s\-_]+", "_", (text or "").strip()).casefold().strip("_") or None
