"""What the words of a CRM mean: the names of sources, and the names of lost reasons with whose they were.

The store keeps the words of the CRM; the names are used when figures are computed, so a better file mends the past too.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Self, TypeVar, get_args

from holdwater.crm.records import source_name as plain
from holdwater.errors import ExportError
from holdwater.metrics.customer_figures import Claim, Whose

Meaning = TypeVar("Meaning", str, "Reason")

FILE_NAME = "words.toml"
_HEAD = """\
# Left what your CRM says, right what it is called in the figures. Several texts may have one name.
# Of a lost reason: whose it was, "us", "them" or "unknown" (guessed below, from its words); to rename it too:
# "no answer" = { whose = "them", name = "No reply" }
# Where messages can tell whether it is right, claim = "no reply" (they did not answer us), "our delay" or "none".
"""
_OURS = ("our ", "late", "slow", "delay", "service", "quality", "missing", "feature")
_THEIRS = ("reply", "respon", "budget", "price", "expens", "competitor", "not now", "timing", "no need", "bankrupt",
           "moved", "no decision")  # fmt: skip
_NO_REPLY = re.compile(
    r"\b(no|not|never|without|stopped|didn.t)\b.*(repl|respon(d|se|siv)|answer)|unrespons|unanswer|ghost"
)
_OUR_DELAY = re.compile(r"\b(delay|late\b|later\b|slow)")
_UNTESTED = "none"


class Reason(NamedTuple):
    name: str
    whose: Whose
    claim: Claim | None


@dataclass(frozen=True, slots=True)
class Words:
    """By plain text (`records.source_name`) what a source is called, and a lost reason; false if nothing is said."""

    sources: Mapping[str, str] = field(default_factory=dict)
    reasons: Mapping[str, Reason] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Self:
        """From a TOML file; ExportError names the entry that cannot be used."""
        try:
            data = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
            return cls(*_tables(data))
        except OSError as problem:
            raise ExportError(f"{path} cannot be read ({problem.strerror}); check its path.") from None
        except UnicodeDecodeError:
            raise ExportError(f"{path} is not written in UTF-8; save it as UTF-8.") from None
        except tomllib.TOMLDecodeError as problem:
            raise ExportError(f"{path} is not valid TOML: {problem}; texts need quotes.") from None
        except ValueError as problem:
            raise ExportError(f"{path}: {problem}.") from None

    @classmethod
    def beside(cls, store: Path) -> Self:
        """Those of the file beside the store; none if there is no file."""
        path = store.with_name(FILE_NAME)
        return cls.read(path) if path.exists() else cls()

    def __bool__(self) -> bool:
        return bool(self.sources or self.reasons)

    def source(self, text: str | None) -> str | None:
        """Its name; a text that is not in the file is its own name."""
        return self.sources.get(plain(text) or "", text)

    def reason(self, text: str | None) -> str | None:
        known = self.reasons.get(plain(text) or "")
        return known.name if known else text

    def whose(self, reason: str | None) -> Whose:
        """What the file says of a reason or its name; else a first reading of its words."""
        known = self.reasons.get(plain(reason) or "")
        return known.whose if known else guess(reason)

    def claim(self, reason: str | None) -> Claim | None:
        """What messages can tell of a reason: as the file says, else by a first reading of its words or name."""
        known = self.reasons.get(plain(reason) or "")
        return known.claim if known else guess_claim(reason, guess(reason))


def start(path: Path, lines: Iterable[str]) -> None:
    """Write a new words file; ExportError where there is a file already."""
    text = "\n".join((_HEAD, *lines, ""))
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        raise ExportError(
            f"{path} exists, and it was left as it is: put what holdwater words lists into it by hand."
        ) from None
    except OSError as problem:
        raise ExportError(f"{path} cannot be written ({problem.strerror}); give another place with --words.") from None


def guess(reason: str | None) -> Whose:
    """A first reading of a reason's words; what it does not know is unknown, not theirs."""
    text = (reason or "").replace("_", " ").casefold()
    if any(word in text for word in _OURS):
        return "us"
    return "them" if any(word in text for word in _THEIRS) else "unknown"


def guess_claim(reason: str | None, whose: Whose) -> Claim | None:
    """Of their reasons that they did not reply, of ours that we were late; messages tell nothing of a price."""
    text = (reason or "").replace("_", " ").casefold()
    if whose == "them" and _NO_REPLY.search(text):
        return "no reply"
    return "our delay" if whose == "us" and _OUR_DELAY.search(text) else None


def _tables(data: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, Reason]]:
    for table, entries in data.items():
        if table not in ("sources", "lost_reasons"):
            raise ValueError(f'"{table}" is not known here; the file has [sources] and [lost_reasons]')
        if not isinstance(entries, dict):
            raise ValueError(f"{table} is no table; write its entries below a line [{table}]")  # noqa: TRY004 -- a fault of the file, as the others
    return _entries(data.get("sources", {}), _source), _entries(data.get("lost_reasons", {}), _reason)


def _entries(table: Mapping[str, Any], read: Callable[[str, Any], Meaning]) -> dict[str, Meaning]:
    """What is written, and each name's own spellings beside it: `google_ads` too is what "Google Ads" names."""
    written: dict[str, Meaning] = {}
    for text, value in table.items():
        key = plain(text)
        if key is None:
            raise ValueError("an empty text cannot be named; what has no source or reason stays without")
        if key in written:
            raise ValueError(f'"{text}" stands there twice, since capitals, spaces, - and _ do not matter; keep one')
        written[key] = read(text, value)
    named = dict(written)
    for meaning in written.values():
        name = meaning if isinstance(meaning, str) else meaning.name
        if named.setdefault(plain(name) or name, meaning) != meaning:
            raise ValueError(
                f'"{name}" is a name here, and in another entry it is something else; give both one meaning'
            )
    return named


def _source(text: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f'[sources] "{text}" needs a name in quotes, such as "Google Ads"')
    return value


def _reason(text: str, value: Any) -> Reason:
    said = value if isinstance(value, dict) else {"whose": value}
    for key in said:
        if key not in ("whose", "name", "claim"):
            raise ValueError(
                f'[lost_reasons] "{text}" has "{key}", which is not known; there are whose, name and claim'
            )
    if said.get("whose") not in get_args(Whose):
        raise ValueError(f'[lost_reasons] "{text}" needs whose it was: us, them or unknown, in quotes')
    name = said.get("name", text)
    if not isinstance(name, str) or not name.strip():
        raise ValueError(f'[lost_reasons] "{text}" has a name that is no text; write it in quotes')
    return Reason(name, said["whose"], _claim(text, name, said))


def _claim(text: str, name: str, said: Mapping[str, Any]) -> Claim | None:
    if "claim" not in said:
        return guess_claim(name, said["whose"])
    claim = said["claim"]
    if claim == _UNTESTED:
        return None
    if claim not in get_args(Claim):
        raise ValueError(
            f'[lost_reasons] "{text}" has the claim {claim!r}; allowed are "no reply", "our delay", "none"'
        )
    if said["whose"] != ("them" if claim == "no reply" else "us"):
        raise ValueError(
            f'[lost_reasons] "{text}" says "{claim}" and lays it at another door than whose does; mend one'
        )
    return claim  # type: ignore[no-any-return]  # one of the two, as checked above
