"""The simulated business lives by its truth: measured here from its records alone."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from statistics import fmean, stdev
from typing import Any

import pytest

from holdwater.errors import NumError
from holdwater.sandbox import DEFAULT, NOW, REFERRALS, Business, Contact, Customer, Deal, Source, Truth, simulate

DAYS_PER_MONTH = 365.25 / 12
OLD_ENOUGH = timedelta(days=150)  # by then all but a few in 10,000 leads have been won or lost


def everything(business: Business) -> list[object]:
    return [business.now, business.contacts, business.deals, business.customers, business.owners, business.spend]


def test_the_default_business_has_the_size_a_demonstration_needs(simulated: Business) -> None:
    leads = Counter(contact.source for contact in simulated.contacts.values())
    assert set(leads) == {source.name for source in DEFAULT.sources}
    assert None in leads
    assert 5000 <= leads.total() <= 7000
    assert min(leads.values()) >= 400
    assert simulated.start == datetime(2024, 11, 1, tzinfo=UTC)
    assert simulated.now == NOW


def test_one_paid_source_is_worth_its_price_and_one_is_not() -> None:
    value = float(DEFAULT.revenue_per_customer) * DEFAULT.gross_margin / DEFAULT.churn
    worth = {
        one.name: one.conversion * value - float(one.cost_per_lead) for one in DEFAULT.sources if one.cost_per_lead
    }
    assert worth["PAID_SEARCH"] > 20
    assert worth["PAID_SOCIAL"] < -10


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_seed_gives_one_business_and_another_seed_another(seed: int) -> None:
    business = simulate(seed=seed, months=4)
    assert everything(business) == everything(simulate(seed=seed, months=4))
    assert everything(business) != everything(simulate(seed=seed + 1, months=4))


def test_a_longer_life_only_adds_to_a_shorter_one() -> None:
    earlier = simulate(months=3, now=datetime(2026, 9, 30, 12, tzinfo=UTC))
    later = simulate(months=4, now=datetime(2026, 10, 31, 12, tzinfo=UTC))
    for contact in earlier.contacts.values():
        assert later.contacts[contact.id].created == contact.created
    for deal in earlier.deals.values():
        assert later.deals[deal.id].stage_history[: len(deal.stage_history)] == deal.stage_history
    assert len(later.contacts) > len(earlier.contacts)


def test_ids_follow_creation_and_gain_a_digit_on_the_way(simulated: Business) -> None:
    for records in (simulated.contacts, simulated.deals):
        ids = list(records)
        assert ids == sorted(ids, key=int) != sorted(ids)
        moments = [record.created for record in records.values()]
        assert moments == sorted(moments)


def test_nothing_has_happened_after_now(simulated: Business) -> None:
    moments = [simulated.start]
    records: list[Contact | Deal | Customer] = [*simulated.contacts.values(), *simulated.deals.values()]
    for record in [*records, *simulated.customers.values()]:
        assert record.created <= record.modified
        moments += [record.created, record.modified]
    for deal in simulated.deals.values():
        moments += [at for at, _ in deal.stage_history] + ([deal.closed] if deal.closed else [])
    moments += [one.end for one in simulated.customers.values() if one.end]
    assert max(moments) <= NOW
    assert min(moments) == simulated.start
    assert all(moment.microsecond % 1000 == 0 and moment.tzinfo is UTC for moment in moments)
    assert NOW - max(moments) < timedelta(days=1)


def test_counts_agree(simulated: Business) -> None:
    deals = list(simulated.deals.values())
    assert {deal.status for deal in deals} == {"open", "won", "lost"}
    won = {deal.id: deal for deal in deals if deal.status == "won"}
    assert {one.deal_id for one in simulated.customers.values()} == set(won)
    for customer in simulated.customers.values():
        deal = won[customer.deal_id]
        assert (customer.start, customer.contact_id) == (deal.closed, deal.contact_id)
        assert customer.end is None or customer.end > customer.start
    lifecycles = Counter(contact.lifecycle for contact in simulated.contacts.values())
    assert lifecycles["customer"] == len(won)
    assert lifecycles["opportunity"] == len(deals) - len(won)
    for deal in deals:
        stages = {stage.id: stage.status for stage in simulated.stages}
        assert stages[deal.stage_id] == deal.status
        assert (deal.closed is None) == (deal.status == "open")
        contact = simulated.contacts[str(deal.contact_id)]
        assert deal.created > contact.created
        assert deal.source == contact.source
        assert Decimal(deal.amount).as_tuple().exponent == -2
        assert 1152 <= Decimal(deal.amount) <= 1728  # a year at 120, give or take a fifth


def test_leads_arrive_at_the_rates_of_the_truth(simulated: Business) -> None:
    months = (NOW - simulated.start) / timedelta(days=DAYS_PER_MONTH)
    leads = Counter(contact.source for contact in simulated.contacts.values())
    for source in DEFAULT.sources:
        if source.name != REFERRALS:
            expected = source.leads_per_month * months
            assert abs(leads[source.name] - expected) < 4 * math.sqrt(expected), source.name


def test_leads_convert_at_the_rates_of_the_truth(simulated: Business) -> None:
    judged: Counter[str | None] = Counter()
    won: Counter[str | None] = Counter()
    customers = {customer.contact_id for customer in simulated.customers.values()}
    for contact in simulated.contacts.values():
        if contact.created <= NOW - OLD_ENOUGH:
            judged[contact.source] += 1
            won[contact.source] += contact.id in customers
    for source in DEFAULT.sources:
        share, n = source.conversion, judged[source.name]
        assert n > 300
        assert abs(won[source.name] / n - share) < 4 * math.sqrt(share * (1 - share) / n), source.name


def test_leads_wait_as_long_as_the_truth_says(simulated: Business) -> None:
    waits = defaultdict(list)
    for deal in simulated.deals.values():
        contact = simulated.contacts[str(deal.contact_id)]
        if deal.status == "won" and deal.closed and contact.created <= NOW - OLD_ENOUGH:
            waits[contact.source].append((deal.closed - contact.created) / timedelta(days=1))
    for source in DEFAULT.sources:
        days = waits[source.name]
        assert min(days) >= 0
        assert abs(fmean(days) - source.days_to_win) < 4 * stdev(days) / math.sqrt(len(days)), source.name


def test_customers_leave_and_refer_at_the_rates_of_the_truth(simulated: Business) -> None:
    stayed, left = 0, 0
    customer_months = 0.0
    for customer in simulated.customers.values():
        months = ((customer.end or NOW) - customer.start) / timedelta(days=DAYS_PER_MONTH)
        customer_months += months
        left += customer.end is not None
        stayed += round(months) - 1 if customer.end else int(months)
    churn = left / (left + stayed)
    assert abs(churn - DEFAULT.churn) < 4 * math.sqrt(DEFAULT.churn * (1 - DEFAULT.churn) / (left + stayed))
    referred = sum(contact.source == REFERRALS for contact in simulated.contacts.values())
    expected = customer_months * DEFAULT.referral_rate / DEFAULT.source(REFERRALS).conversion
    assert abs(referred - expected) < 4 * math.sqrt(expected)


def test_spend_is_the_price_of_the_leads(simulated: Business) -> None:
    for name, price in (("PAID_SEARCH", 45), ("PAID_SOCIAL", 115)):
        rows = [row for row in simulated.spend if row.source == name]
        assert [row.month for row in rows] == [date(2024 + (10 + n) // 12, (10 + n) % 12 + 1, 1) for n in range(24)]
        leads = sum(contact.source == name for contact in simulated.contacts.values())
        assert sum(row.amount for row in rows) == price * leads
    assert {row.source for row in simulated.spend} == {"PAID_SEARCH", "PAID_SOCIAL"}


@pytest.mark.parametrize("churn", [0.0, 0.4, 1.0])
def test_each_month_the_same_share_of_customers_leaves(churn: float) -> None:
    source = Source(name="DIRECT_TRAFFIC", leads_per_month=300, conversion=1, days_to_win=1)
    truth = Truth(sources=(source,), churn=churn, referral_rate=0, revenue_per_customer=Decimal(1), gross_margin=1)
    customers = simulate(truth, months=6).customers.values()
    month = timedelta(days=DAYS_PER_MONTH)
    for number in range(1, 4 if churn < 1 else 2):
        at_risk = [one for one in customers if not one.end or one.end - one.start > (number - 0.5) * month]
        judged = [one for one in at_risk if one.start + (number + 0.01) * month < NOW]
        left = [one for one in judged if one.end and one.end - one.start < (number + 0.5) * month]
        assert len(judged) > 100
        assert abs(len(left) / len(judged) - churn) <= 4 * math.sqrt(churn * (1 - churn) / len(judged))


def test_a_truth_that_cannot_be_is_refused() -> None:
    good: dict[str, Any] = {"name": "DIRECT_TRAFFIC", "leads_per_month": 1, "conversion": 0.5, "days_to_win": 1}
    for wrong in ({"conversion": 1.5}, {"leads_per_month": -1}, {"days_to_win": 0}, {"cost_per_lead": Decimal(-1)}):
        with pytest.raises(NumError, match="DIRECT_TRAFFIC"):
            Source(**good | wrong)
    source = Source(**good)
    whole: dict[str, Any] = {
        "sources": (source,),
        "churn": 0.1,
        "referral_rate": 0.0,
        "revenue_per_customer": Decimal(1),
        "gross_margin": 0.5,
    }
    Truth(**whole)
    impossible: list[dict[str, Any]] = [
        {"churn": 1.1},
        {"gross_margin": -0.1},
        {"referral_rate": 0.1},  # without a source for the referred
        {"referral_rate": -0.1},
        {"revenue_per_customer": Decimal(-1)},
        {"sources": (source, source)},
    ]
    for change in impossible:
        with pytest.raises(NumError):
            Truth(**whole | change)
    with pytest.raises(NumError, match="PAID_SEARCH"):
        Truth(**whole).source("PAID_SEARCH")
    with pytest.raises(NumError, match="at least 1 month"):
        simulate(months=0)
