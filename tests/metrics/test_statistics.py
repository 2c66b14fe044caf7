"""A fit from the counts of the engine is the fit from the raw rows."""

from __future__ import annotations

import random
from collections import Counter
from contextlib import closing
from dataclasses import astuple
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb
import ibis  # type: ignore[import-untyped] # it ships no types
import numpy as np
import pytest
from customers_by_hand import with_leads
from random_books import NOW, books

from holdwater.crm.connector import Page
from holdwater.crm.records import Customer, Deal, Lead
from holdwater.metrics import statistics
from holdwater.metrics.engine import Embedded
from holdwater.models import bg_nbd, cure, gamma_gamma, retention, rfm
from holdwater.models.renewals import Renewals
from holdwater.store.database import Store

AS_OF = date(2026, 1, 10)
PURCHASES = ibis.table({"customer": "string", "day": "date", "amount_minor": "int64"}, name="purchase")
UNTIL = NOW.replace(tzinfo=None)


def purchases(seed: int, customers: int, refunds: float) -> list[tuple[str, date, int]]:
    chance, rows = random.Random(seed), []
    for number in range(customers):
        day = date(2025, 1, 1) + timedelta(days=chance.randrange(200))
        while day <= AS_OF:
            rows += [(f"c{number}", day, chance.randrange(1, 9_000)) for _ in range(chance.choice([1, 1, 2]))]
            if chance.random() < refunds:
                rows.append((f"c{number}", day + timedelta(days=chance.randrange(3)), -chance.randrange(1, 15_000)))
            if chance.random() < 0.2:
                break
            day += timedelta(days=1 + round(chance.expovariate(1 / 30)))
    chance.shuffle(rows)
    return [row for row in rows if row[1] <= AS_OF]


def counted(rows: list[tuple[str, date, int]], expression: ibis.Table) -> dict[str, np.ndarray[Any, Any]]:
    with closing(duckdb.connect(":memory:")) as database:
        database.execute("CREATE TABLE purchase (customer VARCHAR, day DATE, amount_minor BIGINT)")
        if rows:
            columns = [list(column) for column in zip(*rows, strict=True)]
            database.execute("INSERT INTO purchase SELECT unnest(?), unnest(?), unnest(?)", columns)
        found = Embedded(database).rows(expression)
    return {name: np.array([row[name] for row in found], dtype=float) for name in expression.columns}


def near(fit: Any, other: Any) -> None:
    assert list(fit.parameters.values()) == pytest.approx(list(other.parameters.values()), rel=1e-9)
    assert fit.log_likelihood == pytest.approx(other.log_likelihood, rel=1e-9)


@pytest.mark.parametrize("refunds", [0.0, 0.15, 0.7])
def test_purchase_days_settle_refunds_as_the_model_does(refunds: float) -> None:
    rows = purchases(1, 250, refunds)
    summary = rfm.summarise(*zip(*rows, strict=True), as_of=AS_OF)
    expected = Counter(zip(summary.frequency, summary.recency, summary.age, strict=True))
    found = counted(rows, statistics.purchase_histories(PURCHASES, AS_OF))
    keys = zip(found["frequency"], found["recency"], found["age"], strict=True)
    assert dict(zip(keys, found["customers"], strict=True)) == expected
    assert found["repeat_spend"].sum() == pytest.approx((summary.spend * summary.frequency).sum(), rel=1e-12)


def test_repeat_buyers_from_groups_are_those_from_rows() -> None:
    rows = purchases(2, 600, 0.05)
    summary = rfm.summarise(*zip(*rows, strict=True), as_of=AS_OF)
    found = counted(rows, statistics.purchase_histories(PURCHASES, AS_OF))
    assert len(found["age"]) < len(summary.age)
    near(
        bg_nbd.fit(found["frequency"], found["recency"], found["age"], found["customers"]),
        bg_nbd.fit(summary.frequency, summary.recency, summary.age),
    )
    spent = counted(rows, statistics.spend_groups(PURCHASES, AS_OF))
    raw = gamma_gamma.fit(summary.frequency, summary.spend)
    near(gamma_gamma.fit(spent["frequency"], spent["spend"], spent["customers"]), raw)
    coarse = counted(rows, statistics.spend_groups(PURCHASES, AS_OF, width=0.01))
    about = gamma_gamma.fit(coarse["frequency"], coarse["spend"], coarse["customers"])
    assert len(coarse["spend"]) < len(spent["spend"])
    assert float(about.expected_spend()) == pytest.approx(float(raw.expected_spend()), rel=1e-4)


def test_a_wider_step_moves_fewer_rows_for_nearly_the_same_fit() -> None:
    rows = purchases(2, 600, 0.05)
    days, weeks = (counted(rows, statistics.purchase_histories(PURCHASES, AS_OF, step=step)) for step in (1, 7))
    assert len(weeks["age"]) < len(days["age"])
    assert weeks["customers"].sum() == days["customers"].sum()
    fits = [bg_nbd.fit(one["frequency"], one["recency"], one["age"], one["customers"]) for one in (days, weeks)]
    expected = [float(fit.purchases(365)) for fit in fits]
    assert expected[1] == pytest.approx(expected[0], rel=0.02)


@pytest.fixture(scope="module")
def business(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Any], dict[str, list[dict[str, Any]]]]:
    records = books(7, 300)
    with (
        Store.open(tmp_path_factory.mktemp("statistics") / "holdwater.db") as store,
        closing(duckdb.connect(":memory:")) as database,
    ):
        store.keep("a", Page("any", records))
        engine = Embedded(database)
        engine.feed(store)
        return records, {
            "survival": engine.rows(statistics.survival_counts(UNTIL)),
            "ages": engine.rows(statistics.lead_ages(UNTIL, UNTIL + timedelta(days=999))),
            "invoices": engine.rows(statistics.paid_invoices(UNTIL)),
        }


def test_retention_from_counts_is_that_from_customers(business: tuple[list[Any], dict[str, Any]]) -> None:
    records, found = business
    made = [r for r in records if isinstance(r, Customer) and r.started_at <= NOW]
    made = [c for c in made if not (c.ended_at and c.ended_at.date() < c.started_at.date())]

    def number(moment: datetime) -> float:
        return (moment - datetime(2025, 1, 1, tzinfo=UTC)) / timedelta(days=1)

    ends = [max(number(c.ended_at), number(c.started_at)) if c.ended_at else None for c in made]
    raw = Renewals.of_customers([number(c.started_at) for c in made], ends, as_of=number(NOW), period=365.25 / 12)
    oldest = max(row["due"] for row in found["survival"])
    stayed, left = np.zeros(oldest), np.zeros(oldest)
    for row in found["survival"]:
        stayed[: row["made"]] += row["customers"]
        if row["made"] < row["due"]:
            left[row["made"]] += row["customers"]
    assert (stayed.tolist(), left.tolist()) == (raw.stayed.tolist(), raw.left.tolist())
    near(retention.fit(Renewals(stayed, left)), retention.fit(raw))
    assert len(found["survival"]) < len(made)


def test_conversion_from_counts_is_that_from_leads(business: tuple[list[Any], dict[str, Any]]) -> None:
    records, found = business
    ages, ends = [], []
    customers = with_leads(
        [r for r in records if isinstance(r, Customer)],
        [r for r in records if isinstance(r, Lead)],
        [r for r in records if isinstance(r, Deal)],
        NOW,
    )
    for lead in (r for r in records if isinstance(r, Lead) and r.created_at <= NOW):
        deals = [r for r in records if isinstance(r, Deal) and r.lead_id == lead.id and (r.created_at or NOW) <= NOW]
        wins = [d.closed_at for d in deals if d.status == "won" and d.closed_at and d.closed_at <= NOW]
        wins += [customer.started_at for customer in customers if customer.lead_id == lead.id]
        wins = [win for win in wins if win <= NOW]
        losses = [d.closed_at for d in deals if d.status == "lost" and d.closed_at and d.closed_at <= NOW]
        lost = bool(deals) and len(losses) == len(deals)
        end = min(wins) if wins else max(losses) if lost else NOW
        ages.append((end - lead.created_at) // timedelta(days=1))
        ends.append("won" if wins else "lost" if lost else "open")
    counts = {(row["days"], row["status"]): row["leads"] for row in found["ages"]}
    assert counts == Counter(zip(ages, ends, strict=True))
    days, status = zip(*counts, strict=True)
    near(cure.fit(days, status, list(counts.values())), cure.fit(ages, ends))


def test_invoices_are_purchases(business: tuple[list[Any], dict[str, Any]]) -> None:
    records, found = business
    paid = [r for r in records if type(r).__name__ == "Invoice" and r.status == "paid" and r.total]
    paid = [invoice for invoice in paid if (invoice.paid_at or invoice.issued_at) <= NOW]
    expected = Counter(
        (
            f"a {i.customer_id}",
            (i.paid_at or i.issued_at).date(),
            i.total.minor - (i.refunded.minor if i.refunded else 0),
        )
        for i in paid
    )
    assert Counter((row["customer"], row["day"], row["amount_minor"]) for row in found["invoices"]) == expected
    assert astuple(paid[0])  # there are some
