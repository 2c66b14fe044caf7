"""Every sheet of a workbook as a picture, as it is printed: `python tests/support/looks.py BOOK.xlsx build/looks`."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path


def pictures(book: Path, folder: Path, *, dots: int = 80) -> list[Path]:
    """One PNG a page, in the order of the sheets."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        profile = f"-env:UserInstallation={(Path(scratch) / 'profile').as_uri()}"
        office = ["soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", scratch, str(book)]
        subprocess.run(office, check=True, capture_output=True, timeout=300)
        pdf = Path(scratch) / f"{book.stem}.pdf"
        prefix = folder / book.stem
        subprocess.run(["pdftoppm", "-r", str(dots), "-png", str(pdf), str(prefix)], check=True, timeout=300)
    return sorted(folder.glob(f"{book.stem}-*.png"))


if __name__ == "__main__":
    for picture in pictures(Path(sys.argv[1]), Path(sys.argv[2])):
        print(picture)
