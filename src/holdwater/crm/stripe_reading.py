"""How Stripe's answers become pages: each object a record, or an issue under its id."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from holdwater.crm.connector import Gone, Issue
from holdwater.crm.part import Part
from holdwater.crm.stripe_api import Api
from holdwater.crm.stripe_records import Span, to_invoice, to_subscription
from holdwater.crm.stripe_refunds import Refunds
from holdwater.crm.stripe_wire import WireInvoice, WirePayment, WireSubscription, id_of, name_of, read

_AT_ONCE = 500  # customers on a page


class Accounts:
    """Reads subscriptions, and makes customers of them once all of theirs are read.

    A customer without a subscription that ever cost anything is none. One who was deleted in Stripe was a customer all
    the same: the subscriptions remain, ended.
    `all_named`: every subscription came with an id and a customer. What is not met may belong to one that did not.
    """

    def __init__(self, latest: datetime, person: Callable[[str | None], str | None] | None) -> None:
        self.all_named = True
        self._latest = latest
        self._person = person
        self._met = 0
        self._spans: dict[str, Span] = {}
        self._unclear: dict[str, str] = {}  # customer -> the subscription that cannot be read
        self._ownerless: list[str] = []

    def subscriptions(self, rows: Sequence[object]) -> Part:
        part = Part(self._latest)
        for row in rows:
            self._met += 1
            name = name_of(row)
            id_ = name or f"subscriptions no. {self._met}"
            taken = len(part.records)
            with part.noting(id_):
                wire = read(WireSubscription, row, f"Stripe subscription {id_}")
                subscription = to_subscription(wire)
                part.add(subscription)
                whose = wire.customer
                span = self._spans.get(whose.id)
                if span is None:
                    person = self._person(whose.email) if self._person else None
                    self._spans[whose.id] = span = Span(subscription.updated_at, person)
                span.take(wire, subscription)
            if len(part.records) == taken:
                self._note_unclear(row, id_)
            self.all_named = self.all_named and name is not None
        return part

    def _note_unclear(self, row: object, id_: str) -> None:
        customer = id_of(row.get("customer")) if isinstance(row, Mapping) else None
        if customer is None:
            self.all_named = False
            self._ownerless.append(id_)
        else:
            self._unclear[customer] = id_

    def customers(self, *, whole: bool) -> Iterator[Part]:
        """Those whose spans are clear; the others are issues. Unless this was a reading of the `whole`, in which they
        are not met, those who are none go: they may have been one, at a price that is nothing now."""
        part = Part(self._latest)
        for unclear, subscription in self._unclear.items():
            part.issues.append(Issue(unclear, f"The subscription {subscription} of this customer cannot be read."))
        for subscription in self._ownerless:
            part.issues.append(Issue(f"customer of {subscription}", f"Whose {subscription} is cannot be read."))
        for id_, span in self._spans.items():
            customer = None if id_ in self._unclear else span.customer(id_)
            if customer is not None:
                part.add(customer)
            elif not whole and id_ not in self._unclear:
                part.gone.append(Gone(id_, "missing"))
            if len(part.records) == _AT_ONCE:
                yield part
                part = Part(self._latest)
        yield part


class Invoices:
    """Reads invoices, with what was paid back of each."""

    def __init__(self, api: Api, refunds: Refunds, latest: datetime) -> None:
        self.all_named = True
        self._api = api
        self._refunds = refunds
        self._latest = latest
        self._met = 0

    def invoices(self, rows: Sequence[object]) -> Part:
        part = Part(self._latest)
        wires = []
        for row in rows:
            self._met += 1
            name = name_of(row)
            self.all_named = self.all_named and name is not None
            id_ = name or f"invoices no. {self._met}"
            with part.noting(id_):
                wires.append(read(WireInvoice, row, f"Stripe invoice {id_}"))
        for wire in wires:
            rows = []
            if wire.payments.has_more:
                rows = [row for page in self._api.payments(invoice=wire.id) for row in page]
            with part.noting(wire.id):
                more = [read(WirePayment, row, f"A payment of Stripe invoice {wire.id}") for row in rows]
                part.add(to_invoice(wire, self._refunds.of(more or wire.payments.data)))
        return part
