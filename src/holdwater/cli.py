"""The command line; see `holdwater --help`."""

from __future__ import annotations

import argparse
import io
import logging
import os
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path

from holdwater import __version__
from holdwater.commands import COMMANDS
from holdwater.crm.sources import SOURCES
from holdwater.errors import HoldwaterError

EPILOG = """\
Exit codes: 0 done; 1 a fault in Holdwater; 2 wrong usage; 3 something to install or configure (a token, an extra);
4 the CRM could not be read; 5 an export, a mapping, a description or a number cannot be used; 6 the workbook;
7 the store.

Environment: HOLDWATER_HUBSPOT_TOKEN the token, if it is not in the OS keyring; HOLDWATER_PERSON_KEY what e-mail
addresses are hidden with, where there is no keyring; HOLDWATER_STORE where the store is kept.
"""


def parser() -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    top = argparse.ArgumentParser(
        prog="holdwater",
        description="What may a lead cost, where does the bucket leak, would more leads help at all.",
        epilog=EPILOG,
        formatter_class=raw,
    )
    top.add_argument("--version", action="version", version=f"holdwater {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, does: str, example: str) -> argparse.ArgumentParser:
        text = f"{does}\n\nExample: {example}"
        return commands.add_parser(name, help=does, description=text, formatter_class=raw)

    demo = command(
        "demo",
        "Simulate a business, sync it over HTTP and write a workbook with a verdict.",
        "holdwater demo --out demo.xlsx --seed 7",
    )
    demo.add_argument("--out", type=Path, default=Path("holdwater-demo.xlsx"), metavar="BOOK.xlsx")
    demo.add_argument("--seed", type=_natural, default=1, metavar="N", help="another number, another business")

    template = command("template", "Write an empty template workbook.", "holdwater template leads.xlsx")
    template.add_argument("out", type=Path, metavar="OUT.xlsx")

    connect = command(
        "connect",
        "Try a CRM's token and put it into the keyring; says which rights it needs.",
        "holdwater connect hubspot",
    )
    connect.add_argument("source", choices=SOURCES, metavar="SOURCE", help=", ".join(SOURCES))
    connect.add_argument(
        "--url", help="the address of the source, if it is not the vendor's usual one; sync remembers it"
    )

    sources = command(
        "sources",
        "List what was synced: up to when it was read, and how many records could not be taken.",
        "holdwater sources",
    )
    _store(sources)

    sync = command(
        "sync",
        "Read what is new in a CRM, or a folder of exports, into the store.",
        "HOLDWATER_HUBSPOT_TOKEN=... holdwater sync hubspot",
    )
    sync.add_argument("source", choices=(*SOURCES, "exports"), metavar="SOURCE", help=", ".join((*SOURCES, "exports")))
    _store(sync)
    _exports(sync)
    sync.add_argument("--url", help="the address, if it is neither the vendor's usual one nor that of connect")
    sync.add_argument("--full", action="store_true", help="read everything again")
    sync.add_argument(
        "--since", type=_day, metavar="DATE", help="read again what changed since this day, such as 2026-01-31"
    )
    sync.add_argument("--reconcile", action="store_true", help="also find records that the source no longer has")
    sync.add_argument("--dry-run", action="store_true", help="say what would change, and keep nothing")

    refresh = command(
        "refresh",
        "Write the newest numbers into a workbook; what a person added stays.",
        "holdwater refresh leads.xlsx --from exports --mapping exports/map.toml",
    )
    refresh.add_argument("book", type=Path, metavar="BOOK.xlsx")
    _store(refresh)
    _exports(refresh)
    _words(refresh)
    refresh.add_argument("--plan", action="store_true", help="list every change, old and new, and write nothing")
    refresh.add_argument("--backup", type=Path, metavar="DIR", help="keep a dated copy of the workbook as it was here")
    refresh.add_argument(
        "--as-of",
        type=_end_of_day,
        metavar="DATE",
        help="the figures as they stood at the end of this day (UTC)",
    )
    refresh.add_argument(
        "--accept-restated", action="store_true", help="also change months whose books are closed; see the sheet Log"
    )

    close = command(
        "close",
        "Close the books of a workbook through a month: refresh then asks before it changes that or an earlier one.",
        "holdwater close leads.xlsx 2026-10",
    )
    close.add_argument("book", type=Path, metavar="BOOK.xlsx")
    close.add_argument("month", type=_month, metavar="MONTH", help="such as 2026-10")

    explain = command(
        "explain",
        "Say where the figure in a cell comes from: its formula, what that is made of, and the records behind.",
        "holdwater explain leads.xlsx Sources!B6",
    )
    explain.add_argument("book", type=Path, metavar="BOOK.xlsx")
    explain.add_argument("cell", metavar="CELL", help="such as Today!C12, or a name such as lead_flow")
    _store(explain)
    _words(explain)
    explain.add_argument("--all", action="store_true", help="every row and record, not the first few")

    add_tables = command(
        "add-tables",
        "Add the data tables to any workbook, on new sheets at its end; refresh fills them.",
        "holdwater add-tables budget.xlsx",
    )
    add_tables.add_argument("book", type=Path, metavar="BOOK.xlsx")

    metrics = command(
        "metrics",
        "Print every figure, from the store or from tables in Parquet files.",
        "holdwater metrics --backend spark --tables landed --mapping landed.toml --json",
    )
    _store(metrics)
    metrics.add_argument(
        "--backend", choices=("duckdb", "spark"), default="duckdb", help="what computes (default: duckdb)"
    )
    metrics.add_argument("--tables", type=Path, metavar="FOLDER", help="Parquet tables instead of the store")
    metrics.add_argument("--mapping", type=Path, metavar="MAP.toml", help="what tables and columns are called there")
    _words(metrics)
    metrics.add_argument(
        "--as-of", type=_end_of_day, metavar="DATE", help="as they stood on this day (UTC), its end included"
    )
    metrics.add_argument(
        "--time-zone", default="UTC", metavar="ZONE", help="days and months begin there, such as Europe/Berlin (UTC)"
    )
    metrics.add_argument("--json", action="store_true", help="every number, for a script")

    words = command(
        "words",
        "List the sources and lost reasons of the CRM that have no name yet, or start the file that names them.",
        "holdwater words --start",
    )
    _store(words)
    _words(words)
    words.add_argument("--start", action="store_true", help="write the file, for you to look through")

    names = command(
        "names",
        "Put the formulas into any workbook as names that Excel 365 computes without Python, or take them out.",
        "holdwater names budget.xlsx",
    )
    names.add_argument("book", type=Path, metavar="BOOK.xlsx")
    names.add_argument("--remove", action="store_true", help="take them out again")

    diagnose = command(
        "diagnose",
        "Say whether more leads help, what limits the business and what to fix first.",
        "holdwater diagnose leads.xlsx",
    )
    diagnose.add_argument(
        "source", type=Path, metavar="BOOK_OR_TOML", help="a refreshed workbook, or a description (docs/diagnose.md)"
    )
    diagnose.add_argument("--json", action="store_true", help="every number, for a script")

    lite = command(
        "lite",
        "Write the two files that xlwings Lite needs (Excel on a Mac, on the web, or on Windows without Python).",
        "holdwater lite for-excel",
    )
    lite.add_argument("folder", type=Path, metavar="OUT_FOLDER")

    calc = command(
        "calc",
        "Build the add-in that gives LibreOffice Calc every formula.",
        "holdwater calc build holdwater.oxt",
    )
    calc.add_argument("action", choices=("build",), metavar="build")
    calc.add_argument("out", type=Path, metavar="OUT.oxt")

    excel = command(
        "excel",
        "Install the add-in that gives Excel on Windows every formula, computed by this Python.",
        "holdwater excel install",
    )
    excel.add_argument("action", choices=("install", "uninstall", "status", "build"))
    excel.add_argument("out", type=Path, nargs="?", metavar="OUT.xlam", help="of build: where to write it")

    doctor = command("doctor", "Say what is installed where, and what to do about each fault.", "holdwater doctor")
    doctor.add_argument("--json", action="store_true", help="for a script")

    functions = command("functions", "List the formulas.", "holdwater functions --json")
    functions.add_argument("--json", action="store_true", help="everything about each, for a script")
    return top


_FIRST_YEAR, _LAST_YEAR = 1900, 2199  # as in exports


def _day(text: str) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(text), time(), UTC)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no date; write it as 2026-01-31") from None


def _end_of_day(text: str) -> datetime:
    day = _day(text)
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise argparse.ArgumentTypeError(f"{text} is too far away: give a day from {_FIRST_YEAR} to {_LAST_YEAR}")
    return datetime.combine(day, time.max, UTC)


def _month(text: str) -> date:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no month; write it as 2026-10") from None


def _natural(text: str) -> int:
    """A seed: 0 or more, since a negative one gives the same business as the positive."""
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text} is not a whole number of 0 or more")
    return int(text)


def _store(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--store", type=Path, metavar="FILE", help="the store (default: $HOLDWATER_STORE, or your data folder)"
    )


def _exports(command: argparse.ArgumentParser) -> None:
    command.add_argument("--from", type=Path, dest="folder", metavar="FOLDER", help="folder of .csv or .xlsx files")
    command.add_argument("--mapping", type=Path, metavar="MAP.toml", help="what the columns of the exports mean")


def _words(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--words",
        type=Path,
        metavar="WORDS.toml",
        help="names of sources, and whose the lost reasons are (default: words.toml beside the store)",
    )


def main(given: Sequence[str] | None = None) -> int:
    """Run one command; errors become one sentence on stderr and the exit code of their kind."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a path must not fail where the terminal lacks its letters
    arguments = parser().parse_args(given)
    # Each retry is counted in the summary; the library's own log of it says nothing to a person.
    logging.getLogger("stamina").addHandler(logging.NullHandler())
    try:
        COMMANDS[arguments.command](arguments)
        sys.stdout.flush()
    except HoldwaterError as error:
        print(f"holdwater: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:  # what reads our output has had enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("holdwater: stopped; what was kept so far is whole.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
