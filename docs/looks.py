"""Renders each sheet of a workbook to build/looks: as printed on A4 and on Letter, and as on a screen.

Run it with `PYTHONPATH=src:tests/support python docs/looks.py BOOK.xlsx...`; without a workbook it makes four: the
template without data, and simulated businesses of one month, two years and five.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from calc_office import Calc, running_calc

from holdwater.crm.client import Client
from holdwater.crm.credentials import Token
from holdwater.crm.hubspot import HubSpot
from holdwater.demo import FIXES, SIMULATED, inputs, sync_exports
from holdwater.metrics.reporting import report
from holdwater.sandbox import serve, simulate
from holdwater.store.database import Store
from holdwater.store.sync import sync
from holdwater.workbook.refresh import refresh
from holdwater.workbook.store_report import with_own_counts
from holdwater.workbook.template import write_template

LOOKS = Path(__file__).parents[1] / "build" / "looks"
MONTHS = {"month": 1, "two_years": 24, "five_years": 60}
MOST_PAGES = 2  # of a sheet
# Paper sizes as in ECMA-376, 18.18.50; at 96 points an inch A3 is as large as the window of a common screen.
A4, LETTER, SCREEN = "9", "1", "8"
_SHEET = re.compile(r"xl/worksheets/sheet\d+\.xml")
_FOOTER = re.compile(r", (\w+(?: \w+)*)\s{2}.*Page \d+ of \d+\s*$", re.MULTILINE)  # over a chart that is cut off
_SIZE = re.compile(r"^Page +(\d+) size: +[\d.]+ x ([\d.]+) pts", re.MULTILINE)
_MARGIN = 43  # points: 0.6 inch at the foot of each page, with nothing but the footer in it


def main(given: list[str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        books = [Path(path) for path in given] or list(_made(scratch))
        with running_calc(scratch) as calc:
            for book in books:
                for look, paper in (("a4", A4), ("letter", LETTER), ("screen", SCREEN)):
                    _render(calc, book, scratch, look, paper)


def _made(folder: Path) -> Iterator[Path]:
    empty = folder / "empty.xlsx"
    write_template(empty)
    yield empty
    for name, months in MONTHS.items():
        book, business = folder / f"{name}.xlsx", simulate(months=months)
        write_template(book, inputs(business), SIMULATED, FIXES)
        with Store.open(book.with_suffix(".db")) as store:
            with serve(business) as sandbox, HubSpot(Client(sandbox.url, Token(sandbox.token, "the sandbox"))) as crm:
                sync(crm, store)
            sync_exports(business, folder / name, store)
            figures = with_own_counts(report(store, as_of=business.now), store)
        refresh(book, figures, origin=SIMULATED, now=business.now)
        yield book


def _render(calc: Calc, book: Path, scratch: Path, look: str, paper: str) -> None:
    folder = LOOKS / book.stem
    folder.mkdir(parents=True, exist_ok=True)
    laid, printed = scratch / f"{book.stem} {look}.xlsx", scratch / f"{book.stem} {look}.pdf"
    _lay_out(book, laid, paper)
    calc.ask("saved", str(laid), str(printed), "calc_pdf_Export")
    seen: Counter[str] = Counter()
    for number, height in _SIZE.findall(_run("pdfinfo", "-l", "-1", str(printed))):
        page = ("-f", number, "-l", number)
        foot = ("-x", "0", "-y", str(int(float(height)) - _MARGIN), "-W", "9999", "-H", str(_MARGIN))
        footer = _FOOTER.search(_run("pdftotext", "-layout", *page, *foot, str(printed), "-"))
        if footer:
            sheet = footer.group(1).lower().replace(" ", "_")
            seen[sheet] += 1
            if seen[sheet] <= (1 if look == "screen" else MOST_PAGES):
                picture = folder / f"{sheet}-{look}-{seen[sheet]}"
                _run("pdftoppm", "-png", "-r", "96", "-singlefile", *page, str(printed), str(picture))
                print(picture.with_suffix(".png"), flush=True)


def _lay_out(book: Path, out: Path, paper: str) -> None:
    """A copy on other paper; for a screen neither fitted to the page nor turned."""
    with zipfile.ZipFile(book) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            data = old.read(entry)
            if _SHEET.fullmatch(entry.filename):
                xml = re.sub(r'paperSize="\d+"', f'paperSize="{paper}"', data.decode())
                if paper == SCREEN:
                    xml = xml.replace('fitToPage="1"', 'fitToPage="0"').replace('"portrait"', '"landscape"')
                    zoom = re.search(r'zoomScale="(\d+)"', xml)
                    xml = xml.replace("<pageSetup ", f'<pageSetup scale="{zoom.group(1)}" ') if zoom else xml
                data = xml.encode()
            new.writestr(entry, data)


def _run(*command: str) -> str:
    # The tools and their arguments are ours.
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603


if __name__ == "__main__":
    main(sys.argv[1:])
