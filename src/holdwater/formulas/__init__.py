"""The catalogue: every formula is a plain function on the standard library, and its body is the formula."""

from holdwater.formulas import (
    acquisition,
    capacity,
    ceiling,
    cohorts,
    conversion,
    explain,
    overload,
    queueing,
    referral,
    retention,
    revenue,
    spending,
    uncertainty,
)

__all__ = [
    "acquisition",
    "capacity",
    "ceiling",
    "cohorts",
    "conversion",
    "explain",
    "overload",
    "queueing",
    "referral",
    "retention",
    "revenue",
    "spending",
    "uncertainty",
]
