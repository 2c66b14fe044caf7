"""Runs in the Python that LibreOffice brings along, and does in a running Calc what it reads, one line of JSON each."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import uno  # comes with LibreOffice

STRING = 2  # com.sun.star.sheet.FormulaResult
FORMULAS = 16  # com.sun.star.sheet.CellFlags
TO_BOTTOM = uno.Enum("com.sun.star.sheet.FillDirection", "TO_BOTTOM")


def connect(pipe: str, patience: float = 60) -> Any:
    """The office's context; it needs a moment until it listens."""
    local = uno.getComponentContext()
    resolver = local.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", local)
    give_up = time.monotonic() + patience
    while True:
        try:
            return resolver.resolve(f"uno:pipe,name={pipe};urp;StarOffice.ComponentContext")
        except uno.getClass("com.sun.star.connection.NoConnectException"):
            if time.monotonic() > give_up:
                raise
            time.sleep(0.05)


def property_value(name: str, value: Any) -> Any:
    named = uno.createUnoStruct("com.sun.star.beans.PropertyValue")
    named.Name, named.Value = name, value
    return named


class Driver:
    def __init__(self, context: Any) -> None:
        self.context = context
        self.desktop = context.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", context)

    def load(self, path: str) -> Any:
        url = uno.systemPathToFileUrl(path) if path.startswith("/") else path
        return self.desktop.loadComponentFromURL(url, "_blank", 0, (property_value("Hidden", True),))

    def computed(self, path: str, typed: list[str]) -> dict[str, Any]:
        """Every formula cell of the workbook, as `Sheet!A1`, after everything has been calculated anew.

        The formulas `typed` are put into column A of a further sheet, Typed, as Calc writes them (LTV(30;0.04)).
        """
        book = self.load(path)
        try:
            if typed:
                book.Sheets.insertNewByName("Typed", book.Sheets.Count)
                for row, formula in enumerate(typed):
                    book.Sheets["Typed"].getCellByPosition(0, row).setFormula(f"={formula}")
            book.calculateAll()
            return dict(cell for sheet in book.Sheets for cell in self.cells(sheet))
        finally:
            book.close(True)

    def cells(self, sheet: Any) -> Any:
        for found in sheet.queryContentCells(FORMULAS):
            address = found.RangeAddress
            for column in range(address.StartColumn, address.EndColumn + 1):
                for row in range(address.StartRow, address.EndRow + 1):
                    cell = sheet.getCellByPosition(column, row)
                    place = cell.AbsoluteName.replace("$", "").replace("'", "")
                    yield "!".join(place.rsplit(".", 1)), self.value(cell)

    def value(self, cell: Any) -> Any:
        if cell.getError():
            return {"error": cell.String}
        return cell.String if cell.FormulaResultType2 == STRING else cell.Value

    def saved(self, path: str, out: str, kind: str) -> None:
        """The workbook calculated and written in another format, such as calc8 or calc_pdf_Export."""
        book = self.load(path)
        try:
            book.calculateAll()
            book.storeToURL(uno.systemPathToFileUrl(out), (property_value("FilterName", kind),))
        finally:
            book.close(True)

    def seconds(self, formulas: list[str], rows: int, repeat: int) -> list[list[float]]:
        """How long each formula takes in so many rows, all of them in turn; it finds its numbers in A1 and B1."""
        books = [self.load("private:factory/scalc") for _ in formulas]
        try:
            for book, formula in zip(books, formulas):  # noqa: B905  # the office's Python may be older than strict=
                book.enableAutomaticCalculation(False)
                sheet = book.Sheets[0]
                numbers = sheet.getCellRangeByPosition(0, 0, 1, rows - 1)
                numbers.setDataArray(tuple((30.0 + row % 7, 0.04) for row in range(rows)))
                sheet.getCellByPosition(2, 0).setFormula(formula)
                sheet.getCellRangeByPosition(2, 0, 2, rows - 1).fillAuto(TO_BOTTOM, 1)
                book.calculateAll()
                if sheet.getCellByPosition(2, rows - 1).getError():
                    raise ValueError(f"{formula} shows {sheet.getCellByPosition(2, rows - 1).String}")
            times: list[list[float]] = []
            for _ in range(repeat):
                times.append([])
                for book in books:
                    start = time.perf_counter()
                    book.calculateAll()
                    times[-1].append(time.perf_counter() - start)
            return times
        finally:
            for book in books:
                book.close(True)

    def wizard(self) -> dict[str, Any]:
        """What the function wizard says of each function."""
        functions = self.context.ServiceManager.createInstance("com.sun.star.sheet.FunctionDescriptions")
        return {
            said["Name"]: {
                "description": said["Description"],
                "category": said["Category"],
                "arguments": [[a.Name, a.Description, a.IsOptional] for a in said["Arguments"] or ()],
            }
            for said in ({v.Name: v.Value for v in functions[place]} for place in range(functions.getCount()))
        }

    def quit(self) -> None:
        try:
            self.desktop.terminate()
        except uno.getClass("com.sun.star.lang.DisposedException"):  # it went before it could answer
            pass


def main() -> None:
    driver = Driver(connect(sys.argv[1]))
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        name, arguments = json.loads(line)
        try:
            answer = {"answer": getattr(driver, name)(*arguments)}
        except Exception as error:
            answer = {"fault": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)
        if name == "quit":
            return


if __name__ == "__main__":
    main()
