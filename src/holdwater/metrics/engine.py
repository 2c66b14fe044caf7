"""Where an expression is computed: DuckDB in memory, or any database that Ibis speaks to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import duckdb
import ibis  # type: ignore[import-untyped] # it ships no types
from ibis.backends.sql.datatypes import DuckDBType  # type: ignore[import-untyped] # as above
from ibis.common.exceptions import TableNotFound  # type: ignore[import-untyped] # as above
from ibis.expr import operations as ops  # type: ignore[import-untyped] # as above

from holdwater.errors import ExportError
from holdwater.metrics.tables import UNBOUND
from holdwater.store.database import Store

Row = Mapping[str, Any]
_UTC = ("UTC", "Etc/UTC")

_DUCKDB_TYPES = {
    "string": "VARCHAR",
    "int64": "BIGINT",
    "boolean": "BOOLEAN",
    "timestamp": "TIMESTAMP",
    "date": "DATE",
}
IN_MEMORY: dict[str, str | bool | int | float | list[str]] = {  # no file, no network, no extension fetched
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "enable_external_access": "false",
    "temp_directory": "",
}


class Engine(Protocol):
    def rows(self, expression: ibis.Table) -> list[dict[str, Any]]:
        """The rows of an expression over the canonical tables, each by column name."""


class Database(Engine, Protocol):
    def list_tables(self) -> list[str]: ...

    def table(self, name: str, database: Any = None) -> ibis.Table: ...


class Embedded:
    """A DuckDB connection that holds the canonical tables; needs neither pandas nor pyarrow."""

    def __init__(self, database: duckdb.DuckDBPyConnection) -> None:
        self._database = database

    def feed(self, store: Store) -> None:
        """Lists of columns, unnested: the fastest way in without Arrow, 400,000 leads in about two seconds."""
        for name, table in UNBOUND.items():
            columns = {column: _DUCKDB_TYPES[str(kind)] for column, kind in table.schema().items()}
            listed = ", ".join(f"{column} {kind}" for column, kind in columns.items())
            self._database.execute(f"CREATE TABLE {name} ({listed})")
            # Text goes in as text: DuckDB reads an ISO moment faster than Python does.
            unnested = ", ".join(
                "unnest(?::BIGINT[])" if kind == "BIGINT" else f"unnest(?::VARCHAR[])::{kind}"
                for kind in columns.values()
            )
            for rows in store.rows(name, list(columns)):
                self._database.execute(f"INSERT INTO {name} SELECT {unnested}", list(zip(*rows, strict=True)))

    def rows(self, expression: ibis.Table) -> list[dict[str, Any]]:
        rows = self._database.execute(self.sql(expression)).fetchall()
        return [dict(zip(expression.columns, row, strict=True)) for row in rows]

    @staticmethod
    def sql(expression: ibis.Table) -> str:
        return str(ibis.to_sql(expression, dialect="duckdb", pretty=False))

    def list_tables(self) -> list[str]:
        return [name for (name,) in self._database.execute("SHOW TABLES").fetchall()]  # those of the current schema

    def table(self, name: str, database: Any = None) -> ibis.Table:
        """A table or view as it is described there; `database` is its schema, or catalog and schema."""
        place = () if database is None else (database,) if isinstance(database, str) else tuple(database)
        quoted = ".".join('"' + part.replace('"', '""') + '"' for part in (*place, name))
        try:
            described = self._database.execute(f"DESCRIBE {quoted}").fetchall()
        except duckdb.CatalogException:
            raise TableNotFound(name) from None
        kinds = {column: DuckDBType.from_string(kind) for column, kind, *_ in described}
        if any(kind.is_timestamp() and kind.timezone for kind in kinds.values()):
            self._require_utc()
        catalog, schema = (None, *place)[-2:] if place else (None, None)
        return ibis.table(kinds, name=name, catalog=catalog, database=schema)

    def _require_utc(self) -> None:
        """A moment with a time zone becomes one without by the session's clock, and ours are UTC."""
        (zone,) = self._database.execute("SELECT current_setting('TimeZone')").fetchone() or ("UTC",)
        if zone not in _UTC:
            raise ExportError(f"The DuckDB session tells the time of {zone}: run SET TimeZone = 'UTC' in it first.")


class Backend:
    """Any database that Ibis speaks to; only results leave it."""

    def __init__(self, connection: ibis.BaseBackend) -> None:
        self._connection = connection
        self.list_tables, self.table = connection.list_tables, connection.table

    def rows(self, expression: ibis.Table) -> list[dict[str, Any]]:
        if not self._connection.has_operation(ops.Quantile):
            expression = expression.op().replace(_approximate).to_expr()
        return list(self._connection.to_pyarrow(expression).to_pylist())


def _approximate(node: ibis.common.graph.Node, changed: Mapping[str, Any] | None) -> ibis.common.graph.Node:
    arguments = changed or dict(zip(node.__argnames__, node.__args__, strict=True))
    if isinstance(node, ops.Quantile):
        return ops.ApproxQuantile(**arguments)
    return node.__recreate__(arguments) if changed else node


class Bound:
    """A database, and its own tables in the place of the canonical ones."""

    def __init__(self, database: Database, tables: Mapping[str, ibis.Table]) -> None:
        self._database = database
        self._tables = {UNBOUND[name].op(): table.op() for name, table in tables.items()}

    def bound(self, expression: ibis.Table) -> ibis.Table:
        return expression.op().replace(self._tables).to_expr()

    def rows(self, expression: ibis.Table) -> list[dict[str, Any]]:
        return self._database.rows(self.bound(expression))
