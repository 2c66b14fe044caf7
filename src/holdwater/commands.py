"""What each command of the command line does; imports what it needs when it runs, so that the bare install has it."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from holdwater.errors import ExportError, MissingExtraError, SetupError, UsageError, WorkbookError

if TYPE_CHECKING:
    from holdwater.crm.connector import Connector
    from holdwater.store.runs import Run
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


def sync(arguments: argparse.Namespace) -> None:
    with _needs("sync"):
        from holdwater.progress import shown_progress
        from holdwater.store.database import Store
        from holdwater.store.place import default_path
        from holdwater.store.sync import sync as run

        _exports_or_store(arguments)
        path = arguments.store or default_path()
        with _connector(arguments) as connector, Store.open(path) as store, shown_progress() as progress:
            done = run(connector, store, full=arguments.full, progress=progress)
    print(_summary(done))
    print(f"Store: {path.resolve()}")


def refresh(arguments: argparse.Namespace) -> None:
    with _needs("sync"):
        from holdwater.metrics.run import report
        from holdwater.store.database import Store
        from holdwater.store.place import default_path
        from holdwater.store.sync import sync as run
        from holdwater.workbook.package import Package
        from holdwater.workbook.refresh import refresh as write
        from holdwater.workbook.refresh import require_ours

        _exports_or_store(arguments)
        require_ours(Package.open(arguments.book))  # before any reading: a wrong file is told at once
        if arguments.folder:
            with (
                _connector(arguments) as connector,
                tempfile.TemporaryDirectory(prefix="holdwater-") as scratch,
                Store.open(Path(scratch) / "exports.db") as store,
            ):
                run(connector, store)
                figures, origin = report(store), connector.connection
        else:
            path = arguments.store or default_path()
            if not path.exists():
                raise SetupError(
                    f"There is no store at {path}: run holdwater sync first, or give exports with --from and --mapping."
                )
            with Store.open(path) as store:
                synced = store.connections()
                if not synced:
                    raise SetupError(f"Nothing has been synced into {path} yet: run holdwater sync first.")
                figures, origin = report(store), ", ".join(synced)
        done = write(arguments.book, figures, origin=origin)
    _say(done)


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
    from holdwater.crm.hubspot import connect

    with connect(arguments.url) as hubspot:
        yield hubspot


def _summary(run: Run) -> str:
    read = ", ".join(f"{count:,} {stream}" for stream, count in run.streams.items())
    requests = f" {run.requests:,} requests, {run.retries:,} repeated." if run.requests else ""
    return f"Read {read or 'nothing'}; {run.rows_written:,} new or changed.{requests}"


def _say(done: Refreshed) -> None:
    for line in done.said:
        print(line)
    if done.left_alone:
        print(f"Not as Holdwater left it, please look: {'; '.join(done.left_alone[:10])}", file=sys.stderr)
    print(f"Workbook: {done.path.resolve()}" if done.changed else f"Nothing new; unchanged: {done.path.resolve()}")


COMMANDS: dict[str, Callable[[argparse.Namespace], None]] = {
    "demo": demo,
    "template": template,
    "sync": sync,
    "refresh": refresh,
    "functions": functions,
}
