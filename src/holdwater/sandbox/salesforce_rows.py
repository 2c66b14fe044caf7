"""The business as Salesforce would show it.

Who has no deal yet is a lead; whoever got one was converted, and is a contact beside the lead, which nobody edits any
more. Moments are whole seconds, as Salesforce keeps them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from holdwater.sandbox.business import Business
from holdwater.sandbox.records import Activity, Contact, Deal, Owner, Stage

Row = dict[str, Any]

_PREFIXES = {
    "User": "005",
    "OpportunityStage": "01J",
    "Lead": "00Q",
    "Contact": "003",
    "Opportunity": "006",
    "OpportunityHistory": "008",
    "Task": "00T",
    "EmailMessage": "02s",
    "Job": "750",
    "Organization": "00D",
}


def record_id(kind: str, number: str | int) -> str:
    """Fifteen characters, and three more that tell their capitals from their small letters."""
    name = f"{_PREFIXES[kind]}{int(number):012}"
    chunks = (name[place : place + 5] for place in (0, 5, 10))
    capitals = (sum(1 << bit for bit, letter in enumerate(chunk) if letter.isupper()) for chunk in chunks)
    return name + "".join("ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"[sign] for sign in capitals)


class Rows:
    """The rows of a business, each made once and made anew only when what it shows has changed."""

    def __init__(self, business: Business) -> None:
        self._business = business
        self._made: dict[tuple[str, str], tuple[tuple[object, ...], Row]] = {}
        self._tables: dict[str, Callable[[], Iterable[Row]]] = {
            "User": self._users,
            "OpportunityStage": self._stages,
            "Lead": self._leads,
            "Contact": self._contacts,
            "Opportunity": self._opportunities,
            "OpportunityHistory": self._history,
            "Task": self._tasks,
            "Event": lambda: (),
            "EmailMessage": self._messages,
        }

    def of(self, name: str) -> Iterable[Row]:
        return self._tables[name]()

    def _kept(self, name: str, key: str, make: Callable[..., Row], *shown: object) -> Row:
        made = self._made.get((name, key))
        if made is None or any(one is not other for one, other in zip(made[0], shown, strict=True)):
            self._made[name, key] = made = (shown, make(*shown))
        return made[1]

    def _users(self) -> Iterable[Row]:
        return (self._kept("User", one.id, _user, one) for one in self._business.owners)

    def _stages(self) -> Iterable[Row]:
        return (self._kept("OpportunityStage", one.id, _stage, one) for one in self._business.stages)

    def _leads(self) -> Iterable[Row]:
        survivors = self._survivors()
        for one in self._business.contacts.values():
            survivor = survivors.get(one.id, one)
            into = survivor if self._converted(survivor) else None
            yield self._kept("Lead", one.id, _lead, one, survivor, into, self._first_deal(one))

    def _contacts(self) -> Iterable[Row]:
        survivors = self._survivors()
        for one in self._business.contacts.values():
            if self._converted(one):
                survivor = survivors.get(one.id)
                yield self._kept("Contact", one.id, _contact, one, survivor, self._first_deal(one))

    def _opportunities(self) -> Iterable[Row]:
        won = {stage.id: stage for stage in self._business.stages}
        return (self._kept("Opportunity", one.id, _opportunity, one, won[one.stage_id]) for one in self._deals())

    def _history(self) -> Iterable[Row]:
        chances = {stage.id: stage.probability for stage in self._business.stages}
        for deal in self._deals():
            for place, (at, stage) in enumerate(deal.stage_history):
                yield self._kept(
                    "OpportunityHistory",
                    f"{deal.id}:{place}",
                    lambda deal, place=place, at=at, stage=stage: _entry(deal, place, at, stage, chances[stage]),
                    deal,
                )

    def _deals(self) -> Iterable[Deal]:
        return self._business.deals.values()

    def _tasks(self) -> Iterable[Row]:
        for one in self._business.activities.values():
            contact = self._business.contacts[one.contact_id]
            kind = "Contact" if self._converted(contact) else "Lead"
            yield {**self._kept("Task", one.id, _task, one), "WhoId": record_id(kind, contact.id)}

    def _messages(self) -> Iterable[Row]:
        emails = (one for one in self._business.activities.values() if one.kind == "email")
        return (self._kept("EmailMessage", one.id, _message, one) for one in emails)

    def _converted(self, contact: Contact) -> bool:
        return contact.lifecycle != "lead" or bool(self._business.deals_of.get(contact.id))

    def _first_deal(self, contact: Contact) -> Deal | None:
        deals = [self._business.deals[one] for one in self._business.deals_of.get(contact.id, ())]
        return min(deals, key=lambda deal: deal.created, default=None)

    def _survivors(self) -> dict[str, Contact]:
        """Who was merged into whom; the last of a chain."""
        into = {loser: one for one in self._business.contacts.values() for loser in one.merged}
        for loser, one in into.items():
            while one.id in into:
                one = into[one.id]
            into[loser] = one
        return into


def _second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


def _times(created: datetime, modified: datetime) -> Row:
    stamp = _second(modified)
    return {"CreatedDate": _second(created), "LastModifiedDate": stamp, "SystemModstamp": stamp}


def _user(owner: Owner) -> Row:
    return {
        "Id": record_id("User", owner.id),
        "Name": owner.name,
        "Email": owner.email,
        "UserType": "Standard",
        "IsActive": not owner.archived,
        **_times(owner.created, owner.modified),
    }


def _stage(stage: Stage) -> Row:
    return {
        "Id": record_id("OpportunityStage", stage.position + 1),
        "ApiName": stage.id,
        "MasterLabel": stage.label,
        "SortOrder": stage.position + 1,
        "DefaultProbability": stage.probability * 100,
        "IsActive": True,
        "IsClosed": stage.status != "open",
        "IsWon": stage.status == "won",
        **_times(stage.created, stage.modified),
    }


def _lead(contact: Contact, survivor: Contact, into: Contact | None, first_deal: Deal | None) -> Row:
    """`into`: the contact it has become, its own or the one it was merged into."""
    merged = survivor is not contact
    at = max(contact.created, first_deal.created) if first_deal else contact.modified
    return {
        "Id": record_id("Lead", contact.id),
        "Name": contact.name,
        "Company": "Simulated company",
        "Email": contact.email,
        "Status": "Closed - Converted" if into else "Open - Not Contacted",
        "LeadSource": contact.source,
        "HasOptedOutOfEmail": contact.opted_out is True,
        "OwnerId": record_id("User", contact.owner_id),
        "IsDeleted": contact.archived is not None and not (merged and into),
        "MasterRecordId": record_id("Lead", survivor.id) if merged and not into else None,
        "IsConverted": into is not None,
        "ConvertedDate": _second(at).date() if into else None,
        "ConvertedContactId": record_id("Contact", into.id) if into else None,
        "ConvertedOpportunityId": record_id("Opportunity", first_deal.id) if into and first_deal else None,
        **_times(contact.created, contact.modified if merged or contact.archived or not into else at),
    }


def _contact(contact: Contact, survivor: Contact | None, first_deal: Deal | None) -> Row:
    at = max(contact.created, first_deal.created) if first_deal else contact.modified
    return {
        "Id": record_id("Contact", contact.id),
        "Name": contact.name,
        "Email": contact.email,
        "LeadSource": contact.source,
        "HasOptedOutOfEmail": contact.opted_out is True,
        "OwnerId": record_id("User", contact.owner_id),
        "IsDeleted": contact.archived is not None,
        "MasterRecordId": record_id("Contact", survivor.id) if survivor else None,
        **_times(at, contact.modified),
    }


def _opportunity(deal: Deal, stage: Stage) -> Row:
    return {
        "Id": record_id("Opportunity", deal.id),
        "Name": deal.name,
        "StageName": deal.stage_id,
        "LeadSource": deal.source,
        "Loss_Reason__c": deal.lost_reason,
        "Amount": float(deal.amount),
        "CurrencyIsoCode": deal.currency,
        "Probability": stage.probability * 100,
        "IsClosed": deal.status != "open",
        "IsWon": deal.status == "won",
        "CloseDate": (deal.closed or deal.expected_close).date(),
        "ContactId": record_id("Contact", deal.contact_id) if deal.contact_id else None,
        "OwnerId": record_id("User", deal.owner_id),
        "IsDeleted": deal.archived is not None,
        "LastStageChangeDate": _second(deal.stage_history[-1][0]),
        **_times(deal.created, deal.modified),
    }


def _entry(deal: Deal, place: int, at: datetime, stage: str, chance: float) -> Row:
    return {
        "Id": record_id("OpportunityHistory", int(deal.id) * 100 + place),
        "OpportunityId": record_id("Opportunity", deal.id),
        "StageName": stage,
        "Amount": float(deal.amount),
        "CurrencyIsoCode": deal.currency,
        "Probability": chance * 100,
        "CloseDate": (deal.closed or deal.expected_close).date(),
        "IsDeleted": deal.archived is not None,
        **_times(at, deal.archived or at),
    }


def _task(activity: Activity) -> Row:
    """All but `WhoId`, which changes when the lead is converted while the task does not."""
    call = activity.kind == "call"
    return {
        "Id": record_id("Task", activity.id),
        "Subject": f"Simulated {activity.kind}",
        "Status": "Completed",
        "TaskSubtype": "Call" if call else "Email",
        "CallType": {"in": "Inbound", "out": "Outbound"}[activity.direction] if call else None,
        "IsClosed": True,
        "IsArchived": False,
        "ActivityDate": activity.at.date(),
        "CompletedDateTime": _second(activity.at),
        "WhatId": None,
        "OwnerId": record_id("User", activity.owner_id),
        "IsDeleted": False,
        **_times(activity.created, activity.modified),
    }


def _message(activity: Activity) -> Row:
    return {
        "Id": record_id("EmailMessage", activity.id),
        "Subject": "Simulated email",
        "Incoming": activity.direction == "in",
        "ActivityId": record_id("Task", activity.id),
        "MessageDate": _second(activity.at),
        "IsDeleted": False,
        **_times(activity.created, activity.modified),
    }
