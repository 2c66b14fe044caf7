"""The Stripe connector: what it makes of answers in the form of Stripe's, and who is a customer."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import stripe_double as double
from stripe_double import (
    DAY,
    NOW,
    SECRET,
    START,
    Account,
    at,
    invoice,
    issues,
    items,
    price,
    read,
    recorded,
    records,
    subscription,
)

from holdwater.crm.records import Customer, Invoice, Money, Subscription


@pytest.fixture
def account() -> Account:
    return Account()


# What becomes of the answers


def test_the_answers_become_records(account: Account) -> None:
    pages = read(account)
    assert records(pages, "subscriptions") == {
        "sub_1SKannYear": Subscription(
            id="sub_1SKannYear",
            customer_id="cus_ann",
            status="active",
            started_at=at(START),
            updated_at=at(START),
            monthly=Money(1000, "USD", "12000 x 1 / 1 year"),
        )
    }
    assert records(pages, "customers") == {
        "cus_ann": Customer(id="cus_ann", started_at=at(START), updated_at=at(START))
    }
    assert records(pages, "invoices") == {
        "in_1SKann": Invoice(
            id="in_1SKann",
            customer_id="cus_ann",
            status="paid",
            issued_at=at(1_772_326_800),
            updated_at=at(START),
            subscription_id="sub_1SKannYear",
            paid_at=at(1_772_326_900),
            period_start=at(START),
            period_end=at(1_803_859_200),
            total=Money(12_000, "USD", "12000"),
            refunded=Money(0, "USD", "0"),
        )
    }


def test_the_key_travels_in_the_header_alone(account: Account) -> None:
    read(account)
    for request in account.requests:
        assert request.headers["Authorization"] == f"Bearer {SECRET}"
        assert SECRET not in str(request.url)


def test_periods_stand_at_the_items_and_an_invoice_looks_back(account: Account) -> None:
    """Trap 15: since 2025-03-31 no subscription has a period, and the period of an invoice is the one before."""
    assert "current_period_end" not in recorded("subscription")
    assert "subscription" not in recorded("invoice")
    bill = records(read(account), "invoices")["in_1SKann"]
    assert bill.subscription_id == "sub_1SKannYear"
    assert bill.period_start != at(recorded("invoice")["period_start"])
    assert bill.period_end > bill.issued_at > bill.period_start


def test_ended_subscriptions_are_asked_for(account: Account) -> None:
    """Stripe leaves them out of its list unless one does; the double insists on it."""
    account.lists["subscriptions"] = [subscription("sub_over", status="canceled", ended_at=START + DAY)]
    assert records(read(account), "customers")["cus_ann"].ended_at == at(START + DAY)


@pytest.mark.parametrize(
    ("listed", "monthly"),
    [
        ([price(4900, quantity=3)], Money(14_700, "USD", "4900 x 3 / 1 month")),
        ([price(12_000, "year")], Money(1000, "USD", "12000 x 1 / 1 year")),
        ([price(3000, "month", 3)], Money(1000, "USD", "3000 x 1 / 3 month")),
        ([price(700, "week")], Money(3044, "USD", "700 x 1 / 1 week")),  # 700 / 7 x 30.4375 = 3043.75
        ([price(100, "day")], Money(3044, "USD", "100 x 1 / 1 day")),
        ([price("0.5", quantity=1000)], Money(500, "USD", "0.5 x 1000 / 1 month")),
        ([price(1000), price(2400, "year")], Money(1200, "USD", "1000 x 1 / 1 month + 2400 x 1 / 1 year")),
        ([price(1000, quantity=0)], Money(0, "USD", "1000 x 0 / 1 month")),
        ([price(1000, usage_type="metered", quantity=None)], None),
        ([price(None)], None),  # on a scale
        ([price(1000), price(None)], None),
        ([price(1000, transform_quantity={"divide_by": 10, "round": "up"})], None),
        ([], None),
    ],
)
def test_a_price_is_brought_to_a_month_or_left_empty(
    account: Account, listed: list[Any], monthly: Money | None
) -> None:
    account.lists["subscriptions"] = [subscription("sub_1", items=items(*listed))]
    assert records(read(account), "subscriptions")["sub_1"].monthly == monthly


def test_items_that_are_not_all_there_give_no_price(account: Account) -> None:
    account.lists["subscriptions"] = [subscription("sub_1", items=items(price(100), has_more=True))]
    assert records(read(account), "subscriptions")["sub_1"].monthly is None


@pytest.mark.parametrize(
    ("currency", "amount", "minor"),
    [
        ("usd", 1250, 1250),
        ("jpy", 500, 500),  # 500 yen
        ("kwd", 5120, 5120),  # 5.120 dinars
        ("isk", 500, 5),  # 5 kronur, which have no decimals, in hundredths
        ("ugx", 500, 5),
        ("mga", 5, 500),  # 5 ariary, which have decimals, whole
        ("huf", 1250, 1250),
    ],
)
def test_amounts_in_the_unit_of_their_currency(account: Account, currency: str, amount: int, minor: int) -> None:
    account.lists["invoices"] = [invoice("in_1", currency=currency, total=amount)]
    account.lists["subscriptions"] = [subscription("sub_1", currency=currency, items=items(price(amount)))]
    pages = read(account)
    total = records(pages, "invoices")["in_1"].total
    assert total == Money(minor, currency.upper(), str(amount))
    assert records(pages, "subscriptions")["sub_1"].monthly.minor == minor


@pytest.mark.parametrize("status", ["draft", "open", "void", "uncollectible"])
def test_an_invoice_that_is_not_paid(account: Account, status: str) -> None:
    nothing = {"finalized_at": None, "paid_at": None}
    account.lists["invoices"] = [invoice("in_1", status=status, effective_at=None, status_transitions=nothing)]
    bill = records(read(account), "invoices")["in_1"]
    assert (bill.status, bill.paid_at, bill.issued_at) == (status, None, at(START))


def test_a_bill_for_several_spans_is_for_all_of_them(account: Account) -> None:
    line = recorded("invoice")["lines"]["data"][0]
    lines = [line, line | {"period": {"start": START - DAY, "end": START}}]
    account.lists["invoices"] = [
        invoice("in_1", lines=items(*lines)),
        invoice("in_2", lines=items(*lines, has_more=True)),
        invoice("in_3", parent=None),
    ]
    bills = records(read(account), "invoices")
    assert (bills["in_1"].period_start, bills["in_1"].period_end) == (at(START - DAY), at(1_803_859_200))
    assert (bills["in_2"].period_start, bills["in_2"].period_end) == (None, None)
    assert bills["in_3"].subscription_id is None


# Who is a customer


@pytest.mark.parametrize(
    "never",
    [
        {"status": "incomplete"},
        {"status": "incomplete_expired", "ended_at": START + DAY},
        {"status": "trialing", "trial_start": START, "trial_end": NOW + DAY},
        {"status": "paused", "trial_start": START, "trial_end": START + 14 * DAY},
        {"status": "canceled", "trial_start": START, "trial_end": START + 14 * DAY, "ended_at": START + DAY},
        {"items": items(price(0))},
    ],
    ids=["unpaid at first", "given up", "on trial", "without a card", "left on trial", "free"],
)
def test_who_never_paid_is_no_customer(account: Account, never: dict[str, Any]) -> None:
    account.lists["subscriptions"] = [subscription("sub_1", **never)]
    pages = read(account)
    assert set(records(pages, "subscriptions")) == {"sub_1"}
    assert records(pages, "customers") == {}


@pytest.mark.parametrize("status", ["active", "past_due", "unpaid"])
def test_after_the_trial_begins_a_customer(account: Account, status: str) -> None:
    until = START + 14 * DAY
    account.lists["subscriptions"] = [subscription("sub_1", status=status, trial_start=START, trial_end=until)]
    (customer,) = records(read(account), "customers").values()
    assert (customer.started_at, customer.ended_at) == (at(until), None)


def test_a_trial_in_the_middle_is_not_the_beginning(account: Account) -> None:
    later = subscription("sub_1", trial_start=START + DAY, trial_end=NOW + DAY, status="trialing")
    account.lists["subscriptions"] = [later]
    assert records(read(account), "customers")["cus_ann"].started_at == at(START)


def test_a_customer_lasts_from_the_first_subscription_to_the_last(account: Account) -> None:
    """On pages of their own, the newest first."""
    over = {"status": "canceled", "ended_at": START - DAY}
    account.lists["subscriptions"] = [
        subscription("sub_3", "cus_back", created=START, start_date=START),
        subscription("sub_2", "cus_left", created=START - 5 * DAY, start_date=START - 5 * DAY, **over),
        subscription("sub_1", "cus_back", created=START - 9 * DAY, start_date=START - 9 * DAY, **over),
        subscription(
            "sub_0", "cus_left", created=START - 9 * DAY, start_date=START - 9 * DAY, status="canceled",
            ended_at=START - 8 * DAY,
        ),
    ]  # fmt: skip
    customers = records(read(account, at_once=1), "customers")
    spans = {id_: (one.started_at, one.ended_at) for id_, one in customers.items()}
    assert spans == {
        "cus_back": (at(START - 9 * DAY), None),
        "cus_left": (at(START - 9 * DAY), at(START - DAY)),
    }


def test_a_deleted_customer_was_one(account: Account) -> None:
    """Of a deleted customer Stripe shows a stub; the subscriptions remain, and with them the loss."""
    stub = recorded("deleted_customer")
    assert set(stub) == {"id", "object", "deleted"}
    account.lists["subscriptions"] = [subscription("sub_1", stub, status="canceled", ended_at=START + DAY)]
    pages = read(account, person=lambda address: address and "hash")
    assert records(pages, "customers") == {
        "cus_gone": Customer(id="cus_gone", started_at=at(START), updated_at=at(START), ended_at=at(START + DAY))
    }


def test_an_address_leaves_the_connector_as_a_hash_only(account: Account) -> None:
    asked: list[str | None] = []

    def person(address: str | None) -> str:
        asked.append(address)
        return "the hash"

    pages = read(account, person=person)
    assert records(pages, "customers")["cus_ann"].person == "the hash"
    assert asked == ["ann@example.com"]
    assert "ann@" not in repr(pages)
    assert "Ann Example" not in repr(pages)
    assert records(read(account), "customers")["cus_ann"].person is None


# What was paid back


def test_what_was_paid_back_is_counted_once(account: Account) -> None:
    """One refund of its own, one behind a credit note, one that failed, and a credit to the balance."""
    account.lists["invoices"] = [
        invoice("in_1", "pi_ann", post_payment_credit_notes_amount=3000),
        invoice("in_2", pre_payment_credit_notes_amount=400),
        invoice("in_3"),
    ]
    account.lists["refunds"] = [
        recorded("refund"),
        recorded("refund", id="re_2", amount=2100),
        recorded("refund", id="re_3", status="failed"),
        recorded("refund", id="re_4", status="canceled"),
        recorded("refund", id="re_5", payment_intent=None, charge="ch_other"),
    ]
    account.lists["credit_notes"] = [recorded("credit_note"), recorded("credit_note", id="cn_2", status="void")]
    bills = records(read(account), "invoices")
    assert {id_: bill.refunded.minor for id_, bill in bills.items()} == {
        "in_1": 1250 + (2100 - 2000) + 3000,
        "in_2": 400,
        "in_3": 0,
    }


def test_an_old_payment_is_known_by_its_charge(account: Account) -> None:
    bill = invoice("in_1")
    bill["payments"]["data"][0]["payment"] = {"type": "charge", "charge": "ch_old"}
    account.lists["invoices"] = [bill]
    account.lists["refunds"] = [recorded("refund", payment_intent=None, charge="ch_old")]
    assert records(read(account), "invoices")["in_1"].refunded.minor == 1250


def test_payments_that_are_not_all_there_are_fetched(account: Account) -> None:
    bill = invoice("in_1", "pi_ann")
    account.lists["invoices"] = [bill]
    account.lists["refunds"] = [recorded("refund")]
    short = bill | {"payments": items(has_more=True)}

    def cut_short(request: httpx.Request) -> httpx.Response | None:
        if request.url.path != "/v1/invoices":
            return None
        return httpx.Response(200, json={"data": [short], "has_more": False}, headers={"Date": double.DATE})

    account.instead = cut_short
    assert records(read(account), "invoices")["in_1"].refunded.minor == 1250
    assert "invoice_payments" in account.paths()


def test_an_invoice_whose_refund_cannot_be_read_is_not_taken(account: Account) -> None:
    account.lists["invoices"] = [invoice("in_1", "pi_ann"), invoice("in_2")]
    account.lists["refunds"] = [recorded("refund", amount="1250")]
    pages = read(account)
    assert set(records(pages, "invoices")) == {"in_2"}
    assert set(issues(pages, "invoices")) == {"re_1", "in_1"}
    assert "amount" in issues(pages, "invoices")["re_1"]
