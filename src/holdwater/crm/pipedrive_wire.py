"""What Pipedrive's answers look like: v2, and v1 for users, leads and changelogs.

The models notice what cannot be right and pass over fields they do not know. An error names the record, its id and the
field, never a value: a value may be personal data.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AliasPath, BeforeValidator, Field

from holdwater.crm import wire
from holdwater.crm.wire import Model, Wire, Written, utc_moment

_NO_TIME = "0000-00-00 00:00:00"  # v1's way to say never


def _legacy(value: object) -> datetime:
    """UTC, without saying so."""
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}", value):
        raise ValueError("not a moment")
    return datetime.fromisoformat(value).replace(tzinfo=UTC)


def _empty_is_none(value: object) -> object:
    return None if value == _NO_TIME or (isinstance(value, str) and not value.strip()) else value


def _no_flag(value: object) -> object:
    if isinstance(value, bool | str):
        raise ValueError("not a number")  # noqa: TRY004 -- pydantic collects ValueError only
    return value


def _null_is_no_rows(value: object) -> object:
    return [] if value is None else value


def _whole(value: object) -> object:
    """A changelog has numbers as text."""
    return int(value) if isinstance(value, str) and re.fullmatch("[0-9]{1,15}", value) else value


Id = Annotated[int, Field(gt=0, lt=10**15, strict=True)]
MaybeId = Id | None
Moment = Annotated[datetime, BeforeValidator(utc_moment)]
MaybeMoment = Annotated[Moment | None, BeforeValidator(_empty_is_none)]
Legacy = Annotated[datetime, BeforeValidator(_legacy)]
MaybeLegacy = Annotated[Legacy | None, BeforeValidator(_empty_is_none)]
Text = Annotated[Written | None, BeforeValidator(_empty_is_none)]
Flag = Annotated[bool, Field(strict=True)]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
# The store's integers end not far beyond, in minor units.
Number = Annotated[Decimal, BeforeValidator(_no_flag), Field(gt=-(10**15), lt=10**15, allow_inf_nan=False)]
Rows = Annotated[list[Any], BeforeValidator(_null_is_no_rows)]  # read one by one, so that an error can name the one


class _More(Wire):
    next_cursor: Text = None


class Listing(Wire):
    """A page of a list with a cursor; v1 writes null for one without rows."""

    data: Rows
    more: _More | None = Field(None, alias="additional_data")

    @property
    def cursor(self) -> str | None:
        """Of the next page; None on the last."""
        return self.more.next_cursor if self.more else None


class Numbered(Wire):
    """A page of a list of v1 that goes by positions."""

    data: Rows
    more: Flag = Field(validation_alias=AliasPath("additional_data", "pagination", "more_items_in_collection"))


class Whole(Wire):
    """A list of v1 that comes in one piece."""

    data: Rows


class Account(Wire):
    company_id: Id
    company_domain: object = None


class WireAccount(Wire):
    data: Account


class WireUser(Wire):
    id: Id
    active_flag: Flag
    created: Legacy
    modified: MaybeLegacy = None


class WireStage(Wire):
    id: Id
    name: Written
    order_nr: int = Field(ge=-1, lt=2**31, strict=True)
    pipeline_id: Id
    add_time: Moment
    update_time: MaybeMoment = None


class WireOption(Wire):
    id: Id
    label: Written


class WireField(Wire):
    """A field of deals, with its choices if it has some."""

    options: list[WireOption]


class _Changing(Wire):
    id: Id
    add_time: Moment
    update_time: MaybeMoment = None

    @property
    def changed(self) -> datetime:
        return self.update_time or self.add_time


class _Email(Wire):
    value: Text = None
    primary: bool = False


class WirePerson(_Changing):
    is_deleted: Flag = False
    owner_id: MaybeId = None
    emails: list[_Email] | None = None
    marketing_status: Text = None

    @property
    def email(self) -> str | None:
        """The main address, else the first."""
        found = sorted(self.emails or (), key=lambda email: not email.primary)
        return found[0].value if found else None


class WireDeal(_Changing):
    status: Literal["open", "won", "lost", "deleted"]
    is_deleted: Flag = False
    owner_id: MaybeId = None
    person_id: MaybeId = None
    org_id: MaybeId = None
    pipeline_id: MaybeId = None
    stage_id: MaybeId = None
    stage_change_time: MaybeMoment = None
    value: Number | None = None
    currency: Currency | None = None
    won_time: MaybeMoment = None
    lost_time: MaybeMoment = None
    close_time: MaybeMoment = None
    lost_reason: Text = None
    channel: MaybeId = None

    @property
    def moved(self) -> datetime | None:
        """When it came into its stage, if that is not the one it began in."""
        return self.stage_change_time if self.stage_change_time and self.stage_change_time > self.add_time else None


class WireLead(Wire):
    """A lead of the inbox."""

    add_time: Moment
    update_time: MaybeMoment = None
    owner_id: MaybeId = None
    person_id: MaybeId = None
    org_id: MaybeId = Field(None, alias="organization_id")
    channel: MaybeId = None

    @property
    def changed(self) -> datetime:
        return self.update_time or self.add_time


class WireActivity(_Changing):
    type: Text = None
    done: Flag
    is_deleted: Flag = False
    owner_id: MaybeId = None
    person_id: MaybeId = None
    org_id: MaybeId = None
    deal_id: MaybeId = None
    marked_as_done_time: MaybeMoment = None


class WireChange(Wire):
    """That one field of a deal has changed, whatever its values are."""

    field_key: Written


class WireMove(Wire):
    """That a deal came from one stage into another; none is where it came from when it was made."""

    old: Annotated[MaybeId, BeforeValidator(_whole)] = Field(alias="old_value")
    new: Annotated[Id, BeforeValidator(_whole)] = Field(alias="new_value")
    time: Legacy


def read(model: type[Model], answer: object, what: str) -> Model:
    return wire.read(model, answer, what, "Pipedrive")


def read_record(model: type[Model], answer: object, kind: str) -> Model:
    name = name_of(answer)
    return read(model, answer, f"Pipedrive {kind} {name}" if name else f"A Pipedrive {kind} without a usable id")


def name_of(answer: object) -> str | None:
    """The id of a row where it may be shown: a number, or the UUID of a lead; more might be personal."""
    found = answer.get("id") if isinstance(answer, Mapping) else None
    text = str(found) if isinstance(found, str) or type(found) is int else ""
    return text if re.fullmatch("[1-9][0-9]{0,14}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", text) else None
