"""What Odoo's answers look like (JSON-2 of Odoo 19).

Odoo writes `false` for what is empty and moments as UTC without saying so, to the second. An error names the record
and the field, never a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from holdwater.crm import wire
from holdwater.crm.wire import Model, Wire, Written

Json = dict[str, Any]
FORM = "%Y-%m-%d %H:%M:%S"


def moment(at: datetime) -> str:
    """A moment as Odoo wants it in a question."""
    return at.astimezone(UTC).strftime(FORM)


def _moment(value: object) -> datetime:
    if not isinstance(value, str):
        raise ValueError("not a moment")  # noqa: TRY004 -- pydantic collects ValueError only
    return datetime.strptime(value, FORM).replace(tzinfo=UTC)


def _false_is_none(value: object) -> object:
    return None if value is False or (isinstance(value, str) and not value.strip()) else value


def _no_flag(value: object) -> object:
    if isinstance(value, bool | str):
        raise ValueError("not a number")  # noqa: TRY004 -- pydantic collects ValueError only
    return value


Id = Annotated[int, Field(gt=0, strict=True)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
MaybeMoment = Annotated[Moment | None, BeforeValidator(_false_is_none)]
Text = Annotated[Written | None, BeforeValidator(_false_is_none)]
# The store's integers end not far beyond, in minor units.
Number = Annotated[Decimal, BeforeValidator(_no_flag), Field(gt=-(10**15), lt=10**15, allow_inf_nan=False)]


class _Record(Wire):
    id: Id


class _Dated(_Record):
    create_date: Moment
    write_date: Moment


class WireUser(_Dated):
    active: bool = Field(strict=True)


class WireStage(_Dated):
    name: Written
    sequence: int
    is_won: bool = Field(strict=True)


class WireName(_Record):
    """A record that is known by its name: a source, a lost reason, a currency."""

    name: Text


MaybeId = Annotated[Id | None, BeforeValidator(_false_is_none)]
MaybeName = Annotated[WireName | None, BeforeValidator(_false_is_none)]


class WireLead(_Dated):
    active: bool = Field(strict=True)
    won_status: Literal["won", "lost", "pending"]
    stage: MaybeId = Field(alias="stage_id")
    partner: MaybeId = Field(alias="partner_id")
    user: MaybeId = Field(alias="user_id")
    source: MaybeName = Field(alias="source_id")
    lost_reason: MaybeName = Field(alias="lost_reason_id")
    revenue: Number = Field(alias="expected_revenue")
    currency: MaybeName = Field(alias="company_currency")
    date_closed: MaybeMoment
    email: Text = Field(None, alias="email_from")  # only where addresses are asked for


class _Message(_Record):
    res_id: Id


class WireTracking(_Record):
    """That a lead came from one stage into another; 0 is no stage."""

    create_date: Moment
    old: int = Field(alias="old_value_integer", ge=0)
    new: int = Field(alias="new_value_integer", ge=0)
    message: _Message = Field(alias="mail_message_id")


class Listing(Wire):
    """A page of records, which are read one by one, so that an error can name the one."""

    records: list[Json]


class Counted(Wire):
    """How many there are, whatever page of them was sent."""

    length: int = Field(ge=0, strict=True)


def read(model: type[Model], answer: object, what: str) -> Model:
    return wire.read(model, answer, what, "Odoo")


def id_of(row: Mapping[str, object]) -> int:
    """The number of a record; without it there is no going on to the next page."""
    return read(_Record, row, "An Odoo record").id
