"""The catalogue of formulas as a person or a script reads it."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import holdwater.bucket  # its functions register themselves
import holdwater.models.cells  # noqa: F401  # and theirs
from holdwater.formula import Formula, registry
from holdwater.translate import lambda_text


def as_text() -> str:
    """One line for each formula, by category."""
    lines: list[str] = []
    for category, formulas in groupby(sorted(registry.values(), key=_category), key=_category):
        lines += ["", category]
        for formula in formulas:
            lines += [f"  {formula.signature}", f"      {formula.description}"]
    return "\n".join(lines).lstrip("\n")


def _category(formula: Formula) -> str:
    return formula.category


def as_json() -> list[dict[str, Any]]:
    """Everything that is known about each formula."""
    return [
        {
            "name": formula.excel_name,
            "python": f"holdwater.{formula.name}",
            "category": formula.category,
            "signature": formula.signature,
            "description": formula.description,
            "arguments": [
                {
                    "name": a.name,
                    "required": a.required,
                    "default": a.default,
                    "unit": a.unit.meaning,
                    "allowed": a.unit.allowed,
                    "range": a.unit.many,
                    "help": formula.help[a.name],
                }
                for a in formula.arguments
            ],
            "result": {
                "unit": formula.result.meaning,
                "number_format": formula.result.number_format,
                "row": list(formula.row),
                "columns": list(formula.columns),
                "column": formula.column,
            },
            "equation": formula.equation,
            "source": formula.source,
            "python_only": formula.python_only or None,
            "lambda": None if formula.python_only else lambda_text(formula.function),
        }
        for formula in registry.values()
    ]
