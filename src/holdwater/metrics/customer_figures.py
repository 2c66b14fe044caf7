"""The figures of customers, stages and contacts: what the report holds beside the counts of leads.

Every share stands as a count and what it is a share of, so that nothing small passes for certain.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

Whose = Literal["us", "them", "unknown"]
Claim = Literal["no reply", "our delay"]  # what LOSS_CHECK can test


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """So many of so many."""

    count: int
    of: int

    @property
    def rate(self) -> float | None:
        """None where there is nothing to take a share of."""
        return self.count / self.of if self.of else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """The customers won in one month. `survivors[k]` says of those who began at least k periods ago how many stayed
    for k periods; younger ones are left out there, since nobody knows yet."""

    month: date
    customers: int
    survivors: tuple[Share, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerMonth:
    """`churned` of those there at the start of the month; `lost` has those too who came and went within it.

    The churn that the bucket asks for is measured below overload. Whether a month was below it cannot be told from
    customers alone: a workbook tells by the customers that can be served, which are typed there.
    """

    month: date
    new: int
    lost: int
    churned: Share
    complete: bool  # False: the month of the report, which still goes on


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadWeek:
    """The leads of one week, and the leads of any week that were won in it."""

    week: date  # its first day
    leads: int
    won: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RevenueMonth:
    """Paid invoices issued in the month, less refunds, in the major unit. A yearly invoice stands in one month."""

    month: date
    currency: str
    revenue: float
    invoices: int
    customers: int

    @property
    def per_customer(self) -> float:
        return self.revenue / self.customers


@dataclass(frozen=True, slots=True, kw_only=True)
class StageMove:
    """Of the deals that were ever in `stage`, those that went straight `to` another (or to `won` or `lost`)."""

    stage: str
    to: str
    deals: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class StageTime:
    """How long a stage lasts; visits that go on count for as long as they have lasted. None: not so many left yet."""

    stage: str
    visits: int
    left: int
    days_p50: float | None
    days_p90: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LossRecord:
    """Of the deals lost for a reason that is a claim: how many the messages support, contradict, and do not tell of."""

    claim: Claim
    supported: int
    contradicted: int
    no_messages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LostReason:
    reason: str | None  # None: not recorded
    whose: Whose  # as the words file says, or a first reading of the reason's words
    deals: Share  # of all that were lost
    record: LossRecord | None = None  # None: no message can tell whether such a reason is right


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstResponse:
    """From a lead's coming to the first time that somebody approached it, in connections that keep such contacts."""

    leads: int
    answered: int
    hours_p50: float | None  # of those answered
    hours_p90: float | None
    within_hour: Share  # of the leads at least an hour old
    never: Share  # not within 30 days, of the leads at least that old


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentReach:
    channel: str | None  # None: at least one channel
    opted_in: Share  # of all leads


@dataclass(frozen=True, slots=True, kw_only=True)
class Worked:
    """Leads that are old enough to judge and were worked, and how many of them were won."""

    won: Share  # of the unreferred: the conversion that the bucket asks for
    judged: int  # the unreferred, worked or not
    referred: Share  # won of the referred
    referred_judged: int
    contacts_kept: bool  # False: no CRM here keeps outbound contacts, so every lead counts as worked


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferredMonth:
    """Leads by the month of first contact whose source is named referral(s)."""

    month: date
    leads: int
