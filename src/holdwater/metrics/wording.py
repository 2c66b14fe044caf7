"""Figures in a person's words: which texts occur, which have no name, and an engine that uses the names."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import ibis  # type: ignore[import-untyped] # it ships no types

from holdwater.crm.records import source_name as plain
from holdwater.metrics.engine import Engine
from holdwater.metrics.tables import DEALS, LEADS, SPEND
from holdwater.metrics.words import Words, guess


@dataclass(frozen=True, slots=True)
class Texts:
    """How often each text occurs: sources of leads and of rows of spend, and the reasons of lost deals."""

    leads: Counter[str] = field(default_factory=Counter)
    spend: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def sources(self) -> list[str]:
        """The most frequent first."""
        return [text for text, _ in (self.leads + self.spend).most_common()]

    def unnamed(self, words: Words) -> Texts:
        """Those that the words say nothing of."""
        return Texts(
            _without(self.leads, words.sources),
            _without(self.spend, words.sources),
            _without(self.reasons, words.reasons),
        )

    def __len__(self) -> int:
        return len(self.sources) + len(self.reasons)


def _without(texts: Counter[str], named: Any) -> Counter[str]:
    return Counter({text: count for text, count in texts.items() if plain(text) not in named})


def texts(engine: Engine) -> Texts:
    lost = DEALS.filter(DEALS.status == "lost")
    return Texts(_count(engine, LEADS, "source"), _count(engine, SPEND, "source"), _count(engine, lost, "lost_reason"))


def _count(engine: Engine, table: ibis.Table, column: str) -> Counter[str]:
    rows = engine.rows(table.group_by(text=table[column]).aggregate(rows=table.count()))
    rows.sort(key=lambda row: row["text"] or "")
    return Counter({row["text"]: row["rows"] for row in rows if row["text"]})


class Worded:
    """An engine in whose answers sources and lost reasons have their names."""

    def __init__(self, engine: Engine, words: Words, found: Texts) -> None:
        self._engine = engine
        self._tables: dict[Any, Any] = {}
        for table, column, name, there in (
            (LEADS, "source", words.source, found.leads),
            (SPEND, "source", words.source, found.spend),
            (DEALS, "lost_reason", words.reason, found.reasons),
        ):
            renamed = [(text, name(text)) for text in there if name(text) != text]
            if renamed:
                named = table[column].cases(*renamed, else_=table[column])
                self._tables[table.op()] = table.mutate(**{column: named}).op()

    def rows(self, expression: ibis.Table) -> list[dict[str, Any]]:
        return self._engine.rows(expression.op().replace(self._tables).to_expr())


def as_toml(found: Texts) -> Iterator[str]:
    """Lines of a words file in which every text is its own name, and whose a reason is has been guessed."""
    if found.sources:
        yield "[sources]"
    for text in found.sources:
        counts = [_counted(found.leads[text], "lead", "leads"), _counted(found.spend[text], "row", "rows", " of spend")]
        yield f"{_quoted(text)} = {_quoted(text)}  # {', '.join(filter(None, counts))}"
    if found.sources and found.reasons:
        yield ""
    if found.reasons:
        yield "[lost_reasons]"
    for text, count in found.reasons.most_common():
        yield f"{_quoted(text)} = {_quoted(guess(text))}  # {_counted(count, 'deal', 'deals')}"


def _counted(count: int, one: str, many: str, of: str = "") -> str:
    return f"{count:,} {one if count == 1 else many}{of}" if count else ""


def _quoted(text: str) -> str:
    """A basic string of TOML, which is one of JSON but for the delete mark."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
