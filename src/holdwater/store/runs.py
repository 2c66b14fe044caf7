"""What one sync did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Status = Literal["running", "done", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One sync of one connection, as the store's log keeps it.

    A run that says `running` while no sync holds the lock was killed; the pages it kept are whole.
    """

    started_at: datetime
    finished_at: datetime | None = None
    status: Status = "running"
    streams: Mapping[str, int] = field(default_factory=dict)  # rows read of each, in the order they came
    pages: int = 0
    rows_read: int = 0
    rows_written: int = 0  # new or changed
    rows_gone: int = 0  # deleted, archived, merged or missing in the source
    issues: int = 0  # records that could not be taken
    requests: int = 0
    retries: int = 0
    throttled_seconds: float = 0.0
    error: str | None = None  # the class alone: a message may name what must not be logged
