"""EXPLAIN: the sentence behind the error that a cell shows."""

from __future__ import annotations

from holdwater.errors import FormulaError, KindError
from holdwater.formula import Formula, formula, registry
from holdwater.units import Anything, FunctionName, Text


@formula("Help", Text, python_only="it runs whichever function is named")
def explain(name: FunctionName, *arguments: Anything, **named: Anything) -> str:
    """Says why a function answers with an error: which argument, its value and what is allowed; or "ok".

    Arguments:
        name: the function, as it is typed in a cell
        arguments: what the function was given, in the same order

    Equation:
        "ok" where the function has an answer, its error message where it has none

    Source:
        A cell can show an error value only, never the reason.

    Examples:
        A churn of 2 was meant to be 2 %:

        >>> holdwater.explain("LTV", 30, 2)
        'LTV: churn is 2; allowed is 0 to 1 (rate).'

        With 0.02 there is nothing to explain:

        >>> holdwater.explain("LTV", 30, 0.02)
        'ok'
    """
    entry = _named(name)
    try:
        if entry.gathers and not (arguments or named):
            _named("")  # the reason why EXPLAIN alone has no answer
        if not entry.gathers and entry.spreads(entry.placed(arguments, named)):
            return f"EXPLAIN: one of the arguments of {entry.excel_name} is an array; explain one element."
        entry.call(*arguments, **named)
        remark = entry.remark(*entry.bind(arguments, named).values()) if entry.remark else ""
    except FormulaError as error:
        return str(error)
    return f"ok. {remark}" if remark else "ok"


def _named(name: object) -> Formula:
    if not isinstance(name, str) or not name.strip():
        raise KindError('EXPLAIN: name is no text; give the name of a function in quotes, such as "LTV".')
    known = registry.get(name.strip().upper())
    if known:
        return known
    # Built on this package and imported when first needed, these cannot be named here as modules.
    from importlib import import_module

    import_module("holdwater.bucket")
    import_module("holdwater.models.cells")
    if name.strip().upper() in registry:
        return registry[name.strip().upper()]
    from difflib import get_close_matches  # here, because it is needed for typing mistakes only

    closest = get_close_matches(name.strip().upper(), registry, n=1, cutoff=0)[0]
    raise KindError(f"EXPLAIN: there is no function {name.strip()[:40]!r}; the closest name is {closest}.")
