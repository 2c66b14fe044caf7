"""A simulated business as the records of Tryton's models.

A firm that works with Tryton enters whoever it sells to: every contact is a party, every deal an opportunity, numbered
from 1 on. Of the past of an opportunity its state alone is told apart, and one change after the last stage.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from holdwater.sandbox.business import Business
from holdwater.sandbox.records import Contact, Deal, Owner

BEFORE_THE_FIRST = 7000  # the number of the business's first deal is the next one
COMPANY = CURRENCY = 1
STATES: Mapping[str, str] = {
    "qualifiedtobuy": "lead",
    "contractsent": "opportunity",
    "closedwon": "won",  # and converted, a moment before in the same transaction, which nobody ever sees
    "closedlost": "lost",
}
_Field = Callable[[Any], object]


@dataclass(frozen=True, slots=True)
class Opportunity:
    """One version: what it was from `at` on; `state` is None once it is deleted."""

    deal: Deal
    at: datetime
    state: str | None

    @property
    def id(self) -> int:
        return int(self.deal.id) - BEFORE_THE_FIRST

    @property
    def written(self) -> datetime | None:
        return None if self.at == self.deal.created else self.at

    @property
    def ended(self) -> date | None:
        """Tryton notes the day itself."""
        return self.deal.closed.date() if self.deal.closed and self.state in ("won", "lost") else None


@dataclass(frozen=True, slots=True)
class Party:
    contact: Contact
    replaced_by: int | None


@dataclass(frozen=True, slots=True)
class Model:
    """`fields` read a record, `relations` say of which model the record is that a field names.

    `records` finds those of some ids (None: all) as of a moment (None: now), in the order of their ids.
    """

    fields: Mapping[str, _Field]
    relations: Mapping[str, str]
    records: Callable[[Collection[int] | None, datetime | None], Iterable[Any]]


_OPPORTUNITY: Mapping[str, _Field] = {
    "id": lambda one: one.id,
    "rec_name": lambda one: str(one.id),
    "number": lambda one: str(one.id),
    "description": lambda one: one.deal.name,
    "party": lambda one: None if one.deal.contact_id is None else int(one.deal.contact_id),
    "employee": lambda one: int(one.deal.owner_id),
    "company": lambda one: COMPANY,
    "currency": lambda one: CURRENCY,
    "amount": lambda one: Decimal(one.deal.amount),
    "start_date": lambda one: one.deal.created.date(),
    "end_date": lambda one: one.ended,
    "state": lambda one: one.state,
    "lost_reason": lambda one: one.deal.lost_reason if one.state == "lost" else None,
    "create_date": lambda one: one.deal.created,
    "write_date": lambda one: one.written,
}
_PARTY: Mapping[str, _Field] = {
    "id": lambda one: int(one.contact.id),
    "rec_name": lambda one: one.contact.name,
    "name": lambda one: one.contact.name,
    "email": lambda one: "" if one.replaced_by else one.contact.email,  # the addresses of a party go with it
    "active": lambda one: one.contact.archived is None,
    "replaced_by": lambda one: one.replaced_by,
    "create_date": lambda one: one.contact.created,
    "write_date": lambda one: one.contact.modified,  # from the start: its code is written after it
}
_EMPLOYEE: Mapping[str, _Field] = {
    "id": lambda one: int(one.id),
    "rec_name": lambda one: one.name,
    "company": lambda one: COMPANY,
    "active": lambda one: not one.archived,
    "end_date": lambda one: one.modified.date() if one.archived else None,
    "create_date": lambda one: one.created,
    "write_date": lambda one: None if one.modified == one.created else one.modified,
}
_CURRENCY: Mapping[str, _Field] = {
    "id": lambda code: CURRENCY,
    "rec_name": lambda code: code,
    "code": lambda code: code,
}


class Records:
    """The models that the sandbox serves, by name."""

    def __init__(self, business: Business) -> None:
        self._business = business
        people = {"party": "party.party", "employee": "company.employee", "currency": "currency.currency"}
        self.models: Mapping[str, Model] = {
            "sale.opportunity": Model(_OPPORTUNITY, people, self._opportunities),
            "party.party": Model(_PARTY, {"replaced_by": "party.party"}, self._parties),
            "company.employee": Model(_EMPLOYEE, {}, self._employees),
            "currency.currency": Model(_CURRENCY, {}, lambda ids, at: [business.truth.currency]),
        }

    def revisions(self, ids: Collection[int]) -> list[tuple[datetime, int]]:
        """When each opportunity was made, changed or deleted, the latest first, each moment once."""
        return sorted({(one.at, one.id) for deal in self._deals(ids) for one in self._versions(deal)}, reverse=True)

    def _opportunities(self, ids: Collection[int] | None, at: datetime | None) -> Iterator[Opportunity]:
        for deal in self._deals(ids):
            past = [one for one in self._versions(deal) if at is None or one.at <= at]
            if past and past[-1].state is not None:
                yield past[-1]

    def _deals(self, ids: Collection[int] | None) -> Iterable[Deal]:
        deals = self._business.deals
        if ids is None:
            return deals.values()
        return [deals[key] for id_ in sorted(ids) if (key := str(id_ + BEFORE_THE_FIRST)) in deals]

    def _versions(self, deal: Deal) -> list[Opportunity]:
        """First to last. That parties were merged is no change of their opportunities, though it changes them."""
        versions = [Opportunity(deal, at, STATES[stage]) for at, stage in deal.stage_history]
        merges = [self._business.contacts[id_].archived for id_ in self._merged(deal)]
        if deal.modified not in (versions[-1].at, deal.archived, *merges):
            versions.append(Opportunity(deal, deal.modified, versions[-1].state))
        if deal.archived is not None:
            versions.append(Opportunity(deal, deal.archived, None))
        return versions

    def _merged(self, deal: Deal) -> tuple[str, ...]:
        return () if deal.contact_id is None else self._business.contacts[deal.contact_id].merged

    def _parties(self, ids: Collection[int] | None, at: datetime | None) -> Iterator[Party]:
        contacts = self._business.contacts
        into: dict[str, int] = {}
        for one in sorted(contacts.values(), key=lambda one: len(one.merged)):  # into the first of several, directly
            into.update((loser, int(one.id)) for loser in one.merged if loser not in into)
        for id_ in contacts if ids is None else map(str, sorted(ids)):
            if id_ in contacts:
                yield Party(contacts[id_], into.get(id_))

    def _employees(self, ids: Collection[int] | None, at: datetime | None) -> list[Owner]:
        return [owner for owner in self._business.owners if ids is None or int(owner.id) in ids]
