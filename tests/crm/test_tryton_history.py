"""The fewest looks into the past that meet every version."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from holdwater.crm.tryton_history import Span, looks

START = datetime(2026, 11, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)


def span(start: int, length: int, id_: int) -> Span:
    return START + start * TICK, START + (start + length) * TICK, id_


SPANS = st.lists(
    st.builds(span, st.integers(0, 12), st.integers(1, 6), st.integers(1, 99)), max_size=6, unique_by=lambda one: one[2]
)


@given(SPANS)
def test_every_version_is_met_once_at_a_moment_when_it_was(spans: list[Span]) -> None:
    asked = [(at, start, id_) for at, met in looks(spans) for start, id_ in met]
    assert sorted(id_ for _, _, id_ in asked) == sorted(id_ for _, _, id_ in spans)
    ends = {id_: (start, end) for start, end, id_ in spans}
    for at, start, id_ in asked:
        assert ends[id_][0] == start <= at < ends[id_][1]


@given(SPANS)
def test_no_fewer_looks_would_do(spans: list[Span]) -> None:
    """Against trying all sets of moments."""
    moments = [START + n * TICK for n in range(20)]
    fewest = next(
        size
        for size in range(len(spans) + 1)
        if any(all(any(s <= at < e for at in chosen) for s, e, _ in spans) for chosen in combinations(moments, size))
    )
    assert len(looks(spans)) == fewest
