"""What the canonical tables and columns are called in a database where another tool landed them."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import ibis  # type: ignore[import-untyped] # it ships no types
from ibis.common.exceptions import TableNotFound  # type: ignore[import-untyped] # as above

from holdwater.errors import ExportError
from holdwater.metrics.engine import Database
from holdwater.metrics.landed_checks import NECESSARY, check_rows, check_type
from holdwater.metrics.tables import UNBOUND

NAME = "name"
_HERE = "warehouse"  # the connection of all rows, where the tables have no such column


@dataclass(frozen=True, slots=True)
class Landed:
    """By canonical table its name there (`schema.table` or `catalog.schema.table`) and by canonical column its own.

    What is not named has its canonical name, in capitals or not. A table that is not there is empty, and so is a
    column that no figure depends on.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Landed:
        """From a TOML file with one section a table; ExportError says which line is not understood."""
        path = Path(path)
        try:
            sections = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ExportError(f"The mapping {path} cannot be read ({error.strerror}): give the right path.") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ExportError(f"The mapping {path} is no TOML ({error}): mend it there.") from None
        for table, entries in sections.items():
            if table not in UNBOUND or not isinstance(entries, dict):
                raise ExportError(f"{path}: there is no table {table}; there are {', '.join(UNBOUND)}.")
            for column, theirs in entries.items():
                known = (NAME, *UNBOUND[table].columns)
                if column not in known or not isinstance(theirs, str) or not theirs.strip():
                    raise ExportError(
                        f'{path}: [{table}] may hold {", ".join(known)}, each = "their name"; mend {column}.'
                    )
        return cls(
            {table: entries[NAME] for table, entries in sections.items() if NAME in entries},
            {table: {ours: their for ours, their in e.items() if ours != NAME} for table, e in sections.items()},
        )

    def tables(self, database: Database) -> dict[str, ibis.Table]:
        """The canonical tables in that database, typed as ours.

        ExportError for a name that is not there, and for types or rows that would give a wrong figure.
        """
        found = {name: self._found(database, name) for name in UNBOUND}
        leads = found["lead"]
        if leads is None:
            raise ExportError("The database has no table lead: name yours in the mapping, as [lead] name = ...")
        tables = {}
        for name, table in found.items():
            tables[name] = self._canonical(name, leads if table is None else table, table is None)
            if table is not None:
                check_rows(name, tables[name], database)
        return tables

    def _found(self, database: Database, name: str) -> ibis.Table | None:
        if name not in self.names:
            there = _called(name, database.list_tables())
            if there is None and self.columns.get(name):
                raise ExportError(f"The database has no table {name}: give its name in [{name}] of the mapping.")
            return None if there is None else database.table(there)
        *place, table = self.names[name].split(".")
        schema = None if not place else place[0] if len(place) == 1 else tuple(place)
        try:
            return database.table(table, database=schema)
        except TableNotFound:
            raise ExportError(f"The database has no table {self.names[name]}: mend [{name}] in the mapping.") from None

    def _canonical(self, name: str, theirs: ibis.Table, empty: bool) -> ibis.Table:
        renamed = self.columns.get(name, {})
        for ours, their in renamed.items():
            if not empty and their not in theirs.columns:
                raise ExportError(f"The table of {name} has no column {their}: mend {ours} in [{name}] of the mapping.")
        columns = {}
        for ours, kind in UNBOUND[name].schema().items():
            spelled = None if empty else renamed.get(ours) or _called(ours, theirs.columns)
            if spelled is not None:
                check_type(name, ours, kind, theirs[spelled])
                columns[ours] = theirs[spelled].cast(kind)
            elif not empty and ours in NECESSARY[name]:
                raise ExportError(
                    f"The table of {name} has no column {ours}: say in [{name}] of the mapping which is it."
                )
            elif ours == "connection":
                columns[ours] = ibis.literal(_HERE)
            else:
                columns[ours] = ibis.null(kind)
        table = theirs.select(**columns)
        return table.limit(0) if empty else table


def _called(name: str, among: Iterable[str]) -> str | None:
    """`name` as it is spelled there: some warehouses write all names in capitals."""
    alike = [one for one in among if one.lower() == name]
    return name if name in alike else alike[0] if len(alike) == 1 else None
