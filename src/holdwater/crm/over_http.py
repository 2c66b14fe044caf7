"""What all connectors over HTTP have in common: they close what they opened, and say what it cost."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from types import TracebackType
from typing import Self

from holdwater.crm.client import Client


class OverHttp:
    """Asks its clients, ends with them, and counts what they did.

    `_person` makes of an e-mail address what the store may keep of it; None where there is no key for that.
    """

    _person: Callable[[str | None], str | None] | None = None

    def __init__(self, *clients: Client) -> None:
        self._clients = [*clients]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        for client in self._clients:
            client.close()

    @property
    def recognises(self) -> bool:
        return self._person is not None

    @property
    def requests(self) -> int:
        return sum(client.requests for client in self._clients)

    @property
    def retries(self) -> int:
        return sum(client.retries for client in self._clients)

    @property
    def throttled_seconds(self) -> float:
        return sum(client.throttled_seconds for client in self._clients)


class EnteredOverHttp(OverHttp):
    """Comes in through a door of its own (`enter`) when something is asked for the first time."""

    def __init__(self, door: Client, enter: Callable[[], Client]) -> None:
        super().__init__(door)
        self._enter = enter

    @cached_property
    def _client(self) -> Client:
        client = self._enter()
        self._clients.append(client)
        return client
