"""What Tryton's answers look like (JSON-RPC of the 8.2 series).

Tryton writes moments (UTC, without saying so), days and amounts as objects that name their class. The models notice
what cannot be right and pass over fields they do not know. An error names the record and the field, never a value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BeforeValidator, Field

from holdwater.crm import wire
from holdwater.crm.wire import Model, Wire, Written

Json = dict[str, Any]
Made = TypeVar("Made")


def moment(at: datetime) -> Json:
    """A moment as Tryton wants it in a question."""
    at = at.astimezone(UTC)
    names = ("year", "month", "day", "hour", "minute", "second", "microsecond")
    return {"__class__": "datetime"} | {name: getattr(at, name) for name in names}


def day(on: date) -> Json:
    return {"__class__": "date", "year": on.year, "month": on.month, "day": on.day}


def _made_of(name: str, make: Callable[[Json], Made]) -> Callable[[object], Made | None]:
    def read(value: object) -> Made | None:
        if value is None:
            return None
        if not isinstance(value, dict) or value.get("__class__") != name:
            raise ValueError(f"not a {name}")
        try:
            return make({key: part for key, part in value.items() if key != "__class__"})
        except (TypeError, KeyError, OverflowError, InvalidOperation):
            raise ValueError(f"not a {name}") from None

    return read


def _amount(parts: Json) -> str:
    """The text of a number; the store's integers end not far beyond 10**15, in minor units."""
    text = parts["decimal"]
    amount = Decimal(text)
    if not isinstance(text, str) or not amount.is_finite() or amount.adjusted() > 14:
        raise ValueError("no usable number")
    return text


def _blank_is_none(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


Id = Annotated[int, Field(gt=0, strict=True)]
Moment = Annotated[datetime, BeforeValidator(_made_of("datetime", lambda parts: datetime(**parts, tzinfo=UTC)))]
Day = Annotated[date, BeforeValidator(_made_of("date", lambda parts: date(**parts)))]
Amount = Annotated[str | None, BeforeValidator(_made_of("Decimal", _amount))]
Text = Annotated[Written | None, BeforeValidator(_blank_is_none)]
State = Literal["lead", "opportunity", "converted", "won", "lost", "cancelled"]


class _Wire(Wire):
    id: Id


class _Dated(_Wire):
    create_date: Moment
    write_date: Moment | None  # null until the first change

    @property
    def changed_at(self) -> datetime:
        return self.write_date or self.create_date


class WireEmployee(_Dated):
    end_date: Day | None


class WireCurrency(_Wire):
    code: str = Field(pattern=r"^[A-Z]{3}$")


class WireParty(_Wire):
    email: Text = None


class WireOpportunity(_Dated):
    party_id: Id | None = Field(alias="party")
    party: WireParty | None = Field(None, alias="party.")  # only where addresses are asked for
    employee: Id | None
    start_date: Day
    end_date: Day | None
    state: State
    amount: Amount
    currency: WireCurrency = Field(alias="currency.")
    lost_reason: Text


class WireVersion(_Wire):
    """An opportunity as it once was: a state may be of a module that is there no more."""

    state: Written
    party_id: Id | None = Field(alias="party")


class WireRevision(_Wire):
    """That a record was changed, and when; Tryton also says by whom, which is nobody's business."""

    at: Moment

    @classmethod
    def of(cls, row: object) -> WireRevision:
        at, id_ = row[:2] if isinstance(row, list) and len(row) >= 2 else (None, None)
        return read(cls, {"at": at, "id": id_}, "Tryton's history of the opportunities")


def read(model: type[Model], answer: object, what: str) -> Model:
    return wire.read(model, answer, what, "Tryton")


def id_of(row: Mapping[str, object]) -> int:
    """The number of a record; without it there is no going on to the next page."""
    return read(_Wire, row, "A Tryton record").id
