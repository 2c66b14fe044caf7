"""What Tryton's opportunities once were.

Tryton keeps every version of an opportunity, but says only when there was one; what it was like is asked for one moment
at a time, though of many records at once. So the moments are chosen such that few of them meet every version.
(Tryton's log of events would be cheaper: it knows of no opportunity that was lost or cancelled.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from holdwater.crm.tryton_api import Api
from holdwater.crm.tryton_records import Version
from holdwater.crm.tryton_wire import WireOpportunity

_TICK = timedelta(microseconds=1)
Span = tuple[datetime, datetime, int]  # from the start up to just before the end, the record


def read_history(
    api: Api, revisions: Mapping[int, Sequence[datetime]], present: Mapping[int, WireOpportunity]
) -> dict[int, list[Version] | None]:
    """Every version of each record, first to last, None where one cannot be read; `present` need not be asked for
    again."""
    found: dict[int, list[Version]] = {id_: [] for id_ in revisions}
    spans: list[Span] = []
    newest = max((moments[-1] for moments in revisions.values()), default=None)
    for id_, moments in revisions.items():
        known = present.get(id_)
        for start, end in zip(moments, [*moments[1:], None], strict=True):
            if known is not None and start == known.changed_at:
                found[id_].append(Version(start, known.state, known.party_id))
            elif newest is not None:
                spans.append((start, end or newest + _TICK, id_))
    unreadable: set[int] = set()
    for at, asked in looks(spans):
        seen = api.as_of(at, [id_ for _, id_ in asked])
        for start, id_ in asked:
            if id_ not in seen:  # the version says that it was deleted
                continue
            version = seen[id_]
            if version is None:
                unreadable.add(id_)
            else:
                found[id_].append(Version(start, version.state, version.party_id))
    return {
        id_: None if id_ in unreadable else sorted(versions, key=lambda version: version.at)
        for id_, versions in found.items()
    }


def looks(spans: Sequence[Span]) -> list[tuple[datetime, list[tuple[datetime, int]]]]:
    """The fewest moments that meet every span, each with the spans (their start and record) that are met there.

    The span that ends first must be met before its end, and the last moment before it meets most of the others.
    """
    found: list[tuple[datetime, list[tuple[datetime, int]]]] = []
    for start, end, id_ in sorted(spans, key=lambda span: (span[1], span[0], span[2])):
        if not found or start > found[-1][0]:
            found.append((end - _TICK, []))
        found[-1][1].append((start, id_))
    return found
