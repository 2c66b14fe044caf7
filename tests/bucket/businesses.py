"""Businesses of many kinds and the verdict that each deserves.

`worth` is what a further lead earns, by arithmetic on the line itself wherever nothing limits the business: what a
customer brings (margin / churn, or margin / (churn + discount)) times the share of leads that become one, less its
price. Where a limit binds it is the price and the work, since the lead brings nothing, or None: then the recurrence
by hand is the only word on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from holdwater.bucket.verdict import BURNED, FIX_PAYS_BETTER, FULL, LEADS_PAY, OVERLOADED, TOO_DEAR, TURNED_AWAY

Model = dict[str, Any]

# Periods of which a finer one has so many.
FINER = {"week": 7, "month": 52 / 12, "quarter": 3, "year": 12}


@dataclass(frozen=True)
class Business:
    period: str
    model: Model
    reason: str
    first: str | None  # what to fix first; None: more leads, or fewer
    worth: float | None


def business(
    period: str, reason: str, first: str | None, worth: float | None, *, leads: float, at: float, conversion: float,
    revenue: float, margin: float, churn: float, **more: float,
) -> Business:  # fmt: skip
    required = {
        "leads": leads, "cost_per_lead": at, "conversion": conversion, "revenue_per_customer": revenue,
        "gross_margin": margin, "churn": churn,
    }  # fmt: skip
    return Business(period, required | more, reason, first, worth)


BUSINESSES = {
    # Leads pay: nothing is in the way, and no fix is worth twice as much.
    "a new gym": business(
        "month", LEADS_PAY, None, 0.1 * 40 / 0.05 - 15,
        leads=100, at=15, conversion=0.1, revenue=50, margin=0.8, churn=0.05,
    ),
    "a gym with room and two salespeople": business(
        "month", LEADS_PAY, None, 0.1 * 40 / 0.05 - 15,
        leads=100, at=15, conversion=0.1, revenue=50, margin=0.8, churn=0.05, lead_capacity=150, customer_capacity=900,
        customers=40,
    ),
    "a roofer": business(  # sold once: churn is 1, the price is that of the job
        "month", LEADS_PAY, None, 0.2 * 2700 - 60 - 120,
        leads=40, at=120, conversion=0.2, revenue=9000, margin=0.3, churn=1, lead_cost=60, lead_capacity=90,
    ),
    "a dentist in a new practice": business(
        "month", LEADS_PAY, None, 0.3 * 45 * 0.65 / 0.02 - 60,
        leads=30, at=60, conversion=0.3, revenue=45, margin=0.65, churn=0.02, customers=100, customer_capacity=1500,
        fixed_cost=9000, horizon=36,
    ),
    "an HVAC company with service contracts": business(
        "year", LEADS_PAY, None, 0.25 * 132 / (0.15 + 0.08) - 30,
        leads=900, at=30, conversion=0.25, revenue=240, margin=0.55, churn=0.15, discount=0.08, horizon=5,
    ),
    "a law firm that takes every case it likes": business(
        "month", LEADS_PAY, None, 0.5 * 0.12 * 6000 * 0.6 - 80,
        leads=70, at=80, conversion=0.12, revenue=6000, margin=0.6, churn=1, fit_share=0.5, fixed_cost=6000,
    ),
    "a newsletter with a paid edition": business(
        "month", LEADS_PAY, None, 0.06 * 9 * 0.9 / 0.04 - 1.2,
        leads=2500, at=1.2, conversion=0.06, revenue=9, margin=0.9, churn=0.04, customers=500, run_off=1, horizon=24,
    ),
    # Leads would pay, but a fix pays better.
    "a gym whose members leave as fast as they come": business(
        "month", FIX_PAYS_BETTER, "churn", 0.1 * 40 / 0.1 - 15,
        leads=60, at=15, conversion=0.1, revenue=50, margin=0.8, churn=0.1, customers=400,
    ),
    "a SaaS with churn above all": business(
        "month", FIX_PAYS_BETTER, "churn", 0.04 * 96 / 0.07 - 35,
        leads=300, at=35, conversion=0.04, revenue=120, margin=0.8, churn=0.06, customers=300, discount=0.01,
    ),
    "a meal kit": business(
        "week", FIX_PAYS_BETTER, "churn", 0.12 * 60 * 0.25 / 0.07 - 18,
        leads=250, at=18, conversion=0.12, revenue=60, margin=0.25, churn=0.07, customers=2500, horizon=52,
    ),
    "an agency whose clients stay a year": business(
        "month", FIX_PAYS_BETTER, "churn", 0.05 * 1000 / 0.08 - 400,
        leads=12, at=400, conversion=0.05, revenue=2000, margin=0.5, churn=0.08, customers=3, horizon=36,
    ),
    "a kitchen fitter who closes one in twelve": business(
        "month", FIX_PAYS_BETTER, "conversion", 3600 / 12 - 180,
        leads=35, at=180, conversion=1 / 12, revenue=12000, margin=0.3, churn=1, fixed_cost=2500,
    ),
    "a shop whose leads do not fit": business(
        "month", FIX_PAYS_BETTER, "conversion", 0.09 * 20 / 0.06 - 20,
        leads=200, at=20, conversion=0.1, revenue=40, margin=0.5, churn=0.03, fit_share=0.9, customers=20,
        discount=0.03,
    ),
    "a B2B wholesaler with many old accounts": business(
        "quarter", FIX_PAYS_BETTER, "churn", 0.08 * 4000 * 0.18 / (0.05 + 0.02) - 350,
        leads=60, at=350, conversion=0.08, revenue=4000, margin=0.18, churn=0.05, discount=0.02, customers=420,
        horizon=12,
    ),
    "a software vendor that loses accounts in their first year": business(
        # Sold for 36,000, of which 18,000 are the renewal, and every second one leaves before it.
        "year", FIX_PAYS_BETTER, "churn", 0.06 * 14400 / 0.6 - 700,
        leads=30, at=700, conversion=0.06, revenue=18000, margin=0.8, churn=0.5, discount=0.1, customers=12, horizon=5,
    ),
    "a physiotherapist with a good name": business(
        "month", FIX_PAYS_BETTER, "churn", None,
        leads=20, at=45, conversion=0.4, revenue=90, margin=0.6, churn=0.15, referral_rate=0.06, customers=150,
    ),
    # Sales capacity burns leads.
    "a gym that calls 80 of 100": business(
        "month", BURNED, "lead_capacity", -15,
        leads=100, at=15, conversion=0.1, revenue=50, margin=0.8, churn=0.05, lead_capacity=80,
    ),
    "a roofer whose phone rings out": business(
        "month", BURNED, "lead_capacity", -120,
        leads=120, at=120, conversion=0.2, revenue=9000, margin=0.3, churn=1, lead_cost=60, lead_capacity=60,
    ),
    "a solar installer after a campaign": business(
        "week", BURNED, "lead_capacity", -55,
        leads=140, at=55, conversion=0.06, revenue=14000, margin=0.22, churn=1, lead_cost=25, lead_capacity=70,
        burn=0.1, horizon=26,
    ),
    "a language school with one assistant": business(
        "month", BURNED, "lead_capacity", -12,
        leads=200, at=12, conversion=0.15, revenue=110, margin=0.5, churn=0.12, lead_capacity=90, customers=60,
    ),
    "a mortgage broker": business(
        "month", BURNED, "lead_capacity", -70,
        leads=90, at=70, conversion=0.09, revenue=2800, margin=0.7, churn=1, lead_capacity=45, burn=0.2,
    ),
    # Customers are turned away at onboarding.
    "a SaaS that onboards by hand": business(
        "month", TURNED_AWAY, "onboarding_capacity", -40,
        leads=400, at=40, conversion=0.05, revenue=90, margin=0.8, churn=0.03, onboarding_capacity=12, customers=200,
        discount=0.01,
    ),
    "a software vendor that loses accounts in onboarding": business(
        # Sold for 36,000, of which 18,000 are the renewal; one account a year can be set up, and 1.8 are won.
        "year", TURNED_AWAY, "onboarding_capacity", -700,
        leads=30, at=700, conversion=0.06, revenue=18000, margin=0.8, churn=0.2, onboarding_capacity=1, discount=0.1,
        horizon=5,
    ),
    "a bookkeeper": business(
        "month", TURNED_AWAY, "onboarding_capacity", -90,
        leads=25, at=90, conversion=0.3, revenue=350, margin=0.55, churn=0.015, onboarding_capacity=4, discount=0.008,
        customers=40, horizon=36,
    ),
    "a kindergarten with places in September": business(
        "year", TURNED_AWAY, "onboarding_capacity", -8,
        leads=120, at=8, conversion=0.5, revenue=4800, margin=0.2, churn=0.3, onboarding_capacity=25, customers=70,
        discount=0.05, horizon=6,
    ),
    "an IT service provider": business(
        "quarter", TURNED_AWAY, "onboarding_capacity", -500 - 100,
        leads=30, at=500, conversion=0.2, revenue=5400, margin=0.35, churn=0.04, lead_cost=100, onboarding_capacity=3,
        discount=0.02, customers=30, horizon=12,
    ),
    "a SaaS with thousands of users and one trainer": business(  # the limit decides, but it is not what costs most
        "month", TURNED_AWAY, "churn", -30,
        leads=400, at=30, conversion=0.05, revenue=60, margin=0.8, churn=0.04, onboarding_capacity=18, customers=3000,
    ),
    # Leads overload delivery, and churn rises.
    "a clinic with one doctor": business(
        "month", OVERLOADED, "customer_capacity", None,
        leads=60, at=40, conversion=0.3, revenue=60, margin=0.7, churn=0.03, customers=240, customer_capacity=250,
        overload_slope=1.5,
    ),
    "a tutoring school": business(
        "month", OVERLOADED, "customer_capacity", None,
        leads=90, at=35, conversion=0.25, revenue=140, margin=0.35, churn=0.08, customers=160, customer_capacity=180,
        overload_slope=0.9, overload_threshold=0.85, horizon=36,
    ),
    "an internet provider": business(
        "month", OVERLOADED, "customer_capacity", None,
        leads=1500, at=60, conversion=0.1, revenue=38, margin=0.6, churn=0.015, customers=5500, customer_capacity=6000,
        overload_slope=0.6, discount=0.005, horizon=36,
    ),
    "a food box with one van": business(
        "week", OVERLOADED, "customer_capacity", None,
        leads=80, at=14, conversion=0.2, revenue=32, margin=0.3, churn=0.03, customers=300, customer_capacity=320,
        overload_slope=0.5, horizon=52,
    ),
    "a software support desk": business(
        "month", OVERLOADED, "customer_capacity", None,
        leads=120, at=150, conversion=0.08, revenue=130, margin=0.75, churn=0.025, customers=380, customer_capacity=400,
        overload_slope=0.4, overload_threshold=0.8, discount=0.01, horizon=36,
    ),
    # Delivery is full; nobody leaves for that, but nobody more is served.
    "a gym that is full": business(
        "month", FULL, "customer_capacity", -15,
        leads=100, at=15, conversion=0.1, revenue=50, margin=0.8, churn=0.02, customer_capacity=150, customers=150,
    ),
    "a coach with a waiting list": business(
        "month", FULL, "customer_capacity", -25,
        leads=20, at=25, conversion=0.2, revenue=400, margin=0.85, churn=0.1, customer_capacity=12, customers=12,
    ),
    "a coworking space": business(
        "month", FULL, "customer_capacity", -30,
        leads=50, at=30, conversion=0.2, revenue=220, margin=0.6, churn=0.06, customer_capacity=80, customers=80,
        fixed_cost=6000, horizon=36,
    ),
    # A lead costs more than it brings, even without limits.
    "a SaaS that buys words": business(
        "month", TOO_DEAR, None, 0.02 * 45 / 0.04 - 90,
        leads=500, at=90, conversion=0.02, revenue=60, margin=0.75, churn=0.04, customers=150,
    ),
    "a roofer who buys shared leads": business(
        "month", TOO_DEAR, None, 0.05 * 2700 - 200 - 300,
        leads=40, at=300, conversion=0.05, revenue=9000, margin=0.3, churn=1, lead_cost=200,
    ),
    "an agency whose next leads are dear": business(
        "month", TOO_DEAR, "churn", 0.05 * 750 / 0.1 - 500,
        leads=50, at=80, conversion=0.05, revenue=1500, margin=0.5, churn=0.1, next_lead_cost=500,
    ),
    "a locksmith on every portal": business(
        "week", TOO_DEAR, None, 0.3 * 0.75 * 160 * 0.5 - 0.75 * 5 - 28,
        leads=60, at=28, conversion=0.3, revenue=160, margin=0.5, churn=1, burn=0.25, lead_cost=5, horizon=26,
        lead_capacity=40,
    ),
    "an insurance broker on a comparison site": business(
        "year", TOO_DEAR, None, 0.04 * 95 * 0.8 / (0.12 + 0.05) - 45,
        leads=3000, at=45, conversion=0.04, revenue=95, margin=0.8, churn=0.12, discount=0.05, customers=800, horizon=8,
    ),
    "a web shop that pays for clicks": business(
        "month", TOO_DEAR, None, 0.02 * 55 * 0.3 / 0.35 - 1.4,
        leads=9000, at=1.4, conversion=0.02, revenue=55, margin=0.3, churn=0.35, customers=600, horizon=12,
    ),
}  # fmt: skip
