"""From a report to the rows about customers, stages, losses and permission."""

from __future__ import annotations

from collections.abc import Sequence

from holdwater.errors import HoldwaterError
from holdwater.metrics.customer_figures import Cohort, LossRecord
from holdwater.metrics.figures import Report
from holdwater.workbook.cells import Value
from holdwater.workbook.evaluate import Rows
from holdwater.workbook.owned import AGES, COHORTS, CONSENT, CURVE, CUSTOMERS, LOSSES, STAGES

CURVE_MONTHS = 36


def customer_contents(report: Report) -> dict[str, Rows]:
    return {
        CUSTOMERS.name: [
            [row.month, row.new, row.lost, row.churned.of, row.churned.count, int(row.complete)]
            for row in report.customer_months
        ],
        STAGES.name: [[move.stage, move.to, move.deals.count, move.deals.of] for move in report.stage_moves],
        COHORTS.name: [
            [row.month, row.customers, *(_rate(row, age) for age in range(1, AGES + 1))] for row in report.cohorts
        ],
        CURVE.name: _curve(report.cohorts),
        LOSSES.name: [
            [row.reason or "(not recorded)", row.deals.count, row.deals.of, row.whose, *_record(row.record)]
            for row in report.lost_reasons
        ],
        CONSENT.name: [[row.channel or "(any channel)", row.opted_in.count, row.opted_in.of] for row in report.consent],
    }


def _record(record: LossRecord | None) -> list[Value]:
    if record is None:
        return [None] * 4
    return [record.claim, record.supported, record.contradicted, record.no_messages]


def _rate(cohort: Cohort, age: int) -> Value:
    """Only where the whole cohort is old enough: the first few of it say little."""
    whole = age < len(cohort.survivors) and cohort.survivors[age].of == cohort.customers
    return cohort.survivors[age].rate if whole else None


def _curve(cohorts: Sequence[Cohort]) -> Rows:
    """Shares counted over all cohorts, and the fitted curve; none of it without NumPy, or before the first month."""
    try:
        from holdwater.models import retention
        from holdwater.models.renewals import Renewals
    except ModuleNotFoundError:
        return []
    ages = max((len(cohort.survivors) for cohort in cohorts), default=0)
    stayed, left = [0.0] * max(ages - 1, 0), [0.0] * max(ages - 1, 0)
    for cohort in cohorts:
        for age in range(1, len(cohort.survivors)):
            before, after = cohort.survivors[age - 1], cohort.survivors[age]
            if before.of == after.of:  # else some are too young, and nobody here knows how many of them had stayed
                stayed[age - 1] += after.count
                left[age - 1] += before.count - after.count
    try:
        import numpy as np

        fitted = retention.fit(Renewals(np.array(stayed), np.array(left)))
        low, high = fitted.band(CURVE_MONTHS)
    except HoldwaterError:
        return []
    counted = [1.0, *fitted.renewals.shares[1:]]
    best = fitted.curve.survival(CURVE_MONTHS)
    return [
        [age, float(counted[age]) if age < len(counted) else None, float(best[age]), float(low[age]), float(high[age])]
        for age in range(CURVE_MONTHS + 1)
    ]
