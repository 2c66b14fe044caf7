"""A simulated business: what has happened in it so far, and the ways to let more happen.

Nothing in it is a real person or firm, and everything a person can see is called simulated.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Literal, TypeVar

from holdwater.errors import NumError
from holdwater.sandbox.records import (
    Activity,
    Contact,
    Customer,
    Deal,
    Invoice,
    InvoiceStatus,
    Owner,
    Pipeline,
    Refund,
    Spend,
    Stage,
    Status,
)
from holdwater.sandbox.truth import Truth

MONTH = timedelta(days=365.25 / 12)
DRAFT = timedelta(hours=1)  # how long an invoice is one

_Record = TypeVar("_Record")


class Business:
    """The records of one business, by id in the order of creation; `now` is the moment it has come to.

    Whatever happens, happens `at` a moment that is not before `now` (by default: now) and moves `now` there.
    A moment before `now`, an unknown id or a change to something ended raises NumError and changes nothing.
    """

    def __init__(self, truth: Truth, start: datetime) -> None:
        self.truth = truth
        self.start = self.now = _milliseconds(start)
        self.contacts: dict[str, Contact] = {}
        self.deals: dict[str, Deal] = {}
        self.customers: dict[str, Customer] = {}
        self.activities: dict[str, Activity] = {}
        self.refunds: dict[str, Refund] = {}
        self._settled: dict[str, tuple[InvoiceStatus, datetime]] = {}  # invoices that were not just paid
        self._billed: tuple[object, list[Invoice]] = (None, [])  # of what they were made, and the invoices
        self.deals_of: defaultdict[str, list[str]] = defaultdict(list)  # contact id -> deal ids
        self.owners = _owners(self.start)
        self.pipeline = _pipeline(self.start)
        self._stages = {stage.id: stage for stage in self.pipeline.stages}

    @property
    def stages(self) -> tuple[Stage, ...]:
        return self.pipeline.stages

    @property
    def spend(self) -> list[Spend]:
        """What the leads of the paid sources cost, by month and source."""
        prices = {source.name: source.cost_per_lead for source in self.truth.sources if source.cost_per_lead}
        amounts: defaultdict[tuple[date, str | None], Decimal] = defaultdict(Decimal)
        for contact in self.contacts.values():
            if contact.source in prices:
                amounts[contact.created.date().replace(day=1), contact.source] += prices[contact.source]
        return [
            Spend(month=month, source=source, amount=amount, currency=self.truth.currency)
            for (month, source), amount in sorted(amounts.items(), key=lambda item: (item[0][0], item[0][1] or ""))
        ]

    @property
    def invoices(self) -> list[Invoice]:
        """One a month and customer, from the first day to the last; all are paid that nothing else happened to.

        The same list as long as nothing changes: a CRM asks for it again with every page.
        """
        made_of = (self.now, list(self.customers.values()), dict(self._settled))
        if made_of != self._billed[0]:
            bills = [bill for customer in self.customers.values() for bill in self._bills(customer)]
            self._billed = (made_of, bills)
        return self._billed[1]

    def _bills(self, customer: Customer) -> Iterator[Invoice]:
        start, number = customer.start, 1
        while start <= self.now and (customer.end is None or start < customer.end):
            end, id_, paid = start + MONTH, f"{customer.id}-{number}", start + DRAFT
            status, settled = self._settled.get(id_, ("paid", paid) if paid <= self.now else ("draft", start))
            yield Invoice(
                id=id_,
                customer_id=customer.id,
                period_start=start,
                period_end=end,
                amount=self.truth.revenue_per_customer,
                currency=self.truth.currency,
                status=status,
                settled=settled,
            )
            start, number = end, number + 1

    def wait_until(self, at: datetime) -> datetime:
        """Let time pass in which nothing happens; gives the new `now`, whole milliseconds as a CRM keeps them."""
        moment = _milliseconds(at)
        if moment < self.now:
            raise NumError(
                f"The business is at {self.now.isoformat()} already; nothing can happen at {at.isoformat()}."
            )
        self.now = moment
        return moment

    def add_contact(
        self,
        *,
        source: str | None,
        at: datetime | None = None,
        opted_out: bool | None = None,
        legal_basis: Literal["consent", "legitimate_interest"] | None = None,
    ) -> Contact:
        """A new lead. Its source need not be one of the truth's."""
        moment = self.wait_until(at or self.now)
        number = 101 + len(self.contacts)
        contact = Contact(
            id=str(number),
            name=f"Simulated lead {number}",
            email=f"simulated.lead.{number}@example.com",
            source=source,
            owner_id=self._owner_for(number),
            lifecycle="lead",
            opted_out=opted_out,
            legal_basis=legal_basis,
            created=moment,
            modified=moment,
        )
        self.contacts[contact.id] = contact
        return contact

    def open_deal(
        self,
        contact_id: str | None,
        *,
        amount: Decimal = Decimal("1440.00"),
        expected_close: datetime | None = None,
        at: datetime | None = None,
    ) -> Deal:
        """A new deal in the first stage; `contact_id` None: a deal that belongs to no contact."""
        contact = None if contact_id is None else _find(self.contacts, contact_id, "contact")
        moment = self.wait_until(at or self.now)
        number = 7001 + len(
            self.deals
        )  # so that ids gain a digit on the way: as text they sort otherwise than as numbers
        midnight = (expected_close or moment).replace(hour=0, minute=0, second=0, microsecond=0)
        deal = Deal(
            id=str(number),
            name=f"Simulated deal {number}",
            contact_id=contact_id,
            source=contact.source if contact else None,
            owner_id=contact.owner_id if contact else self._owner_for(number),
            pipeline_id=self.pipeline.id,
            stage_history=((moment, self.stages[0].id),),
            status="open",
            amount=f"{amount:.2f}",
            currency=self.truth.currency,
            expected_close=midnight,
            closed=None,
            created=moment,
            modified=moment,
        )
        self.deals[deal.id] = deal
        if contact:
            self.deals_of[contact.id].append(deal.id)
            if contact.lifecycle == "lead":
                self.contacts[contact.id] = replace(contact, lifecycle="opportunity", modified=moment)
        return deal

    def move(self, deal_id: str, stage_id: str, at: datetime | None = None) -> Deal:
        """Put an open deal into another stage; the last two stages end it."""
        deal = _find(self.deals, deal_id, "deal")
        stage = _find(self._stages, stage_id, "stage")
        if deal.status != "open" or deal.archived:
            raise NumError(
                f"Deal {deal_id} is {'archived' if deal.archived else deal.status}; only an open deal can move."
            )
        moment = self.wait_until(at or self.now)
        deal = replace(
            deal,
            stage_history=(*deal.stage_history, (moment, stage_id)),
            status=stage.status,
            closed=None if stage.status == "open" else moment,
            modified=moment,
        )
        self.deals[deal_id] = deal
        return deal

    def win(self, deal_id: str, at: datetime | None = None) -> Customer:
        """Win an open deal: its contact is a customer from that moment."""
        deal = self.move(deal_id, _stage_of(self.stages, "won").id, at)
        if deal.contact_id is not None:
            contact = self.contacts[deal.contact_id]
            self.contacts[contact.id] = replace(contact, lifecycle="customer", modified=self.now)
        customer = Customer(
            id=str(50001 + len(self.customers)),
            contact_id=deal.contact_id,
            deal_id=deal.id,
            start=self.now,
            end=None,
            created=self.now,
            modified=self.now,
        )
        self.customers[customer.id] = customer
        return customer

    def lose(self, deal_id: str, at: datetime | None = None, *, reason: str | None = None) -> Deal:
        lost = self.move(deal_id, _stage_of(self.stages, "lost").id, at)
        self.deals[deal_id] = lost = replace(lost, lost_reason=reason)
        return lost

    def note_activity(
        self,
        contact_id: str,
        kind: Literal["call", "email"],
        direction: Literal["in", "out"],
        at: datetime | None = None,
    ) -> Activity:
        """The firm (`out`) or the contact (`in`) has called or written."""
        contact = _find(self.contacts, contact_id, "contact")
        moment = self.wait_until(at or self.now)
        activity = Activity(
            id=str(900_001 + len(self.activities)),
            kind=kind,
            direction=direction,
            contact_id=contact_id,
            owner_id=contact.owner_id,
            at=moment,
            created=moment,
            modified=moment,
        )
        self.activities[activity.id] = activity
        return activity

    def merge_contacts(self, loser_id: str, winner_id: str, at: datetime | None = None) -> Contact:
        """Two contacts were one person: the winner takes over what belonged to the loser, which is archived."""
        loser, winner = (_find(self.contacts, contact_id, "contact") for contact_id in (loser_id, winner_id))
        if loser_id == winner_id or loser.archived or winner.archived:
            raise NumError(f"Contacts {loser_id} and {winner_id} cannot be merged; give two that are not archived.")
        self.archive_contact(loser_id, at)
        for deal_id in self.deals_of.pop(loser_id, []):
            self.deals[deal_id] = replace(self.deals[deal_id], contact_id=winner_id, modified=self.now)
            self.deals_of[winner_id].append(deal_id)
        for activity in [one for one in self.activities.values() if one.contact_id == loser_id]:
            self.activities[activity.id] = replace(activity, contact_id=winner_id, modified=self.now)
        merged = (*winner.merged, *loser.merged, loser_id)
        self.contacts[winner_id] = winner = replace(winner, merged=merged, modified=self.now)
        return winner

    def end_customer(self, customer_id: str, at: datetime | None = None) -> Customer:
        """The customer leaves; the CRM does not hear of it."""
        customer = _find(self.customers, customer_id, "customer")
        if customer.end:
            raise NumError(f"Customer {customer_id} has left already, at {customer.end.isoformat()}.")
        moment = self.wait_until(at or self.now)
        self.customers[customer_id] = customer = replace(customer, end=moment, modified=moment)
        return customer

    def delete_customer(self, customer_id: str, at: datetime | None = None) -> Customer:
        """Take a customer out of the billing, who leaves with that."""
        if not _find(self.customers, customer_id, "customer").end:
            self.end_customer(customer_id, at)
        moment = self.wait_until(at or self.now)
        self.customers[customer_id] = customer = replace(self.customers[customer_id], deleted=moment, modified=moment)
        return customer

    def settle_invoice(
        self, invoice_id: str, status: Literal["open", "paid", "void", "uncollectible"], at: datetime | None = None
    ) -> None:
        """What becomes of an invoice that is not paid yet."""
        invoice = _find({one.id: one for one in self.invoices}, invoice_id, "invoice")
        if invoice.status not in ("draft", "open"):
            raise NumError(f"Invoice {invoice_id} is {invoice.status}; nothing can become of it any more.")
        self._settled[invoice_id] = (status, self.wait_until(at or self.now))

    def refund(self, invoice_id: str, amount: Decimal, at: datetime | None = None) -> Refund:
        """Pay something back of an invoice that was paid."""
        invoice = _find({one.id: one for one in self.invoices}, invoice_id, "invoice")
        if invoice.status != "paid":
            raise NumError(f"Invoice {invoice_id} is {invoice.status}; only of a paid one can something be paid back.")
        moment = self.wait_until(at or self.now)
        refund = Refund(id=str(800_001 + len(self.refunds)), invoice_id=invoice_id, amount=amount, created=moment)
        self.refunds[refund.id] = refund
        return refund

    def archive_contact(self, contact_id: str, at: datetime | None = None) -> Contact:
        contact = _find(self.contacts, contact_id, "contact")
        moment = self.wait_until(at or self.now)
        self.contacts[contact_id] = contact = replace(contact, archived=moment, modified=moment)
        return contact

    def archive_deal(self, deal_id: str, at: datetime | None = None) -> Deal:
        deal = _find(self.deals, deal_id, "deal")
        moment = self.wait_until(at or self.now)
        self.deals[deal_id] = deal = replace(deal, archived=moment, modified=moment)
        return deal

    def write_exports(self, folder: Path) -> tuple[Path, Path]:
        """Write what the CRM does not know: `spend.csv` of the bookkeeper and `customers.csv` of the billing."""
        folder.mkdir(parents=True, exist_ok=True)
        spend = _write(
            folder / "spend.csv",
            ("month", "source", "amount", "currency"),
            ((row.month, (row.source or "").lower(), f"{row.amount:.2f}", row.currency) for row in self.spend),
        )
        customers = _write(
            folder / "customers.csv",
            ("customer", "contact", "started", "ended"),
            (
                (one.id, one.contact_id, one.start.date(), one.end.date() if one.end else None)
                for one in self.customers.values()
            ),
        )
        return spend, customers

    def _owner_for(self, number: int) -> str:
        present = [owner for owner in self.owners if not owner.archived]
        return present[number % len(present)].id


def _milliseconds(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise NumError(f"The moment {moment.isoformat()} has no time zone; give an aware datetime.")
    moment = moment.astimezone(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _find(records: dict[str, _Record], record_id: str, kind: str) -> _Record:
    if record_id not in records:
        raise NumError(f"The business has no {kind} {record_id}.")
    return records[record_id]


def _stage_of(stages: Iterable[Stage], status: Status) -> Stage:
    return next(stage for stage in stages if stage.status == status)


def _write(path: Path, header: Iterable[str], rows: Iterable[Iterable[object]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return path


def _owners(start: datetime) -> tuple[Owner, ...]:
    return tuple(
        Owner(
            id=str(300 + number),
            name=f"Simulated owner {number}",
            email=f"simulated.owner.{number}@example.com",
            created=start,
            modified=start,
            archived=number == 4,  # has left the firm
        )
        for number in range(1, 5)
    )


def _pipeline(start: datetime) -> Pipeline:
    stages: tuple[tuple[str, str, float, Status], ...] = (
        ("qualifiedtobuy", "Simulated qualification", 0.2, "open"),
        ("contractsent", "Simulated proposal", 0.6, "open"),
        ("closedwon", "Simulated won", 1.0, "won"),
        ("closedlost", "Simulated lost", 0.0, "lost"),
    )
    return Pipeline(
        id="default",
        label="Simulated sales",
        stages=tuple(
            Stage(
                id=name, label=label, position=place, probability=chance, status=status, created=start, modified=start
            )
            for place, (name, label, chance, status) in enumerate(stages)
        ),
        created=start,
        modified=start,
    )
