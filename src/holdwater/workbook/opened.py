"""What a refresh and a verdict need of a workbook, whether it is a file or open in Excel."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from holdwater.workbook.cached import Patched, Place, Shown
from holdwater.workbook.cells import Content, ReadCell
from holdwater.workbook.tables import Table


class OpenWorkbook(Protocol):
    """Changes gather in memory; nothing reaches the workbook before `save`."""

    @property
    def path(self) -> Path: ...

    @property
    def changed_parts(self) -> Collection[str]: ...

    @property
    def date1904(self) -> bool: ...  # whether its days are counted from 1904 on

    def sheets(self) -> Mapping[str, str]: ...

    def tables(self) -> Mapping[str, Table]: ...

    def table(self, name: str) -> Table: ...

    def defined_names(self) -> Mapping[str, str]: ...

    def read_cells(self, sheet: str) -> Iterator[ReadCell]: ...

    def replace_rows(self, table_name: str, rows: Sequence[Sequence[Content]]) -> object: ...

    def set_cached(self, sheet: str, values: Mapping[Place, tuple[str, Shown]]) -> Patched: ...

    def save(self) -> bool: ...
