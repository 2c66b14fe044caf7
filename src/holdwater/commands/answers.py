"""The commands that answer on the screen."""

from __future__ import annotations

import argparse
import json
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from holdwater.commands.extras import needs
from holdwater.errors import FormulaError, UsageError

if TYPE_CHECKING:
    from holdwater.bucket.description import Description
    from holdwater.metrics.figures import Report


def metrics(arguments: argparse.Namespace) -> None:
    if arguments.tables and arguments.store:
        raise UsageError("Give --store or --tables, not both: the figures come from one of them.")
    if arguments.mapping and not arguments.tables:
        raise UsageError("--mapping says what the columns of --tables are called: give both, or neither.")
    with needs("sync"):
        from holdwater.metrics.shown import as_json, as_text

        found = _metrics(arguments)
    print(json.dumps(as_json(found), indent=2, allow_nan=False) if arguments.json else as_text(found))


def _metrics(arguments: argparse.Namespace) -> Report:
    from holdwater.metrics.conventions import Conventions, zone
    from holdwater.metrics.landed import Landed
    from holdwater.metrics.parquet import duckdb_over, spark_over, write_tables
    from holdwater.metrics.reporting import report, run
    from holdwater.metrics.words import Words
    from holdwater.store.place import default_path
    from holdwater.workbook.store_report import synced_store

    words = Words.read(arguments.words) if arguments.words else None
    try:
        zone(arguments.time_zone)
    except ValueError:
        raise UsageError(
            f"{arguments.time_zone} is no time zone that this machine knows: write a name such as Europe/Berlin; on"
            " Windows, pip install tzdata."
        ) from None
    kept = Conventions(time_zone=arguments.time_zone)
    if arguments.tables:
        landed = Landed.read(arguments.mapping) if arguments.mapping else Landed()
        if arguments.backend == "duckdb":
            with closing(duckdb_over(arguments.tables)) as database:
                return run(database, as_of=arguments.as_of, landed=landed, words=words, conventions=kept)
        with needs("spark"):
            spark = spark_over(arguments.tables)
            return run(spark, as_of=arguments.as_of, landed=landed, words=words, conventions=kept)
    path = arguments.store or default_path()
    words = words or Words.beside(path)
    with synced_store(path) as store:
        if arguments.backend == "duckdb":
            return report(store, as_of=arguments.as_of, words=words, conventions=kept)
        with needs("spark"), tempfile.TemporaryDirectory(prefix="holdwater-") as scratch:
            write_tables(store, Path(scratch))
            spark, read_until = spark_over(Path(scratch)), store.read_until()
            return run(spark, as_of=arguments.as_of, read_until=read_until, words=words, conventions=kept)


def words(arguments: argparse.Namespace) -> None:
    with needs("sync"):
        from holdwater.metrics.reporting import texts_of
        from holdwater.metrics.wording import as_toml
        from holdwater.metrics.words import FILE_NAME, Words, start
        from holdwater.store.place import default_path
        from holdwater.workbook.store_report import synced_store

        store_path = arguments.store or default_path()
        path = arguments.words or store_path.with_name(FILE_NAME)
        with synced_store(store_path) as store:
            found = texts_of(store)
    if arguments.start:
        start(path, as_toml(found))
        print(f"Words file written, look through it: {path.resolve()}")
        return
    unnamed = found.unnamed(Words.read(path) if arguments.words or path.exists() else Words())
    if not unnamed:
        print(f"Every source and lost reason has a name in {path}.")
        return
    print(f"{len(unnamed):,} sources and lost reasons have no name in {path}:\n")
    print("\n".join(as_toml(unnamed)))
    print(
        f"\nNext: {'put these lines into it' if path.exists() else 'holdwater words --start'}; docs/words.md says more."
    )


def diagnose(arguments: argparse.Namespace) -> None:
    from holdwater.bucket.report import report
    from holdwater.diagnosis import as_json, as_text

    path: Path = arguments.source
    simulation = None
    try:
        with needs("models"):
            described = _described(path)
            done = report(described)
            if described.uncertain:
                from holdwater.models.uncertain_bucket import UncertainBucket

                simulation = UncertainBucket.of(described.uncertain).simulate()
    except FormulaError as error:
        raise type(error)(f"{path}: {error}") from None  # whose numbers they are
    if arguments.json:
        print(json.dumps(as_json(done, simulation), indent=2, allow_nan=False))
    else:
        print(as_text(done, simulation))


def _described(path: Path) -> Description:
    kind = path.suffix.lower()
    if kind == ".toml":
        from holdwater.toml_description import read_toml

        return read_toml(path)
    if kind in (".xlsx", ".xlsm"):
        from holdwater.workbook.describe import describe

        return describe(path)
    raise UsageError(f"{path} is neither a workbook (.xlsx, .xlsm) nor a description of the business (.toml).")


def functions(arguments: argparse.Namespace) -> None:
    from holdwater.catalogue import as_json, as_text

    print(json.dumps(as_json(), indent=2) if arguments.json else as_text())
