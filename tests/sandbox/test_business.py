from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from holdwater.errors import NumError
from holdwater.sandbox import Business, Contact, Owner


def test_a_deal_is_won(small: Business) -> None:
    before, leads = small.now, len(small.contacts)
    contact = small.add_contact(source="ORGANIC_SEARCH", at=before + timedelta(hours=1), opted_out=True)
    assert (contact.created, contact.lifecycle, len(small.contacts)) == (small.now, "lead", leads + 1)
    deal = small.open_deal(contact.id, amount=Decimal("99.5"), at=before + timedelta(hours=2))
    assert (deal.amount, deal.source, deal.status, deal.closed) == ("99.50", "ORGANIC_SEARCH", "open", None)
    assert small.contacts[contact.id].lifecycle == "opportunity"
    small.move(deal.id, "contractsent", before + timedelta(hours=3))
    customer = small.win(deal.id, before + timedelta(hours=4))
    deal = small.deals[deal.id]
    assert (deal.status, deal.stage_id, deal.closed) == ("won", "closedwon", before + timedelta(hours=4))
    assert [stage for _, stage in deal.stage_history] == ["qualifiedtobuy", "contractsent", "closedwon"]
    assert small.contacts[contact.id].lifecycle == "customer"
    assert small.contacts[contact.id].modified == deal.modified == customer.start == small.now
    assert small.end_customer(customer.id, small.now + timedelta(days=1)).end == small.now


def test_a_lost_deal_makes_no_customer(small: Business) -> None:
    customers = len(small.customers)
    deal = small.open_deal(None)
    assert small.lose(deal.id).status == "lost"
    assert (deal.contact_id, deal.created, len(small.customers)) == (None, small.now, customers)


def test_moments_are_whole_milliseconds_in_utc(small: Business) -> None:
    at = datetime(2026, 11, 1, 1, 2, 3, 456789, tzinfo=UTC)
    contact = small.add_contact(source=None, at=at.astimezone())
    assert contact.created == small.now == datetime(2026, 11, 1, 1, 2, 3, 456000, tzinfo=UTC)


@pytest.mark.parametrize(
    "change",
    [
        lambda business: business.add_contact(source=None, at=business.now - timedelta(seconds=1)),
        lambda business: business.add_contact(source=None, at=datetime(2027, 1, 1)),  # noqa: DTZ001 - the point
        lambda business: business.win("1"),
        lambda business: business.open_deal("1"),
        lambda business: business.move(next(iter(business.deals)), "nowhere"),
        lambda business: business.win(next(one.id for one in business.deals.values() if one.status == "lost")),
        lambda business: business.end_customer(next(one.id for one in business.customers.values() if one.end)),
        lambda business: business.end_customer("1"),
        lambda business: business.archive_deal("1"),
        lambda business: business.archive_contact("1"),
    ],
)
def test_what_cannot_happen_changes_nothing(small: Business, change: Callable[[Business], object]) -> None:
    before = (small.now, dict(small.contacts), dict(small.deals), dict(small.customers))
    with pytest.raises(NumError):
        change(small)
    assert (small.now, small.contacts, small.deals, small.customers) == before


def test_an_archived_deal_moves_no_more(small: Business) -> None:
    deal = small.open_deal(None)
    archived = small.archive_deal(deal.id, small.now + timedelta(minutes=1))
    assert archived.archived == archived.modified == small.now
    with pytest.raises(NumError, match="archived"):
        small.win(deal.id)


def test_exports(small: Business, tmp_path: Path) -> None:
    spend, customers = small.write_exports(tmp_path / "exports")
    assert [path.name for path in (spend, customers)] == ["spend.csv", "customers.csv"]
    with spend.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["month"] for row in rows] == ["2026-08-01", "2026-09-01", "2026-10-01"]
    for row in rows:
        month = date.fromisoformat(row["month"])
        leads = sum(
            (one.created.year, one.created.month) == (month.year, month.month) for one in small.contacts.values()
        )
        assert row["amount"] == f"{leads * 12.5:.2f}"
        assert (row["source"], row["currency"]) == ("paid_search", "USD")
    with customers.open(encoding="utf-8", newline="") as file:
        listed = list(csv.DictReader(file))
    assert len(listed) == len(small.customers)
    for line, one in zip(listed, small.customers.values(), strict=True):
        ended = one.end.date().isoformat() if one.end else ""
        assert list(line.values()) == [one.id, one.contact_id, one.start.date().isoformat(), ended]
    assert any(line["ended"] for line in listed)
    assert any(not line["ended"] for line in listed)


def test_everything_a_person_can_see_says_simulated(small: Business) -> None:
    labels = [small.pipeline.label, *(stage.label for stage in small.stages)]
    people: list[Owner | Contact] = [*small.owners, *small.contacts.values()]
    names = [one.name for one in people] + [one.name for one in small.deals.values()]
    assert all(name.startswith("Simulated ") for name in labels + names)
    mails = [one.email for one in people]
    assert all(mail.startswith("simulated.") and mail.endswith("@example.com") for mail in mails)
    assert len(set(mails)) == len(mails)


def test_a_merged_contact_leaves_what_it_had_to_the_winner(small: Business) -> None:
    loser, winner = small.add_contact(source="FAIR"), small.add_contact(source=None)
    deal, call = small.open_deal(loser.id), small.note_activity(loser.id, "call", "out")
    merged = small.merge_contacts(loser.id, winner.id, small.now + timedelta(days=1))
    assert (merged.merged, small.contacts[loser.id].archived) == ((loser.id,), small.now)
    assert small.deals[deal.id].contact_id == small.activities[call.id].contact_id == winner.id
    assert small.deals_of[winner.id] == [deal.id]
    third = small.add_contact(source=None)
    assert small.merge_contacts(winner.id, third.id).merged == (loser.id, winner.id)
    with pytest.raises(NumError, match="cannot be merged"):
        small.merge_contacts(loser.id, third.id)


def test_a_customer_is_billed_from_the_first_day_to_the_last(small: Business) -> None:
    customer = small.win(small.open_deal(None).id)
    small.end_customer(customer.id, small.now + timedelta(days=70))
    bills = [bill for bill in small.invoices if bill.customer_id == customer.id]
    assert [bill.period_start for bill in bills] == [customer.start, *(bill.period_end for bill in bills[:-1])]
    assert len(bills) == 3
    assert {bill.amount for bill in bills} == {small.truth.revenue_per_customer}


def test_a_lost_deal_has_a_reason(small: Business) -> None:
    assert small.lose(small.open_deal(None).id, reason="Too expensive").lost_reason == "Too expensive"
    told = [deal.lost_reason for deal in small.deals.values() if deal.status == "lost"]
    assert "No reply" in told
    assert None in told


def test_most_leads_are_answered_and_some_never(small: Business) -> None:
    answered = {one.contact_id for one in small.activities.values() if one.direction == "out"}
    assert 0.7 < len(answered) / len(small.contacts) < 0.97
    assert all(one.at >= small.contacts[one.contact_id].created for one in small.activities.values())


def test_an_invoice_is_a_draft_for_an_hour_and_then_paid_unless_something_else_becomes_of_it(small: Business) -> None:
    paid, void = (small.win(small.open_deal(None).id) for _ in range(2))
    statuses = {bill.id: bill.status for bill in small.invoices}
    assert statuses[f"{paid.id}-1"] == statuses[f"{void.id}-1"] == "draft"
    small.settle_invoice(f"{void.id}-1", "open")
    small.settle_invoice(f"{void.id}-1", "void", small.now + timedelta(minutes=5))
    small.wait_until(paid.start + timedelta(hours=1))
    bills = {bill.id: bill for bill in small.invoices}
    assert (bills[f"{paid.id}-1"].status, bills[f"{paid.id}-1"].settled) == ("paid", small.now)
    assert (bills[f"{void.id}-1"].status, bills[f"{void.id}-1"].settled) == ("void", void.start + timedelta(minutes=5))
    for settled in (paid, void):
        with pytest.raises(NumError, match="nothing can become of it"):
            small.settle_invoice(f"{settled.id}-1", "open")


def test_only_what_was_paid_is_paid_back(small: Business) -> None:
    customer = small.win(small.open_deal(None).id)
    with pytest.raises(NumError, match="only of a paid one"):
        small.refund(f"{customer.id}-1", Decimal(5))
    assert not small.refunds
    small.wait_until(small.now + timedelta(days=1))
    refund = small.refund(f"{customer.id}-1", Decimal(5))
    assert small.refunds == {refund.id: refund}
    assert (refund.amount, refund.created) == (Decimal(5), small.now)


def test_a_deleted_customer_leaves_and_is_billed_no_more(small: Business) -> None:
    customer = small.win(small.open_deal(None).id)
    gone = small.delete_customer(customer.id, small.now + timedelta(days=40))
    assert gone.end == gone.deleted == gone.modified == small.now
    small.wait_until(small.now + timedelta(days=90))
    assert len([bill for bill in small.invoices if bill.customer_id == customer.id]) == 2
