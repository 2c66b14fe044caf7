"""The zip container: what is untouched is copied as the bytes that stand there."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from holdwater.errors import WorkbookError
from holdwater.workbook.spool import Packed, inflated
from holdwater.zip_limits import TOO_FAR, unpacks_too_far

_OLE = b"\xd0\xcf\x11\xe0"

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_NO_OFFSET, _NO_COUNT = 0xFFFFFFFF, 0xFFFF  # stand for "see the zip64 fields"
_UTF8_NAME = 0x800
_PIECE = 1 << 18
_NEW_DATE = (1980 - 1980) << 9 | 1 << 5 | 1  # 1 January 1980, as Excel itself writes: equal content, equal bytes


class Archive:
    """The entries of an .xlsx, checked before anything is believed; `WorkbookError` refuses by name.

    The file is read piece by piece and never held open, so that other programs may replace it; `is_current` tells.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._state = _state(path)
            with path.open("rb") as file:
                if file.read(len(_OLE)) == _OLE:
                    raise self._refused(
                        "is encrypted, or an .xls of before 2007; open it in Excel, take its password away and save it "
                        "as .xlsx"
                    )
                with zipfile.ZipFile(file) as container:
                    entries = container.infolist()
                    self._comment = container.comment
                    self._directory_start = container.start_dir
                file.seek(self._directory_start)
                self._records = _records(file.read(), len(entries))
        except (zipfile.BadZipFile, NotImplementedError, struct.error, UnicodeDecodeError):
            raise self._refused(
                "is not an .xlsx workbook, or is cut off; open it in Excel and save it as .xlsx, or fetch it again"
            ) from None
        except OSError as error:
            raise self._refused(f"could not be read ({error.strerror}); close it or allow reading it") from None
        self._entries = {entry.filename: entry for entry in entries}
        self._ends = self._entry_ends(entries)
        self._check(entries)

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def names(self) -> list[str]:
        return [name for name in self._entries if not name.endswith("/")]

    def is_current(self) -> bool:
        """Whether the file is still the one that was opened."""
        try:
            return _state(self.path) == self._state
        except OSError:
            return False

    def size_and_crc(self, name: str) -> tuple[int, int]:
        return self._entries[name].file_size, self._entries[name].CRC

    def chunks(self, name: str) -> Iterator[bytes]:
        """The content of an entry, piece by piece."""
        entry = self._entries[name]
        size, crc = 0, 0
        try:
            for content in self._unpacked(entry):
                size += len(content)
                if size > entry.file_size:
                    break
                crc = zlib.crc32(content, crc)
                yield content
        except (zlib.error, struct.error, OSError):
            raise self._damaged(name) from None
        if (size, crc) != (entry.file_size, entry.CRC):
            raise self._damaged(name)

    def write(
        self, out: BinaryIO, changed: Mapping[str, tuple[Packed, Iterable[bytes]]], dropped: Collection[str]
    ) -> None:
        """The whole file with some entries changed, in their places, some left out, and new ones at the end."""
        directory = bytearray()
        count = 0
        with self.path.open("rb") as file:
            _copy(file, out, 0, min((entry.header_offset for entry in self._entries.values()), default=0))
            for entry, record in zip(self._entries.values(), self._records, strict=True):
                name = entry.filename
                if name in dropped:
                    continue
                count += 1
                if name in changed:
                    directory += _put(out, entry, record, *changed[name])
                    continue
                directory += record[: _CENTRAL.size - 4] + struct.pack("<L", out.tell()) + record[_CENTRAL.size :]
                _copy(file, out, entry.header_offset, self._ends[name])
        for name, content in changed.items():
            if name not in self._entries:
                count += 1
                directory += _put(out, zipfile.ZipInfo(name), None, *content)
        start = out.tell()
        end = _END.pack(b"PK\x05\x06", 0, 0, count, count, len(directory), start, len(self._comment))
        out.write(directory + end + self._comment)

    def copy(self, out: BinaryIO) -> None:
        """The file as it is."""
        with self.path.open("rb") as file:
            _copy(file, out, 0, self.path.stat().st_size)

    def _unpacked(self, entry: zipfile.ZipInfo) -> Iterator[bytes]:
        with self.path.open("rb") as file:
            file.seek(entry.header_offset)
            local = _LOCAL.unpack(file.read(_LOCAL.size))
            start = entry.header_offset + _LOCAL.size + local[9] + local[10]
            raw = _pieces(file, start, start + entry.compress_size)
            yield from inflated(raw) if entry.compress_type == zipfile.ZIP_DEFLATED else raw

    def _damaged(self, name: str) -> WorkbookError:
        return self._refused(f"holds {name} damaged; let Excel repair the workbook and save it")

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
                raise self._refused(
                    f"holds an entry with the unsafe name {name!r}, which no spreadsheet program writes; if you trust"
                    " where it comes from, open it in Excel and save it anew"
                )
            if name.startswith("_xmlsignatures/"):
                raise self._refused(
                    "is digitally signed and a change would break the signature; remove it in Excel "
                    "(File, Info, View Signatures), run this again, and sign again"
                )
            if entry.flag_bits & 1 or entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise self._refused(
                    f"holds {name} encrypted or packed in a way Excel does not use; save it anew in Excel"
                )
            if entry.header_offset + _LOCAL.size + len(name) + entry.compress_size > self._ends[name]:
                raise self._refused(f"is not a sound zip file, {name} overlaps another entry; save it anew in Excel")
        if unpacks_too_far(entries):
            raise self._refused(TOO_FAR)
        zip64 = self._directory_start >= _NO_OFFSET or len(entries) >= _NO_COUNT
        if zip64 or any(_CENTRAL.unpack_from(record)[16] == _NO_OFFSET for record in self._records):
            raise self._refused(
                "is written as a zip64 file, which a workbook needs only beyond 4 GB; save it in Excel once"
            )

    def _refused(self, why: str) -> WorkbookError:
        return WorkbookError(f"{self.path} {why}.")


def _state(path: Path) -> tuple[int, int, int]:
    """What changes when a file is written or replaced."""
    state = path.stat()
    return state.st_mtime_ns, state.st_size, state.st_ino


def _records(directory: bytes, count: int) -> list[bytes]:
    """The raw entries of the central directory, in its order; BadZipFile where there are none."""
    if not count:
        raise zipfile.BadZipFile
    records: list[bytes] = []
    at = 0
    for _ in range(count):
        fields = _CENTRAL.unpack_from(directory, at)
        length = _CENTRAL.size + fields[10] + fields[11] + fields[12]
        records.append(directory[at : at + length])
        at += length
    return records


def _pieces(file: BinaryIO, start: int, end: int) -> Iterator[bytes]:
    file.seek(start)
    while start < end:
        piece = file.read(min(_PIECE, end - start))
        if not piece:
            raise OSError("the file has become shorter")
        start += len(piece)
        yield piece


def _copy(file: BinaryIO, out: BinaryIO, start: int, end: int) -> None:
    for piece in _pieces(file, start, end):
        out.write(piece)


def _put(out: BinaryIO, entry: zipfile.ZipInfo, record: bytes | None, packed: Packed, raw: Iterable[bytes]) -> bytes:
    """Write a changed or new entry; its record for the central directory."""
    name, comment, flags, made_by = entry.filename.encode(), b"", 0, 20
    if record is not None:
        old = _CENTRAL.unpack_from(record)
        name = record[_CENTRAL.size : _CENTRAL.size + old[10]]
        comment = record[_CENTRAL.size + old[10] + old[11] :]
        flags, made_by = entry.flag_bits & _UTF8_NAME, old[1]
    common = (20, flags, zipfile.ZIP_DEFLATED, 0, _NEW_DATE, packed.crc, packed.packed_size, packed.size)
    offset = out.tell()
    out.write(_LOCAL.pack(b"PK\x03\x04", *common, len(name), 0) + name)
    for piece in raw:
        out.write(piece)
    head = (b"PK\x01\x02", made_by, *common, len(name), 0, len(comment), 0, entry.internal_attr, entry.external_attr)
    return _CENTRAL.pack(*head, offset) + name + comment
