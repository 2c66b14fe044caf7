"""One business as somebody wrote it down, in a file or a workbook."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from holdwater.bucket.model import Bucket

PERIODS = ("period", "day", "week", "month", "quarter", "year")


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    bucket: Bucket  # what is uncertain, at its middle
    origin: str  # where the numbers come from
    period: str = "period"  # how long one is: a word of PERIODS
    currency: str = ""  # "": not known
    projects: tuple[tuple[Any, ...], ...] = ()  # rows of FIX_SEQUENCE
    budget: float | None = None
    horizon: float | None = None  # of the sequence of projects
    notes: tuple[str, ...] = ()  # how the numbers were read, for a person
    uncertain: Mapping[str, object] | None = None  # the model of an UncertainBucket, where anything is uncertain
