"""The connector for exports: a folder of CSV files and workbooks, and the mapping that describes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from holdwater.crm import exported_records
from holdwater.crm.connector import Identities, Page
from holdwater.crm.export_table import ExportTable, read_table
from holdwater.crm.mapping import Customers, Deals, Leads, Spending, load_mapping
from holdwater.crm.records import Customer, Deal, Lead, Record, Spend
from holdwater.errors import CredentialsError, ExportError

_PAGE = 500

M = TypeVar("M", Leads, Deals, Customers, Spending)
R = TypeVar("R", Lead, Deal, Customer, Spend)


class Exports:
    """The files of one folder as a source; every sync reads them whole, and nothing in them is changed.

    A row's version is the moment its file, or the mapping, came to be as it is now. A "last modified" column would
    not do: it often counts in days, and it does not move when the mapping is mended.
    """

    def __init__(self, folder: Path, mapping_path: Path) -> None:
        """ExportError if the mapping cannot be used."""
        self._folder = folder
        self._mapping_path = mapping_path
        self._mapping = load_mapping(mapping_path)

    @property
    def connection(self) -> str:
        return f"exports:{self._mapping.name or self._folder.resolve().name}"

    def pages(self, watermarks: Mapping[str, datetime]) -> Iterator[Page]:
        """All records of the mapped files, whatever the watermarks; ExportError comes before the first page."""
        for stream, records in self._streams():
            yield from _paged(stream, records)

    def identities(self) -> Iterator[Identities]:
        """The ids in the files. Only a person knows whether an export holds everything, so this is done on request."""
        for stream, records in self._streams():
            yield Identities(stream, [record.id for record in records], last=True)

    def _streams(self) -> list[tuple[str, Sequence[Record]]]:
        mapping = self._mapping
        streams: list[tuple[str, Sequence[Record]]] = []
        if mapping.leads:
            streams.append(("leads", self._read("leads", mapping.leads, exported_records.leads)))
        if mapping.deals:
            streams.append(("deals", self._read("deals", mapping.deals, exported_records.deals)))
        if mapping.customers:
            streams.append(("customers", self._read("customers", mapping.customers, exported_records.customers)))
        if mapping.spend:
            streams.append(("spend", self._read("spend", mapping.spend, exported_records.spend)))
        return streams

    def _read(self, name: str, mapping: M, records: Callable[[ExportTable, M, datetime], list[R]]) -> list[R]:
        path = self._folder / mapping.file
        # Taken before reading: a file that changes meanwhile is newer at the next sync.
        version = _as_it_is_since(path, self._mapping_path)
        try:
            return records(
                read_table(
                    path,
                    file=mapping.file,
                    table=name,
                    encoding=mapping.encoding,
                    delimiter=mapping.delimiter,
                    sheet=mapping.sheet,
                ),
                mapping,
                version,
            )
        except (ExportError, CredentialsError) as problem:
            # Raised anew, because the frames below hold whole rows, names and addresses with them.
            raise type(problem)(str(problem)) from None


def _as_it_is_since(*paths: Path) -> datetime:
    """The latest moment at which one of the files was written or put in its place.

    Unpacking or copying can give a file an old time of writing; the time of its entry in the folder is then new.
    A time ahead of the clock is cut to now, else the row's next version would seem older.
    """
    times = [time for path in paths if path.exists() for time in (path.stat().st_mtime, path.stat().st_ctime)]
    now = datetime.now(UTC)
    return min(now, datetime.fromtimestamp(max(times), UTC)) if times else now


def _paged(stream: str, records: Sequence[Record]) -> Iterator[Page]:
    """Without watermarks: files are read whole every time, and know of nothing later than their latest record."""
    count = len(records)
    for start in range(0, max(count, 1), _PAGE):
        yield Page(stream, records[start : start + _PAGE], expected=count)
