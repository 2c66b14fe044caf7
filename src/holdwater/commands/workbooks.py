"""The commands that write into a workbook."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from holdwater.commands.extras import needs
from holdwater.commands.reading import connector_of, require_exports_or_store
from holdwater.errors import SetupError, UsageError, WorkbookError

if TYPE_CHECKING:
    from holdwater.workbook.changes import Change
    from holdwater.workbook.refresh import Refreshed
    from holdwater.workbook.restated import Restatement


def demo(arguments: argparse.Namespace) -> None:
    with needs("all"):
        from holdwater.demo import demo as run
        from holdwater.progress import shown_progress

        with shown_progress() as progress:
            done = run(arguments.out, arguments.seed, progress)
    print("This is a SIMULATED business, synced over HTTP from a sandbox on this machine.")
    say_refreshed(done)


def template(arguments: argparse.Namespace) -> None:
    from holdwater.workbook.template import write_template

    if arguments.out.exists():
        raise WorkbookError(f"{arguments.out} exists: give another name, or remove it first.")
    write_template(arguments.out)
    print(f"Template written: {arguments.out.resolve()}")
    print("Next: fill in the sheet Inputs, then run holdwater refresh.")


def refresh(arguments: argparse.Namespace) -> None:
    with needs("sync"):
        from holdwater.metrics.reporting import report
        from holdwater.metrics.words import Words
        from holdwater.store.database import Store
        from holdwater.store.place import default_path
        from holdwater.store.sync import sync as run
        from holdwater.workbook.books import conventions_of
        from holdwater.workbook.log import Run
        from holdwater.workbook.package import Package
        from holdwater.workbook.refresh import plan, require_ours, restated
        from holdwater.workbook.refresh import refresh as write
        from holdwater.workbook.restated import records_behind
        from holdwater.workbook.store_report import store_report, with_own_counts

        this_run = Run.now()
        require_exports_or_store(arguments)
        if arguments.plan and arguments.backup:
            raise UsageError("--plan writes nothing, so there is nothing to back up: give one of the two.")
        package = Package.open(arguments.book)
        require_ours(package)  # before any reading: a wrong file is told at once
        kept = conventions_of(package)
        words = Words.read(arguments.words) if arguments.words else None
        behind = None  # an export does not tell when a record was changed
        if arguments.folder:
            with (
                connector_of(arguments) as connector,
                tempfile.TemporaryDirectory(prefix="holdwater-") as scratch,
                Store.open(Path(scratch) / "exports.db") as store,
            ):
                run(connector, store)
                figures = report(store, as_of=arguments.as_of, words=words, conventions=kept)
                figures, origin = with_own_counts(figures, store), connector.connection
        else:
            path = arguments.store or default_path()
            figures, origin = store_report(path, as_of=arguments.as_of, words=words, conventions=kept)
            behind = records_behind(path, kept)
        if arguments.plan:
            _tell_plan(plan(arguments.book, figures, origin=origin), restated(arguments.book, figures, behind))
            return
        done = write(
            arguments.book,
            figures,
            origin=origin,
            backup=arguments.backup,
            accept_restated=arguments.accept_restated,
            behind=behind,
            run=this_run,
        )
    say_refreshed(done)
    if figures.unnamed:
        print(
            f"{figures.unnamed:,} sources and lost reasons have no name in the words file: see holdwater words.",
            file=sys.stderr,
        )


def close(arguments: argparse.Namespace) -> None:
    with needs("sync"):
        from holdwater.workbook.package import Package
        from holdwater.workbook.restated import close_books

        package = Package.open(arguments.book)
        before = close_books(package, arguments.month)
        package.save()
    if before and before > arguments.month:
        print(f"They were closed through {before:%Y-%m}: the months after {arguments.month:%Y-%m} are open again.")
    print(f"Books closed through {arguments.month:%Y-%m}: a refresh asks before it changes them.")
    print(f"Workbook: {arguments.book.resolve()}")


def explain(arguments: argparse.Namespace) -> None:
    with needs("sync"):
        from holdwater.metrics.words import Words
        from holdwater.store.place import default_path
        from holdwater.workbook.explain import explain as lines
        from holdwater.workbook.package import Package

        store = arguments.store or default_path()
        if arguments.store and not store.exists():
            raise SetupError(f"There is no store at {store}: give the one that holdwater sync wrote.")
        words = Words.read(arguments.words) if arguments.words else None
        told = lines(Package.open(arguments.book), arguments.cell, store, everything=arguments.all, words=words)
    print("\n".join(told))


def add_tables(arguments: argparse.Namespace) -> None:
    with needs("sync"):  # the report that fills the tables
        from holdwater.workbook.added import add_tables as add

        names = add(arguments.book)
    print(f"Added on new sheets at the end: {', '.join(names)}.")
    print(f"Workbook: {arguments.book.resolve()}")
    print(f"Next: holdwater refresh {arguments.book}")


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
    if done.names_that_call:
        print(f"Names of yours that call them have no answer now: {', '.join(done.names_that_call)}.", file=sys.stderr)
    if done.macros and done.added:
        print(
            "The workbook has macros, which were not looked into: if one of them defines a function of these names,"
            " take the names out again with --remove.",
            file=sys.stderr,
        )
    print(f"Workbook: {done.path}" if done.changed else f"Nothing new; unchanged: {done.path}")
    if "LTV" in done.added:
        print("Try it in Excel 365: type =LTV(30, 0.04) into an empty cell; it shows 750.")


def _tell_plan(planned: Sequence[Change], restated: Sequence[Restatement]) -> None:
    counts = Counter(change.place for change in planned)
    places = ", ".join(f"{place} {count:,}" for place, count in counts.items())
    print(f"{len(planned):,} cells would change: {places}." if planned else "Nothing would change.")
    for change in planned:
        old, new = ("(empty)" if value is None else str(value) for value in (change.old, change.new))
        print(f"{change.place} | {change.row} | {change.column}: {old} -> {new}")
    if restated:
        print("Of months whose books are closed, so that refresh would ask for --accept-restated:")
    for one in restated:
        print(f"  {one}")
    print("Nothing was written: this was a plan.")


def say_refreshed(done: Refreshed) -> None:
    for line in done.said:
        print(line)
    if done.left_alone:
        print(f"Not as Holdwater left it, please look: {'; '.join(done.left_alone[:10])}", file=sys.stderr)
    if done.backup:
        print(f"Backup: {done.backup.resolve()}")
    print(f"Workbook: {done.path.resolve()}" if done.changed else f"Nothing new; unchanged: {done.path.resolve()}")
