"""Stripe's dialect: answers requests the way Stripe answers them, out of what a simulated business bills.

Messages are the sandbox's own; statuses, codes and shapes are Stripe's.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from contextlib import AbstractContextManager
from functools import partial
from typing import NamedTuple

from holdwater.sandbox.business import Business
from holdwater.sandbox.dialect import Answer, Json
from holdwater.sandbox.records import Invoice
from holdwater.sandbox.server import Sandbox, serving
from holdwater.sandbox.stripe_events import events
from holdwater.sandbox.stripe_objects import Objects, invoice_id, payment_intent, unix
from holdwater.sandbox.stripe_request import Query, Refused, missing

ACCOUNT = "acct_1SimulatedHoldwa"  # a simulated account
_OLDEST = "2025-03-31"  # the first version with periods at the items
_LIST = {"created", "customer"}
EXPANDABLE = {"subscription": {"customer"}, "invoice": {"customer", "payments"}}


class Entry(NamedTuple):
    """One object of a list, rendered only if it is on the page: with those of its parts in full that are named."""

    id: str
    created: int
    show: Callable[[Set[str]], Json]


class Stripe:
    """Answers for one business and one key; `closed` are the resources that a restricted key may not read, and
    `version` is the account's own, in which events are told."""

    prefixes = tuple(
        f"/v1/{name}"
        for name in ("account", "customers", "subscriptions", "invoice", "refunds", "credit_notes", "events")
    )

    def __init__(
        self, business: Business, *, token: str, closed: Iterable[str] = (), version: str = "2026-10-28.endive"
    ) -> None:
        self.business = business
        self._token = token
        self._closed = set(closed)
        self._version = version
        self._objects = Objects(business)
        self._billed: tuple[object, list[tuple[Invoice, Entry]]] = (None, [])  # the invoices as they were last
        self._lists: dict[str, tuple[str, set[str], Callable[[Query], Iterator[Entry]]]] = {
            "customers": ("customer", {"created"}, self._customers),
            "subscriptions": ("subscription", _LIST | {"status"}, self._subscriptions),
            "invoices": ("invoice", _LIST | {"status", "subscription"}, self._invoices),
            "invoice_payments": ("invoice_payment", {"created", "invoice", "payment"}, self._payments),
            "refunds": ("refund", {"created", "charge", "payment_intent"}, self._refunds),
            "credit_notes": ("credit_note", _LIST | {"invoice"}, lambda query: iter(())),
            "events": ("event", {"created", "type", "types"}, self._events),
        }

    def answer(self, method: str, path: str, query: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        told = {"Request-Id": "req_simulated", "Stripe-Version": headers.get("stripe-version", self._version)}
        try:
            self._check(method, path, headers)
            return Answer(200, told, self._found(path, query))
        except Refused as refused:
            return Answer(refused.status, told, {"error": refused.error})

    def _check(self, method: str, path: str, headers: Mapping[str, str]) -> None:
        if not hmac.compare_digest(headers.get("authorization", "").encode(), f"Bearer {self._token}".encode()):
            raise Refused(401, "Invalid API Key provided.")
        if headers.get("stripe-version", _OLDEST) < _OLDEST:
            raise Refused(400, f"The sandbox speaks Stripe's versions from {_OLDEST} on.")
        if method != "GET":
            raise Refused(405, f"The sandbox is for reading: it does not take {method}.")
        if path.split("/")[2] in self._closed:
            raise Refused(403, "The provided key does not have the required permissions for this endpoint.")

    def _found(self, path: str, query: str) -> Json:
        parts = re.fullmatch(r"/v1/(\w+)(?:/(\w+))?", path)
        if parts and parts[1] == "account" and parts[2] is None:
            return {"id": ACCOUNT, "object": "account", "country": "US", "type": "standard"}
        if not parts or parts[1] not in self._lists:
            raise Refused(404, f"Unrecognized request URL (GET: {path}).")
        name, id_ = parts[1], parts[2]
        kind, known, entries = self._lists[name]
        if id_ is None:
            return self._page(path, kind, Query.of(query, known), entries)
        return self._one(kind, id_, Query.of(query, set()), entries)

    def _page(self, path: str, kind: str, query: Query, entries: Callable[[Query], Iterator[Entry]]) -> Json:
        """Newest first; what is made in one second stands in the order of ids."""
        first, last = query.created
        found = [entry for entry in entries(query) if first <= entry.created <= last]
        found.sort(key=lambda entry: (entry.created, entry.id), reverse=True)
        after, before = query.values.get("starting_after"), query.values.get("ending_before")
        start, stop = 0, len(found)
        places = {entry.id: place for place, entry in enumerate(found)}
        if after is not None:
            start = self._place(places, kind, after, "starting_after") + 1
        if before is not None:
            stop = self._place(places, kind, before, "ending_before")
            start = max(0, stop - query.limit)
        page = found[start : min(stop, start + query.limit)]
        more = start > 0 if before is not None else start + query.limit < len(found)
        parts = _parts(kind, query, "data.")
        shown = [entry.show(parts) for entry in page]
        return {"object": "list", "data": shown, "has_more": more, "url": path}

    def _place(self, places: Mapping[str, int], kind: str, id_: str, param: str) -> int:
        if id_ not in places:
            raise missing(kind, id_, param=param)
        return places[id_]

    def _one(self, kind: str, id_: str, query: Query, entries: Callable[[Query], Iterator[Entry]]) -> Json:
        parts = _parts(kind, query, "")
        if kind == "customer":  # a deleted one is in no list
            one = self.business.customers.get(id_.removeprefix("cus_"))
            if one is not None:
                return self._objects.customer(one, self.business.now)
        for entry in entries(Query({"status": "all"} if kind == "subscription" else {}, {})):
            if entry.id == id_:
                return entry.show(parts)
        raise missing(kind, id_)

    def _customers(self, query: Query) -> Iterator[Entry]:
        now = self.business.now
        for one in self.business.customers.values():
            if not one.deleted:
                yield Entry(f"cus_{one.id}", unix(one.created), _plainly(partial(self._objects.customer, one, now)))

    def _subscriptions(self, query: Query) -> Iterator[Entry]:
        """Ended ones only if they are asked for."""
        status, whose = query.values.get("status", "not ended"), self._whose(query)
        for one in self.business.customers.values():
            asked = status in ("all", "canceled" if one.end else "active") or (status == "not ended" and not one.end)
            if asked and whose in (None, f"cus_{one.id}"):
                yield Entry(
                    f"sub_{one.id}", unix(one.start), partial(self._objects.subscription, one, self.business.now)
                )

    def _whose(self, query: Query) -> str | None:
        whose = query.values.get("customer")
        if whose is not None and whose.removeprefix("cus_") not in self.business.customers:
            raise missing("customer", whose, param="customer")
        return whose

    def _invoices(self, query: Query) -> Iterator[Entry]:
        whose, status = self._whose(query), query.values.get("status")
        subscription = query.values.get("subscription")
        for bill, entry in self._bills():
            asked = whose in (None, f"cus_{bill.customer_id}") and status in (None, bill.status)
            if asked and subscription in (None, f"sub_{bill.customer_id}"):
                yield entry

    def _bills(self) -> list[tuple[Invoice, Entry]]:
        bills = self.business.invoices
        if bills is not self._billed[0]:
            now = self.business.now
            entries = [
                Entry(invoice_id(bill.id), unix(bill.period_start), partial(self._objects.invoice, bill, now))
                for bill in bills
            ]
            self._billed = (bills, list(zip(bills, entries, strict=True)))
        return self._billed[1]

    def _payments(self, query: Query) -> Iterator[Entry]:
        invoice, intent = query.values.get("invoice"), query.values.get("payment[payment_intent]")
        for bill in self.business.invoices:
            asked = invoice in (None, invoice_id(bill.id)) and intent in (None, payment_intent(bill.id))
            if asked and bill.status == "paid":
                json = self._objects.payment(bill)
                yield Entry(json["id"], json["created"], _plainly(partial(self._objects.payment, bill)))

    def _refunds(self, query: Query) -> Iterator[Entry]:
        for refund in self.business.refunds.values():
            json = self._objects.refund(refund)
            if all(query.values.get(name) in (None, json[name]) for name in ("charge", "payment_intent")):
                yield Entry(json["id"], json["created"], _plainly(partial(self._objects.refund, refund)))

    def _events(self, query: Query) -> Iterator[Entry]:
        for event in events(self._objects):
            if query.wants(event.type):
                yield Entry(event.id, unix(event.at), _plainly(partial(event.json, self._version)))


def _plainly(show: Callable[[], Json]) -> Callable[[Set[str]], Json]:
    """Of an object that has no parts to show in full."""
    return lambda parts: show()


def _parts(kind: str, query: Query, prefix: str) -> Set[str]:
    """What the query asks for in full; Stripe refuses what there is not."""
    asked = query.lists.get("expand", [])
    for path in asked:
        if path.removeprefix(prefix) not in EXPANDABLE.get(kind, ()) or not path.startswith(prefix):
            raise Refused(400, f"This property cannot be expanded ({path}).", param="expand")
    return {path.removeprefix(prefix) for path in asked}


def serve_stripe(
    business: Business,
    *,
    token: str = "rk_test_simulated",  # noqa: S107 - opens the sandbox and nothing else
    closed: Iterable[str] = (),
) -> AbstractContextManager[Sandbox]:
    """Serve a business in Stripe's dialect on a free port of 127.0.0.1 until the block ends."""
    return serving(business, token, Stripe(business, token=token, closed=closed))


def too_many_requests(retry_after: int | None = None) -> tuple[int, dict[str, str], bytes]:
    """Stripe's refusal of one request too many, to put in the place of an answer."""
    error = {"message": "Request rate limit exceeded.", "type": "invalid_request_error", "code": "rate_limit"}
    headers = {"Content-Type": "application/json", "Stripe-Rate-Limited-Reason": "global-rate"}
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    return 429, headers, json.dumps({"error": error}).encode()
