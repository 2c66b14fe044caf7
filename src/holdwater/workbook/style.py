"""How the template looks."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xlsxwriter import Workbook

INK, QUIET, LINE, PAPER, BAND = "#1F2937", "#6B7280", "#9CA3AF", "#FEF9C3", "#E0F2F1"


class Styles:
    """The formats of one workbook, each made once."""

    def __init__(self, book: Workbook) -> None:
        self._add = cache(lambda items: book.add_format(dict(items)))
        self.title = self._format(bold=True, font_size=20, font_color=INK)
        self.header = self._format(
            bold=True, font_color=INK, bottom=1, bottom_color=LINE, text_wrap=True, valign="vcenter"
        )
        self.quiet = self._format(font_color=QUIET)
        self.aside = self._format(font_color=QUIET, indent=1)  # a text behind a number
        self.banner = self._format(bold=True, font_color="#B45309")
        self.bold = self._format(bold=True)
        self.alarm = self._format(bold=True, bg_color="#FDBA74")

    def _format(self, **properties: Any) -> Any:
        return self._add(tuple(sorted(properties.items())))

    def heading_for(self, number_format: str, aside: bool = True) -> Any:
        """A column's heading stands where its cells stand: numbers right, texts left."""
        look = {"bold": True, "font_color": INK, "bottom": 1, "bottom_color": LINE, "valign": "vcenter"}
        if number_format in ("@", "General"):
            return self._format(**look, indent=1) if aside else self._format(**look)
        return self._format(**look, align="right", text_wrap=True)

    def wrapped(self) -> Any:
        return self._format(indent=1, align="left", text_wrap=True)

    def number(self, number_format: str) -> Any:
        if number_format in ("@", "General"):
            return self._format(indent=1, align="left")
        if number_format.endswith(";@"):  # each kind on its own side
            return self._format(num_format=number_format)
        return self._format(num_format=number_format, align="right")

    def typed(self, number_format: str) -> Any:
        """With "@" for a text; as General, so that a number typed there stays one."""
        look = {"bg_color": PAPER, "border": 1, "border_color": LINE}
        if number_format == "@":
            return self._format(**look, indent=1, align="left")
        return self._format(**look, num_format=number_format)

    def screen(self, style: str) -> Any:
        match style:
            case "verdict":
                return self._format(
                    bold=True, font_size=14, font_color=INK, bg_color=BAND, valign="vcenter", text_wrap=True, indent=1
                )
            case "line":
                return self._format(font_size=12, font_color=INK)
            case "quiet" | "status":
                return self.quiet
            case "aside":
                return self.aside
            case "head":
                return self._format(bold=True, font_color=INK, bottom=1, bottom_color=LINE)
            case "head aside":
                return self._format(bold=True, font_color=INK, bottom=1, bottom_color=LINE, indent=1)
            case "head right":
                return self._format(bold=True, font_color=INK, bottom=1, bottom_color=LINE, align="right")
            case "plain":
                return self._format(font_color=INK)
        return self.number(style)
