"""What each command of the command line does; imports what it needs when it runs, so that the bare install has it."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING

from holdwater.errors import (
    CredentialsError,
    ExportError,
    FormulaError,
    MissingExtraError,
    SetupError,
    UsageError,
    WorkbookError,
)

if TYPE_CHECKING:
    from holdwater.bucket.description import Description
    from holdwater.crm.connector import Connector, Issue
    from holdwater.metrics.figures import Report
    from holdwater.store.runs import Run
    from holdwater.workbook.changes import Change
    from holdwater.workbook.refresh import Refreshed


@contextmanager
def _needs(extra: str) -> Iterator[None]:
    """A missing package becomes the sentence that says what to install."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name and error.name.startswith("holdwater"):
            raise
        raise MissingExtraError(
            f"This command needs the package {error.name}, which is not installed:"
            f" run pip install 'holdwater[{extra}]'."
        ) from None


def demo(arguments: argparse.Namespace) -> None:
    with _needs("all"):
        from holdwater.demo import demo as run
        from holdwater.progress import shown_progress

        with shown_progress() as progress:
            done = run(arguments.out, arguments.seed, progress)
    print("This is a SIMULATED business, synced over HTTP from a sandbox on this machine.")
    _say(done)


def template(arguments: argparse.Namespace) -> None:
    from holdwater.workbook.template import write_template

    if arguments.out.exists():
        raise WorkbookError(f"{arguments.out} exists: give another name, or remove it first.")
    write_template(arguments.out)
    print(f"Template written: {arguments.out.resolve()}")
    print("Next: fill in the sheet Inputs, then run holdwater refresh.")


def connect(arguments: argparse.Namespace) -> None:
    with _needs("sync"):
        from holdwater.crm import credentials
        from holdwater.crm.sources import SOURCES

        name: str = arguments.source
        source = SOURCES[name]
        print(f"{source.title} needs a token ({source.where}) with these rights, and no more:")
        for scope in source.scopes:
            print(f"  {scope}")
        for scope, gain in source.optional.items():
            print(f"  {scope} (may be left out; with it {gain})")
        variable = credentials.variable(name)
        given = credentials.given(name)
        token = given or credentials.Token(
            # Never into a variable of its own, which a traceback might print.
            getpass("Token (it is not shown): ") if sys.stdin.isatty() else sys.stdin.readline(),
            "what was typed",
        )
        with source.connect(arguments.url, token) as connector:
            account = connector.connection
        if given:
            place = f"the environment variable {variable}"
        elif credentials.keep(name, token):
            place = "the keyring"
        else:
            raise CredentialsError(
                f"The token is good for {account}, but this machine has no keyring to keep it in:"
                f" set the environment variable {variable} instead."
            )
    print(f"Connected: {account}, with the token in {place}.")
    print(f"Next: holdwater sync {name}")


def sources(arguments: argparse.Namespace) -> None:
    with _needs("sync"):
        from holdwater.connections import described
        from holdwater.store.database import Store
        from holdwater.store.place import default_path

        path = arguments.store or default_path()
        if not path.exists():
            raise SetupError(f"There is no store at {path}: run holdwater sync first.")
        with Store.open(path) as store:
            lines = list(described(store, datetime.now(UTC)))
    print("\n".join(lines) or f"Nothing has been synced into {path} yet: run holdwater sync first.")


def sync(arguments: argparse.Namespace) -> None:
    with _needs("sync"):
        from holdwater.progress import shown_progress
        from holdwater.store.database import Store
        from holdwater.store.place import default_path
        from holdwater.store.sync import sync as run

        _exports_or_store(arguments)
        path = arguments.store or default_path()
        with _connector(arguments) as connector, Store.open(path) as store, shown_progress() as progress:
            done = run(
                connector,
                store,
                full=arguments.full,
                since=arguments.since,
                reconcile=arguments.reconcile,
                rehearse=arguments.dry_run,
                progress=progress,
            )
            issues = store.issues(connector.connection)
    print(_summary(done))
    _tell(issues)
    if arguments.source != "exports":
        from holdwater.crm import persons

        if not persons.recognised():
            print(persons.NO_KEY, file=sys.stderr)
    print("Nothing was kept: this was a dry run." if arguments.dry_run else f"Store: {path.resolve()}")


def refresh(arguments: argparse.Namespace) -> None:
    with _needs("sync"):
        from holdwater.metrics.reporting import report
        from holdwater.store.database import Store
        from holdwater.store.place import default_path
        from holdwater.store.sync import sync as run
        from holdwater.workbook.package import Package
        from holdwater.workbook.refresh import plan, require_ours
        from holdwater.workbook.refresh import refresh as write
        from holdwater.workbook.restated import records_behind
        from holdwater.workbook.store_report import store_report

        _exports_or_store(arguments)
        if arguments.plan and arguments.backup:
            raise UsageError("--plan writes nothing, so there is nothing to back up: give one of the two.")
        require_ours(Package.open(arguments.book))  # before any reading: a wrong file is told at once
        behind = None  # an export does not tell when a record was changed
        if arguments.folder:
            with (
                _connector(arguments) as connector,
                tempfile.TemporaryDirectory(prefix="holdwater-") as scratch,
                Store.open(Path(scratch) / "exports.db") as store,
            ):
                run(connector, store)
                figures, origin = report(store, as_of=arguments.as_of), connector.connection
        else:
            path = arguments.store or default_path()
            figures, origin = store_report(path, as_of=arguments.as_of)
            behind = records_behind(path)
        if arguments.plan:
            _tell_plan(plan(arguments.book, figures, origin=origin))
            return
        done = write(
            arguments.book,
            figures,
            origin=origin,
            backup=arguments.backup,
            accept_restated=arguments.accept_restated,
            behind=behind,
        )
    _say(done)


def close(arguments: argparse.Namespace) -> None:
    with _needs("sync"):
        from holdwater.workbook.package import Package
        from holdwater.workbook.restated import close_books

        package = Package.open(arguments.book)
        close_books(package, arguments.month)
        package.save()
    print(f"Books closed through {arguments.month:%Y-%m}: a refresh asks before it changes them.")
    print(f"Workbook: {arguments.book.resolve()}")


def add_tables(arguments: argparse.Namespace) -> None:
    with _needs("sync"):  # the report that fills the tables
        from holdwater.workbook.added import add_tables as add

        names = add(arguments.book)
    print(f"Added on new sheets at the end: {', '.join(names)}.")
    print(f"Workbook: {arguments.book.resolve()}")
    print(f"Next: holdwater refresh {arguments.book}")


def metrics(arguments: argparse.Namespace) -> None:
    if arguments.tables and arguments.store:
        raise UsageError("Give --store or --tables, not both: the figures come from one of them.")
    if arguments.mapping and not arguments.tables:
        raise UsageError("--mapping says what the columns of --tables are called: give both, or neither.")
    with _needs("sync"):
        from holdwater.metrics.shown import as_json, as_text

        found = _metrics(arguments)
    print(json.dumps(as_json(found), indent=2, allow_nan=False) if arguments.json else as_text(found))


def _metrics(arguments: argparse.Namespace) -> Report:
    from holdwater.metrics.landed import Landed
    from holdwater.metrics.parquet import duckdb_over, spark_over, write_tables
    from holdwater.metrics.reporting import report, run
    from holdwater.store.place import default_path
    from holdwater.workbook.store_report import synced_store

    if arguments.tables:
        landed = Landed.read(arguments.mapping) if arguments.mapping else Landed()
        if arguments.backend == "duckdb":
            with closing(duckdb_over(arguments.tables)) as database:
                return run(database, as_of=arguments.as_of, landed=landed)
        with _needs("spark"):
            return run(spark_over(arguments.tables), as_of=arguments.as_of, landed=landed)
    with synced_store(arguments.store or default_path()) as store:
        if arguments.backend == "duckdb":
            return report(store, as_of=arguments.as_of)
        with _needs("spark"), tempfile.TemporaryDirectory(prefix="holdwater-") as scratch:
            write_tables(store, Path(scratch))
            return run(spark_over(Path(scratch)), as_of=arguments.as_of, read_until=store.read_until())


def names(arguments: argparse.Namespace) -> None:
    from holdwater.workbook.lambda_names import add_names, remove_names

    done = (remove_names if arguments.remove else add_names)(arguments.book)
    for count, what in (
        (len(done.added), "added"),
        (len(done.updated), "brought up to date"),
        (len(done.kept), "already there"),
        (len(done.removed), "removed"),
    ):
        if count:
            print(f"{count} {'function' if count == 1 else 'functions'} {what}.")
    if done.left:
        print(f"Left as they are: {'; '.join(done.left)}.", file=sys.stderr)
    if done.still_called:
        print(f"Cells that call them show #NAME? now, on: {', '.join(done.still_called)}.", file=sys.stderr)
    if done.macros and done.added:
        print(
            "The workbook has macros, which were not looked into: if one of them defines a function of these names,"
            " take the names out again with --remove.",
            file=sys.stderr,
        )
    print(f"Workbook: {done.path}" if done.changed else f"Nothing new; unchanged: {done.path}")
    if "LTV" in done.added:
        print("Try it in Excel 365: type =LTV(30, 0.04) into an empty cell; it shows 750.")


def diagnose(arguments: argparse.Namespace) -> None:
    from holdwater.bucket.report import report
    from holdwater.diagnosis import as_json, as_text

    path: Path = arguments.source
    simulation = None
    try:
        with _needs("models"):
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


def lite(arguments: argparse.Namespace) -> None:
    from holdwater.hosts.lite import write

    write(arguments.folder)
    print(f"Written: main.py and requirements.txt in {arguments.folder.resolve()}")
    print("Next: paste each into the tab of its name in xlwings Lite; docs/lite.md walks through it.")


def calc(arguments: argparse.Namespace) -> None:
    from holdwater.hosts.calc import build

    build(arguments.out)
    print(f"Add-in written: {arguments.out.resolve()}")
    print("Next: in LibreOffice, Tools > Extensions > Add, choose this file, and start LibreOffice again.")


def excel(arguments: argparse.Namespace) -> None:
    with _needs("excel"):
        from holdwater.hosts import excel as host

        if (arguments.action == "build") != (arguments.out is not None):
            raise UsageError("OUT.xlam belongs to build, and only to it: holdwater excel build OUT.xlam.")
        if arguments.action == "build":
            host.build(arguments.out)
            print(f"Add-in written: {arguments.out.resolve()}; it runs on this machine only, with this Python.")
        elif arguments.action == "install":
            print(f"Installed: {host.install()}")
            print("Next: start Excel again and type =LTV(30, 0.04) into a cell; it shows 750.")
        elif arguments.action == "uninstall":
            print("Removed; start Excel again." if host.uninstall() else "It was not installed.")
        else:
            now = host.status()
            if not now.installed:
                print(f"It is not installed ({now.path}): run holdwater excel install.")
            elif now.current:
                print(f"Installed and current: {now.path}")
            else:
                print(f"Installed, but for another Holdwater or Python: {now.path}; run holdwater excel install.")


def doctor(arguments: argparse.Namespace) -> None:
    from holdwater.doctor import as_text, findings

    found = findings()
    print(json.dumps([asdict(finding) for finding in found], indent=2) if arguments.json else as_text(found))


def functions(arguments: argparse.Namespace) -> None:
    from holdwater.catalogue import as_json, as_text

    print(json.dumps(as_json(), indent=2) if arguments.json else as_text())


def _exports_or_store(arguments: argparse.Namespace) -> None:
    """Options that would be passed over in silence are refused instead."""
    source = getattr(arguments, "source", None)  # refresh has none
    if arguments.folder is None and arguments.mapping is None and source != "exports":
        return
    if source not in (None, "exports"):
        raise UsageError("--from and --mapping belong to exports: run holdwater sync exports with them.")
    if not (arguments.folder and arguments.mapping):
        raise UsageError(
            "Exports need both --from FOLDER and --mapping MAP.toml; docs/exports.md says how to write it."
        )
    if not arguments.folder.is_dir():
        raise ExportError(f"There is no folder {arguments.folder}: give the one that holds the exported files.")
    if arguments.command == "refresh" and arguments.store:
        raise UsageError("Give --store, or --from with --mapping, not both: a workbook is refreshed from one of them.")


@contextmanager
def _connector(arguments: argparse.Namespace) -> Iterator[Connector]:
    if arguments.folder:
        from holdwater.crm.files import Exports

        yield Exports(arguments.folder, arguments.mapping)
        return
    from holdwater.crm.sources import SOURCES

    with SOURCES[arguments.source].connect(arguments.url, None) as connector:
        yield connector


def _summary(run: Run) -> str:
    read = ", ".join(f"{count:,} {stream}" for stream, count in run.streams.items())
    requests = f" {run.requests:,} requests, {run.retries:,} repeated." if run.requests else ""
    gone = f", {run.rows_gone:,} gone" if run.rows_gone else ""
    return f"Read {read or 'nothing'}; {run.rows_written:,} new or changed{gone}.{requests}"


def _tell(issues: Mapping[str, Sequence[Issue]]) -> None:
    """The records that could not be taken, the first few of each stream by name."""
    for stream, found in issues.items():
        named = "; ".join(f"{issue.id}: {issue.problem}" for issue in found[:5])
        more = f"; and {len(found) - 5:,} more" if len(found) > 5 else ""
        print(f"Not taken, {len(found):,} of {stream}: {named}{more}", file=sys.stderr)


def _tell_plan(planned: Sequence[Change]) -> None:
    counts = Counter(change.place for change in planned)
    places = ", ".join(f"{place} {count:,}" for place, count in counts.items())
    print(f"{len(planned):,} cells would change: {places}." if planned else "Nothing would change.")
    for change in planned:
        old, new = ("(empty)" if value is None else str(value) for value in (change.old, change.new))
        print(f"{change.place} | {change.row} | {change.column}: {old} -> {new}")
    print("Nothing was written: this was a plan.")


def _say(done: Refreshed) -> None:
    for line in done.said:
        print(line)
    if done.left_alone:
        print(f"Not as Holdwater left it, please look: {'; '.join(done.left_alone[:10])}", file=sys.stderr)
    if done.backup:
        print(f"Backup: {done.backup.resolve()}")
    print(f"Workbook: {done.path.resolve()}" if done.changed else f"Nothing new; unchanged: {done.path.resolve()}")


COMMANDS: dict[str, Callable[[argparse.Namespace], None]] = {
    "demo": demo,
    "template": template,
    "connect": connect,
    "sources": sources,
    "sync": sync,
    "refresh": refresh,
    "close": close,
    "metrics": metrics,
    "add-tables": add_tables,
    "diagnose": diagnose,
    "names": names,
    "lite": lite,
    "calc": calc,
    "excel": excel,
    "doctor": doctor,
    "functions": functions,
}
