"""The far end of a transport, which the doubles of single vendors are made from."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock
from typing import Any, Generic, TypeVar

import httpx

Key = TypeVar("Key")


class FarEnd(Generic[Key]):
    """Answers from `answers`, and remembers what was asked, by several threads; `date` is the server's clock.

    A test may put a list in the place of an answer: its members are given in turn.
    """

    def __init__(self, answers: Mapping[Key, Any], date: str) -> None:
        self.answers: dict[Key, Any] = dict(answers)
        self.asked: list[Key] = []
        self.requests: list[httpx.Request] = []
        self.date: str | None = date
        self._turn = Lock()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        key = self.key(request)
        with self._turn:
            self.asked.append(key)
            self.requests.append(request)
            answer = self.answers[key]
            if isinstance(answer, list):
                answer = answer.pop(0)
        return self.response(answer, {"Date": self.date} if self.date else {})

    def key(self, request: httpx.Request) -> Key:
        """What in `answers` is asked for."""
        raise NotImplementedError

    def response(self, answer: Any, headers: dict[str, str]) -> httpx.Response:
        """How the vendor sends an answer."""
        raise NotImplementedError
