"""What is true of a simulated business: the numbers that measurements of it should find again."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from holdwater.errors import NumError

REFERRALS = "REFERRALS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One source of leads, named as HubSpot's `hs_analytics_source` names it (None: not recorded)."""

    name: str | None
    leads_per_month: float  # of its own; referred leads come from the customers instead
    conversion: float  # share of leads that become customers
    days_to_win: float  # mean, from first contact to won
    cost_per_lead: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        if not 0 <= self.conversion <= 1:
            raise NumError(f"The conversion of source {self.name} is {self.conversion}; give a share between 0 and 1.")
        if self.leads_per_month < 0 or self.days_to_win <= 0 or self.cost_per_lead < 0:
            raise NumError(
                f"Source {self.name} needs leads_per_month and cost_per_lead of at least 0 and days_to_win above 0."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """A subscription business; rates are per month, money is in `currency`."""

    sources: tuple[Source, ...]
    churn: float  # share of customers that leave in a month
    referral_rate: float  # new customers won through referrals, per customer
    revenue_per_customer: Decimal
    gross_margin: float
    currency: str = "USD"

    def __post_init__(self) -> None:
        names = [source.name for source in self.sources]
        if len(set(names)) < len(names):
            raise NumError(f"Each source may stand only once in a truth; these do not: {names}.")
        if not 0 <= self.churn <= 1 or not 0 <= self.gross_margin <= 1:
            raise NumError("The churn and the gross margin of a truth are shares; give numbers between 0 and 1.")
        if self.referral_rate < 0 or self.revenue_per_customer < 0:
            raise NumError("The referral rate and the revenue per customer of a truth are at least 0.")
        if self.referral_rate and not (REFERRALS in names and self.source(REFERRALS).conversion):
            raise NumError(f"A truth with a referral rate needs a source {REFERRALS} with a conversion above 0.")

    def source(self, name: str | None) -> Source:
        """The source of that name; NumError where there is none."""
        for source in self.sources:
            if source.name == name:
                return source
        raise NumError(f"This truth has no source {name}; it has {[source.name for source in self.sources]}.")

    @property
    def referred_leads_per_customer(self) -> float:
        """Leads a customer sends in a month, so that `referral_rate` of them become customers."""
        return self.referral_rate / self.source(REFERRALS).conversion if self.referral_rate else 0.0


# A small subscription firm. A customer brings 120 x .75 / .045 = 2,000 of margin: a lead of paid search is worth
# 240 and costs 45, a lead of paid social is worth 100 and costs 115. The one earns, the other leaks.
# Churn is more than twice the referral rate: keeping customers is worth more than any further lead.
DEFAULT = Truth(
    sources=(
        Source(name="ORGANIC_SEARCH", leads_per_month=58, conversion=0.14, days_to_win=21),
        Source(name="PAID_SEARCH", leads_per_month=50, conversion=0.12, days_to_win=18, cost_per_lead=Decimal("45.00")),
        Source(
            name="PAID_SOCIAL", leads_per_month=44, conversion=0.05, days_to_win=32, cost_per_lead=Decimal("115.00")
        ),
        Source(name="EMAIL_MARKETING", leads_per_month=26, conversion=0.22, days_to_win=14),
        Source(name="DIRECT_TRAFFIC", leads_per_month=24, conversion=0.18, days_to_win=16),
        Source(name=REFERRALS, leads_per_month=0, conversion=0.25, days_to_win=10),
        Source(name=None, leads_per_month=30, conversion=0.10, days_to_win=24),
    ),
    churn=0.045,
    referral_rate=0.02,
    revenue_per_customer=Decimal("120.00"),
    gross_margin=0.75,
)
