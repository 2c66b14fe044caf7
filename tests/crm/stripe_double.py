"""An account of Stripe for tests: the far end of the transport, with objects in the form of fixtures/stripe."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from holdwater.crm.client import Client
from holdwater.crm.connector import Gone, Page
from holdwater.crm.credentials import Token
from holdwater.crm.stripe import MANNERS, Stripe

FIXTURES = Path(__file__).parent / "fixtures" / "stripe"
NOW = 1_793_448_005  # the clock of the server, in seconds
DATE = "Sat, 31 Oct 2026 12:00:05 GMT"
SECRET = "rk_live_51Example_do_not_show"

Json = dict[str, Any]


def recorded(name: str, **changes: Any) -> Json:
    answer: Json = json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))
    return answer | changes


def price(
    amount: int | str | None, interval: str = "month", count: int = 1, quantity: int | None = 1, **more: Any
) -> Json:
    """One item of a subscription."""
    item: Json = recorded("subscription")["items"]["data"][0]
    recurring = item["price"]["recurring"] | {"interval": interval, "interval_count": count}
    recurring["usage_type"] = more.pop("usage_type", "licensed")
    text = None if amount is None else str(amount)
    whole = int(text) if text and text.isdecimal() else None
    changed = item["price"] | {"unit_amount": whole, "unit_amount_decimal": text, "recurring": recurring} | more
    return item | {"quantity": quantity, "price": changed}


def items(*listed: Json, has_more: bool = False) -> Json:
    return {"object": "list", "data": list(listed), "has_more": has_more}


def subscription(id_: str, customer: str | Json = "cus_ann", **changes: Any) -> Json:
    whose = recorded("subscription")["customer"] | {"id": customer} if isinstance(customer, str) else customer
    return recorded("subscription", id=id_, customer=whose, **changes)


def invoice(id_: str, intent: str | None = None, **changes: Any) -> Json:
    """One that was paid by a payment intent of its own."""
    answer = recorded("invoice", id=id_)
    payment = answer["payments"]["data"][0]
    payment |= {"invoice": id_, "payment": {"type": "payment_intent", "payment_intent": intent or f"pi_{id_}"}}
    return answer | changes


def event(type_: str, about: Json, created: int = NOW - 60) -> Json:
    return recorded(
        "event",
        id=f"evt_{type_.replace('.', '')}{about.get('id')}",
        type=type_,
        created=created,
        data={"object": about},
    )


class Account:
    """Answers as Stripe does: newest first, behind a cursor, ended subscriptions only if asked for.

    `instead` may answer a path in its own way; `requests` has all that were made.
    """

    def __init__(self) -> None:
        self.lists: dict[str, list[Json]] = {
            "subscriptions": [recorded("subscription")],
            "invoices": [recorded("invoice")],
            "refunds": [],
            "credit_notes": [],
            "events": [],
        }
        self.instead: Callable[[httpx.Request], httpx.Response | None] = lambda request: None
        self.requests: list[httpx.Request] = []

    def paths(self) -> list[str]:
        return [request.url.path.removeprefix("/v1/") for request in self.requests]

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        assert request.headers["Stripe-Version"] == "2026-10-28.endive"
        instead = self.instead(request)
        if instead is not None:
            return instead
        name, _, id_ = request.url.path.removeprefix("/v1/").partition("/")
        asked = dict(request.url.params)
        if name == "account":
            return self._good(recorded("account"))
        if id_:
            assert asked["expand[]"] == "payments"
            return self._good(next(one for one in self.lists[name] if one["id"] == id_))
        if name == "invoice_payments":
            payments = [one for bill in self.lists["invoices"] for one in bill["payments"]["data"]]
            intent, bill = asked.get("payment[payment_intent]"), asked.get("invoice")
            found = [
                one for one in payments if one["invoice"] == bill or one["payment"].get("payment_intent") == intent
            ]
            return self._page(found, asked)
        return self._page(self._found(name, asked), asked)

    def _found(self, name: str, asked: dict[str, str]) -> list[Json]:
        found = [one for one in self.lists[name] if one["created"] >= int(asked.get("created[gte]", 0))]
        if name == "subscriptions":
            assert asked["status"] == "all"
            assert asked["expand[]"] == "data.customer"
            whose = asked.get("customer")
            found = [one for one in found if whose is None or one["customer"]["id"] == whose]
        elif name == "invoices":
            assert asked["expand[]"] == "data.payments"
        elif name == "events":
            types = [value for key, value in asked.items() if key.startswith("types[")]
            assert len(types) <= 20
            found = [one for one in found if not types or one["type"] in types]
        return sorted(found, key=lambda one: -one["created"])

    def _page(self, found: list[Json], asked: dict[str, str]) -> httpx.Response:
        after = asked.get("starting_after")
        ids = [one["id"] for one in found]
        start = ids.index(after) + 1 if after else 0
        stop = start + int(asked["limit"])
        return self._good({"object": "list", "data": found[start:stop], "has_more": stop < len(found)})

    def _good(self, answer: Json) -> httpx.Response:
        return httpx.Response(200, json=answer, headers={"Date": DATE})


STREAMS = ("subscriptions", "customers", "invoices")
DAY = 86_400  # seconds


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


START = 1_772_323_200  # of the recorded subscription
RECENT = dict.fromkeys(STREAMS, at(NOW - DAY))


def opened(account: Account, **options: Any) -> Stripe:
    client = Client(
        "https://api.stripe.com",
        Token(SECRET, "HOLDWATER_STRIPE_TOKEN"),
        manners=MANNERS,
        transport=httpx.MockTransport(account),
    )
    return Stripe(client, **options)


def read(account: Account, watermarks: Mapping[str, datetime] | None = None, **options: Any) -> list[Page]:
    with opened(account, **options) as stripe:
        return list(stripe.pages(watermarks or {}))


def records(pages: list[Page], stream: str) -> dict[str, Any]:
    return {record.id: record for page in pages if page.stream == stream for record in page.records}


def issues(pages: list[Page], stream: str) -> dict[str, str]:
    return {one.id: one.problem for page in pages if page.stream == stream for one in page.issues}


def gone(pages: list[Page], stream: str) -> list[Gone]:
    return [one for page in pages if page.stream == stream for one in page.gone]
