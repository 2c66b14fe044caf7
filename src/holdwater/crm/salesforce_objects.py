"""The types of Salesforce's objects that a sync reads, and what of each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from holdwater.crm.salesforce_query import Query
from holdwater.crm.salesforce_wire import Description
from holdwater.errors import ScopeError

_RECORD = ("Id", "SystemModstamp", "IsDeleted", "CreatedDate")
PERSON_ACCOUNT = "IsPersonAccount"  # a field that contacts have where people can be accounts


@dataclass(frozen=True, slots=True)
class ObjectType:
    """One type of object, and the only fields of it that are ever requested: `optional` ones where they are shown.

    `conditions`: what makes one of them count. `changed`: fields that tell a change, the best first.
    """

    name: str
    fields: tuple[str, ...]
    optional: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    changed: tuple[str, ...] = ("SystemModstamp", "LastModifiedDate")
    merges: bool = False  # whether two of them can become one

    @property
    def counting(self) -> tuple[str, ...]:
        """The conditions that all of those fulfil which are there and count."""
        return ("IsDeleted = false", *self.conditions)


LEADS = ObjectType(
    "Lead",
    (*_RECORD, "OwnerId", "LeadSource", "ConvertedContactId"),
    ("HasOptedOutOfEmail",),
    merges=True,
)
CONTACTS = ObjectType(
    "Contact", (*_RECORD, "OwnerId", "LeadSource"), ("HasOptedOutOfEmail", PERSON_ACCOUNT), merges=True
)
OPPORTUNITIES = ObjectType(
    "Opportunity",
    (*_RECORD, "OwnerId", "StageName", "Amount", "CloseDate", "IsClosed", "IsWon", "ContactId"),
    ("CurrencyIsoCode",),
)
# A line of history never changes: where its time of change cannot be asked for, that of its creation is as good.
HISTORY = ObjectType(
    "OpportunityHistory", (*_RECORD, "OpportunityId", "StageName"), changed=("SystemModstamp", "CreatedDate")
)
_ACTIVITY = (*_RECORD, "OwnerId", "WhoId", "WhatId")
TASKS = ObjectType(  # what is yet to be done is no contact with anybody
    "Task", (*_ACTIVITY, "IsClosed"), ("TaskSubtype", "CallType", "CompletedDateTime"), ("IsClosed = true",)
)
EVENTS = ObjectType(  # each guest of a meeting has a child of it
    "Event", (*_ACTIVITY, "IsChild"), ("StartDateTime",), ("IsChild = false",)
)
MESSAGES = ObjectType("EmailMessage", (*_RECORD, "ActivityId", "Incoming"), ("MessageDate",))


@dataclass(frozen=True, slots=True)
class Shape:
    """A type of object as one organisation has it: `fields` are those to ask for, `changed` the one that tells a
    change (None: there is none that can be asked for, so it is read whole every time)."""

    kind: ObjectType
    fields: tuple[str, ...]
    changed: str | None
    lost_reason: str | None = None

    @classmethod
    def of(cls, kind: ObjectType, description: Description, *, more: Sequence[str] = ()) -> Shape:
        """ScopeError where a field that is needed is not shown; `more` optional fields, with a path if need be."""
        found, usable = description.names, description.usable
        missing = [field for field in kind.fields if field not in found]
        if missing:
            raise ScopeError(
                f"Salesforce does not show the field {kind.name}.{missing[0]} to this app;"
                " let its user read the field (a permission set, Object Settings)."
            )
        changed = next((field for field in kind.changed if field in usable), None)
        lost_reason = _lost_reason(found) if kind is OPPORTUNITIES else None
        optional = [field for field in (*kind.optional, *more) if field in found or "." in field]
        asked = (*kind.fields, *optional, *(one for one in (changed, lost_reason) if one))
        return cls(kind, tuple(dict.fromkeys(asked)), changed, lost_reason)

    def alive(self, since: datetime | None = None) -> Query:
        return Query(self.kind.name, self.fields, self.kind.counting, self.changed, since)

    def gone(self, since: datetime | None = None) -> Query:
        """What lies in the recycle bin, where Salesforce keeps it for some weeks."""
        asked = ["Id", "SystemModstamp", "IsDeleted", *(["MasterRecordId"] if self.kind.merges else [])]
        fields = tuple(dict.fromkeys([*asked, *([self.changed] if self.changed else [])]))
        return Query(self.kind.name, fields, ("IsDeleted = true",), self.changed, since)

    def ids(self, *more: str) -> Query:
        return Query(self.kind.name, ("Id", *more), self.kind.counting, changed=None)


def _lost_reason(names: Iterable[str]) -> str | None:
    """Salesforce has no such field: an organisation that keeps the reason has made one, and named it like this."""
    found = [name for name in names if re.fullmatch(r"(?i).*(loss|lost).*reason.*__c|.*reason.*(loss|lost).*__c", name)]
    return min(found, key=lambda name: (len(name), name), default=None)
