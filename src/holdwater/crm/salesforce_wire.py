"""What Salesforce's answers look like: records of its query language as JSON, or as CSV where a bulk job wrote them.

The models notice what cannot be right and pass over fields they do not know. An error names the record and the field,
never a value: a value may be personal data.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, AliasPath, BeforeValidator, Field

from holdwater.crm import wire
from holdwater.crm.wire import Model, Wire, Written, utc_moment

_ID = "[0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?"
_MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:?\d\d)"
_FLAGS = {"true": True, "false": False}  # as CSV writes them


def _moment(value: object) -> datetime:
    """Salesforce writes the offset without a colon in JSON, and as Z in CSV."""
    if not isinstance(value, str) or not re.fullmatch(_MOMENT, value, re.ASCII):
        raise ValueError("not a moment")
    return utc_moment(value)


def _day(value: object) -> date:
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII):
        raise ValueError("not a day")
    return date.fromisoformat(value)


def _flag(value: object) -> object:
    return _FLAGS.get(value, value) if isinstance(value, str) else value


def _number(value: object) -> Decimal:
    """Decimal itself would also take underscores, and the digits of every script."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise ValueError("not a number")  # noqa: TRY004 -- pydantic collects ValueError only
    text = str(value)
    if len(text) > 40 or not re.fullmatch(r"[+-]?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?", text):
        raise ValueError("not a number")
    return Decimal(text)


def _blank_is_none(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


Id = Annotated[str, Field(pattern=f"^{_ID}$")]
Moment = Annotated[datetime, BeforeValidator(_moment)]
Day = Annotated[date, BeforeValidator(_day)]
Flag = Annotated[bool, BeforeValidator(_flag), Field(strict=True)]
# The store's integers end not far beyond, in minor units.
Number = Annotated[Decimal, BeforeValidator(_number), Field(gt=-(10**15), lt=10**15, allow_inf_nan=False)]
Text = Annotated[Written | None, BeforeValidator(_blank_is_none)]
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$")]


class Listing(Wire):
    """What a query found; its records are read one by one, so that an error can name the one."""

    total: int = Field(alias="totalSize", ge=0, strict=True)
    done: Annotated[bool, Field(strict=True)]
    records: list[Any]


class _Features(Wire):
    several_currencies: Annotated[bool, Field(alias="multiCurrency", strict=True)]
    currency: Currency | None = Field(None, alias="defaultCurrencyIsoCode")


class WireOrganization(Wire):
    id: Id = Field(alias="orgId")
    features: _Features


class Description(Wire):
    """The fields of one type of object that the user may see; one that cannot be read counts as not seen."""

    fields: list[Any]

    @property
    def names(self) -> list[str]:
        return [str(one["name"]) for one in self.fields if isinstance(one, Mapping) and "name" in one]

    @property
    def usable(self) -> set[str]:
        """Those that a question may be about."""
        shown = (one for one in self.fields if isinstance(one, Mapping))
        return {str(one.get("name")) for one in shown if one.get("filterable") is True and one.get("sortable") is True}


class WireJob(Wire):
    id: Id
    state: Literal["UploadComplete", "InProgress", "JobComplete", "Failed", "Aborted"]


class _Record(Wire):
    id: Id = Field(alias="Id")
    modified: Moment = Field(alias="SystemModstamp")


class WireUser(_Record):
    active: Flag = Field(alias="IsActive")


class WireStage(_Record):
    name: Written = Field(alias="ApiName", min_length=1)
    label: Written = Field(alias="MasterLabel")
    position: int = Field(alias="SortOrder", ge=0, lt=2**31, strict=True)
    closed: Flag = Field(alias="IsClosed")
    won: Flag = Field(alias="IsWon")


class WireGone(_Record):
    """What was deleted, or merged into another record."""

    deleted: Annotated[Literal[True], BeforeValidator(_flag)] = Field(alias="IsDeleted")
    into: Id | None = Field(None, alias="MasterRecordId")


class _Alive(_Record):
    """Asked for among those that are not deleted: one that says otherwise cannot be right."""

    deleted: Annotated[Literal[False], BeforeValidator(_flag)] = Field(alias="IsDeleted")
    created: Moment = Field(alias="CreatedDate")


class _Person(_Alive):
    owner: Id | None = Field(alias="OwnerId")
    source: Text = Field(alias="LeadSource")
    opted_out: Flag | None = Field(None, alias="HasOptedOutOfEmail")
    email: Text = Field(None, alias="Email")  # asked for only where its hash is kept


class WireLead(_Person):
    contact: Id | None = Field(alias="ConvertedContactId")


class WireContact(_Person):
    pass


class WireOpportunity(_Alive):
    owner: Id | None = Field(alias="OwnerId")
    contact: Id | None = Field(None, alias="ContactId")
    # A person account is a contact as well, and its opportunities may name the account alone.
    person_account: Id | None = Field(
        None, validation_alias=AliasChoices(AliasPath("Account", "PersonContactId"), "Account.PersonContactId")
    )
    stage: Written = Field(alias="StageName", min_length=1)
    amount: Number | None = Field(alias="Amount")
    currency: Currency | None = Field(None, alias="CurrencyIsoCode")
    closes: Day = Field(alias="CloseDate")
    closed: Flag = Field(alias="IsClosed")
    won: Flag = Field(alias="IsWon")
    lost_reason: Text = None


class WireEntry(_Alive):
    """One line of an opportunity's history: what it was from a moment on."""

    opportunity: Id = Field(alias="OpportunityId")
    stage: Text = Field(alias="StageName")


class _Activity(_Alive):
    owner: Id | None = Field(alias="OwnerId")
    who: Id | None = Field(alias="WhoId")
    what: Id | None = Field(alias="WhatId")


class WireTask(_Activity):
    done: Annotated[Literal[True], BeforeValidator(_flag)] = Field(alias="IsClosed")
    kind: Text = Field(None, alias="TaskSubtype")
    direction: Text = Field(None, alias="CallType")
    completed: Moment | None = Field(None, alias="CompletedDateTime")


class WireEvent(_Activity):
    child: Annotated[Literal[False], BeforeValidator(_flag)] = Field(alias="IsChild")
    starts: Moment | None = Field(None, alias="StartDateTime")


class WireMessage(_Alive):
    """The e-mail that a task stands for."""

    task: Id | None = Field(alias="ActivityId")
    incoming: Flag = Field(alias="Incoming")
    sent: Moment | None = Field(None, alias="MessageDate")


def read(model: type[Model], answer: object, what: str) -> Model:
    return wire.read(model, answer, what, "Salesforce")


def read_record(model: type[Model], row: object, kind: str) -> Model:
    name = id_of(row)
    return read(model, row, f"Salesforce {kind} {name}" if name else f"A Salesforce {kind} without a usable id")


def id_of(row: object, field: str = "Id") -> str | None:
    """The id of a record, or one that a field of it refers to; None for anything else, which might be personal."""
    found = row.get(field) if isinstance(row, Mapping) else None
    return found if isinstance(found, str) and re.fullmatch(_ID, found) else None


def moment_of(row: object, field: str) -> datetime | None:
    """When a record was changed; None where that cannot be read."""
    try:
        return _moment(row.get(field) if isinstance(row, Mapping) else None)
    except ValueError:
        return None
