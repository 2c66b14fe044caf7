"""Dates and times of a whole column: the stated format, or the only one that fits every cell."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo

from holdwater.crm.columns import EXCEL_FIRST_DAY, Column, Reading, settle

EXCEL = "excel"

# calendar.month_name would follow the computer's language.
_MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_MONTH_NAME = "|".join([*_MONTHS, "sept", *(name[:3] for name in _MONTHS)])

# A year of two digits means 2000-2029 or 1969-1999: only there do the customs of Excel and POSIX agree.
_TOKENS = {
    "YYYY": r"(?P<year>(?:19|20|21)\d\d)",
    "YY": r"(?P<short_year>[012789]\d|69)",
    "MMMM": rf"(?P<month_name>{_MONTH_NAME})",
    "MMM": rf"(?P<month_name>{_MONTH_NAME})",
    "MM": r"(?P<month>\d{1,2})",
    "M": r"(?P<month>\d{1,2})",
    "DD": r"(?P<day>\d{1,2})",
    "D": r"(?P<day>\d{1,2})",
}
_TOKEN = re.compile("|".join(_TOKENS))
_TIME_FORMAT = re.compile(r"(?:HH?|II?):MM?(?::SS?(?:\.[SF]+)?)?\s*(?:AM/PM|AM|PM|P)?\s*Z?")
_STRPTIME = {"%Y": "YYYY", "%y": "YY", "%m": "MM", "%d": "DD", "%b": "MMM", "%B": "MMMM"} | {
    "%H": "HH", "%I": "HH", "%M": "MM", "%S": "SS", "%f": "F", "%p": "P", "%z": "Z"
}  # fmt: skip

# The time may stand in any cell, whatever the format says: it is read one way only.
_TIME = (
    r"(?:(?:T|,?\s+)(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"(?:\s*(?P<half>[ap])\.?m\.?)?(?:\s*(?P<offset>Z|UTC|[+-]\d\d:?\d\d))?)?"
)

_CANDIDATES = [
    pattern.replace("-", separator)
    for separator in "-/. "
    for pattern in (
        "YYYY-MM-DD", "DD-MM-YYYY", "MM-DD-YYYY", "DD-MM-YY", "MM-DD-YY", "YY-MM-DD",
        "YYYY-MMM-DD", "DD-MMM-YYYY", "MMM-DD-YYYY", "DD-MMM-YY",
    )
] + ["YYYYMMDD", "MMM DD, YYYY"]  # fmt: skip


def read_moments(column: Column, stated: str | None, zone: tzinfo) -> list[datetime | None]:
    """Each cell's moment in `zone` (None: empty); a date without a time is midnight UTC, whatever the zone.

    So the store tells dates from moments, and a date stays on its day by every clock.

    `stated` is the format of the column, None if its cells must settle it. ExportError names the cell that
    cannot be read, or could be read two ways.
    """
    readings = [_reading(pattern, zone, column.first_day) for pattern in ([stated] if stated else _CANDIDATES)]
    certain = {row: _there(value, zone) for row, value in column.known.items() if isinstance(value, datetime)}
    return settle(
        column, readings, certain, kind="date", key="date_format", show=lambda moment: moment.date().isoformat()
    )


def read_days(column: Column, stated: str | None, zone: tzinfo) -> list[date | None]:
    """Each cell's day in `zone` (None: empty), read as `read_moments` does."""
    moments = read_moments(column, stated, zone)
    return [local_day(moment, zone) if moment else None for moment in moments]


def local_day(moment: datetime, zone: tzinfo) -> date:
    """The day of a moment that `read_moments` has read."""
    return moment.date() if moment.tzinfo is UTC and moment.time() == time() else moment.astimezone(zone).date()


def _there(clock: datetime, zone: tzinfo) -> datetime:
    """What a workbook has, where a date is midnight."""
    return clock.replace(tzinfo=UTC if clock.time() == time() else zone)


def check_format(stated: str) -> str:
    """The format as given; ValueError says what a format may hold."""
    if stated != EXCEL:
        _pattern(stated)
    return stated


def _pattern(stated: str) -> re.Pattern[str]:
    """The expression for cells in a format such as DD/MM/YYYY, dd/mm/yyyy hh:mm or %d/%m/%Y."""
    readable = re.sub(r"%\w", lambda code: _STRPTIME.get(code[0], code[0]), stated).upper()
    written, *time = re.split(r"(?:T|,?\s+)(?=HH?:|II?:)", readable, maxsplit=1)
    parts = re.split(f"({_TOKEN.pattern})", written)
    if (
        not re.fullmatch(r"[-/. ,]*", "".join(parts[::2]))  # what stands between the tokens
        or sorted(token[0] for token in parts[1::2]) != ["D", "M", "Y"]
        or not all(_TIME_FORMAT.fullmatch(clock) for clock in time)
    ):
        raise ValueError(
            f'the date_format "{stated}" is not understood; write the order of day, month and year with their '
            "separators, such as DD/MM/YYYY, YYYY-MM-DD HH:MM or DD MMM YYYY, or write excel for Excel's day numbers"
        )
    expression = "".join(_TOKENS.get(part, re.escape(part)) for part in parts)
    if re.search(r"([YMD])(?!\1)[YMD]", written):
        expression = expression.replace(r"\d{1,2}", r"\d\d")  # without separators only a fixed width is certain
    return re.compile(expression + _TIME, re.IGNORECASE)


def _reading(stated: str, zone: tzinfo, first_day: date) -> Reading[datetime]:
    if stated == EXCEL:
        return Reading(stated, lambda cell: _from_excel(cell, zone, first_day))
    pattern = _pattern(stated)

    def read(cell: str) -> datetime | None:
        match = pattern.fullmatch(cell)
        return _moment(match.groupdict(), zone) if match else None

    return Reading(stated, read)


def _moment(parts: dict[str, str | None], zone: tzinfo) -> datetime | None:
    """The moment the parts of a cell name, None if the calendar or the clock has no such moment."""

    def number(part: str) -> int:
        return int(parts.get(part) or 0)

    year, month, hour = number("year"), number("month"), number("hour")
    if parts.get("short_year"):
        year = number("short_year") + (1900 if number("short_year") >= 69 else 2000)
    if name := parts.get("month_name"):
        month = 1 + [full[:3] for full in _MONTHS].index(name.casefold()[:3])
    if half := parts["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half in "pP" else 0)
    microsecond = int((parts["fraction"] or "")[:6].ljust(6, "0"))
    try:
        there = zone if parts["hour"] else UTC
        clock = datetime(year, month, number("day"), hour, number("minute"), number("second"), microsecond, there)
        return clock.replace(tzinfo=_offset(parts["offset"])) if parts["offset"] else clock
    except ValueError:
        return None


def _offset(text: str) -> timezone:
    if text.upper() in {"Z", "UTC"}:
        return UTC
    span = timedelta(hours=int(text[1:3]), minutes=int(text[-2:]))
    return timezone(-span if text[0] == "-" else span)


def _from_excel(cell: str, zone: tzinfo, first_day: date) -> datetime | None:
    """The moment of Excel's day number, to the second, counted from the first day of its workbook.

    Numbers up to 60 are refused: Excel counts a 29 February 1900 that never was, so they name other days elsewhere.
    """
    if not re.fullmatch(r"\d{2,6}(?:[.,]\d+)?", cell, re.ASCII):
        return None
    days = float(cell.replace(",", ".")) + (first_day - EXCEL_FIRST_DAY).days
    if not 61 <= days < 109_575:  # 109,575 is 1 January 2200
        return None
    seconds = round(days * 86_400)
    return _there(datetime.combine(EXCEL_FIRST_DAY, time()) + timedelta(seconds=seconds), zone)
