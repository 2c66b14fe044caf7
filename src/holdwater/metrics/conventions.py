"""How the books are kept: the clock that days and months go by, the first day of a week, the currency and its rates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo


@dataclass(frozen=True, slots=True)
class Conventions:
    """`rates` says for each other currency how much of `currency` one unit of it is. None: whatever the data have."""

    time_zone: str = "UTC"
    week_start: int = 1  # 1 is Monday, 7 Sunday
    currency: str | None = None
    rates: Mapping[str, float] = field(default_factory=dict)

    @property
    def clock(self) -> tzinfo:
        return zone(self.time_zone)

    def day(self, moment: datetime) -> date:
        """The day by the clock of the books."""
        return moment.astimezone(self.clock).date()

    def day_of(self, recorded: datetime) -> date:
        """That of a moment in the store: midnight in UTC is a date without a time, and stays on its day."""
        return recorded.date() if recorded.time() == time() else self.day(recorded)

    def week(self, day: date) -> date:
        """The first day of its week."""
        return day - timedelta(days=(day.isoweekday() - self.week_start) % 7)


def zone(name: str) -> tzinfo:
    """The time zone of an IANA name such as Europe/Berlin; ValueError if this machine knows none of that name."""
    if name == "UTC":
        return UTC  # known without any table of zones, too
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # it needs files that a bare Python may lack

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a name may look like a path, or be a folder
        raise ValueError(name) from None


UNSAID = Conventions()
