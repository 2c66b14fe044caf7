"""The mapping file: which file and column of an export holds what."""

from __future__ import annotations

import tomllib
from datetime import UTC, tzinfo
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Annotated, Any, ClassVar, Literal, Self, get_args
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from holdwater.crm.amounts import check_currency
from holdwater.crm.dates import check_format
from holdwater.crm.export_table import closest
from holdwater.errors import ExportError

Status = Literal["open", "won", "lost"]

_TABLES = ("leads", "deals", "customers", "spend")
_EVERY_DATE = ""  # in a table of date formats: the format of the columns it does not name


def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return UTC  # needs no time zone data, which Windows lacks
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):  # a folder's name, a path, an unknown name
        raise ValueError(
            f'the time zone "{name}" is not known here; write a name such as "Europe/Paris" '
            "(on Windows, install the package tzdata first)"
        ) from None


def _zone_name(name: str) -> str:
    _zone(name)
    return name


def _encoding(name: str) -> str:
    try:
        b"a".decode(name)
    except UnicodeError:
        pass  # half a character of UTF-16: the encoding is known
    except LookupError:
        raise ValueError(f'"{name}" is no encoding; write one such as "utf-8", "cp1252" or "utf-16"') from None
    return name


def _delimiter(mark: str) -> str:
    mark = "\t" if mark == "tab" else mark
    if len(mark) != 1 or mark.isalnum() or mark in '"\r\n ':
        raise ValueError('a delimiter is one mark: ",", ";", "|" or "tab"')
    return mark


def _file(name: str) -> str:
    if PurePosixPath(name).is_absolute() or PureWindowsPath(name).drive or ".." in PureWindowsPath(name).parts:
        raise ValueError(f'"{name}" leads out of the export\'s folder; write the name of a file in it')
    return name


def _formats(stated: object) -> object:
    return {_EVERY_DATE: stated} if isinstance(stated, str) else stated


Formats = Annotated[dict[str, Annotated[str, AfterValidator(check_format)]], BeforeValidator(_formats)]
Header = Annotated[str, Field(min_length=1)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Settings(_Model):
    """What may stand at the top for all files, and in a table for its own."""

    timezone: Annotated[str, AfterValidator(_zone_name)] = "UTC"
    currency: Annotated[str, AfterValidator(check_currency)] | None = None
    encoding: Annotated[str, AfterValidator(_encoding)] = "utf-8-sig"
    delimiter: Annotated[str, AfterValidator(_delimiter)] | None = None
    decimal: Literal[".", ","] | None = None
    date_format: Formats = Field(default_factory=dict)
    empty: tuple[str, ...] = ()

    @property
    def zone(self) -> tzinfo:
        return _zone(self.timezone)

    def format_of(self, field: str) -> str | None:
        """The stated format of a date's column, None if the column must settle it."""
        return self.date_format.get(field, self.date_format.get(_EVERY_DATE))


class _Table(_Settings):
    dates: ClassVar[tuple[str, ...]]

    file: Annotated[Header, AfterValidator(_file)]
    sheet: Header | None = None
    columns: _Model

    def header(self, field: str) -> str | None:
        """The header of the column that holds a field, None if the file has none."""
        header: str | None = getattr(self.columns, field)
        return header

    @model_validator(mode="after")
    def _formats_name_dates(self) -> Self:
        for field in self.date_format:
            if field != _EVERY_DATE and field not in self.dates:
                raise ValueError(f'date_format names "{field}", but the dates here are {" and ".join(self.dates)}')
        return self

    @model_validator(mode="after")
    def _amounts_have_a_currency(self) -> Self:
        amount, currency = (getattr(self.columns, field, None) for field in ("amount", "currency"))
        if amount and not (currency or self.currency):
            raise ValueError('columns.amount needs a currency: write currency = "EUR" (or yours), or columns.currency')
        return self

    def _not_both(self, field: str) -> None:
        if getattr(self, field) and self.header(field):
            raise ValueError(f"{field} and columns.{field} exclude each other; remove one")


class LeadColumns(_Model):
    id: Header
    created_at: Header
    source: Header | None = None
    owner_id: Header | None = None
    email: Header | None = None


class Leads(_Table):
    dates = ("created_at",)
    columns: LeadColumns
    source: Header | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        self._not_both("source")
        return self


class DealColumns(_Model):
    id: Header
    status: Header | None = None
    created_at: Header | None = None
    closed_at: Header | None = None
    lead_id: Header | None = None
    amount: Header | None = None
    currency: Header | None = None
    pipeline_id: Header | None = None
    stage_id: Header | None = None
    owner_id: Header | None = None


class Deals(_Table):
    dates = ("created_at", "closed_at")
    columns: DealColumns
    status: Status | None = None
    statuses: dict[Status, tuple[str, ...]] | None = None

    @model_validator(mode="after")
    def _one_status(self) -> Self:
        self._not_both("status")
        if not (self.status or self.columns.status):
            raise ValueError('write columns.status, or, if all deals of the file ended alike, status = "won" or "lost"')
        if self.statuses and not self.columns.status:
            raise ValueError("statuses needs columns.status, the column whose texts it lists")
        self.status_names()
        return self

    def status_names(self) -> dict[str, Status]:
        """The status behind each text of the status column, by the text without regard to case."""
        names: dict[str, Status] = {}
        for status, texts in (self.statuses or {status: (status,) for status in get_args(Status)}).items():
            for text in texts:
                if names.setdefault(text.casefold(), status) != status:
                    raise ValueError(f'statuses lists "{text}" under {names[text.casefold()]} and under {status}')
        return names


class CustomerColumns(_Model):
    id: Header
    started_at: Header
    ended_at: Header | None = None
    lead_id: Header | None = None
    email: Header | None = None


class Customers(_Table):
    dates = ("started_at", "ended_at")
    columns: CustomerColumns


class SpendColumns(_Model):
    id: Header | None = None
    day: Header
    amount: Header
    currency: Header | None = None
    source: Header | None = None
    campaign: Header | None = None


class Spending(_Table):
    dates = ("day",)
    columns: SpendColumns
    source: Header | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        self._not_both("source")
        return self


class Mapping(_Settings):
    """The whole mapping; each table holds the settings of the top that it does not set itself."""

    name: Header | None = None
    leads: Leads | None = None
    deals: Deals | None = None
    customers: Customers | None = None
    spend: Spending | None = None

    @model_validator(mode="before")
    @classmethod
    def _top_settings_hold_for_tables(cls, data: dict[str, Any]) -> dict[str, Any]:
        top = {key: data[key] for key in _Settings.model_fields if key in data}
        tables = {key: top | table for key, table in data.items() if isinstance(table, dict) and key in _TABLES}
        return data | tables

    @model_validator(mode="after")
    def _something_to_read(self) -> Self:
        if not any(getattr(self, table) for table in _TABLES):
            raise ValueError("there is no table; write at least one of [leads], [deals], [customers], [spend]")
        return self


def load_mapping(path: Path) -> Mapping:
    """The mapping in a TOML file; ExportError names the file, the key and what is allowed."""
    try:
        data = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
        return Mapping.model_validate(data)
    except OSError as problem:
        raise ExportError(f"the mapping {path.name} cannot be read ({problem.strerror}); check its path") from None
    except UnicodeDecodeError:
        raise ExportError(f"the mapping {path.name} is not written in UTF-8; save it as UTF-8") from None
    except tomllib.TOMLDecodeError as problem:
        raise ExportError(f"the mapping {path.name} is not valid TOML: {problem}") from None
    except ValidationError as problem:
        raise ExportError(f"the mapping {path.name}, {_sentence(problem)}") from None


def _sentence(problem: ValidationError) -> str:
    errors = problem.errors(include_url=False, include_input=False)
    # A misspelt key is also a missing one; the spelling is what to mend.
    error = next((error for error in errors if error["type"] == "extra_forbidden"), errors[0])
    *where, key = error["loc"] or ("",)
    in_table = error["loc"][:1] and error["loc"][0] in _TABLES
    place = f"[{error['loc'][0]}], " if in_table else ""
    name = ".".join(str(part) for part in error["loc"][1 if in_table else 0 :] if part != "[key]")
    if error["type"] == "extra_forbidden":
        known = _known_keys(tuple(str(part) for part in where))
        return f'{place}the key "{name}" is not known{closest(str(key), known)}; the keys there are: {", ".join(known)}'
    if error["type"] == "missing":
        return f'{place}the key "{name}" is missing; it is needed'
    message = str(error["ctx"]["error"]) if error["type"] == "value_error" else error["msg"]
    return f"{place}{name}: {message}" if name else f"{place}{message}"


def _known_keys(where: tuple[str, ...]) -> list[str]:
    model: type[BaseModel] = Mapping
    for key in where:
        annotation = model.model_fields[key].annotation
        model = next(kind for kind in (annotation, *get_args(annotation)) if isinstance(kind, type))
    return list(model.model_fields)
