"""What the store knows of each source: up to when it was read, and what could not be taken."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from holdwater.store.database import Store

_UNITS = (("day", timedelta(days=1)), ("hour", timedelta(hours=1)), ("minute", timedelta(minutes=1)))


def described(store: Store, now: datetime) -> Iterator[str]:
    """Lines for a person, some for each source that was synced; `now` is what ages are measured from."""
    ended = store.connections()
    for connection in store.connections(ended=False):
        yield connection
        if connection not in ended:
            yield "  not read to its end yet"
        streams: dict[datetime, list[str]] = {}
        for stream, watermark in store.watermarks(connection).items():
            streams.setdefault(watermark, []).append(stream)
        for watermark, named in sorted(streams.items()):
            yield f"  read until {watermark:%Y-%m-%d %H:%M} UTC, {age(now - watermark)}: {', '.join(named)}"
        if not streams and connection in ended:
            yield "  read whole at every sync"
        last = store.runs(connection)[0]
        trouble = f": {last.error}" if last.error else ""
        killed = last.status == "running" and not store.syncing()
        yield f"  last sync {last.started_at:%Y-%m-%d %H:%M} UTC, {'broken off' if killed else last.status}{trouble}"
        waiting = sum(map(len, store.issues(connection).values()))
        if waiting:
            yield f"  {waiting:,} could not be taken; every sync says which and why"


def age(span: timedelta) -> str:
    """`3 hours ago`; a source whose clock is ahead of ours was read just now."""
    for name, unit in _UNITS:
        count = span // unit
        if count > 0:
            return f"{count:,} {name}{'s' * (count != 1)} ago"
    return "just now"
