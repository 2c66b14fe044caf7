"""Turns the rows of an exported table into canonical records, as the mapping says."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TypeVar

from holdwater.crm.amounts import check_currency, read_amounts
from holdwater.crm.columns import Column
from holdwater.crm.dates import local_day, read_days, read_moments
from holdwater.crm.export_table import ExportTable
from holdwater.crm.exported_ids import identifier
from holdwater.crm.mapping import Customers, Deals, Leads, Spending, Status
from holdwater.crm.persons import SET_KEY, person_key, recognised
from holdwater.crm.records import Customer, Deal, Lead, Money, Spend, source_name
from holdwater.errors import ExportError

T = TypeVar("T")
R = TypeVar("R", Lead, Deal, Customer, Spend)

_ADDRESS = re.compile(r"[^\s@]@[^\s@]+\.[^\s@]")
# What a spreadsheet makes of a long number when it saves a CSV file: 1.23457E+15.
_ROUNDED = re.compile(r"\d[.,]\d+E\+\d+")


def leads(table: ExportTable, mapping: Leads, version: datetime) -> list[Lead]:
    fields = _Fields(table, mapping)
    return _one_per_id(
        fields,
        [
            Lead(
                id=id_,
                created_at=created,
                updated_at=version,
                source=source_name(raw),
                source_raw=raw,
                owner_id=owner,
                person=person,
            )
            for id_, created, raw, owner, person in zip(
                fields.needed("id", fields.ids("id")),
                fields.needed("created_at", fields.moments("created_at")),
                fields.words("source", mapping.source),
                fields.ids("owner_id"),
                fields.persons("email"),
                strict=True,
            )
        ],
    )


def deals(table: ExportTable, mapping: Deals, version: datetime) -> list[Deal]:
    fields = _Fields(table, mapping)
    return _one_per_id(
        fields,
        [
            Deal(
                id=id_,
                status=status,
                created_at=created,
                closed_at=closed,
                updated_at=version,
                lead_id=lead,
                amount=amount,
                pipeline_id=pipeline,
                stage_id=stage,
                owner_id=owner,
            )
            for id_, status, created, closed, lead, amount, pipeline, stage, owner in zip(
                fields.needed("id", fields.ids("id")),
                _statuses(fields, mapping),
                fields.moments("created_at"),
                fields.moments("closed_at"),
                fields.ids("lead_id"),
                fields.amounts(),
                fields.words("pipeline_id"),
                fields.words("stage_id"),
                fields.ids("owner_id"),
                strict=True,
            )
        ],
    )


def customers(table: ExportTable, mapping: Customers, version: datetime) -> list[Customer]:
    fields = _Fields(table, mapping)
    started = fields.needed("started_at", fields.moments("started_at"))
    ended = fields.moments("ended_at")
    for row, (first, last) in enumerate(zip(started, ended, strict=True)):
        # Days, because one of the two columns may have times and the other not.
        if last and local_day(last, mapping.zone) < local_day(first, mapping.zone):
            raise fields.column("ended_at").error(row, "the customer ends before the start; correct one of the dates")
    return _one_per_id(
        fields,
        [
            Customer(id=id_, started_at=first, ended_at=last, updated_at=version, lead_id=lead, person=person)
            for id_, first, last, lead, person in zip(
                fields.needed("id", fields.ids("id")),
                started,
                ended,
                fields.ids("lead_id"),
                fields.persons("email"),
                strict=True,
            )
        ],
    )


def spend(table: ExportTable, mapping: Spending, version: datetime) -> list[Spend]:
    fields = _Fields(table, mapping)
    days = fields.needed("day", fields.days("day"))
    sources = fields.words("source", mapping.source)
    if mapping.columns.id:
        ids = fields.needed("id", fields.ids("id"))
    else:
        ids = _spend_ids(days, sources, fields.words("campaign"))
    records = [
        Spend(id=id_, day=day, amount=amount, updated_at=version, source=source_name(raw), source_raw=raw)
        for id_, day, amount, raw in zip(ids, days, fields.needed("amount", fields.amounts()), sources, strict=True)
    ]
    return _one_per_id(fields, records) if mapping.columns.id else records


def _spend_ids(days: Sequence[date], sources: Sequence[str | None], campaigns: Sequence[str | None]) -> list[str]:
    """Ids from day, source and campaign, with a count so that equal rows all stand.

    The amount is left out: a corrected amount must replace the old one, not add to it.
    """
    seen: Counter[tuple[str | None, ...]] = Counter()
    ids = []
    for day, source, campaign in zip(days, sources, campaigns, strict=True):
        key = (day.isoformat(), source_name(source), campaign)
        seen[key] += 1
        ids.append(json.dumps([*key, seen[key]], ensure_ascii=False))
    return ids


def _statuses(fields: _Fields, mapping: Deals) -> Sequence[Status]:
    if mapping.status:
        return [mapping.status] * len(fields.table.rows)
    column = fields.column("status")
    known = mapping.status_names()
    needed = fields.needed("status", fields.texts("status"))
    unknown: dict[str, int] = {}
    for row, text in enumerate(needed):
        if text.casefold() not in known:
            unknown.setdefault(text.casefold(), row)
    if unknown:  # the texts stay out of the message: the column may be mapped wrongly and hold names
        first, *others = unknown.values()
        also = f" (and neither is line {', '.join(str(column.lines[row]) for row in others[:9])})" if others else ""
        raise column.error(
            first,
            f"the status on this line is in none of the lists{also}; "
            "write its text under [deals.statuses] in the mapping, as won, lost or open",
        )
    return [known[text.casefold()] for text in needed]


def _one_per_id(fields: _Fields, records: list[R]) -> list[R]:
    """The records without those of repeated rows; ExportError if two different rows have one id."""
    rows: dict[str, int] = {}
    for row, record in enumerate(records):
        first = rows.setdefault(record.id, row)
        if fields.table.rows[first] != fields.table.rows[row]:
            column = fields.column("id")
            raise column.error(
                row,
                f"the id is also on line {column.lines[first]}, whose row is different; remove the one that is wrong, "
                "or map id to a column that is different on every row",
            )
    return [records[row] for row in rows.values()]


@dataclass(frozen=True, slots=True)
class _Fields:
    """The values of the fields that the mapping finds in a table; None all the way for a field it does not map."""

    table: ExportTable
    mapping: Leads | Deals | Customers | Spending

    def column(self, field: str) -> Column:
        """The column of a field that is mapped."""
        header = self.mapping.header(field)
        if header is None:
            raise ExportError(f"{self.table.file}: the mapping names no column for {field}; write columns.{field}")
        return self.table.column(header, self.mapping.empty)

    def needed(self, field: str, values: Sequence[T | None]) -> list[T]:
        return self.column(field).required(values)

    def texts(self, field: str, constant: str | None = None) -> list[str | None]:
        if not self.mapping.header(field):
            return [constant] * len(self.table.rows)
        return [cell or None for cell in self.column(field).cells]

    def words(self, field: str, constant: str | None = None) -> list[str | None]:
        """Texts that are kept and shown as they are, so no address may be among them."""
        texts = self.texts(field, constant)
        for row, text in enumerate(texts):
            if text and _ADDRESS.search(text):
                raise self.column(field).error(
                    row, f"the cell holds an e-mail address, which is not kept; map {field} to another column"
                )
        return texts

    def ids(self, field: str) -> list[str | None]:
        if not self.mapping.header(field):
            return [None] * len(self.table.rows)
        column = self.column(field)
        for row, text in enumerate(column.cells):
            if isinstance(column.known.get(row), datetime):
                raise column.error(
                    row,
                    "the cell holds a date, where an id belongs; a spreadsheet makes dates of ids such as 3-4, "
                    "so export again with the ids as text, or map the column of the id",
                )
            if _ROUNDED.fullmatch(text):
                raise column.error(
                    row,
                    f'"{text}" is an id that a spreadsheet has rounded, so its last digits are lost; '
                    "export again, and do not save the file from a spreadsheet",
                )
        ids = [identifier(text) if text else None for text in column.cells]
        for row, (text, id_) in enumerate(zip(column.cells, ids, strict=True)):
            if text and not id_:
                raise column.error(
                    row,
                    "the id is a name or an address, of which only a keyed hash is kept, and there is no keyring to "
                    f"make the key in; {SET_KEY}, or map the column with the numbers of your CRM",
                )
        return ids

    def persons(self, field: str) -> list[str | None]:
        """What stands for the people whose addresses the column holds."""
        if self.mapping.header(field) and not recognised():
            raise ExportError(
                f"{self.table.file}: columns.{field} needs a key to hide the addresses with, and there is no keyring "
                f"to make it in; {SET_KEY}, or take columns.{field} out of the mapping"
            )
        return [person_key(address) for address in self.texts(field)]

    def moments(self, field: str) -> list[datetime | None]:
        if not self.mapping.header(field):
            return [None] * len(self.table.rows)
        moments = read_moments(self.column(field), self.mapping.format_of(field), self.mapping.zone)
        return [moment.astimezone(UTC) if moment else None for moment in moments]

    def days(self, field: str) -> list[date | None]:
        return read_days(self.column(field), self.mapping.format_of(field), self.mapping.zone)

    def amounts(self) -> list[Money | None]:
        if not self.mapping.header("amount"):
            return [None] * len(self.table.rows)
        return read_amounts(self.column("amount"), self.mapping.decimal, self._currencies())

    def _currencies(self) -> list[str | None]:
        if not self.mapping.header("currency"):
            return [self.mapping.currency] * len(self.table.rows)
        column = self.column("currency")
        codes = []
        for row, cell in enumerate(column.cells):
            try:
                codes.append(check_currency(cell.upper()) if cell else self.mapping.currency)
            except ValueError:
                raise column.error(
                    row, 'the cell is no currency code; write three capital letters such as "EUR"'
                ) from None
        return codes
