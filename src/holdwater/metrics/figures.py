"""The figures a refresh hands to the workbook."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from holdwater.metrics.conventions import UNSAID, Conventions
from holdwater.metrics.customer_figures import (
    Cohort,
    ConsentReach,
    CustomerMonth,
    FirstResponse,
    LeadWeek,
    LostReason,
    ReferredMonth,
    RevenueMonth,
    Share,
    StageMove,
    StageTime,
    Worked,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Counts of one group of leads: those of one source, or of one month of first contact.

    A customer is a lead with a won deal or a customer record, also that of the same person in a billing. Leads younger
    than the 90th percentile of the days to win are too young to judge: they stand as `open_leads`, outside the
    conversion rate `judged_customers / judged_leads`. Money is in the currency's major unit; None where nothing is
    known.
    """

    leads: int
    customers: int
    judged_leads: int
    judged_customers: int
    open_leads: int
    days_to_win_median: float | None
    days_to_win_p90: float | None
    spend: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFigures(Figures):
    source: str | None  # None: the source was not recorded; such leads are a row of their own
    unsourced: bool = False  # the row of the spend that names no source: it has no leads


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthFigures(Figures):
    month: date  # first day of the month of first contact


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceCount:
    """How many records of a stream a source says it had at the end of its last sync, and how many of them the store.

    Both count what was made before a moment. Without a stream: the source tells no count, or could not be asked.
    """

    connection: str
    stream: str | None = None
    before: datetime | None = None
    told: int | None = None
    kept: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything one refresh writes, computed as of one moment; days and months are those of its conventions."""

    as_of: datetime
    judged_after_days: float | None  # None: nobody has been won yet, so no lead can be judged
    currency: str | None  # of the spend, the early one too; None where no spend is known
    total: Figures
    sources: tuple[SourceFigures, ...]  # most leads first, unsourced spend last
    months: tuple[MonthFigures, ...]  # oldest first
    undated_wins: int  # customers without a usable won date, or won before the first contact: outside the days to win
    unmatched_wins: int  # won deals that belong to no known lead: outside the conversion
    unmet_payers: int = 0  # customers of a billing whose person was no lead: outside the conversion
    early_spend: float | None = None  # before the month of the first lead: in no other figure
    later_leads: int = 0  # dated after `as_of`: in no other figure
    latest_lead: date | None = None  # the day (UTC) of the latest lead that counts
    cohorts: tuple[Cohort, ...] = ()  # oldest first
    customer_months: tuple[CustomerMonth, ...] = ()  # every month from the first customer on
    backward_customers: int = 0  # said to have ended before they began: in none of these
    revenue_months: tuple[RevenueMonth, ...] = ()
    stage_moves: tuple[StageMove, ...] = ()  # in the order of the stages
    stage_times: tuple[StageTime, ...] = ()
    lost_reasons: tuple[LostReason, ...] = ()  # the most frequent first
    first_response: FirstResponse | None = None  # None: no outbound contact is kept
    consent: tuple[ConsentReach, ...] = ()  # any channel first
    referred: Share | None = None  # of the customers, those whose source is named referral(s)
    worked: Worked | None = None
    referred_months: tuple[ReferredMonth, ...] = ()  # those with any, oldest first
    weeks: tuple[LeadWeek, ...] = ()  # every week from the first lead or win on, the last one still going on
    conventions: Conventions = UNSAID  # how the books are kept: clock, week, currency and rates
    unnamed: int = 0  # sources and lost reasons that the words file in use has no name for
    counted: tuple[SourceCount, ...] = ()  # for a workbook, of every connection of its store

    @property
    def today(self) -> date:
        return self.conventions.day_of(self.as_of)
