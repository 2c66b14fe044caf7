"""Parquet files, one a canonical table, and the engines that read them."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import duckdb
import ibis  # type: ignore[import-untyped] # it ships no types

from holdwater.errors import ExportError
from holdwater.metrics.engine import Embedded
from holdwater.metrics.tables import UNBOUND
from holdwater.store.database import Store


def write_tables(store: Store, folder: Path) -> None:
    """Write what the metrics need of the store as `folder`/lead.parquet and so on."""
    with closing(duckdb.connect(":memory:", config={"autoinstall_known_extensions": "false"})) as database:
        with store.snapshot():
            Embedded(database).feed(store)
        for name in UNBOUND:
            database.execute(f"COPY {name} TO ? (FORMAT parquet)", [str(folder / f"{name}.parquet")])


def duckdb_over(folder: Path) -> duckdb.DuckDBPyConnection:
    """A DuckDB connection that sees each `NAME.parquet`, a file or a folder of them, as the table NAME."""
    files = _files(folder)
    database = duckdb.connect(":memory:", config={"autoinstall_known_extensions": "false", "TimeZone": "UTC"})
    for file in files:
        place = str(file / "*.parquet" if file.is_dir() else file)
        try:
            database.from_parquet(place).create_view(file.stem)
        except duckdb.Error:
            database.close()
            raise ExportError(f"{file} is no Parquet file that can be read: land it again, or take it away.") from None
    return database


def spark_over(folder: Path) -> ibis.BaseBackend:
    """The same through Spark: the session that is running, or one as its settings say; without any, this machine."""
    from pyspark.sql import SparkSession

    session = SparkSession.builder.appName("holdwater").getOrCreate()
    session.conf.set("spark.sql.session.timeZone", "UTC")
    connection = ibis.pyspark.connect(session)
    for file in _files(folder):
        connection.read_parquet(str(file), table_name=file.stem)
    return connection


def _files(folder: Path) -> list[Path]:
    files = sorted(folder.glob("*.parquet"))
    if not files:
        raise ExportError(f"There is no .parquet file in {folder}: give the folder that holds lead.parquet and others.")
    return files
