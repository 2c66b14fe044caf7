"""The commands that read a CRM, or a folder of exports, into the store."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from getpass import getpass
from typing import TYPE_CHECKING

from holdwater.commands.extras import needs
from holdwater.errors import CredentialsError, ExportError, SetupError, UsageError

if TYPE_CHECKING:
    from holdwater.crm.connector import Connector, Issue
    from holdwater.store.runs import Run


def connect(arguments: argparse.Namespace) -> None:
    with needs("sync"):
        from holdwater.crm import credentials
        from holdwater.crm.sources import SOURCES
        from holdwater.store.addresses import address_of, remember

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
        with source.connect(arguments.url or address_of(name), token) as connector:
            account = connector.connection
        if arguments.url:
            remember(name, arguments.url)
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
    with needs("sync"):
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
    with needs("sync"):
        from holdwater.progress import shown_progress
        from holdwater.store.database import Store
        from holdwater.store.place import default_path
        from holdwater.store.sync import sync as run

        require_exports_or_store(arguments)
        _require_meaning(arguments)
        issues: dict[str, Sequence[Issue]] = {}
        path = arguments.store or default_path()
        with connector_of(arguments) as connector, Store.open(path) as store, shown_progress() as progress:
            done = run(
                connector,
                store,
                full=arguments.full,
                since=arguments.since,
                reconcile=arguments.reconcile,
                rehearse=arguments.dry_run,
                progress=progress,
                told=issues.update,
            )
    print(_summary(done))
    _tell(issues)
    if arguments.source != "exports":
        from holdwater.crm import persons

        if not persons.recognised():
            print(persons.NO_KEY, file=sys.stderr)
    print("Nothing was kept: this was a dry run." if arguments.dry_run else f"Store: {path.resolve()}")


def require_exports_or_store(arguments: argparse.Namespace) -> None:
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


def _require_meaning(arguments: argparse.Namespace) -> None:
    if arguments.since and arguments.full:
        raise UsageError("--full reads everything, whatever the day: give --since or --full, not both.")
    if arguments.source == "exports" and (arguments.since or arguments.url):
        raise UsageError("Exports are files that are read whole each time: leave out --since and --url.")


@contextmanager
def connector_of(arguments: argparse.Namespace) -> Iterator[Connector]:
    if arguments.folder:
        from holdwater.crm.files import Exports

        yield Exports(arguments.folder, arguments.mapping)
        return
    from holdwater.crm.sources import SOURCES
    from holdwater.store.addresses import address_of

    address = arguments.url or address_of(arguments.source)
    with SOURCES[arguments.source].connect(address, None) as connector:
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
