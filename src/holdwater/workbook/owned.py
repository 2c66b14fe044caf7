"""The tables that Holdwater owns: their columns, what refresh writes into them, and the formulas beside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from holdwater.units import COUNT, MONEY, PERCENT
from holdwater.workbook.sheet_formulas import fiscal, table_rows

DAYS = "0.0"
TEXT = "@"
MIXED = f"{MONEY};-{MONEY};{MONEY};{TEXT}"  # numbers to the right, texts to the left
MONTH = "mmm yyyy"
CURVE_HEADERS = ("Source", "Most leads a month", "Half of them cost")  # what a person types
RATE_HEADERS = ("Currency", "Rate")  # what a person types
FIX_HEADERS = ("Fix", "Lever", "Better by", "Cost", "Months", "Needs", "Running cost")  # what a person types


@dataclass(frozen=True, slots=True)
class Column:
    """A column of data, or, with a function, of formulas over this row (`[Leads]`) and named cells."""

    header: str
    number_format: str
    meaning: str = ""
    function: Callable[..., Any] | None = None
    arguments: Mapping[str, str] | None = None
    width: int = 12
    wraps: bool = False  # a long text goes on in the next line


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
    Column("Leads", COUNT, "All leads.", width=9),
    Column("Customers", COUNT, "Leads that became customers, so far.", width=11),
    Column("Judged leads", COUNT, "Leads old enough to judge: older than nine in ten of the times to win.", width=9),
    Column("Judged customers", COUNT, "Customers among the judged leads.", width=11),
    Column("Too young", COUNT, "Leads too young to judge; they stand outside the conversion.", width=9),
    Column("Days to win", DAYS, "Median days from first contact to won.", width=9),
    Column("Days, 9 in 10", DAYS, "Days within which nine in ten of the won were won.", width=9),
    Column("Spend", MONEY, "Money spent to win these leads; empty where none is known."),
)
_RATES = (
    Column("Conversion", PERCENT, "Judged customers / judged leads.", table_rows.row_conversion,
           {"judged_customers": "[Judged customers]", "judged_leads": "[Judged leads]"}, width=10),
    Column("Paid per lead", MONEY, "CPL: spend / leads.", table_rows.row_cpl,
           {"spend": "[Spend]", "leads": "[Leads]"}, width=10),
    Column("Paid per customer", MONEY, "CAC without sales cost: spend / customers.", table_rows.row_cac,
           {"spend": "[Spend]", "customers": "[Customers]"}, width=11),
)  # fmt: skip

SOURCES = OwnedTable(
    "hw_sources", "Sources",
    (Column("Source", TEXT, "Where the lead came from, as the CRM has it.", width=20), *_COUNTS, *_RATES,
     Column("May cost", MONEY, "ALLOWABLE_CPL with this source's conversion; silent below five customers.",
            table_rows.row_allowable,
            {"conversion": "[Conversion]", "customers": "[Judged customers]", "allowable": "allowable_customer_cost",
             "lead_cost": "lead_work_cost"}, width=11),
     Column("Worth", MONEY, "LEAD_VALUE with this source's conversion: above this price it loses.",
            table_rows.row_worth,
            {"conversion": "[Conversion]", "customers": "[Judged customers]", "value": "customer_value",
             "lead_cost": "lead_work_cost"}, width=11),
     Column("Worth at most", MONEY, "Below five customers: LEAD_VALUE at the upper limit RATE_HIGH of the conversion.",
            table_rows.row_worth_at_most,
            {"judged_leads": "[Judged leads]", "judged_customers": "[Judged customers]", "value": "customer_value",
             "lead_cost": "lead_work_cost"}, width=11),
     Column("Advice", TEXT, "Paid against what it may cost and what it is worth; silent below five customers.",
            table_rows.row_advice,
            {"paid": "[Paid per lead]", "allowable": "[May cost]", "worth": "[Worth]",
             "at_most": "[Worth at most]", "judged_leads": "[Judged leads]",
             "judged_customers": "[Judged customers]"}, width=29)),
    "Sources", "What each source brings, what it costs and may cost. In one spelling: Paid Search is paid_search.",
)  # fmt: skip

_FISCAL = Column("Fiscal year", "0", "The calendar year in which it ends; it begins with the month typed on Inputs.",
                 fiscal.row_fiscal_year, {"month": "[Month]", "start": "fiscal_start"})  # fmt: skip

MONTHS = OwnedTable(
    "hw_months", "Months",
    (Column("Month", MONTH, "Month of first contact."), *_COUNTS,
     Column("Recent", "0", "1 for the last three complete months: they make the leads per month."), *_RATES, _FISCAL),
    "Months of first contact", "Leads and customers by the month in which the lead arrived.",
)  # fmt: skip

CUSTOMERS = OwnedTable(
    "hw_customers", "Customers",
    (Column("Month", MONTH, "A month from the first customer on."),
     Column("New", COUNT, "Customers who began in it."), Column("Lost", COUNT, "Customers who left in it."),
     Column("At the start", COUNT, "Customers on its first day."),
     Column("Left of these", COUNT, "Of those there on its first day, how many left in it."),
     Column("Complete", "0", "0 for the month that still goes on."),
     Column("Churn", PERCENT, "Left of these / at the start.", table_rows.row_conversion,
            {"judged_customers": "[Left of these]", "judged_leads": "[At the start]"}),
     Column("Ceiling", COUNT, "Customers where growth ends.", table_rows.row_number, {"value": "customers_limit"}),
     _FISCAL),
    "Customers by month", "Who came and who left. Retention and Today show them.",
)  # fmt: skip

WEEKS = OwnedTable(
    "hw_weeks", "Weeks",
    (Column("Week", "yyyy-mm-dd", "Its first day: the day of the week typed on Inputs.", width=14),
     Column("Leads", COUNT, "Leads that came in it."),
     Column("Won", COUNT, "Leads of any week that were won in it.")),
    "Weeks", "Leads that came and leads that were won, week by week; the last one still goes on.",
)  # fmt: skip

STAGES = OwnedTable(
    "hw_stages", "Funnel",
    (Column("Stage", TEXT, "A stage of the pipeline, in its order.", width=34),
     Column("Went to", TEXT, "The stage the deal went to from there; won and lost are the ends.", width=30),
     Column("Deals", COUNT, "Deals that went this way."), Column("Of", COUNT, "Deals that were ever in the stage."),
     Column("Share", PERCENT, "Deals / of.", table_rows.row_conversion,
            {"judged_customers": "[Deals]", "judged_leads": "[Of]"}),
     Column("Read as", TEXT, "Below five deals a share says little.", table_rows.row_trust,
            {"count": "[Deals]", "of": "[Of]"}, width=30)),
    "Funnel", "How leads become deals, and deals customers.", top=22,
)  # fmt: skip

AGES = 12
COHORTS = OwnedTable(
    "hw_cohorts", "Retention",
    (Column("Began in", MONTH, "The month in which these customers began.", width=22),
     Column("Customers", COUNT, "How many began in it."),
     *(Column(f"After {n}", PERCENT, f"The share of them still there {n} months on, once all could be.", width=10)
       for n in range(1, AGES + 1))),
    "Retention", "Of the customers who began in a month, the share still there so many months later.", top=28,
)  # fmt: skip

CURVE = OwnedTable(
    "hw_curve", "Curve",
    (Column("Months", "0", "Months since the customer began."),
     Column("Counted", PERCENT, "Share still there, over all cohorts (Kaplan and Meier)."),
     Column("Fitted", PERCENT, "The shifted-beta-geometric curve."),
     Column("Low", PERCENT, "In nine of ten cases the true curve lies above this."),
     Column("High", PERCENT, "And below this.")),
    "Retention curve", "The curve fitted to all cohorts at once, with its 90 % band. The sheet Retention draws it.",
)  # fmt: skip

TESTED_AS = "Tested as"
LOSSES = OwnedTable(
    "hw_losses", "Losses",
    (Column("Reason given", TEXT, "As the CRM has it.", width=44),
     Column("Deals", COUNT, "Deals lost for this reason."),
     Column("Of", COUNT, "All lost deals."),
     Column("Share", PERCENT, "Deals / of.", table_rows.row_conversion,
            {"judged_customers": "[Deals]", "judged_leads": "[Of]"}),
     Column("Whose", TEXT, "us, them or unknown: as words.toml says, or a first reading of the reason.",
            width=14),
     Column(TESTED_AS, TEXT, "The claim that messages can test; empty where they cannot tell whether it is right.",
            width=14),
     Column("Record supports", COUNT, "Deals whose messages bear the claim out (LOSS_CHECK)."),
     Column("Record contradicts", COUNT, "Deals whose messages say otherwise: look at these first.", width=14),
     Column("No messages", COUNT, "Deals without a message that could tell.")),
    "Losses", "Why deals were lost, as recorded, and what the messages say of it.", top=12,
)  # fmt: skip

CONSENT = OwnedTable(
    "hw_consent", "Permission",
    (Column("Channel", TEXT, "How they may be written to.", width=34), Column("Leads", COUNT, "Leads that allow it."),
     Column("Of", COUNT, "All leads."),
     Column("Share", PERCENT, "Leads / of.", table_rows.row_conversion,
            {"judged_customers": "[Leads]", "judged_leads": "[Of]"})),
    "Permission", "How many leads may be written to, by channel.", top=6,
)  # fmt: skip

LOG = OwnedTable(
    "hw_log", "Log",
    (Column("When", TEXT, width=22), Column("What", TEXT, width=11), Column("By", TEXT, width=12),
     Column("Source", TEXT, width=26, wraps=True), Column("As of", TEXT, width=22), Column("Leads", COUNT, width=9),
     Column("Customers", COUNT, width=11), Column("Rows", COUNT, "Rows of the data tables that it wrote.", width=8),
     Column("Seconds", "0.0", "From reading the store to writing the workbook.", width=9),
     Column("Checks", TEXT, "What the sheet Checks said then.", width=22, wraps=True),
     Column("Detail", TEXT, width=44, wraps=True)),
    "Log", "Every refresh that changed anything, newest last, with the closed months it changed.",
)  # fmt: skip

RESULTS = OwnedTable(
    "hw_results", "Results",
    (Column("Result", TEXT, "The function of the library, and of what.", width=50),
     Column("Value", MIXED, "A number or a text.", width=22), Column("Unit", TEXT, width=26),
     Column("Meaning", TEXT, width=70)),
    "Results of refresh", "Values that need a loop: computed by holdwater refresh from the inputs, not by formulas.",
)  # fmt: skip

USED = OwnedTable(
    "hw_used", "Used",
    (Column("Input", TEXT, width=44), Column("Value", "General", width=16)),
    "Inputs as used", "The inputs as they stood when the results were computed. If they change, Today says STALE.",
)  # fmt: skip

USED_FIXES = OwnedTable(
    "hw_used_fixes", "Used fixes",
    tuple(Column(header, "General", width=18) for header in FIX_HEADERS),
    "Fixes as used", "The fixes as they stood when the results were computed. If they change, Today says STALE.",
)  # fmt: skip

USED_RATES = OwnedTable(
    "hw_used_rates", "Used rates",
    tuple(Column(header, "General", width=18) for header in RATE_HEADERS),
    "Rates as used", "The rates as they stood when the figures were computed. If they change, Today says STALE.",
)  # fmt: skip

USED_CURVES = OwnedTable(
    "hw_used_curves", "Used curves",
    tuple(Column(header, "General", width=20) for header in CURVE_HEADERS),
    "Sources for the budget as used", "As they stood when the results were computed. If they change, Today says STALE.",
)  # fmt: skip

USED_SOURCES = OwnedTable(
    "hw_used_sources", "Used sources", (Column("Source", TEXT, width=44),),
    "Sources as refreshed", "The names of the sources as refresh wrote them. If they change, Checks says FAIL.",
)  # fmt: skip

CONTROLS = OwnedTable(
    "hw_controls", "Controls",
    (Column("Control", TEXT, width=44), Column("Value", "General", width=22)),
    "Control totals", "What refresh wrote, in sums. The sheet Checks adds the tables up again and compares.",
)  # fmt: skip

COUNTS = OwnedTable(
    "hw_counts", "Checks",
    (Column("Records", TEXT, "Of a source, made before a moment that lies an hour before its last sync.", width=58),
     Column("Counted by the source", COUNT, "What the CRM says when it is asked how many there are.", width=22),
     Column("Rows of the store", COUNT, "How many of them are in the store.", width=22),
     Column("Says", TEXT, "Whether the two are the same.", table_rows.row_counted,
            {"records": "[Records]", "told": "[Counted by the source]", "kept": "[Rows of the store]"}, width=60)),
    "Checks", "", top=60,
)  # fmt: skip

ABOUT = OwnedTable(
    "hw_about", "About",
    (Column("Entry", TEXT, width=44), Column("Value", "General", width=60)),
    "About this data", "Where the numbers come from.",
)  # fmt: skip

TABLES = (SOURCES, MONTHS, CUSTOMERS, WEEKS, STAGES, COHORTS, CURVE, LOSSES, CONSENT, LOG, RESULTS, USED, USED_FIXES,
          USED_RATES, USED_CURVES, USED_SOURCES, CONTROLS, COUNTS, ABOUT)  # fmt: skip
# These say what the CRM says, whatever a person has typed.
DATA_TABLES = (SOURCES, MONTHS, CUSTOMERS, WEEKS, STAGES, COHORTS, LOSSES, CONSENT, ABOUT)
