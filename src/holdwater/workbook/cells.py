"""The values a cell holds, as Python values and as SpreadsheetML."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from xml.sax.saxutils import escape

TEXT_LIMIT = 32_767  # characters of UTF-16 in one cell
FORMULA_LIMIT = 8_192
EXACT_INTEGERS = 10**15  # a spreadsheet keeps 15 digits: a longer identifier would change

# What XML cannot carry, and what would be read back as such an escape.
_UNWRITABLE = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
_KEEPS_SPACE = re.compile(r"^\s|\s$|[\n\t]|  ")


class CellError(str):
    """An error value such as #N/A."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class FormulaCell:
    """A formula, without its equals sign, and the value shown until it is next computed (None: none is known)."""

    formula: str
    value: float | int | str | bool | CellError | None


@dataclass(frozen=True, slots=True)
class ReadCell:
    """One cell that holds something; a date is its serial number."""

    row: int
    column: int
    formula: str | None
    value: float | str | bool | CellError | None


Value = float | int | str | bool | date | datetime | CellError | None
Content = Value | FormulaCell


class UnfitValueError(ValueError):
    """A value that no cell can hold; the message completes "the value in ... ", since only the caller knows where."""


def cell_xml(prefix: str, name: str, style: str | None, content: Content, date1904: bool) -> str:
    """The `<c>` element; "" for a blank without a style."""
    head = f'<{prefix}c r="{name}"' if style is None else f'<{prefix}c r="{name}" s="{style}"'
    if content is None:
        return "" if style is None else head + "/>"
    if isinstance(content, FormulaCell):
        formula = content.formula.removeprefix("=")
        if len(formula) > FORMULA_LIMIT:
            raise UnfitValueError(f"is a formula of more than {FORMULA_LIMIT:,} characters")
        kind, text = value_markup(content.value, date1904)
        attribute = f' t="{kind}"' if kind else ""
        value = "" if text is None else f"<{prefix}v>{text}</{prefix}v>"
        return f"{head}{attribute}><{prefix}f>{escape(escape_controls(formula))}</{prefix}f>{value}</{prefix}c>"
    kind, text = value_markup(content, date1904)
    if kind == "str":
        space = ' xml:space="preserve"' if text and _KEEPS_SPACE.search(text) else ""
        return f'{head} t="inlineStr"><{prefix}is><{prefix}t{space}>{text}</{prefix}t></{prefix}is></{prefix}c>'
    attribute = f' t="{kind}"' if kind else ""
    return f"{head}{attribute}><{prefix}v>{text}</{prefix}v></{prefix}c>"


def value_markup(value: Value, date1904: bool) -> tuple[str | None, str | None]:
    """The type attribute (None: a number) and the text of `<v>`, escaped; both None for None."""
    match value:
        case None:
            return None, None
        case bool():
            return "b", "1" if value else "0"
        case CellError():
            return "e", escape(value)
        case str():
            return "str", _text(value)
        case int():
            return ("str", str(value)) if abs(value) >= EXACT_INTEGERS else (None, str(value))
        case float():
            return None, _number(value)
        case date():
            return None, _number(serial(value, date1904))
    raise UnfitValueError(f"is a {type(value).__name__}; a cell holds a number, a text, a date, true or false")


def serial(day: date, date1904: bool) -> float:
    """The number of days by which a spreadsheet counts dates."""
    if isinstance(day, datetime) and day.tzinfo is not None:
        raise UnfitValueError("is a time with a time zone; turn it into a local time first")
    start = date(1904, 1, 1) if date1904 else date(1899, 12, 30)
    whole = day.date() if isinstance(day, datetime) else day
    days = (whole - start).days
    if not date1904 and days <= 60:
        days -= 1  # Excel counts a 29 February 1900 that never was
    if days < (0 if date1904 else 1):
        raise UnfitValueError("is a date before the first one that a workbook can count")
    if not isinstance(day, datetime):
        return days
    return days + (day - datetime.combine(whole, datetime.min.time())) / timedelta(days=1)


def escape_controls(text: str) -> str:
    """What XML cannot carry, as _xHHHH_."""
    return _UNWRITABLE.sub(lambda match: f"_x{ord(match[0]):04X}_", text)


def unescape_controls(text: str) -> str:
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text) if "_x" in text else text


def read_value(kind: str, text: str, shared: list[str] | None, date1904: bool) -> float | str | bool | CellError | None:
    """The value of a cell of type `kind` with this text; ValueError or IndexError if the text does not fit it."""
    if kind == "s":
        return (shared or [])[int(text)] if text else None
    if kind in ("str", "inlineStr"):
        return unescape_controls(text)
    if not text:
        return None
    if kind == "b":
        return text.strip() in ("1", "true")
    if kind == "e":
        return CellError(text)
    if kind == "d":
        return serial(datetime.fromisoformat(text).replace(tzinfo=None), date1904)
    return float(text)


def _text(text: str) -> str:
    length = len(text) + sum(character > "\uffff" for character in text) if len(text) > TEXT_LIMIT // 2 else 0
    if length > TEXT_LIMIT:
        raise UnfitValueError(f"is a text of {length:,} characters; a cell holds at most {TEXT_LIMIT:,}")
    return escape(escape_controls(text))


def _number(value: float) -> str:
    if not math.isfinite(value):
        raise UnfitValueError("is not a finite number")
    return repr(float(value)).removesuffix(".0")
