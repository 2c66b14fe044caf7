"""What an argument means: its unit, the numbers allowed, how a spreadsheet shows it.

A formula's signature is annotated with these names. For a type checker each is simply a float (or a sequence
of them); at run time it is the `Unit` that guards the argument, in Python and in every translation.
"""

from __future__ import annotations

INFINITY = float("inf")
TINIEST = 5e-324  # the smallest float above 0: "above 0" as a closed bound


class Unit:
    """One kind of number. Bounds are closed; an open bound is the next float inside."""

    __slots__ = ("high", "low", "many", "meaning", "number_format", "paired", "table", "whole")

    def __init__(
        self,
        meaning: str,
        number_format: str,
        low: float = -INFINITY,
        high: float = INFINITY,
        *,
        whole: bool = False,
        many: bool = False,
        paired: bool = False,
        table: bool = False,
    ) -> None:
        self.meaning = meaning
        self.number_format = number_format
        self.low = low
        self.high = high
        self.whole = whole
        self.many = many  # a range of such numbers
        self.paired = paired  # a range that stands beside another one: its empty cells keep their place, as None
        self.table = table  # rows of several columns, texts among them; the function itself looks at what they hold

    @property
    def low_open(self) -> bool:
        return self.low == TINIEST or self.low == _JUST_ABOVE_MINUS_ONE

    @property
    def high_open(self) -> bool:
        return self.high == _JUST_BELOW_ONE

    @property
    def bounds(self) -> list[tuple[str, float]]:
        """The comparisons that make a number wrong, as (operator, bound): `[("<", 0), (">", 1)]` for a rate."""
        wrong: list[tuple[str, float]] = []
        if self.low != -INFINITY:
            wrong.append(("<=", round(self.low)) if self.low_open else ("<", self.low))
        if self.high != INFINITY:
            wrong.append((">=", round(self.high)) if self.high_open else (">", self.high))
        return wrong

    @property
    def allowed(self) -> str:
        """The allowed numbers in words, as error messages and the docs say them."""
        if self.table:
            return self.meaning
        if self.whole and self.high - self.low > 9:
            most = "" if self.high == INFINITY else f" and at most {self.high:,.0f}"
            return f"a whole number of {self.low:g} or more{most}"
        if self.whole:
            numbers = [str(n) for n in range(round(self.low), round(self.high) + 1)]
            return f"{', '.join(numbers[:-1])} or {numbers[-1]}"
        low = f"above {round(self.low)}" if self.low_open else f"{self.low:g}"
        high = f"below {round(self.high)}" if self.high_open else f"{self.high:g}"
        if self.high == INFINITY:
            return "any number" if self.low == -INFINITY else low if self.low_open else f"{low} or more"
        return f"{low} to {high}" if not self.low_open else f"{low} and {'' if self.high_open else 'at most '}{high}"

    def allows(self, number: float) -> bool:
        return self.low <= number <= self.high and (not self.whole or number == int(number))

    def __repr__(self) -> str:
        return f"<{self.meaning}: {self.allowed}>"


_JUST_ABOVE_MINUS_ONE = -0.9999999999999999
_JUST_BELOW_ONE = 0.9999999999999999

MONEY = "#,##0.00"
PERCENT = "0.0%"
COUNT = "#,##0"
DECIMAL = "#,##0.0"

TYPE_CHECKING = False  # what typing calls by this name; importing typing would double the import time
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    Money: TypeAlias = float
    Cost: TypeAlias = float
    Price: TypeAlias = float
    Rate: TypeAlias = float
    Share: TypeAlias = float
    PositiveRate: TypeAlias = float
    InnerRate: TypeAlias = float
    Confidence: TypeAlias = float
    Growth: TypeAlias = float
    Count: TypeAlias = float
    PositiveCount: TypeAlias = float
    Reps: TypeAlias = float
    Ratio: TypeAlias = float
    Parameter: TypeAlias = float
    Slope: TypeAlias = float
    Factor: TypeAlias = float
    Hours: TypeAlias = float
    PositiveHours: TypeAlias = float
    Minutes: TypeAlias = float
    Days: TypeAlias = float
    Time: TypeAlias = float
    PositiveTime: TypeAlias = float
    Duration: TypeAlias = float
    Timing: TypeAlias = float
    Months: TypeAlias = float
    Periods: TypeAlias = float
    Rates: TypeAlias = Sequence[float]
    PairedRates: TypeAlias = Sequence[float | None]
    PairedCounts: TypeAlias = Sequence[float | None]
    PairedPositiveCounts: TypeAlias = Sequence[float | None]
    PairedTimes: TypeAlias = Sequence[float | None]
    Survivors: TypeAlias = Sequence[float | None]
    Rows: TypeAlias = Sequence[Sequence[object]]
    Statuses: TypeAlias = Sequence[object]
    Names: TypeAlias = Sequence[object]
    Dates: TypeAlias = Sequence[object]
    Amounts: TypeAlias = Sequence[float | None]
    Moment: TypeAlias = object  # a date, or a sheet's day number
    Model: TypeAlias = object  # a Bucket, a mapping or rows; Bucket.of says which
    Text: TypeAlias = str
    FunctionName: TypeAlias = str
    Anything: TypeAlias = object
else:
    Money = Unit("money", MONEY)  # may be negative
    Cost = Unit("money", MONEY, low=0)
    Price = Unit("money", MONEY, low=TINIEST)
    Rate = Unit("rate", PERCENT, low=0, high=1)
    Share = Unit("share", PERCENT, low=0, high=_JUST_BELOW_ONE)  # of a whole that is never used up
    PositiveRate = Unit("share", PERCENT, low=TINIEST, high=1)
    InnerRate = Unit("rate", PERCENT, low=TINIEST, high=_JUST_BELOW_ONE)
    Confidence = Unit("confidence", PERCENT, low=0.5, high=_JUST_BELOW_ONE)  # 0.05 would be Excel's alpha: refused
    Growth = Unit("rate per period", PERCENT, low=_JUST_ABOVE_MINUS_ONE, high=1)  # of growth, or of discount
    Count = Unit("count", COUNT, low=0)
    PositiveCount = Unit("count", COUNT, low=TINIEST)
    Reps = Unit("people", COUNT, low=1, high=1e6, whole=True)
    Ratio = Unit("ratio", DECIMAL, low=TINIEST)
    Parameter = Unit("parameter of a fitted curve", "0.0000")
    Slope = Unit("rate per unit of load", "0.00", low=0, high=1e100)  # its square is still a number
    Factor = Unit("factor", "0.00", low=0, high=_JUST_BELOW_ONE)  # of a series that has a sum
    Hours = Unit("hours", DECIMAL, low=0)
    PositiveHours = Unit("hours", DECIMAL, low=TINIEST)
    Minutes = Unit("minutes", DECIMAL, low=TINIEST)
    Days = Unit("days", DECIMAL, low=TINIEST)
    Time = Unit("time", DECIMAL, low=0)  # hours or days: the caller's choice, the same throughout a call
    PositiveTime = Unit("time", DECIMAL, low=TINIEST)
    Duration = Unit("periods", DECIMAL, low=TINIEST)
    Periods = Unit("whole periods", COUNT, low=1, high=1e6, whole=True)  # about as many as a sheet has rows
    Months = Unit("months", "0", low=1, high=1200, whole=True)
    Timing = Unit("timing", "0", low=0, high=2, whole=True)
    Rates = Unit("rate", PERCENT, low=0, high=1, many=True)
    PairedRates = Unit("rate", PERCENT, low=0, high=1, many=True, paired=True)
    PairedCounts = Unit("count", COUNT, low=0, many=True, paired=True)
    PairedPositiveCounts = Unit("count", COUNT, low=TINIEST, many=True, paired=True)
    PairedTimes = Unit("time", DECIMAL, low=0, many=True, paired=True)
    Survivors = Unit("customers still there", COUNT, low=0, many=True, paired=True)  # beside the times 0, 1, 2, ...
    Rows = Unit("rows", "General", table=True)
    Statuses = Unit("won, lost or open", "@", table=True)  # a range of these words
    Names = Unit("names or numbers of customers", "General", table=True)
    Dates = Unit("dates", "yyyy-mm-dd", table=True)
    Amounts = Unit("money", MONEY, table=True)  # a range; beside other columns, so a blank among them is an error
    Moment = Unit("date", "yyyy-mm-dd", table=True)
    Model = Unit("rows of label and value", "General", table=True)
    Text = Unit("text", "@", table=True)
    FunctionName = Unit("name of a function", "@", table=True)
    Anything = Unit("arguments of that function", "General", table=True)
