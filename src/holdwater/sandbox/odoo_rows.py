"""The business as Odoo would show it.

A contact is an inquiry, and each deal an opportunity beside it: both are records of `crm.lead`. Whoever got a deal is a
partner from then on, of whom all of them are. What is lost is archived with a probability of 0, what else is archived
is not; a deal that was deleted is not there any more. Contacts that became partners are merged as partners: their leads
go to the one that stays. Others are merged as leads: the loser is gone. Lost is no stage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import Any, TypeVar

from holdwater.sandbox.business import Business
from holdwater.sandbox.odoo_models import (
    CURRENCY,
    FIELD,
    LEAD,
    MESSAGE,
    PARTNER,
    REASON,
    SOURCE,
    STAGE,
    TRACKING,
    USER,
)
from holdwater.sandbox.records import Contact, Deal, Owner, Stage

Row = dict[str, Any]
_Made = TypeVar("_Made")

STAGES = {"qualifiedtobuy": 1, "contractsent": 2, "closedwon": 4}
STAGE_FIELD = 6512  # the number of crm.lead's field stage_id


def inquiry_id(contact_id: str) -> int:
    return 2 * int(contact_id)


def deal_id(id_: str) -> int:
    """Never that of an inquiry."""
    return 2 * int(id_) + 1


class Rows:
    """The rows of a business, each made once and made anew only when what it shows has changed."""

    def __init__(self, business: Business) -> None:
        self._business = business
        self._made: dict[tuple[str, int], tuple[tuple[object, ...], Any]] = {}
        self._names: dict[str, dict[str, int]] = {SOURCE: {}, REASON: {}}
        self._tables: dict[str, Callable[[], Iterable[Row]]] = {
            LEAD: self._leads,
            STAGE: lambda: (_stage(one) for one in business.stages if one.id in STAGES),
            USER: lambda: (_user(one) for one in business.owners),
            PARTNER: lambda: (self._kept(PARTNER, int(one.id), _partner, one) for one in self._partners()),
            SOURCE: lambda: self._named(SOURCE),
            REASON: lambda: self._named(REASON),
            CURRENCY: lambda: [self._dated(1, name=business.truth.currency, symbol="$", active=True)],
            TRACKING: lambda: (tracking for tracking, _ in self._changes()),
            MESSAGE: lambda: (message for _, message in self._changes()),
            FIELD: lambda: [self._dated(STAGE_FIELD, name="stage_id", model=LEAD, display_name="Stage (crm.lead)")],
        }

    def of(self, model: str) -> list[Row]:
        return list(self._tables[model]())

    def _kept(self, model: str, id_: int, make: Callable[..., _Made], *shown: object) -> _Made:
        made = self._made.get((model, id_))
        if made is None or made[0] != shown:
            self._made[model, id_] = made = (shown, make(*shown))
        kept: _Made = made[1]
        return kept

    def _leads(self) -> Iterator[Row]:
        stays, partners = self._stays(), {one.id: one for one in self._partners()}
        for contact in self._business.contacts.values():
            winner = stays.get(contact.id)
            if winner is None or contact.lifecycle != "lead":
                partner = partners.get((winner or contact).id)
                yield self._kept(LEAD, inquiry_id(contact.id), self._inquiry, contact, winner, partner)
        for deal in self._business.deals.values():
            if not deal.archived:
                yield self._kept(LEAD, deal_id(deal.id), self._deal, deal)

    def _stays(self) -> dict[str, Contact]:
        """Who lives on, by the ids of those that were merged."""
        return {id_: one for one in self._business.contacts.values() if not one.archived for id_ in one.merged}

    def _partners(self) -> Iterator[Contact]:
        """Those who got a deal, or one of those merged into them did."""
        stays = self._stays()
        known = {id_ for id_, one in self._business.contacts.items() if one.lifecycle != "lead"}
        for one in self._business.contacts.values():
            if one.id not in stays and not known.isdisjoint((one.id, *one.merged)):
                yield one

    def _inquiry(self, contact: Contact, winner: Contact | None, partner: Contact | None) -> Row:
        return self._lead(
            contact,
            id=inquiry_id(contact.id),
            type="lead",
            active=winner is not None or not contact.archived,
            stage_id=1,
            partner_id=partner and int(partner.id),
            contact_name=contact.name,
            email_from=contact.email,
            date_last_stage_update=contact.created,
        )

    def _deal(self, deal: Deal) -> Row:
        contact = self._business.contacts.get(deal.contact_id or "")
        stages = _stages_of(deal)
        return self._lead(
            deal,
            id=deal_id(deal.id),
            type="opportunity",
            active=deal.status != "lost",
            won_status="pending" if deal.status == "open" else deal.status,
            probability={"won": 100.0, "lost": 0.0}.get(deal.status, 50.0),
            stage_id=stages[-1][1],
            partner_id=deal.contact_id and int(deal.contact_id),
            lost_reason_id=self._name(REASON, deal.lost_reason),
            expected_revenue=float(deal.amount),
            contact_name=contact and contact.name,
            email_from=contact and contact.email,
            date_closed=deal.closed,
            date_conversion=deal.created,
            date_deadline=deal.expected_close.date(),
            date_last_stage_update=stages[-1][0],
        )

    def _lead(self, one: Contact | Deal, **values: object) -> Row:
        """What inquiries and deals have in common, and what neither need say."""
        return {
            "name": one.name,
            "display_name": one.name,
            "priority": "0",
            "user_id": int(one.owner_id),
            "source_id": self._name(SOURCE, one.source),
            "won_status": "pending",
            "probability": 50.0,
            "lost_reason_id": None,
            "company_currency": 1,
            "expected_revenue": 0.0,
            "date_open": one.created,
            "date_closed": None,
            "date_conversion": None,
            "date_deadline": None,
            "create_date": one.created,
            "write_date": one.modified,
        } | values

    def _changes(self) -> Iterator[tuple[Row, Row]]:
        """Each change of a stage, and the message that tells of it."""
        for deal in self._business.deals.values():
            if not deal.archived:
                yield from self._kept(TRACKING, deal_id(deal.id), self._changes_of, deal)

    def _changes_of(self, deal: Deal) -> list[tuple[Row, Row]]:
        names = {STAGES[stage.id]: stage.label for stage in self._business.stages if stage.id in STAGES}
        changes = []
        for place, ((_, old), (at, new)) in enumerate(pairwise(_stages_of(deal))):
            id_ = int(deal.id) * 10 + place
            times = {"create_date": at, "write_date": at}
            message = {
                "id": id_,
                "display_name": deal.name,
                "model": LEAD,
                "res_id": deal_id(deal.id),
                "subject": None,
                "date": at,
            }
            tracking = {
                "id": id_,
                "display_name": "Stage (crm.lead)",
                "field_id": STAGE_FIELD,
                "mail_message_id": id_,
                "old_value_integer": old,
                "new_value_integer": new,
                "old_value_char": names[old],
                "new_value_char": names[new],
            }
            changes.append((tracking | times, message | times))
        return changes

    def _name(self, model: str, name: str | None) -> int | None:
        """The number of a source or reason; once given, it stays."""
        names = self._names[model]
        return None if name is None else names.setdefault(name, len(names) + 1)

    def _named(self, model: str) -> list[Row]:
        for contact in self._business.contacts.values():
            self._name(SOURCE, contact.source)
        for deal in self._business.deals.values():
            self._name(SOURCE, deal.source)
            self._name(REASON, deal.lost_reason)
        return [self._dated(id_, name=name, active=True) for name, id_ in self._names[model].items()]

    def _dated(self, id_: int, **values: object) -> Row:
        start = self._business.start
        return {"id": id_, "display_name": values["name"], "create_date": start, "write_date": start} | values


def _stages_of(deal: Deal) -> list[tuple[Any, int]]:
    return [(at, STAGES[stage]) for at, stage in deal.stage_history if stage in STAGES]


def _stage(one: Stage) -> Row:
    won = one.status == "won"
    named = {"id": STAGES[one.id], "name": one.label, "display_name": one.label}
    return named | {
        "sequence": one.position,
        "is_won": won,
        "fold": won,
        "create_date": one.created,
        "write_date": one.modified,
    }


def _user(one: Owner) -> Row:
    return _person(one, active=not one.archived) | {"login": one.email, "share": False}


def _partner(one: Contact) -> Row:
    return _person(one, active=True)


def _person(one: Owner | Contact, *, active: bool) -> Row:
    return {
        "id": int(one.id),
        "name": one.name,
        "display_name": one.name,
        "email": one.email,
        "active": active,
        "create_date": one.created,
        "write_date": one.modified,
    }
