"""Records and connectors for the tests of the store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from holdwater.crm.connector import Page
from holdwater.crm.records import (
    Activity,
    Consent,
    Customer,
    Deal,
    Invoice,
    Lead,
    Money,
    Owner,
    Record,
    Spend,
    Stage,
    StageEvent,
    Subscription,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def lead(number: int = 1, *, version: int = 0, source: str | None = "email") -> Lead:
    return Lead(id=str(number), created_at=NOON, updated_at=NOON + timedelta(seconds=version), source=source)


def one_of_each() -> list[Record]:
    amount = Money.of(Decimal("12.50"), "EUR", "12,50 €")
    return [
        Owner(id="1", updated_at=NOON, archived=True),
        Stage(id="1", pipeline_id="p", label="New", position=0, closed=False, won=False, updated_at=NOON),
        lead(),
        Deal(id="1", status="won", created_at=NOON, updated_at=NOON, lead_id="1", closed_at=NOON, amount=amount),
        StageEvent(id="1", deal_id="1", stage_id="1", entered_at=NOON, updated_at=NOON),
        Activity(id="1", kind="call", direction="out", occurred_at=NOON, updated_at=NOON, lead_id="1"),
        Consent(id="1", lead_id="1", channel="email", status="unknown", updated_at=NOON),
        Customer(id="1", started_at=NOON, updated_at=NOON),
        Subscription(id="1", customer_id="1", status="active", started_at=NOON, updated_at=NOON, monthly=amount),
        Invoice(id="1", customer_id="1", status="paid", issued_at=NOON, updated_at=NOON, total=amount),
        Spend(id="1", day=date(2026, 3, 1), amount=amount, updated_at=NOON),
    ]


@dataclass
class Scripted:
    """A connector that delivers prepared pages and remembers which watermarks it was given."""

    script: Sequence[Page | Exception]
    connection: str = "test:1"
    asked: list[dict[str, datetime]] = field(default_factory=list)

    def pages(self, watermarks: Mapping[str, datetime]) -> Iterator[Page]:
        self.asked.append(dict(watermarks))
        for page in self.script:
            if isinstance(page, Exception):
                raise page
            yield page


@dataclass
class Counting(Scripted):
    requests: int = 3
    retries: int = 2
    throttled_seconds: float = 1.5
