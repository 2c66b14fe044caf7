"""A reader of Salesforce's query language, as far as a client that copies records needs it.

`SELECT fields FROM Object [WHERE ...] [ORDER BY ...] [LIMIT n]` and `SELECT COUNT() FROM Object [WHERE ...]`. What
Salesforce refuses is refused here too, such as AND beside OR without brackets.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from operator import eq, ge, gt, le, lt, ne
from typing import Any

Row = Mapping[str, Any]
Test = Callable[[Row], bool]

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<text>'(?:[^'\\]|\\.)*')
    |(?P<moment>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))
    |(?P<day>\d{4}-\d\d-\d\d)
    |(?P<number>[+-]?\d+(?:\.\d+)?)
    |(?P<word>[A-Za-z_][\w.]*)
    |(?P<sign><=|>=|!=|<>|[=<>(),])
    )""",
    re.VERBOSE,
)
_COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "=": eq,
    "!=": ne,
    "<>": ne,
    "<": lt,
    "<=": le,
    ">": gt,
    ">=": ge,
}
_CONSTANTS = {"TRUE": True, "FALSE": False, "NULL": None}


class BadQuery(Exception):  # noqa: N818 -- an answer to a client, not an error of Holdwater
    """What Salesforce says of a query that it cannot run: its error code and a message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Query:
    object: str
    fields: tuple[str, ...]  # none of them: the rows are only counted
    filters: frozenset[str]  # the fields that the conditions and the order are about
    test: Test
    order: tuple[tuple[str, bool], ...]  # field, and whether the greatest comes first
    limit: int | None

    @classmethod
    def parse(cls, text: str) -> Query:
        return _Parser(text).query()

    def run(self, rows: Iterable[Row]) -> list[Row]:
        found = [row for row in rows if self.test(row)]
        for field, descending in reversed(self.order):
            # Nulls come first, as Salesforce has it.
            found.sort(key=lambda row: ((value := row[field]) is not None, value), reverse=descending)
        return found if self.limit is None else found[: self.limit]


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._place = 0
        self._filters: set[str] = set()

    def query(self) -> Query:
        self._expect("SELECT")
        fields = self._fields()
        self._expect("FROM")
        name = self._word()
        test = self._conditions() if self._take("WHERE") else lambda row: True
        order = self._order() if self._take("ORDER") else ()
        if order and not fields:
            raise BadQuery("MALFORMED_QUERY", "A count has no order.")
        limit = self._limit() if self._take("LIMIT") else None
        if self._place < len(self._tokens):
            raise self._unexpected()
        return Query(name, fields, frozenset(self._filters), test, order, limit)

    def _fields(self) -> tuple[str, ...]:
        first = self._word()
        if first.upper() == "COUNT" and self._take("("):
            self._expect(")")
            return ()
        fields = [first]
        while self._take(","):
            fields.append(self._word())
        if len(set(fields)) < len(fields):
            raise BadQuery("INVALID_FIELD", "A field is selected twice.")
        return tuple(fields)

    def _conditions(self) -> Test:
        tests = [self._condition()]
        joined = None
        while word := self._take("AND") or self._take("OR"):
            if joined not in (None, word):
                raise BadQuery("MALFORMED_QUERY", "AND stands beside OR; put one of them into brackets.")
            joined = word
            tests.append(self._condition())
        return _all(tests) if joined == "AND" else _any(tests)

    def _condition(self) -> Test:
        if self._take("NOT"):
            inner = self._condition()
            return lambda row: not inner(row)
        if self._take("("):
            inner = self._conditions()
            self._expect(")")
            return inner
        field = self._filtered()
        if self._take("NOT"):
            self._expect("IN")
            outside = self._list()
            return lambda row: row[field] not in outside
        if self._take("IN"):
            inside = self._list()
            return lambda row: row[field] in inside
        return _comparison(field, self._sign(), self._value())

    def _order(self) -> tuple[tuple[str, bool], ...]:
        self._expect("BY")
        order: list[tuple[str, bool]] = []
        while not order or self._take(","):
            field = self._filtered()
            order.append((field, bool(self._take("DESC"))))
            self._take("ASC")
        return tuple(order)

    def _limit(self) -> int:
        value = self._value()
        if type(value) is not float or value < 0:
            raise self._unexpected()
        return int(value)

    def _list(self) -> set[Any]:
        self._expect("(")
        values = {self._value()}
        while self._take(","):
            values.add(self._value())
        self._expect(")")
        return values

    def _filtered(self) -> str:
        field = self._word()
        self._filters.add(field)
        return field

    def _word(self) -> str:
        return self._next("word")[1]

    def _sign(self) -> str:
        sign = self._next("sign")[1]
        if sign not in _COMPARISONS:
            raise self._unexpected()
        return sign

    def _value(self) -> Any:
        kind, text = self._next("text", "moment", "day", "number", "word")
        match kind:
            case "text":
                return re.sub(r"\\(.)", r"\1", text[1:-1])
            case "moment":
                return datetime.fromisoformat(text)
            case "day":
                return date.fromisoformat(text)
            case "number":
                return float(text)
        if text.upper() not in _CONSTANTS:
            raise self._unexpected()
        return _CONSTANTS[text.upper()]

    def _take(self, word: str) -> str | None:
        """The next token if it is this one."""
        if self._place < len(self._tokens) and self._tokens[self._place][1].upper() == word:
            self._place += 1
            return word
        return None

    def _expect(self, word: str) -> None:
        if not self._take(word):
            raise self._unexpected()

    def _next(self, *kinds: str) -> tuple[str, str]:
        if self._place == len(self._tokens) or self._tokens[self._place][0] not in kinds:
            raise self._unexpected()
        self._place += 1
        return self._tokens[self._place - 1]

    def _unexpected(self) -> BadQuery:
        rest = self._tokens[self._place][1] if self._place < len(self._tokens) else "the end"
        return BadQuery("MALFORMED_QUERY", f"unexpected token: {rest}")


def _tokens(text: str) -> Iterable[tuple[str, str]]:
    text = text.strip()
    place = 0
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            raise BadQuery("MALFORMED_QUERY", f"unexpected token: {text[place]}")
        yield str(found.lastgroup), found[str(found.lastgroup)]
        place = found.end()


def _comparison(field: str, sign: str, value: object) -> Test:
    compare = _COMPARISONS[sign]
    if sign in ("=", "!=", "<>"):
        return lambda row: bool(compare(row[field], value))

    def test(row: Row) -> bool:
        found = row[field]
        if found is None:
            return False
        try:
            return bool(compare(found, value))
        except TypeError:
            raise BadQuery("INVALID_FIELD", f"{field} cannot be compared with a value of this kind.") from None

    return test


def _all(tests: Sequence[Test]) -> Test:
    return lambda row: all(test(row) for test in tests)


def _any(tests: Sequence[Test]) -> Test:
    return lambda row: any(test(row) for test in tests)
