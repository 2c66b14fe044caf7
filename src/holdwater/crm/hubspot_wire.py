"""What HubSpot's answers look like (dated API 2026-09).

The models notice what cannot be right and pass over fields they do not know. An error names the object, its id and
the field, never a value: a value may be personal data.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BeforeValidator, Field, PlainValidator

from holdwater.crm import wire
from holdwater.crm.wire import Model, Wire, Written, utc_moment

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER, _WORD = re.compile("[0-9]{1,20}"), re.compile("[a-z0-9_-]{1,64}")


def _moment(value: object) -> datetime:
    """HubSpot writes moments as ISO 8601 with Z or as epoch milliseconds."""
    if not isinstance(value, (str, int)):
        raise ValueError("not a moment")  # noqa: TRY004 -- pydantic collects ValueError only
    return _read_moment(str(value))


@lru_cache(maxsize=1024)  # an object says each of its moments twice
def _read_moment(text: str) -> datetime:
    # Fewer digits would be seconds, or a day such as 20260131.
    if 12 <= len(text) <= 14 and text.isascii() and text.isdecimal():
        return _EPOCH + timedelta(milliseconds=int(text))
    return utc_moment(text)


def _maybe_moment(value: object) -> datetime | None:
    return None if value is None or value == "" else _moment(value)


def _blank_is_none(value: object) -> object:
    return None if value == "" else value


def _split(value: object) -> object:
    """HubSpot joins ids with semicolons."""
    return tuple(filter(None, value.split(";"))) if isinstance(value, str) else value or ()


Id = Annotated[str, Field(pattern=r"^[0-9]{1,20}$", coerce_numbers_to_str=True)]
Moment = Annotated[datetime, PlainValidator(_moment)]
Text = Annotated[Written | None, BeforeValidator(_blank_is_none)]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
MaybeCurrency = Annotated[Currency | None, BeforeValidator(_blank_is_none)]
Flag = Annotated[Literal["true", "false"] | None, BeforeValidator(_blank_is_none)]
Ids = Annotated[tuple[Id, ...], BeforeValidator(_split)]
MaybeMoment = Annotated[datetime | None, PlainValidator(_maybe_moment)]


class _Next(Wire):
    after: str


class _Paging(Wire):
    next: _Next | None = None


class _Paged(Wire):
    paging: _Paging | None = None

    @property
    def after(self) -> str | None:
        """The cursor of the next page; None on the last."""
        return self.paging.next.after if self.paging and self.paging.next else None


class Listing(_Paged):
    """A page of a list; its results are read one by one, so that an error can name the one."""

    results: list[Any]


class Found(Listing):
    """A page of a search."""

    total: int = Field(ge=0, strict=True)


class WireAccount(Wire):
    portal_id: int = Field(alias="portalId", gt=0, strict=True)
    company_currency: Currency = Field(alias="companyCurrency")
    ui_domain: object = Field(None, alias="uiDomain")


class WireOwner(Wire):
    id: Id
    updated_at: Moment = Field(alias="updatedAt")
    archived: Annotated[bool, Field(strict=True)]


class _StageMetadata(Wire):
    is_closed: Flag = Field(None, alias="isClosed")
    probability: Annotated[Decimal, Field(ge=0, le=1)]


class WireStage(Wire):
    id: Written
    label: Written
    display_order: int = Field(alias="displayOrder", ge=-1, lt=2**31, strict=True)
    updated_at: Moment = Field(alias="updatedAt")
    metadata: _StageMetadata


class WirePipeline(Wire):
    id: Written
    stages: list[Any]  # read one by one


class _ContactProperties(Wire):
    createdate: MaybeMoment = None
    lastmodifieddate: MaybeMoment = None
    hs_analytics_source: Text = None
    hubspot_owner_id: Text = None
    hs_merged_object_ids: Ids = ()
    hs_email_optout: Flag = None
    hs_legal_basis: Text = None
    email: Text = None  # asked for only where its hash is kept


class WireContact(Wire):
    id: Id
    created_at: Moment = Field(alias="createdAt")
    updated_at: Moment = Field(alias="updatedAt")
    properties: _ContactProperties


class _DealProperties(Wire):
    amount: Text = None
    deal_currency_code: MaybeCurrency = None
    dealstage: Text = None
    pipeline: Text = None
    closedate: MaybeMoment = None
    createdate: MaybeMoment = None
    hs_lastmodifieddate: MaybeMoment = None
    hs_is_closed: Flag = None
    hs_is_closed_won: Flag = None
    hubspot_owner_id: Text = None
    closed_lost_reason: Text = None
    hs_merged_object_ids: Ids = ()


class AssociationType(Wire):
    label: Text = None


class Associated(Wire):
    """One contact of a deal, as lists (`id`, `type`) and batch answers (`toObjectId`, `associationTypes`) give it."""

    id: Id = Field(validation_alias=AliasChoices("toObjectId", "id"))
    type: Text = None
    types: tuple[AssociationType, ...] = Field((), alias="associationTypes")


class _Contacts(_Paged):
    results: tuple[Associated, ...] = ()


class _Associations(Wire):
    contacts: _Contacts = _Contacts()


class _WithContacts(Wire):
    id: Id
    created_at: Moment = Field(alias="createdAt")
    updated_at: Moment = Field(alias="updatedAt")
    associations: _Associations = _Associations()

    @property
    def contacts(self) -> _Contacts:
        return self.associations.contacts


class WireDeal(_WithContacts):
    properties: _DealProperties


class _ActivityProperties(Wire):
    hs_timestamp: Moment
    hs_lastmodifieddate: MaybeMoment = None
    hubspot_owner_id: Text = None
    hs_call_direction: Text = None
    hs_email_direction: Text = None


class WireActivity(_WithContacts):
    """A call, an e-mail, a meeting or a message."""

    properties: _ActivityProperties


class PastValue(Wire):
    """What a property was from a moment on; a stage that was taken away is empty."""

    value: Text
    timestamp: Moment


class _Histories(Wire):
    dealstage: list[Any]  # read one by one


class WireHistory(Wire):
    """The past of one deal, as lists and batch answers give it."""

    id: Id
    past: _Histories = Field(alias="propertiesWithHistory")


class _From(Wire):
    id: Id


class ContactsOf(_Paged):
    """The contacts of one object in a batch answer, or the first of them."""

    object: _From = Field(alias="from")
    to: list[Associated]


class _Context(Wire):
    from_ids: tuple[Id, ...] = Field((), alias="fromObjectId")


class Trouble(Wire):
    category: str | None = None
    sub_category: str | None = Field(None, alias="subCategory")
    context: _Context | None = None


class Batch(Wire):
    """The answer to a question about several objects; its results are read one by one."""

    results: list[Any]
    errors: tuple[Trouble, ...] = ()


def read(model: type[Model], answer: object, what: str) -> Model:
    """`answer` as `model`; BadAnswerError names `what` and the fields that cannot be read."""
    return wire.read(model, answer, what, "HubSpot")


def read_record(model: type[Model], answer: object, kind: str) -> Model:
    name = name_of(answer)
    return read(model, answer, f"HubSpot {kind} {name}" if name else f"A HubSpot {kind} without a usable id")


def archived_since(result: object, moment: datetime) -> bool:
    """Whether an object was archived after a moment; also where that cannot be read."""
    try:
        return not isinstance(result, dict) or _moment(result.get("archivedAt")) > moment
    except ValueError:
        return True


def name_of(answer: object) -> str | None:
    """The id of a result where it may be shown: numbers, and the words that pipelines have; more might be personal."""
    if not isinstance(answer, dict):
        return None
    found = answer.get("id")
    text = str(found) if type(found) in (str, int) else ""
    words = "stages" in answer or "metadata" in answer
    return text if (_WORD if words else _NUMBER).fullmatch(text) else None
