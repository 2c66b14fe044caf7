"""Takes the picture of docs/calc.md from the real program.

Run it with `PYTHONPATH=src:tests/support python docs/calc_picture.py`.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import xlsxwriter
from calc_office import running_calc

from holdwater.hosts.calc import build

MODEL = [
    ["leads", 100], ["cost per lead", 15], ["conversion", 0.1], ["revenue per customer", 50], ["gross margin", 0.8],
    ["churn", 0.05], ["customers", 200], ["customer capacity", 210],
]  # fmt: skip
FORMULAS = [
    "LTV(40,B7)",
    "ALLOWABLE_CPL(ALLOWABLE_CAC(LTV(40,B7)),B4)",
    "LTV(40,5)",
    'EXPLAIN("LTV",40,5)',
    "BOTTLENECK(A2:B9)",
]


def write(path: Path) -> None:
    with xlsxwriter.Workbook(path) as book:
        bold, typed = book.add_format({"bold": True}), book.add_format({"font_name": "Liberation Mono", "font_size": 9})
        shown = book.add_format({"num_format": "[<1]0.00#;#,##0.00", "align": "left"})
        sheet = book.add_worksheet("Example")
        for columns, width in (("A:A", 21), ("B:B", 10), ("C:C", 2), ("D:D", 43), ("E:E", 22), ("F:H", 12)):
            sheet.set_column(columns, width)
        sheet.hide_gridlines(0)
        sheet.print_row_col_headers()
        sheet.set_landscape()
        sheet.fit_to_pages(1, 1)
        sheet.write_row("A1", ["The business", "", "", "typed", "what Calc shows"], bold)
        for row, cells in enumerate(MODEL, start=1):
            sheet.write_row(row, 0, cells)
        for row, formula in enumerate(FORMULAS, start=1):
            sheet.write_string(row, 3, f"={formula}", typed)
            sheet.write_formula(row, 4, f"={formula}", shown)
        sheet.write_string("D8", "{=LEVERS(A2:B9)}", typed)
        sheet.write_array_formula("E8:H13", "{=LEVERS(A2:B9)}", shown)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build(folder / "holdwater.oxt")
        write(folder / "example.xlsx")
        with running_calc(folder, [folder / "holdwater.oxt"]) as calc:
            calc.ask("saved", str(folder / "example.xlsx"), str(folder / "example.pdf"), "calc_pdf_Export")
        picture = Path(__file__).with_name("static") / "calc"
        crop = ["-x", "60", "-y", "75", "-W", "1085", "-H", "290"]
        # The tool and its arguments are ours.
        command = ["pdftoppm", "-png", "-r", "110", *crop, "-singlefile", str(folder / "example.pdf"), str(picture)]
        subprocess.run(command, check=True)  # noqa: S603


if __name__ == "__main__":
    main()
