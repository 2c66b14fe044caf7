"""An amount is read as what was written, or refused; never as another amount."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdwater.crm.amounts import read_amounts
from holdwater.crm.columns import Column
from holdwater.crm.records import Money
from holdwater.errors import ExportError

steady = settings(derandomize=True, deadline=None)  # the same cases on every machine, however slow


def column(*cells: str) -> Column:
    return Column("deals.csv", "deals", "Amount", cells, range(2, 2 + len(cells)))


def amounts(decimal: str | None, *cells: str, currency: str = "EUR") -> list[Decimal | None]:
    read = read_amounts(column(*cells), decimal, [currency] * len(cells))
    return [money.amount if money else None for money in read]


def refusal(decimal: str | None, *cells: str, currency: str | None = "EUR") -> str:
    with pytest.raises(ExportError) as caught:
        read_amounts(column(*cells), decimal, [currency] * len(cells))
    return str(caught.value)


def written(amount: Decimal, grouping: str, mark: str, places: int) -> str:
    return f"{amount:,.{places}f}".translate({ord(","): grouping, ord("."): mark})


styles = st.tuples(
    st.sampled_from(
        [(",", "."), ("'", "."), (" ", "."), ("", "."), (".", ","), (" ", ","), ("\N{NBSP}", ","), ("", ",")]
    ),
    st.sampled_from(["{}", "€{}", "{} €", "EUR {}", "{} EUR", "{}€"]),
)
lists_of_cents = st.lists(st.integers(-(10**12), 10**12), min_size=1, max_size=5)


@steady
@given(styles, lists_of_cents, st.sampled_from([0, 2, 3]))
def test_a_stated_decimal_sign_reads_every_amount_back(
    style: tuple[tuple[str, str], str], cents: list[int], places: int
) -> None:
    (grouping, mark), frame = style
    expected = [Decimal(number) if places == 0 else Decimal(number).scaleb(-2) for number in cents]
    cells = [frame.format(written(amount, grouping, mark, places)) for amount in expected]
    assert amounts(mark, *cells) == expected


@steady
@given(styles, lists_of_cents, st.sampled_from([0, 2, 3]))
def test_an_unstated_decimal_sign_reads_the_amount_back_or_refuses_it_as_ambiguous(
    style: tuple[tuple[str, str], str], cents: list[int], places: int
) -> None:
    (grouping, mark), frame = style
    expected = [Decimal(number) if places == 0 else Decimal(number).scaleb(-2) for number in cents]
    cells = [frame.format(written(amount, grouping, mark, places)) for amount in expected]
    try:
        assert amounts(None, *cells) == expected
    except ExportError as refused:
        assert "could be" in str(refused)  # noqa: PT017 - both outcomes are right, a third is not


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("1,234.56", "1234.56"),
        ("1.234,56", "1234.56"),
        ("1 234,56", "1234.56"),
        ("1'234.50", "1234.50"),
        ("1\N{RIGHT SINGLE QUOTATION MARK}234.50", "1234.50"),
        ("12,34,567.80", "1234567.80"),
        ("1,234,567", "1234567"),
        ("(1,234.56)", "-1234.56"),
        ("-12.5", "-12.5"),
        ("\N{MINUS SIGN}12.5", "-12.5"),
        ("€ -12.5", "-12.5"),
        (".5", "0.5"),
        ("0,500", "0.5"),  # no thousands start with 0
        ("0", "0"),
        ("1000", "1000"),
    ],
)
def test_a_cell_that_can_be_read_one_way(cell: str, expected: str) -> None:
    assert amounts(None, cell) == [Decimal(expected)]


def test_the_whole_column_settles_the_decimal_sign() -> None:
    assert amounts(None, "1,234", "", "12.50") == [Decimal(1234), None, Decimal("12.50")]
    assert read_amounts(column("1,234", "12,50"), None, ["JOD", "JOD"])[0] == Money(1234, "JOD", "1,234")


def test_an_ambiguous_column_names_the_first_line_and_both_readings() -> None:
    message = refusal(None, "10", "1,234", "5,678")
    assert message.startswith('deals.csv, line 3, column "Amount": the number "1,234" could be ')
    assert '1234 (decimal = ".") or 1.234 (decimal = ",")' in message
    assert "write the decimal that is meant under [deals] in the mapping" in message


@pytest.mark.parametrize(
    "cell",
    [
        "12k",
        "50%",
        "1.2E+05",
        "12 34",
        "1,23,4",
        "1.2.3",
        "--5",
        "(-5)",
        "(5",
        "n/a",
        "RS.500",
        "1234567890123456",
        "-",
    ],
)
def test_what_is_no_amount(cell: str) -> None:
    message = refusal(".", "1.00", cell)
    assert 'deals.csv, line 3, column "Amount": ' in message
    assert 'is not a number with decimal = "."' in message


def test_a_sign_of_another_currency_is_refused() -> None:
    assert 'line 2, column "Amount": the amount "€5" is marked €, but its currency is USD' in refusal(
        None, "€5", currency="USD"
    )
    assert "marked GBP" in refusal(None, "5 GBP")
    assert "marked $" in refusal(None, "$5")
    assert amounts(None, "$5", currency="CAD") == [Decimal(5)]
    assert amounts(None, "R$ 5,10", currency="BRL") == [Decimal("5.1")]
    assert amounts(None, "5,10 kr.", currency="SEK") == [Decimal("5.1")]


def test_an_amount_without_a_currency_is_refused() -> None:
    assert "the amount has no currency" in refusal(None, "5", currency=None)
    assert read_amounts(column(""), None, [None]) == [None]


def test_the_text_of_the_cell_is_kept() -> None:
    assert read_amounts(column("1.234,56 €"), None, ["EUR"]) == [Money(123456, "EUR", "1.234,56 €")]
