"""Days and months by the clock of the books: an engine that tells them in a time zone. Durations stay what they are."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import ibis  # type: ignore[import-untyped] # it ships no types
from ibis.expr import operations as ops  # type: ignore[import-untyped] # as above

from holdwater.metrics import funnel
from holdwater.metrics.engine import Engine

_FIRST = datetime(1900, 1, 1, tzinfo=UTC)  # before that, as then
_STEP = timedelta(days=7)  # no zone changes its offset twice in a week


class Local:
    """An engine whose days, months and years begin at midnight in `zone`.

    A moment at midnight in UTC, to the microsecond, is a date without a time, and stays on its day. The offsets are
    written into the expression, so that every engine agrees, whatever it knows of time zones.
    """

    def __init__(self, engine: Engine, zone: tzinfo, until: datetime) -> None:
        self._engine = engine
        ((first,),) = (row.values() for row in engine.rows(funnel.earliest_moment()))
        self._offsets = offsets(zone, until if first is None else first.replace(tzinfo=UTC), until)

    def rows(self, expression: ibis.Table) -> list[dict[str, Any]]:
        return self._engine.rows(expression.op().replace(self._told_here).to_expr())

    def _told_here(self, node: ops.Node, changed: Mapping[str, Any] | None) -> ops.Node:
        arguments = changed or dict(zip(node.__argnames__, node.__args__, strict=True))
        # The day of a month's first moment is told already; a date that was cast has no clock.
        if isinstance(node, ops.Date | ops.TimestampTruncate) and not isinstance(
            node.arg, ops.TimestampTruncate | ops.Cast
        ):
            return node.__recreate__({**arguments, "arg": self._shifted(arguments["arg"].to_expr()).op()})
        return node.__recreate__(arguments) if changed else node

    def _shifted(self, moment: ibis.Value) -> ibis.Value:
        (_, first), *later = self._offsets
        cases = [(moment >= ibis.literal(at), moment + ibis.interval(seconds=seconds)) for at, seconds in later[::-1]]
        dated = (moment == moment.truncate("D"), moment)
        return ibis.cases(dated, *cases, else_=moment + ibis.interval(seconds=first))


def offsets(zone: tzinfo, since: datetime, until: datetime) -> list[tuple[datetime, int]]:
    """From which moment (UTC, without a zone) the clock is how many seconds ahead of UTC, the earliest first."""
    found: list[tuple[datetime, int]] = []
    moment = max(since, _FIRST)
    while moment <= until + _STEP:
        if not found or _ahead(zone, moment) != found[-1][1]:
            found.append((_changed(zone, moment).replace(tzinfo=None), _ahead(zone, moment)))
        moment += _STEP
    return found


def _changed(zone: tzinfo, moment: datetime) -> datetime:
    """The second at which the offset of `moment` began, in the week before."""
    before, after = moment - _STEP, moment
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        middle = middle.replace(microsecond=0)
        if _ahead(zone, middle) == _ahead(zone, moment):
            after = middle
        else:
            before = middle
    return after


def _ahead(zone: tzinfo, moment: datetime) -> int:
    ahead = moment.astimezone(zone).utcoffset()
    return 0 if ahead is None else round(ahead.total_seconds())
