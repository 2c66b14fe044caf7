"""What is particular to one vendor's HTTP: how the token travels, and how it says that a limit is used up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Headers = Mapping[str, str]


def _no_pause(_headers: Headers) -> float:
    return 0.0


def _never(_status: int, _headers: Headers, _body: bytes) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Manners:
    """The default is that of most: a bearer token, 429 with Retry-After for too many requests.

    `pause`: the seconds to leave before the next request, by the headers of an answer.
    `used_up`: whether a refusal (its status, headers and body) means a quota that no waiting of seconds brings back.
    `shut_out`: whether it means that the token, or a right of it, is not good, where its status does not say so.
    `again`: the statuses that mean to try again, besides those that mean it everywhere.
    """

    header: str = "Authorization"  # that carries the token
    scheme: str = "Bearer "  # what stands before it
    headers: Headers = field(default_factory=dict)  # sent with every request
    pause: Callable[[Headers], float] = _no_pause
    used_up: Callable[[int, Headers, bytes], bool] = _never
    shut_out: Callable[[int, Headers, bytes], bool] = _never
    again: frozenset[int] = frozenset()
