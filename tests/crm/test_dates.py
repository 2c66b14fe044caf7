"""A date is read as what was written, or refused; never as another day."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdwater.crm.columns import Column
from holdwater.crm.dates import check_format, read_days, read_moments
from holdwater.errors import ExportError

_ENGLISH = [
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
]  # fmt: skip

steady = settings(derandomize=True, deadline=None)  # the same cases on every machine, however slow


def column(*cells: str) -> Column:
    return Column("leads.csv", "leads", "Created", cells, range(2, 2 + len(cells)))


def days(stated: str | None, *cells: str) -> list[date | None]:
    return read_days(column(*cells), stated, UTC)


def refusal(stated: str | None, *cells: str) -> str:
    with pytest.raises(ExportError) as caught:
        read_days(column(*cells), stated, UTC)
    return str(caught.value)


def written(day: date, pattern: str) -> str:
    """The day in a pattern, by plain replacement: nothing of the reader is used."""
    for part, text in (
        ("YYYY", f"{day.year:04}"),
        ("YY", f"{day.year % 100:02}"),
        ("DD", f"{day.day:02}"),
        ("MMMM", "\x01"),
        ("MMM", "\x02"),
        ("MM", f"{day.month:02}"),
        ("\x01", _ENGLISH[day.month - 1]),
        ("\x02", _ENGLISH[day.month - 1][:3]),
    ):
        pattern = pattern.replace(part, text)
    return pattern


LONG = [
    pattern.replace("-", mark)
    for mark in "-/. "
    for pattern in ("YYYY-MM-DD", "DD-MM-YYYY", "MM-DD-YYYY", "DD-MMM-YYYY", "MMM-DD-YYYY", "YYYY-MMM-DD")
] + ["YYYYMMDD", "MMM DD, YYYY", "DD MMMM YYYY", "MMMM DD, YYYY"]
SHORT = [pattern.replace("-", mark) for mark in "-/. " for pattern in ("DD-MM-YY", "MM-DD-YY", "YY-MM-DD", "DD-MMM-YY")]
any_day = st.dates(date(1900, 1, 1), date(2199, 12, 31))
recent_day = st.dates(date(1969, 1, 1), date(2029, 12, 31))
patterns_with_days = st.one_of(
    st.tuples(st.sampled_from(LONG), st.lists(any_day, min_size=1, max_size=6)),
    st.tuples(st.sampled_from(SHORT), st.lists(recent_day, min_size=1, max_size=6)),
)


@steady
@given(patterns_with_days)
def test_a_stated_format_reads_every_date_back(case: tuple[str, list[date]]) -> None:
    pattern, expected = case
    assert days(pattern, *(written(day, pattern) for day in expected)) == expected


@steady
@given(patterns_with_days)
def test_an_unstated_format_reads_the_date_back_or_refuses_it_as_ambiguous(case: tuple[str, list[date]]) -> None:
    pattern, expected = case
    try:
        assert days(None, *(written(day, pattern) for day in expected)) == expected
    except ExportError as refused:
        assert "could be" in str(refused)  # noqa: PT017 - both outcomes are right, a third is not


@steady
@given(patterns_with_days, st.times(), st.sampled_from([" ", "T", ", "]))
def test_a_time_is_read_with_its_date(case: tuple[str, list[date]], clock: time, between: str) -> None:
    pattern, expected = case
    cells = [f"{written(day, pattern)}{between}{clock:%H:%M:%S.%f}" for day in expected]
    moments = read_moments(column(*cells), pattern, UTC)
    assert moments == [datetime.combine(day, clock, UTC) for day in expected]


@steady
@given(st.lists(any_day, min_size=1, max_size=6))
def test_iso_dates_are_never_ambiguous(expected: list[date]) -> None:
    assert days(None, *(day.isoformat() for day in expected)) == expected


@steady
@given(st.dates(date(1900, 3, 1), date(2199, 12, 31)), st.integers(0, 86_399))
def test_excel_day_numbers_when_stated(day: date, second: int) -> None:
    serial = (day - date(1899, 12, 30)).days + second / 86_400
    moment = datetime.combine(day, time.min, UTC) + timedelta(seconds=second)
    assert read_moments(column(repr(serial)), "excel", UTC) == [moment]
    assert read_moments(column(repr(serial).replace(".", ",")), "excel", UTC) == [moment]


def test_excel_day_numbers_are_not_guessed() -> None:
    assert 'line 2, column "Created": "43132" is not a date' in refusal(None, "43132")
    assert '"59" is not a date with date_format = "excel"' in refusal("excel", "43132", "59")


def test_one_day_above_twelve_settles_the_whole_column() -> None:
    assert days(None, "03/04/2018", "13/04/2018") == [date(2018, 4, 3), date(2018, 4, 13)]
    assert days(None, "03/04/2018", "04/13/2018") == [date(2018, 3, 4), date(2018, 4, 13)]


def test_equal_day_and_month_are_no_ambiguity() -> None:
    assert days(None, "05/05/2018", "", "12/12/2018") == [date(2018, 5, 5), None, date(2018, 12, 12)]


def test_an_ambiguous_column_names_the_first_line_and_both_readings() -> None:
    message = refusal(None, "05/05/2018", "", "03/04/2018", "02/01/2018")
    assert message.startswith('leads.csv, line 4, column "Created": the date "03/04/2018" could be ')
    assert '2018-04-03 (date_format = "DD/MM/YYYY")' in message
    assert '2018-03-04 (date_format = "MM/DD/YYYY")' in message
    assert "write the date_format that is meant under [leads] in the mapping" in message


def test_two_digit_years_have_three_readings() -> None:
    message = refusal(None, "05/04/03")
    assert all(day in message for day in ("2003-04-05", "2003-05-04", "2005-04-03"))
    assert days(None, "31/12/18") == [date(2018, 12, 31)]  # 2031 is refused, so the year cannot come first
    assert days("DD/MM/YY", "01/02/69", "01/02/29") == [date(1969, 2, 1), date(2029, 2, 1)]
    assert 'not a date with date_format = "DD/MM/YY"' in refusal("DD/MM/YY", "01/02/30")  # 1930 in Excel, 2030 in POSIX


def test_a_cell_that_does_not_fit_the_others_is_named() -> None:
    message = refusal(None, "13/04/2018", "04/14/2018")
    assert 'line 3, column "Created": "04/14/2018" is not a date read like the cells above it' in message
    assert 'date_format = "DD/MM/YYYY"' in message


def test_digits_without_separators_need_their_full_width() -> None:
    assert days("YYYYMMDD", "20181101") == [date(2018, 11, 1)]
    assert "is not a date" in refusal("YYYYMMDD", "2018111")  # 1 November or 11 January


def test_separators_that_change_within_a_column_are_refused() -> None:
    # What a spreadsheet leaves behind that turned only some of the cells into dates of its own.
    assert "line 3" in refusal(None, "13/04/2018", "14-04-2018")


def test_text_is_named_by_line_without_its_letters() -> None:
    message = refusal("DD/MM/YYYY", "13/04/2018", "", "Jane Doe, 12")
    assert 'line 4, column "Created": "xxxx xxx, 12" is not a date with date_format = "DD/MM/YYYY"' in message
    assert "list it under empty" in message
    assert "Jane" not in message


@pytest.mark.parametrize("cell", ["31/02/2018", "2018/02/01", "1/1/218", "01/02/2018 25:00", "01/02/2018 13:00 PM"])
def test_no_such_day_or_time(cell: str) -> None:
    assert "is not a date" in refusal("DD/MM/YYYY", cell)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("1/2/2018", datetime(2018, 2, 1, tzinfo=UTC)),
        ("01/02/2018 7:30 PM", datetime(2018, 2, 1, 19, 30, tzinfo=UTC)),
        ("01/02/2018 12:05 a.m.", datetime(2018, 2, 1, 0, 5, tzinfo=UTC)),
        ("01/02/2018 07:30:15", datetime(2018, 2, 1, 7, 30, 15, tzinfo=UTC)),
        ("01/02/2018T07:30Z", datetime(2018, 2, 1, 7, 30, tzinfo=UTC)),
        ("01/02/2018 07:30 +0530", datetime(2018, 2, 1, 2, 0, tzinfo=UTC)),
        ("01/02/2018 22:30:00.250-03:00", datetime(2018, 2, 2, 1, 30, 0, 250_000, tzinfo=UTC)),
        ("01/02/2018 07:30\N{NARROW NO-BREAK SPACE}PM", datetime(2018, 2, 1, 19, 30, tzinfo=UTC)),
    ],
)
def test_times_in_cells(cell: str, expected: datetime) -> None:
    assert read_moments(column(cell), "DD/MM/YYYY", UTC) == [expected]


def test_a_column_may_mix_cells_with_and_without_a_time() -> None:
    moments = read_moments(column("26-02-2018 19:58", "27-02-2018"), None, UTC)
    assert moments == [datetime(2018, 2, 26, 19, 58, tzinfo=UTC), datetime(2018, 2, 27, tzinfo=UTC)]


def test_days_are_days_in_the_zone_of_the_file() -> None:
    tokyo = ZoneInfo("Asia/Tokyo")
    timed, plain = read_moments(column("2018-02-01 00:00", "2018-02-01"), None, tokyo)
    assert (timed, plain) == (datetime(2018, 1, 31, 15, tzinfo=UTC), datetime(2018, 2, 1, tzinfo=UTC))
    assert read_days(column("2018-02-01", "2018-01-31T15:00Z"), None, tokyo) == [date(2018, 2, 1), date(2018, 2, 1)]


def test_a_day_whose_midnight_the_clocks_skipped_is_still_that_day() -> None:
    # In Brazil the clocks went from 23:59 on 14 October 2017 to 01:00 on the 15th.
    cells = column("2017-10-15", "2017-10-15 01:00")
    assert read_days(cells, None, ZoneInfo("America/Sao_Paulo")) == [date(2017, 10, 15), date(2017, 10, 15)]


@pytest.mark.parametrize(
    "stated",
    ["dd/mm/yyyy", "DD/MM/YYYY HH:MM", "dd/mm/yyyy hh:mm:ss AM/PM", "D/M/YYYY", "%d/%m/%Y", "%d/%m/%Y %I:%M %p"],
)
def test_spellings_of_one_format(stated: str) -> None:
    assert check_format(stated) == stated
    assert days(stated, "03/04/2018 10:11", "03/04/2018") == [date(2018, 4, 3)] * 2


@pytest.mark.parametrize(
    "stated", ["", "DD/MM", "DD/MM/YYYY/DD", "DDD/MM/YYYY", "iso", "DD/MM/YYYY HH:XX", "%d/%m", "YYY-MM-DD"]
)
def test_a_format_that_is_none_says_what_is_allowed(stated: str) -> None:
    with pytest.raises(ValueError, match=r"is not understood; write the order .* DD/MM/YYYY"):
        check_format(stated)


def test_an_empty_column_has_no_dates() -> None:
    assert days(None, "", "") == [None, None]
    assert days(None) == []
