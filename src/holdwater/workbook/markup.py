"""XML read for its byte offsets, so that a part can be spliced and never written anew."""

from __future__ import annotations

import re
from collections.abc import Collection
from xml.parsers import expat
from xml.sax.saxutils import escape as escaped

from holdwater.errors import WorkbookError

SPREADSHEET = frozenset(
    {
        "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
        "http://purl.oclc.org/ooxml/spreadsheetml/main",  # the strict variant of the standard
    }
)
_OPEN_TAG = re.compile(rb"""<(?:[^"'>]|"[^"]*"|'[^']*')*>""")
_ATTRIBUTE = re.compile(rb"""\s+([^\s=/>]+)\s*=\s*("[^"]*"|'[^']*')""")
_TAG_NAME = re.compile(rb"<[^\s/>]+")


class Element:
    """One element of a part: its words, and where it stands in the bytes.

    `start..open_end` is the opening tag, `close_start..end` the closing one; an empty element has neither content nor
    closing tag: there `open_end == close_start == end`.
    """

    __slots__ = ("attributes", "close_start", "end", "name", "namespace", "open_end", "parent", "start", "text")

    def __init__(self, namespace: str, name: str, attributes: dict[str, str], start: int, parent: Element | None):
        self.namespace = namespace
        self.name = name
        self.attributes = attributes
        self.start = start
        self.parent = parent
        self.open_end = self.close_start = self.end = start
        self.text = ""


class Edits:
    """Replacements of stretches of bytes, applied together; they may touch but not overlap."""

    def __init__(self) -> None:
        self._edits: list[tuple[int, int, bytes]] = []

    def __bool__(self) -> bool:
        return bool(self._edits)

    def replace(self, start: int, end: int, content: bytes) -> None:
        self._edits.append((start, end, content))

    def insert(self, at: int, content: bytes) -> None:
        self._edits.append((at, at, content))

    def applied(self, data: bytes) -> bytes:
        pieces: list[bytes] = []
        done = 0
        # The sort is stable: what is inserted at one place keeps its order.
        for start, end, content in sorted(self._edits, key=lambda edit: edit[:2]):
            if start < done:
                raise AssertionError("two edits of one part overlap")
            pieces += (data[done:start], content)
            done = end
        pieces.append(data[done:])
        return b"".join(pieces)


def xml_parser(data: bytes, part: str) -> expat.XMLParserType:
    """A parser that names elements as "namespace name"; `WorkbookError` for anything but UTF-8 without a DTD."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in data[:4]:
        raise _encoding_refused(part)

    def declaration(_version: str, encoding: str | None, _standalone: int) -> None:
        if encoding is not None and encoding.upper() not in ("UTF-8", "US-ASCII"):
            raise _encoding_refused(part)

    def doctype(*_: object) -> None:
        raise WorkbookError(
            f"{part} declares a document type, which no spreadsheet program writes and which may hide an attack; "
            "open the workbook in Excel, save it as a new .xlsx and use that."
        )

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.XmlDeclHandler = declaration
    parser.StartDoctypeDeclHandler = doctype
    return parser


def malformed(part: str, error: Exception) -> WorkbookError:
    return WorkbookError(f"{part} is not well-formed XML ({error}); let Excel repair the workbook and save it.")


def elements(data: bytes, part: str, wanted: Collection[str] | None = None) -> list[Element]:
    """The elements in document order, or only those with these local names, each with its direct text."""
    found: list[Element] = []
    open_elements: list[Element] = []
    parser = xml_parser(data, part)

    def start(name: str, attributes: dict[str, str]) -> None:
        at = parser.CurrentByteIndex
        namespace, _, local = name.rpartition(" ")
        element = Element(namespace, local, attributes, at, open_elements[-1] if open_elements else None)
        if wanted is None or local in wanted:
            element.open_end = open_tag_end(data, at)
            found.append(element)
        open_elements.append(element)

    def end(_name: str) -> None:
        element = open_elements.pop()
        if element.open_end == element.start:
            return  # not wanted
        if is_empty_tag(data, element.open_end):
            element.close_start = element.end = element.open_end
        else:
            element.close_start = parser.CurrentByteIndex
            element.end = data.index(b">", element.close_start) + 1

    def text(content: str) -> None:
        element = open_elements[-1]
        if element.open_end != element.start:
            element.text += content

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise malformed(part, error) from None
    return found


def needed(element: Element, name: str, part: str) -> str:
    """An attribute that the element cannot do without."""
    value = element.attributes.get(name)
    if value is None:
        raise WorkbookError(f"{part} has a {element.name} without {name}; let Excel repair the workbook and save it.")
    return value


def open_tag_end(data: bytes, start: int) -> int:
    """The offset behind the opening tag that begins at `start`."""
    tag = _OPEN_TAG.match(data, start)
    assert tag is not None  # noqa: S101 - the parser has just read a tag here
    return tag.end()


def is_empty_tag(data: bytes, open_end: int) -> bool:
    return data[open_end - 2 : open_end] == b"/>"


def tag_name(tag: bytes) -> bytes:
    """The name as written, with its prefix."""
    name = _TAG_NAME.match(tag)
    assert name is not None  # noqa: S101 - `tag` is an opening tag
    return name.group()[1:]


def tag_prefix(data: bytes, start: int) -> str:
    """The prefix that the tag at `start` is written with: "" or, for example, "x:"."""
    prefix, colon, _ = tag_name(data[start : open_tag_end(data, start)]).rpartition(b":")
    return (prefix + colon).decode()


def with_attribute(tag: bytes, name: str, value: str | None) -> bytes:
    """The opening tag with one attribute set, added behind the others, or (None) taken out; the rest as it was."""
    start, end, content = _attribute_edit(tag, name, value)
    return tag[:start] + content + tag[end:]


def set_attribute(edits: Edits, data: bytes, element: Element, name: str, value: str | None) -> None:
    """Note an attribute's new value, unless it stands there already."""
    if element.attributes.get(name) != value:
        start, end, content = _attribute_edit(data[element.start : element.open_end], name, value)
        edits.replace(element.start + start, element.start + end, content)


def _attribute_edit(tag: bytes, name: str, value: str | None) -> tuple[int, int, bytes]:
    written = b"" if value is None else b'"' + escaped(value, {'"': "&quot;"}).encode() + b'"'
    last = len(tag_name(tag)) + 1
    for attribute in _ATTRIBUTE.finditer(tag, last):
        if attribute.group(1) == name.encode():
            return (attribute.start(2) if written else attribute.start(), attribute.end(), written)
        last = attribute.end()
    return (last, last, b" " + name.encode() + b"=" + written if written else b"")


def set_text(edits: Edits, data: bytes, element: Element, text: str) -> None:
    """Note an element's new text, unless it stands there already."""
    if element.text == text:
        return
    content = escaped(text).encode()
    if element.open_end == element.end:
        tag = data[element.start : element.open_end]
        edits.replace(element.start, element.end, tag[:-2] + b">" + content + b"</" + tag_name(tag) + b">")
    else:
        edits.replace(element.open_end, element.close_start, content)


def _encoding_refused(part: str) -> WorkbookError:
    return WorkbookError(f"{part} is not written in UTF-8; open the workbook in Excel and save it once.")
