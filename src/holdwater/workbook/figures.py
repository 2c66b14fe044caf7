"""The figures of the business: one row each on the sheet Figures, with the formula that gives it and its meaning."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from holdwater.formulas import acquisition, capacity, ceiling, retention
from holdwater.units import COUNT, DECIMAL, MONEY, PERCENT
from holdwater.workbook import about
from holdwater.workbook.grid import ABOUT_KEYS
from holdwater.workbook.inputs import INPUTS
from holdwater.workbook.sheet_formulas import definitions, totals, trust


@dataclass(frozen=True, slots=True)
class Figure:
    """`arguments` name inputs, other figures above this one, or columns of tables (`hw_sources[Leads]`)."""

    name: str
    label: str
    brief: str  # its definition in a few words, for the first sheet
    function: Callable[..., Any]
    arguments: Mapping[str, str]
    number_format: str
    meaning: str
    counts: tuple[str, str] | None = None  # of a rate: the figures that say of how many how many
    key: bool = True  # shown on the first sheet
    between: tuple[Callable[..., Any], Mapping[str, str]] | None = None  # its limits in words, where it is no rate


def _sources(header: str) -> str:
    """A column with its header: IronCalc computes no SUMIF over a single cell, as an empty table has."""
    return f"hw_sources[[#All],[{header}]]"


def _priced(customer: str) -> dict[str, str]:
    return {"customer": customer, "count": "paid_won", "of": "paid_judged", "lead_cost": "lead_work_cost"}


def _resting(won: str, of: str) -> dict[str, Any]:
    """A figure that is no rate rests on one all the same."""
    return {"counts": (won, of), "between": (trust.rests_on, {"count": won, "of": of})}


_PAID, _COUNTS = _resting("paid_won", "paid_judged"), _resting("counted_won", "counted_judged")


def _customers(header: str) -> str:
    return f"hw_customers[[#All],[{header}]]"


CHURN_BESIDE = {
    "churn": "monthly_churn", "measured": "measured_churn", "lost": "churn_lost", "there": "churn_there",
}  # fmt: skip
_BELOW = {"complete": _customers("Complete"), "there": _customers("At the start"), "served": "service_capacity"}
_COUNTING = "The referred are not among them where Inputs says how many of them a customer brings."


def _counted(name: str, label: str, function: Callable[..., Any], arguments: Mapping[str, str], entry: str) -> Figure:
    looked_up = {**ABOUT_KEYS, "referred": f'"{entry}"'}
    return Figure(name, label, "", function, {"referral": "monthly_referral", **arguments, **looked_up}, COUNT,
                  f"{label}. {_COUNTING}", key=False)  # fmt: skip


_COUNTED = (
    _counted("counted_leads", "Leads per month that count as leads", definitions.counted_flow,
             {"leads": "lead_flow", "recent": "hw_months[Recent]"}, about.REFERRED_RECENTLY),
    *(_counted(name, label, definitions.counted, {"column": f"hw_sources[{header}]"}, referred)
      for name, label, header, referred in (
          ("counted_ever", "Leads that count as leads, ever", "Leads", about.REFERRED),
          ("counted_judged", "Judged leads that count as leads", "Judged leads", about.REFERRED_JUDGED),
          ("counted_won", "Judged customers of those", "Judged customers", about.REFERRED_WON))),
    _counted("counted_worked", "Judged leads of those that were worked", definitions.counted_worked,
             {"worked": f'"{about.WORKED}"'}, about.REFERRED_WORKED),
    Figure("counted_conversion", "Customers per lead that counts", "", definitions.conversion_of_counted,
           {"won": "counted_won", "judged": "counted_judged"}, PERCENT,
           f"Judged customers / judged leads. {_COUNTING}", key=False),
)  # fmt: skip

_WORKED = (
    Figure("share_worked", "Share of the judged leads that there was time for", "", definitions.share_worked,
           {"judged": "hw_months[Judged leads]", "leads": "hw_months[Leads]", "limit": "lead_limit"},
           PERCENT, "Month by month, with today's people and hours.", key=False),
    Figure("share_burned", "Share of the leads that nobody works though there is time", "", definitions.share_burned,
           {"share": "share_worked", "worked": "counted_worked", "judged": "counted_judged"},
           PERCENT, "By the record of calls and mails; 0 where no CRM keeps them.", key=False),
    Figure("counted_limit", "Leads that count and can be worked per month", "", definitions.counted_limit,
           {"limit": "lead_limit", "leads": "lead_flow", "counted": "counted_leads"},
           COUNT, "Leads that can be worked, less the hours that the referred take as others do. Where Inputs says how"
           " many a customer brings, those are no leads.", key=False),
    Figure("conversion_if_worked", "Customers per lead that counts and is worked", "",
           definitions.conversion_if_worked,
           {"conversion": "counted_conversion", "share": "share_worked", "won": "counted_won",
            "worked": "counted_worked", "judged": "counted_judged"},
           PERCENT, "By the record where a CRM keeps calls and mails; else of as many as there was time for.",
           key=False),
)  # fmt: skip

FIGURES = (
    Figure("lead_flow", "Leads per month", "average of the last three complete months",
           totals.leads_per_month, {"leads": "hw_months[Leads]", "recent": "hw_months[Recent]"},
           COUNT, "Average of the last three complete months."),
    Figure("lead_limit", "Leads that can be worked per month", "people x hours used / minutes per lead",
           capacity.lead_capacity,
           {"reps": "sales_people", "hours": "sales_hours", "minutes_per_lead": "touch_minutes",
            "touches": "lead_touches", "utilization": "hours_used"},
           COUNT, "LEAD_CAPACITY: people x hours x 60 x share used / (minutes x touches)."),
    Figure("paid_conversion", "Customers per paid lead", "judged customers / judged leads, paid sources",
           totals.conversion_of_paid,
           {"judged_leads": _sources("Judged leads"), "judged_customers": _sources("Judged customers"),
            "spend": _sources("Spend")},
           PERCENT, "Of leads old enough to judge, in sources that cost money (all sources where no spend is known). "
           "Leads that nobody called are among them.", counts=("paid_won", "paid_judged")),
    Figure("any_conversion", "Customers per lead, all sources", "judged customers / judged leads, all sources",
           totals.conversion_of_all,
           {"judged_leads": _sources("Judged leads"), "judged_customers": _sources("Judged customers")},
           PERCENT, "Of leads old enough to judge, in all sources. Leads that nobody called are among them.",
           counts=("any_won", "any_judged")),
    Figure("customer_margin", "Gross profit per customer and month", "revenue x gross margin",
           totals.margin_per_month, {"revenue": "monthly_revenue", "share": "margin_share"},
           MONEY, "Revenue per customer x gross margin."),
    Figure("customer_value", "Lifetime value of a customer", "gross profit / (churn + discount)",
           retention.ltv, {"margin": "customer_margin", "churn": "monthly_churn", "discount": "monthly_discount"},
           MONEY, "LTV: gross profit per month / (churn + discount), paid at the end of each month."),
    Figure("allowable_customer_cost", "What a customer may cost", "by the rules on the sheet Inputs",
           acquisition.allowable_cac,
           {"ltv": "customer_value", "ratio": "value_to_cost", "margin": "customer_margin", "churn": "monthly_churn",
            "payback_periods": "payback_months"},
           MONEY, "ALLOWABLE_CAC: the smaller of lifetime value / ratio and what comes back within the payback time."),
    Figure("allowable_lead_cost", "What a lead may cost", "of that, x customers per lead, less work",
           acquisition.allowable_cpl,
           {"allowable_cac": "allowable_customer_cost", "conversion": "paid_conversion", "lead_cost": "lead_work_cost"},
           MONEY, "ALLOWABLE_CPL: what a customer may cost x customers per lead, less the cost of working the lead.",
           counts=("paid_won", "paid_judged"), between=(trust.price_between, _priced("allowable_customer_cost"))),
    Figure("paid_lead_cost", "What a lead costs", "spend / leads, paid sources",
           totals.paid_cost_per_lead, {"spend": _sources("Spend"), "leads": _sources("Leads")},
           MONEY, "CPL: spend / leads of the sources that cost money; spend of no source is shared by all leads."),
    Figure("lead_worth", "What a lead is worth", "above this price a lead loses money",
           acquisition.lead_value,
           {"ltv": "customer_value", "conversion": "paid_conversion", "lead_cost": "lead_work_cost"},
           MONEY, "LEAD_VALUE: at this price a lead neither earns nor loses over a whole customer life.",
           counts=("paid_won", "paid_judged"), between=(trust.price_between, _priced("customer_value"))),
    Figure("paid_customer_cost", "What a customer costs", "spend, and sales cost, / customers won",
           totals.paid_cost_per_customer,
           {"spend": _sources("Spend"), "customers": _sources("Customers"), "months": "hw_months[Month]",
            "monthly_sales_cost": "monthly_sales_cost"},
           MONEY, "CAC: spend / customers won from the sources that cost money, and sales cost / all customers.",
           **_PAID),
    Figure("value_over_cost", "Lifetime value for each 1 of cost", "3 or more is healthy",
           retention.ltv_cac, {"ltv": "customer_value", "cac": "paid_customer_cost"},
           DECIMAL, "LTV_CAC: 3 or more is healthy.", **_PAID),
    Figure("payback_time", "Months to pay back", "with churn; a dash: never",
           retention.payback,
           {"cac": "paid_customer_cost", "margin": "customer_margin", "churn": "monthly_churn",
            "discount": "monthly_discount"},
           DECIMAL, "PAYBACK with churn: months until a customer has paid back its cost; #NUM! means never.",
           **_PAID),
    *_COUNTED,
    *_WORKED,
    Figure("monthly_wins", "Customers won per month from leads", "worked leads x customers per lead worked",
           totals.won_per_month,
           {"leads": "counted_leads", "burned": "share_burned", "capacity": "counted_limit",
            "conversion": "conversion_if_worked"},
           DECIMAL, "The leads that are worked x customers per lead worked.", counts=("counted_won", "counted_judged"),
           between=(trust.wins_between, {"wins": "monthly_wins", "count": "counted_won", "of": "counted_judged"})),
    Figure("customers_limit", "Customers where growth ends", "as many leave as come; a dash: no end",
           ceiling.customers_ceiling,
           {"new_customers": "monthly_wins", "churn": "monthly_churn", "referral": "monthly_referral"},
           COUNT, "CUSTOMERS_CEILING: there as many leave as come; #NUM! means no end.",
           **_COUNTS),
    Figure("monthly_new", "Customers who come per month", "", definitions.customers_coming,
           {"won": "monthly_wins", "referral": "monthly_referral", "customers": "customers_now"},
           DECIMAL, "Customers won from leads, and those whom today's customers bring.", key=False),
    Figure("next_revenue", "Revenue next month", "within what can be worked and served",
           capacity.capacity_revenue,
           {"leads": "monthly_new", "conversion": "1", "revenue_per_customer": "monthly_revenue",
            "customers": "customers_now", "churn": "monthly_churn", "customer_capacity": "service_capacity"},
           MONEY, "CAPACITY_REVENUE of the customers who come, of whom each is one: within what the people can work"
           " and serve.", **_COUNTS),
    Figure("worked_conversion", "Customers per lead worked", "judged customers / judged leads worked",
           definitions.conversion_of_worked, {"won": "counted_won", "worked": "counted_worked"},
           PERCENT, "Of the judged leads that count, those that were approached, have a deal or were won: what the"
           " verdict is reckoned with. Known where a CRM keeps calls or mails.",
           counts=("counted_won", "counted_worked")),
    Figure("measured_churn", "Customers lost per month, measured", "left / at the start, below overload",
           definitions.measured_churn, _BELOW | {"lost": _customers("Left of these")},
           PERCENT, "Over all complete months that began with fewer than nine tenths of the customers that can be"
           " served. It is used where none is typed on Inputs.", counts=("churn_lost", "churn_there")),
    *(Figure(name, label, "", function, arguments, COUNT, f"{label}: what a rate rests on.", key=False)
      for name, label, function, arguments in (
          ("paid_judged", "Judged leads, paid sources", totals.of_paid,
           {"column": _sources("Judged leads"), "spend": _sources("Spend")}),
          ("paid_won", "Judged customers, paid sources", totals.of_paid,
           {"column": _sources("Judged customers"), "spend": _sources("Spend")}),
          ("any_judged", "Judged leads, all sources", totals.sum_of, {"column": "hw_sources[Judged leads]"}),
          ("any_won", "Judged customers, all sources", totals.sum_of, {"column": "hw_sources[Judged customers]"}),
          ("churn_lost", "Customers who left, months below overload", definitions.below_overload,
           _BELOW | {"summed": _customers("Left of these")}),
          ("churn_there", "Customers at the start, months below overload", definitions.below_overload,
           _BELOW | {"summed": _customers("At the start")}))),
)  # fmt: skip

KEY_FIGURES = tuple(figure for figure in FIGURES if figure.key)
MAY_BE_BLANK = frozenset(i.name for i in INPUTS if not i.required)
