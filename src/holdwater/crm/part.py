"""What one answer holds for one stream: its records, and what of it could not be taken."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import TracebackType

from holdwater.crm.connector import Gone, Issue, Page
from holdwater.crm.records import Record
from holdwater.errors import BadAnswerError

FAST_CLOCK = timedelta(days=1)  # what a record's time of change may be ahead of the server's clock


@dataclass(slots=True)
class Part:
    """What one answer holds for one stream; no record can have changed later than `latest`."""

    latest: datetime | None = None
    records: list[Record] = field(default_factory=list)
    gone: list[Gone] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)

    def add(self, record: Record) -> None:
        """A version from the future would keep every later one out of the store."""
        if self.latest is not None and record.updated_at > self.latest:
            raise BadAnswerError("Its time of change lies in the future; change it once more in the CRM.")
        self.records.append(record)

    def page(self, stream: str) -> Page:
        return Page(stream, self.records, gone=self.gone, issues=self.issues)

    def noting(self, id_: str) -> AbstractContextManager[None]:
        """What cannot be taken inside becomes an issue; no request belongs in here, whose failure ends the run."""
        return _Noting(self.issues, id_)


class _Noting(AbstractContextManager[None]):
    """A class, since a generator for each of hundreds of thousands of records takes three times as long."""

    __slots__ = ("_id", "_issues")

    def __init__(self, issues: list[Issue], id_: str) -> None:
        self._issues, self._id = issues, id_

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, BadAnswerError):
            return False
        self._issues.append(Issue(self._id, str(error)))
        return True
