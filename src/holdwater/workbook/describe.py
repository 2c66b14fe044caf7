"""What a workbook says about a business: a Holdwater workbook, or any other with a place named bucket."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from holdwater.bucket import Bucket
from holdwater.bucket.description import Description
from holdwater.bucket.words import count, money
from holdwater.errors import FormulaError, KindError, NoDataError, NumError, WorkbookError
from holdwater.workbook.bucket import bucket_of, number, share_worked
from holdwater.workbook.cells import CellError, Value
from holdwater.workbook.evaluate import Values
from holdwater.workbook.figures import FIGURES
from holdwater.workbook.inputs import INPUTS, POLICY
from holdwater.workbook.label_rows import label_rows
from holdwater.workbook.opened import OpenWorkbook
from holdwater.workbook.owned import ABOUT, MONTHS, SOURCES, TABLES, TEXT, OwnedTable
from holdwater.workbook.package import Package
from holdwater.workbook.references import cell_name
from holdwater.workbook.refresh import require_ours, typed_inputs

_NEEDED = [i for i in INPUTS if i.group != POLICY or i.name == "horizon_months"]  # rules of thumb decide nothing here


def describe(path: Path) -> Description:
    """The business of a workbook. Only what is saved in it counts; nothing is written.

    WorkbookError if it cannot be read, NotOurWorkbookError if it tells of no business, and a FormulaError that says
    what to fill in, or to mend.
    """
    return describe_open(Package.open(path))


def describe_open(package: OpenWorkbook) -> Description:
    """The same of a workbook that has been opened already."""
    if any(table.name in package.tables() for table in TABLES):
        require_ours(package)
        return _ours(package)
    return Description(bucket=Bucket.of(label_rows(package)), origin=package.path.name)


def _ours(package: OpenWorkbook) -> Description:
    data = {table.name: list(_data_rows(package, table)) for table in (SOURCES, MONTHS, ABOUT)}
    values = Values(typed_inputs(package), data)
    problems = [*_unfilled(values), *_without_data(values)]
    if problems:
        raise type(problems[0])("; ".join(map(str, problems)) + ".")
    bucket, notes = _as_good_as_today(values, bucket_of(values))
    about = {row[0]: row[1] for row in data[ABOUT.name]}
    return Description(
        bucket=bucket,
        origin=f"{about.get('Source')}, as of {about.get('As of')}",
        period="month",
        currency=str(about.get("Currency of the spend") or ""),  # spend is known: _without_data has seen to it
        notes=notes,
    )


def _data_rows(package: OpenWorkbook, table: OwnedTable) -> Iterator[list[Value]]:
    """What refresh wrote, from the columns that hold no formulas; WorkbookError where a text stands for a number."""
    found = package.table(table.name)
    columns = {found.body.first_column + n: c for n, c in enumerate(table.columns) if c.function is None}
    cells = {(c.row, c.column): c.value for c in package.read_cells(found.sheet) if c.column in columns}
    for row in range(found.body.first_row, found.body.last_row + 1):
        values: list[Value] = []
        for place, column in columns.items():
            value = cells.get((row, place))
            if column.number_format != TEXT and table is not ABOUT and value is not None and not _is_number(value):
                raise WorkbookError(
                    f"{package.path}: {cell_name(row, place)} on the sheet {found.sheet} is no number: refresh writes"
                    f" {column.header} there, so run holdwater refresh again."
                )
            values.append(value)
        yield values


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _unfilled(values: Values) -> Iterator[FormulaError]:
    """One problem for all inputs that are missing, and one for each that is wrong."""
    missing = [i.label for i in _NEEDED if values[i.name] == CellError("#N/A")]
    if missing:
        yield NoDataError(f"fill in on the sheet Inputs: {', '.join(missing)}")
    for input_ in _NEEDED:
        error = values[input_.name]
        if isinstance(error, CellError) and error != "#N/A":
            kind = NumError if error == "#NUM!" else KindError
            yield kind(f"{input_.label} on the sheet Inputs is not right: allowed is {input_.unit.allowed}")


def _without_data(values: Values) -> Iterator[FormulaError]:
    """Why the first figure that needs data has none, in its own words."""
    for figure in FIGURES:
        if figure.name in ("lead_flow", "any_conversion", "paid_conversion", "paid_lead_cost"):
            try:
                figure.function(*(values[column] for column in figure.arguments.values()))
            except FormulaError as error:
                yield NoDataError(str(error).removesuffix("."))
                return


def _as_good_as_today(values: Values, bucket: Bucket) -> tuple[Bucket, tuple[str, ...]]:
    """The next leads priced by what they bring: the model knows one conversion only, that of today's leads.

    Further leads come from the sources that cost money, where another share of them buys. One as good as today's
    average takes any_conversion / paid_conversion of those, each with its price and its work.
    """
    anyone, paid, price = (number(values, name) for name in ("any_conversion", "paid_conversion", "paid_lead_cost"))
    notes = [f"{count(bucket.leads)} leads a month: the average of the last three complete months."]
    if anyone and not paid:
        raise NoDataError(
            "No judged lead of the sources that cost money has become a customer, so what a further lead may bring is"
            " not known: stop paying for them, or wait for the first."
        )
    share = share_worked(values)
    if share < 1:
        notes.append(
            f"{anyone:.2%} of the judged leads became customers; by the hours on Inputs {share:.1%} of them can have"
            f" been worked, so {bucket.conversion:.2%} of the worked did."
        )
    else:
        notes.append(f"{anyone:.2%} of the judged leads became customers; unfit ones are among them.")
    takes = anyone / paid if paid else 1.0
    if takes != 1:
        worth = takes * price + (takes - 1) * bucket.lead_cost
        notes.append(
            f"A lead from the sources that cost money costs {money(price)}, and {paid:.2%} buy: one as good as the"
            f" average takes {takes:.2f} of them, {money(max(worth, 0))} with the work of the others. Each takes up"
            " sales capacity; the model counts one."
            + (" It comes out below 0 and is taken as 0, so further leads are worth more than said." * (worth < 0))
        )
        bucket = replace(bucket, next_lead_cost=max(worth, 0.0))
    if not bucket.referral_rate:
        notes.append("The referred are not told apart: those who come in are among the leads.")
    return bucket, tuple(notes)
