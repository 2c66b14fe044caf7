"""What a CRM's dialect is to the server: prefixes of paths, and answers to requests under them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

Json = dict[str, Any]


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: Any  # becomes JSON; text goes out as it is


class Dialect(Protocol):
    @property
    def prefixes(self) -> tuple[str, ...]:
        """What the paths of this CRM begin with."""

    def answer(self, method: str, path: str, query: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """The answer to one request; `query` is what follows the question mark, names of `headers` are lower case."""
