"""Writes the reference: one page for each function and one for each group, from the registry alone."""

from __future__ import annotations

import ast
import doctest
import inspect
import textwrap
from itertools import groupby
from pathlib import Path
from typing import Any

import holdwater
import holdwater.bucket  # its functions register themselves
import holdwater.models.cells  # and theirs
from holdwater.formula import Argument, Formula, registry
from holdwater.translate.typeset import equations

HOME = """\
# Functions

Every function has the same name, the same arguments and the same answer in a cell and in Python
(`ALLOWABLE_CPL` is `holdwater.allowable_cpl`).

```{{toctree}}
:maxdepth: 2

{pages}
```
"""


def write(folder: Path) -> None:
    """All pages into `folder`; what is no longer in the registry goes."""
    folder.mkdir(exist_ok=True)
    pages = {"index": _home()}
    for category, formulas in groups().items():
        pages[_slug(category)] = _group(category, formulas)
        pages |= {formula.name: _page(formula) for formula in formulas}
    for old in set(folder.glob("*.md")) - {folder / f"{name}.md" for name in pages}:
        old.unlink()
    for name, text in pages.items():
        path = folder / f"{name}.md"
        if not path.exists() or path.read_text(encoding="utf-8") != text:  # an unchanged page is not built again
            path.write_text(text, encoding="utf-8")


def groups() -> dict[str, list[Formula]]:
    ordered = sorted(registry.values(), key=lambda f: f.category)
    return {category: list(formulas) for category, formulas in groupby(ordered, key=lambda f: f.category)}


def _slug(category: str) -> str:
    return "group-" + category.lower().replace(" ", "-")


def _home() -> str:
    return HOME.format(pages="\n".join(_slug(category) for category in groups()))


def _group(category: str, formulas: list[Formula]) -> str:
    rows = "\n".join(f"| [`{f.signature}`]({f.name}.md) | {f.description} |" for f in formulas)
    names = "\n".join(f.name for f in formulas)
    return f"""\
# {category}

| function | what it gives |
|---|---|
{rows}

```{{toctree}}
:hidden:

{names}
```
"""


def _page(formula: Formula) -> str:
    arguments = "\n".join(_argument(formula, a) for a in formula.arguments)
    return f"""\
# {formula.excel_name}

{_story(formula)}

```text
={formula.signature}
```

## Equation

{" ".join(formula.equation.split())}

{_equations(formula)}
## Arguments

| argument | unit | allowed | default | meaning |
|---|---|---|---|---|
{arguments}

{_result(formula)}

## Examples

{_examples(formula)}
## Errors

{_errors(formula)}

## Source

{formula.source}
"""


def _story(formula: Formula) -> str:
    """The description and whatever else the docstring says before its arguments."""
    paragraphs = inspect.cleandoc(formula.function.__doc__ or "").split("\n\n")
    return "\n\n".join(p for p in paragraphs[: paragraphs.index(_first_section(paragraphs))])


def _first_section(paragraphs: list[str]) -> str:
    return next(p for p in paragraphs if p.startswith(("Arguments:", "Equation:")))


def _equations(formula: Formula) -> str:
    if formula.python_only:
        return f"It needs Holdwater itself, a cell formula cannot express it: {formula.python_only}.\n"
    return '<div class="equation">\n' + "\n".join(equations(formula.function)) + "\n</div>\n"


def _argument(formula: Formula, argument: Argument) -> str:
    unit = argument.unit
    default = "required" if argument.required else "none" if argument.default is None else f"{argument.default:g}"
    kind = f"range of {unit.meaning}" if unit.many else unit.meaning
    return f"| `{argument.name}` | {kind} | {unit.allowed} | {default} | {formula.help[argument.name]} |"


def _result(formula: Formula) -> str:
    if formula.row:
        return f"The result is one row: {', '.join(formula.row)} ({formula.result.meaning})."
    if formula.column:
        return f"The result is one column of numbers ({formula.result.meaning}), without a header."
    if formula.columns:
        return f"The result is a table with the columns {', '.join(formula.columns)}."
    return f"The result is in the unit *{formula.result.meaning}*, shown as `{formula.result.number_format}`."


def _errors(formula: Formula) -> str:
    lines = [
        "- `#NUM!` (`holdwater.NumError`): an argument outside what is allowed, or an answer that does not exist.",
        "- `#VALUE!` (`holdwater.KindError`): text, true or false where a number belongs; a required argument missing.",
        *(f"- {message}" for message in _messages(formula)),
        f'- `EXPLAIN("{formula.excel_name}", ...)` with the same arguments says which argument, and what is allowed.',
    ]
    return "\n".join(lines)


def _messages(formula: Formula) -> list[str]:
    """What the function itself raises, in its own words."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(formula.function)))
    found = []
    for node in ast.walk(tree):
        match node:
            case ast.Raise(exc=ast.Call(func=ast.Name(id=error), args=[message])):
                cell = getattr(holdwater, error).cell
                text = "".join(str(p.value) if isinstance(p, ast.Constant) else "…" for p in _pieces(message))
                found.append(f"`{cell}`: {text.removeprefix(f'{formula.excel_name}: ')}")
    return found


def _pieces(message: ast.expr) -> list[ast.expr]:
    return message.values if isinstance(message, ast.JoinedStr) else [message]


def _examples(formula: Formula) -> str:
    """Each worked example with its story, in Python and as it is typed in a cell."""
    parts: list[str] = []
    code: list[str] = []

    def close() -> None:
        if code:
            parts.append("```python\n" + "\n".join(code) + "\n```")
            code.clear()

    for piece in doctest.DocTestParser().parse(_section(formula.function.__doc__ or "", "Examples:")):
        if isinstance(piece, str):
            if piece.strip():
                close()
                parts.append(piece.strip())
            continue
        code += [">>> " + piece.source.strip().replace("\n", "\n... "), *piece.want.strip().splitlines()]
        typed = _as_typed(piece.source)
        if typed:
            close()
            parts.append(f"In a cell: `{typed}`")
    close()
    if not any(part.startswith("In a cell") for part in parts):
        required = ", ".join(a.name for a in formula.arguments if a.required)
        parts.append(f"In a cell: `={formula.excel_name}({required})`, with a range for each argument that is one.")
    return "\n\n".join(parts) + "\n"


def _section(docstring: str, heading: str) -> str:
    _, _, rest = docstring.partition(heading)
    lines = [line.strip() for line in rest.split("\n")]
    return "\n".join(lines)


def _as_typed(source: str) -> str:
    """`round(holdwater.ltv(30, 0.04, timing=1), 2)` as `=ROUND(LTV(30, 0.04, , , , 1), 2)`; "" for anything else."""
    try:
        return "=" + _typed(ast.parse(source.strip(), mode="eval").body)
    except (ValueError, SyntaxError):  # an example of several statements
        return ""


def _typed(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=None):
            return ""
        case ast.Constant(value=str(text)):
            return f'"{text}"'
        case ast.Constant() | ast.UnaryOp(op=ast.USub(), operand=ast.Constant()):
            return ast.unparse(node)
        case ast.BinOp() if not any(isinstance(part, (ast.Name, ast.Dict)) for part in ast.walk(node)):
            return ast.unparse(node)
        case ast.List(elts=items) if all(isinstance(i, ast.List) for i in items) and items:
            return "{" + "; ".join(_typed(i).strip("{}") for i in items) + "}"
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return "{" + ", ".join(_typed(i) for i in items) + "}"
        case ast.ListComp(generators=[comprehension]):  # numbers of a row, rounded for the page
            return _typed(comprehension.iter)
        case ast.Call(func=ast.Name(id="round"), args=[number, digits]):
            return f"ROUND({_typed(number)}, {_typed(digits)})"
        case ast.Call(func=ast.Attribute(value=ast.Name(id="holdwater"), attr=name), args=args, keywords=keywords):
            return f"{name.upper()}({', '.join(_placed(getattr(holdwater, name), args, keywords))})"
    raise ValueError(ast.dump(node))


def _placed(function: Any, args: list[ast.expr], keywords: list[ast.keyword]) -> list[str]:
    names = [a.name for a in function.formula.arguments]
    texts = [_typed(a) for a in args]
    for keyword in sorted(keywords, key=lambda k: names.index(str(k.arg))):
        texts += [""] * (names.index(str(keyword.arg)) - len(texts)) + [_typed(keyword.value)]
    return texts
