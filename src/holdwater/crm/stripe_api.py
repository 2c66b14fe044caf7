"""The few of Stripe's lists that a sync reads, each to its last page.

Lists come newest first and go on behind the last id: what is new meanwhile stands before the first page, so neither
equal times nor changes move anything to another page.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from holdwater.crm.client import Client
from holdwater.crm.paging import follow
from holdwater.crm.stripe_wire import Listing, WireAccount, name_of, read, seconds
from holdwater.errors import BadAnswerError, ScopeError

Filter = dict[str, str | int]


class Api:
    """Stripe's answers, lists page by page, `at_once` objects in each."""

    def __init__(self, client: Client, *, at_once: int = 100) -> None:
        self._client = client
        self._at_once = at_once

    def account(self) -> str | None:
        """The id of the account that the key opens; None for a restricted key, which may not ask."""
        try:
            return read(WireAccount, self._client.get_json("/v1/account"), "The answer to GET /v1/account").id
        except ScopeError:
            return None

    def server_time(self) -> datetime:
        """The moment by Stripe's clock; asks for the newest event, so that a key that may not is found out first."""
        self._page("/v1/events", {"limit": 1})
        return self._client.present

    def subscriptions(self, customer: str | None = None) -> Iterator[list[object]]:
        """All, or those of one customer, ended ones among them, which come only if asked for."""
        whose: Filter = {} if customer is None else {"customer": customer}
        return self._list("/v1/subscriptions", {"status": "all", "expand[]": "data.customer", **whose})

    def invoices(self, since: datetime | None = None) -> Iterator[list[object]]:
        """All, or those made since then."""
        return self._list("/v1/invoices", {"expand[]": "data.payments", **_since(since)})

    def invoice(self, id_: str) -> object:
        return self._client.get_json(f"/v1/invoices/{id_}", {"expand[]": "payments"})

    def payments(self, *, invoice: str | None = None, payment_intent: str | None = None) -> Iterator[list[object]]:
        """What was paid on one invoice, or by one payment intent."""
        if invoice is not None:
            return self._list("/v1/invoice_payments", {"invoice": invoice})
        by = {"payment[type]": "payment_intent", "payment[payment_intent]": payment_intent or ""}
        return self._list("/v1/invoice_payments", {**by})

    def refunds(self) -> Iterator[list[object]]:
        return self._list("/v1/refunds", {})

    def credit_notes(self) -> Iterator[list[object]]:
        return self._list("/v1/credit_notes", {})

    def events(self, types: Sequence[str], since: datetime) -> Iterator[list[object]]:
        """What happened since then, as far as Stripe keeps it, which is 30 days."""
        wanted: Filter = {f"types[{place}]": name for place, name in enumerate(types)}
        return self._list("/v1/events", {**wanted, **_since(since)})

    def _list(self, path: str, asked: Filter) -> Iterator[list[object]]:
        def fetch(after: str | None) -> Listing:
            return self._page(path, asked | {"limit": self._at_once} | ({"starting_after": after} if after else {}))

        for answer in follow(fetch, _last, f"Stripe's list {path}"):
            yield answer.data

    def _page(self, path: str, asked: Filter) -> Listing:
        return read(Listing, self._client.get_json(path, asked), f"The answer to GET {path}")


def _last(answer: Listing) -> str | None:
    """The cursor of the next page: the last id of this one."""
    if not answer.has_more:
        return None
    name = name_of(answer.data[-1]) if answer.data else None
    if name is None:
        raise BadAnswerError("Stripe ended a page without a usable id to go on from; run the sync again later.")
    return name


def _since(moment: datetime | None) -> Filter:
    return {} if moment is None else {"created[gte]": seconds(moment)}
