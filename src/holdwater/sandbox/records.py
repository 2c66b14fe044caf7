"""The records of a simulated business. Moments are UTC in whole milliseconds, as a CRM keeps them; ids are digits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

Lifecycle = Literal["lead", "opportunity", "customer"]
Status = Literal["open", "won", "lost"]
InvoiceStatus = Literal["draft", "open", "paid", "void", "uncollectible"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    id: str
    name: str
    email: str
    created: datetime
    modified: datetime
    archived: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    id: str
    label: str
    position: int
    probability: float
    status: Status
    created: datetime
    modified: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    id: str
    label: str
    stages: tuple[Stage, ...]
    created: datetime
    modified: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    id: str
    name: str
    email: str
    source: str | None
    owner_id: str
    lifecycle: Lifecycle
    opted_out: bool | None  # None: never asked
    legal_basis: Literal["consent", "legitimate_interest"] | None = None  # for writing to the contact
    created: datetime
    modified: datetime
    archived: datetime | None = None
    merged: tuple[str, ...] = ()  # contacts that were found to be the same person, and are archived


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal:
    """`stage_history` has when each stage was entered, oldest first; `expected_close` is a guess made at the start."""

    id: str
    name: str
    contact_id: str | None
    source: str | None
    owner_id: str
    pipeline_id: str
    stage_history: tuple[tuple[datetime, str], ...]
    status: Status
    amount: str
    currency: str
    expected_close: datetime
    closed: datetime | None
    created: datetime
    modified: datetime
    archived: datetime | None = None
    lost_reason: str | None = None

    @property
    def stage_id(self) -> str:
        return self.stage_history[-1][1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """One call or message between the firm and a contact."""

    id: str
    kind: Literal["call", "email"]
    direction: Literal["in", "out"]
    contact_id: str
    owner_id: str
    at: datetime
    created: datetime
    modified: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """The bill of one customer for one month, drafted at its start; `settled` is when it came into its status."""

    id: str
    customer_id: str
    period_start: datetime
    period_end: datetime
    amount: Decimal
    currency: str
    status: InvoiceStatus
    settled: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """What of an invoice was paid back at one time."""

    id: str
    invoice_id: str
    amount: Decimal
    created: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """Pays from `start` to `end` (None: still a customer)."""

    id: str
    contact_id: str | None
    deal_id: str
    start: datetime
    end: datetime | None
    created: datetime
    modified: datetime
    deleted: datetime | None = None  # from the billing


@dataclass(frozen=True, slots=True, kw_only=True)
class Spend:
    month: date  # its first day
    source: str | None
    amount: Decimal
    currency: str
