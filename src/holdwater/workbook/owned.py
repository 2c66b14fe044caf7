"""The tables that Holdwater owns: their columns, what refresh writes into them, and the formulas beside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from holdwater.units import COUNT, MONEY, PERCENT
from holdwater.workbook import sheet_formulas as own

DAYS = "0.0"
TEXT = "@"
MONTH = "mmm yyyy"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of data, or, with a function, of formulas over this row (`[Leads]`) and named cells."""

    header: str
    number_format: str
    meaning: str = ""
    function: Callable[..., Any] | None = None
    arguments: Mapping[str, str] | None = None
    width: int = 12


@dataclass(frozen=True, slots=True)
class OwnedTable:
    name: str
    sheet: str
    columns: tuple[Column, ...]
    title: str
    note: str
    top: int = 4  # row of the header, counted from 0

    @property
    def data_columns(self) -> list[Column]:
        return [c for c in self.columns if c.function is None]


_COUNTS = (
    Column("Leads", COUNT, "All leads."),
    Column("Customers", COUNT, "Leads that became customers, so far."),
    Column("Judged leads", COUNT, "Leads old enough to judge: older than nine in ten of the times to win."),
    Column("Judged customers", COUNT, "Customers among the judged leads."),
    Column("Too young", COUNT, "Leads too young to judge; they stand outside the conversion."),
    Column("Days to win", DAYS, "Median days from first contact to won."),
    Column("Days, 9 in 10", DAYS, "Days within which nine in ten of the won were won."),
    Column("Spend", MONEY, "Money spent to win these leads; empty where none is known."),
)
_RATES = (
    Column("Conversion", PERCENT, "Judged customers / judged leads.", own.row_conversion,
           {"judged_customers": "[Judged customers]", "judged_leads": "[Judged leads]"}),
    Column("Paid per lead", MONEY, "CPL: spend / leads.", own.row_cpl, {"spend": "[Spend]", "leads": "[Leads]"}),
    Column("Paid per customer", MONEY, "CAC without sales cost: spend / customers.", own.row_cac,
           {"spend": "[Spend]", "customers": "[Customers]"}),
)  # fmt: skip

SOURCES = OwnedTable(
    "hw_sources", "Sources",
    (Column("Source", TEXT, "Where the lead came from, as the CRM has it.", width=24), *_COUNTS, *_RATES,
     Column("May cost", MONEY, "ALLOWABLE_CPL with this source's conversion.", own.row_allowable,
            {"conversion": "[Conversion]", "allowable": "allowable_customer_cost", "lead_cost": "lead_work_cost"}),
     Column("Worth", MONEY, "LEAD_VALUE with this source's conversion: above this price it loses.", own.row_worth,
            {"conversion": "[Conversion]", "value": "customer_value", "lead_cost": "lead_work_cost"}),
     Column("Worth at most", MONEY, "Below five customers: LEAD_VALUE at the upper limit RATE_HIGH of the conversion.",
            own.row_worth_at_most,
            {"judged_leads": "[Judged leads]", "judged_customers": "[Judged customers]", "value": "customer_value",
             "lead_cost": "lead_work_cost"}),
     Column("Advice", TEXT, "Paid against what it may cost and what it is worth; silent below five customers.",
            own.row_advice,
            {"paid": "[Paid per lead]", "allowable": "[May cost]", "worth": "[Worth]",
             "at_most": "[Worth at most]", "judged_leads": "[Judged leads]",
             "judged_customers": "[Judged customers]"}, width=38)),
    "Sources", "What each source brings, what it costs and may cost. In one spelling: Paid Search is paid_search.",
)  # fmt: skip

MONTHS = OwnedTable(
    "hw_months", "Months",
    (Column("Month", MONTH, "Month of first contact."), *_COUNTS,
     Column("Recent", "0", "1 for the last three complete months: they make the leads per month."), *_RATES),
    "Months of first contact", "Leads and customers by the month in which the lead arrived.",
)  # fmt: skip

RESULTS = OwnedTable(
    "hw_results", "Results",
    (Column("Result", TEXT, width=44), Column("Value", MONEY, width=16), Column("Meaning", TEXT, width=90)),
    "Results of refresh", "Values that need a loop: computed by holdwater refresh from the inputs, not by formulas.",
)  # fmt: skip

USED = OwnedTable(
    "hw_used", "Used",
    (Column("Input", TEXT, width=44), Column("Value", "General", width=16)),
    "Inputs as used", "The inputs as they stood when the results were computed. If they change, Today says STALE.",
)  # fmt: skip

ABOUT = OwnedTable(
    "hw_about", "About",
    (Column("Entry", TEXT, width=44), Column("Value", "General", width=60)),
    "About this data", "Where the numbers come from.",
)  # fmt: skip

TABLES = (SOURCES, MONTHS, RESULTS, USED, ABOUT)
DATA_TABLES = (SOURCES, MONTHS, ABOUT)  # these say what the CRM says, whatever a person has typed
