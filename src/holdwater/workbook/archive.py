"""The zip container: what is untouched is copied as the bytes that stand there."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Collection, Mapping
from pathlib import Path

from holdwater.errors import WorkbookError

_OLE = b"\xd0\xcf\x11\xe0"
_TOTAL_LIMIT = 2 << 30  # bytes, uncompressed; the largest sheet Excel can open stays below
_RATIO_LIMIT = 400  # repetitive sheets reach about 60
_RATIO_FREE = 1 << 24  # below this size a ratio harms nobody

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_NO_OFFSET, _NO_COUNT = 0xFFFFFFFF, 0xFFFF  # stand for "see the zip64 fields"
_UTF8_NAME = 0x800
_NEW_DATE = (1980 - 1980) << 9 | 1 << 5 | 1  # 1 January 1980, as Excel itself writes: equal content, equal bytes


class Archive:
    """The entries of an .xlsx, checked before anything is believed; `WorkbookError` refuses by name."""

    def __init__(self, data: bytes, path: Path) -> None:
        self.data = data
        self._path = path
        if data.startswith(_OLE):
            raise self._refused(
                "is encrypted, or an .xls of before 2007; open it in Excel, take its password away and save it as .xlsx"
            )
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as container:
                entries = container.infolist()
                self._comment = container.comment
                self._directory_start = container.start_dir
        except (zipfile.BadZipFile, NotImplementedError, struct.error, OSError, UnicodeDecodeError):
            raise self._refused(
                "is not an .xlsx workbook, or is cut off; open it in Excel and save it as .xlsx, or fetch it again"
            ) from None
        self._entries = {entry.filename: entry for entry in entries}
        self._ends = self._entry_ends(entries)
        self._check(entries)

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def names(self) -> list[str]:
        return [name for name in self._entries if not name.endswith("/")]

    def read(self, name: str) -> bytes:
        entry = self._entries[name]
        try:
            with zipfile.ZipFile(io.BytesIO(self.data)) as container:
                return container.read(entry)
        except (zipfile.BadZipFile, zlib.error, EOFError):
            raise self._refused(f"holds {name} damaged; let Excel repair the workbook and save it") from None

    def rewritten(self, changed: Mapping[str, bytes], dropped: Collection[str]) -> bytes:
        """The whole file with some entries changed, in their places, and some left out."""
        first = min((entry.header_offset for entry in self._entries.values()), default=0)
        out = bytearray(self.data[:first])
        directory = bytearray()
        count = 0
        for entry, record in zip(self._entries.values(), self._records(), strict=True):
            if entry.filename in dropped:
                continue
            count += 1
            offset = len(out)
            if entry.filename in changed:
                local, central = _fresh(entry, record, changed[entry.filename], offset)
                out += local
                directory += central
            else:
                out += self.data[entry.header_offset : self._ends[entry.filename]]
                directory += record[: _CENTRAL.size - 4] + struct.pack("<L", offset) + record[_CENTRAL.size :]
        start = len(out)
        end = _END.pack(b"PK\x05\x06", 0, 0, count, count, len(directory), start, len(self._comment))
        return bytes(out + directory + end) + self._comment

    def _records(self) -> list[bytes]:
        """The raw entries of the central directory, in its order."""
        records: list[bytes] = []
        at = self._directory_start
        for _ in self._entries:
            fields = _CENTRAL.unpack_from(self.data, at)
            length = _CENTRAL.size + fields[10] + fields[11] + fields[12]
            records.append(self.data[at : at + length])
            at += length
        return records

    def _entry_ends(self, entries: list[zipfile.ZipInfo]) -> dict[str, int]:
        """Where each entry ends: at the next one, which takes in data descriptors and padding."""
        ordered = sorted(entries, key=lambda entry: entry.header_offset)
        following = [entry.header_offset for entry in ordered[1:]] + [self._directory_start]
        return {entry.filename: end for entry, end in zip(ordered, following, strict=True)}

    def _check(self, entries: list[zipfile.ZipInfo]) -> None:
        seen: set[str] = set()
        for entry in entries:
            name = entry.filename
            if name.casefold() in seen:
                raise self._refused(
                    f"holds {name} twice, so it is unclear which counts; open it in Excel and save it anew"
                )
            seen.add(name.casefold())
            if name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/"):
                raise self._refused(f"holds an entry with the unsafe name {name!r}; no spreadsheet program writes that")
            if name.startswith("_xmlsignatures/"):
                raise self._refused(
                    "is digitally signed and a change would break the signature; remove it in Excel "
                    "(File, Info, View Signatures), run this again, and sign again"
                )
            if entry.flag_bits & 1 or entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise self._refused(
                    f"holds {name} encrypted or packed in a way Excel does not use; save it anew in Excel"
                )
            if entry.file_size > max(_RATIO_FREE, _RATIO_LIMIT * entry.compress_size):
                raise self._bomb()
            if entry.header_offset + _LOCAL.size + len(name) + entry.compress_size > self._ends[name]:
                raise self._refused(f"is not a sound zip file, {name} overlaps another entry; save it anew in Excel")
        if sum(entry.file_size for entry in entries) > _TOTAL_LIMIT:
            raise self._bomb()
        zip64 = len(self.data) >= _NO_OFFSET or len(entries) >= _NO_COUNT
        if zip64 or any(_CENTRAL.unpack_from(record)[16] == _NO_OFFSET for record in self._records()):
            raise self._refused(
                "is written as a zip64 file, which a workbook needs only beyond 4 GB; save it in Excel once"
            )

    def _refused(self, why: str) -> WorkbookError:
        return WorkbookError(f"{self._path} {why}.")

    def _bomb(self) -> WorkbookError:
        return self._refused(
            f"unpacks to far more than a workbook holds (the limit is {_TOTAL_LIMIT >> 30} GB in all and "
            f"{_RATIO_LIMIT} times the packed size), which is how attacks look; it is not opened"
        )


def _fresh(entry: zipfile.ZipInfo, record: bytes, content: bytes, offset: int) -> tuple[bytes, bytes]:
    """A changed entry: its local header with the data, and its record in the central directory."""
    old = _CENTRAL.unpack_from(record)
    name = record[_CENTRAL.size : _CENTRAL.size + old[10]]
    comment = record[_CENTRAL.size + old[10] + old[11] :]
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    packed = packer.compress(content) + packer.flush()
    flags = entry.flag_bits & _UTF8_NAME
    common = (20, flags, zipfile.ZIP_DEFLATED, 0, _NEW_DATE, zlib.crc32(content), len(packed), len(content))
    local = _LOCAL.pack(b"PK\x03\x04", *common, len(name), 0) + name + packed
    central = _CENTRAL.pack(
        b"PK\x01\x02", old[1], *common, len(name), 0, len(comment), 0, entry.internal_attr, entry.external_attr, offset
    )
    return local, central + name + comment
