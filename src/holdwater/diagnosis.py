"""The diagnosis of a business, for a person in the terminal and for a script."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from math import inf, isfinite
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from holdwater.bucket.report import Constraint, Lever, Report, Step
from holdwater.bucket.verdict import FEWER, MORE
from holdwater.bucket.words import count, money, name, percent

if TYPE_CHECKING:
    from holdwater.models.uncertain_bucket import Simulation  # NumPy: only where something is uncertain

WIDTH = 80
_SHARES = ("fit_share", "conversion", "burn", "gross_margin", "churn", "growth", "referral_rate")
_PRICES = ("cost_per_lead", "lead_cost", "revenue_per_customer", "fixed_cost")
_NONE = "-"

Row = Sequence[str]


def as_text(report: Report, simulation: Simulation | None = None) -> str:
    """Short, in 80 columns unless a number is longer; the verdict first."""
    said = report.description
    unit = f"Money in {said.currency}" if said.currency else "Money"
    after = ", and what the customers left then still bring" if said.bucket.run_off else ""
    # The library counts in periods; the only thing it calls so is what this business calls a month, say.
    verdict = report.diagnosis.sentence.replace("period", said.period)
    lines = [
        *_wrapped(f"{said.origin}. {unit} over {_times(said.bucket.horizon, said.period)}, discounted{after}."),
        "",
        *_wrapped(verdict),
        "",
        f"Profit as things are: {_amount(report.profit)}",
        "",
        *_limits(report),
        "",
        *_table(("What one more of it is worth", "now", "worth", "while the same limits bind"),
                [_constraint(row) for row in report.constraints if row.now != inf]),
        "",
        *_table(("Levers (10 % better)", "now", "better", "worth", f"as many more leads a {said.period}"),
                [_lever(row) for row in report.levers if row.value]),
        *_nothing_in(report.levers),
        "",
        "Next steps",
        *(line for n, step in enumerate(report.next_steps, 1) for line in _wrapped(
            f"{_step(step, said.period)}.", f"  {n}. ", "     ")),
        *_sequence(report),
        *(["", "How sure that is"] if simulation else []),
        *(line for sentence in (simulation.summary() if simulation else []) for line in _wrapped(
            sentence.replace("period", said.period), "  ", "  ")),
        *(["", "How the numbers were read"] if said.notes else []),
        *(line for note in said.notes for line in _wrapped(note, "  ", "  ")),
    ]  # fmt: skip
    return "\n".join(lines)


def _limits(report: Report) -> Iterator[str]:
    period = report.description.period
    yield "What limits you"
    binding = [row for row in report.constraints if row.binds_from is not None]
    for row in sorted(binding, key=lambda row: row.label != report.bottleneck):
        most = ", most of all" if len(binding) > 1 and row.label == report.bottleneck else ""
        late = row.binds_from is not None and row.binds_from > report.description.bucket.horizon
        since = f"at the end of the {period}s ahead" if late else f"from {period} {row.binds_from} on"
        yield f"  {name(row.label)}: {since}{most}"
    if not binding:
        more = "each further lead pays" if report.bottleneck == "leads" else "and a further lead adds nothing"
        yield f"  No limit is reached; {more}."


def _constraint(row: Constraint) -> Row:
    if row.holds_from is None or row.holds_to is None:
        holds = _NONE
    else:
        holds = f"{count(row.holds_from)} or more" if row.holds_to == inf else (
            f"{count(row.holds_from)} to {count(row.holds_to)}")  # fmt: skip
    return name(row.label), count(row.now), _amount(row.value), holds


def _lever(row: Lever) -> Row:
    good = "" if row.value >= 0 else "loses as "
    leads = _NONE if row.leads is None else f"{good}{count(row.leads)}"
    return name(row.label), _shown(row.label, row.now), _shown(row.label, row.better), _amount(row.value), leads


def _nothing_in(levers: Iterable[Lever]) -> Iterator[str]:
    idle = [name(row.label) for row in levers if not row.value]
    if idle:
        yield from _wrapped(f"worth nothing now: {', '.join(idle)}", "  ", "  ")


def _step(step: Step, period: str) -> str:
    if step.do == FEWER:
        return "Fewer leads" + ("" if step.until is None else f": profit peaks at {count(step.until)} a {period}")
    if step.do == MORE:
        return f"More leads: a tenth more {_worth(step)}" + (
            "" if step.until is None else f"; profit peaks at {count(step.until)} a {period}"
        )
    as_good = "" if step.leads is None else f", as good as {count(step.leads)} more leads a {period}"
    until = "" if step.until is None else f"; beyond {count(step.until)} another limit decides"
    return f"{name(step.label).capitalize()}: a tenth better {_worth(step)}{as_good}{until}"


def _worth(step: Step) -> str:
    return f"is worth {_amount(step.value or 0)}"


def _sequence(report: Report) -> Iterator[str]:
    plan, period = report.plan, report.description.period
    if plan is None:
        return
    yield ""
    if len(plan) == 1:
        yield "Sequence of fixes: none of the projects pays."
    else:
        yield from _table(
            ("Sequence of fixes", "starts after", "done after", "cost", "gain", "profit then"),
            [
                (f"{row['order']} {row['name']}", str(row["start"]), str(row["done"]),
                 *(_amount(row[column]) for column in ("cost", "gain", "profit")))
                for row in plan
            ],
        )  # fmt: skip
    if report.left_out and len(plan) > 1:
        yield from _wrapped(f"left out: {', '.join(report.left_out)}", "  ", "  ")
    if plan.cash_low:  # the library counts periods from 0
        yield f"  Cash is lowest in {period} {plan.cash_low_period + 1}: {_amount(-plan.cash_low)} less than today."
    else:
        yield "  Cash never falls below today's."


def _table(header: Row, rows: Sequence[Row]) -> Iterator[str]:
    """Columns under their heads: the first to the left, numbers to the right."""
    widths = [max(len(cell) for cell in column) for column in zip(header, *rows, strict=True)]
    indent = "  "
    for position, row in enumerate((header, *rows)):
        cells = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        first = row[0].ljust(widths[0] + 2) if position == 0 else (indent + row[0]).ljust(widths[0] + 2)
        yield "  ".join([first, *cells]).rstrip()


def _wrapped(text: str, first: str = "", later: str = "") -> list[str]:
    return wrap(text, WIDTH, initial_indent=first, subsequent_indent=later, break_long_words=False)


def _times(number: int, period: str) -> str:
    return f"{number:,} {period}{'' if number == 1 else 's'}"


def _amount(amount: float) -> str:
    """A sum over the whole horizon: cents tell nothing where there are thousands."""
    if abs(amount) < 0.005:
        return "0" if amount == 0 else f"{amount:.2g}"
    return f"{amount:,.0f}" if abs(amount) >= 1000 else f"{amount:,.2f}"


def _shown(label: str, value: float) -> str:
    if label in _SHARES:
        return percent(value)
    return money(value) if label in _PRICES else count(value)


def as_json(report: Report, simulation: Simulation | None = None) -> dict[str, Any]:
    """The same, with the library's own numbers; None for what is unlimited, unknown or not there."""
    said = report.description
    bucket = {label: getattr(said.bucket, label) for label in said.bucket.__dataclass_fields__}
    plan = report.plan
    data = {
        "origin": said.origin,
        "period": said.period,
        "currency": said.currency or None,
        "notes": list(said.notes),
        "bucket": bucket,
        "profit": report.profit,
        "verdict": {key: getattr(report.diagnosis, key) for key in _VERDICT},
        "bottleneck": report.bottleneck,
        "constraints": [asdict(row) for row in report.constraints],
        "levers": [asdict(row) for row in report.levers],
        "next_steps": [asdict(step) for step in report.next_steps],
        "sequence": None if plan is None else {
            "rows": list(plan), "left_out": report.left_out,
            "cash_low": plan.cash_low, "cash_low_period": plan.cash_low_period},
        "uncertainty": None if simulation is None else _uncertainty(simulation),
    }  # fmt: skip
    finite: dict[str, Any] = _finite(data)
    return finite


def _uncertainty(simulation: Simulation) -> dict[str, Any]:
    ranges = ("one_more_lead", "break_even_cpl", "next_lead_cost", "profit")
    return {
        **{key: getattr(simulation, key) for key in ("more_leads_pay", "draws", "without_value", "confidence")},
        **{key: getattr(simulation, key)._asdict() for key in ranges},
        "drivers": [driver._asdict() for driver in simulation.drivers],
    }


_VERDICT = ("sentence", "decision", "reason", "lead_worth", "leads_safe")


def _finite(value: Any) -> Any:
    """JSON has no infinity."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not isfinite(value) else value
