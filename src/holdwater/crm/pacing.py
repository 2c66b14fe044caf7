"""Staying within a vendor's rate limit instead of running into it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from threading import Lock


class Pacing:
    """At most `requests` in any window of `seconds`."""

    def __init__(
        self,
        requests: int,
        seconds: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._sent: deque[float] = deque(maxlen=requests)
        self._turn = Lock()
        self._requests = requests
        self._seconds = seconds
        self._clock = clock
        self._sleep = sleep

    def wait(self) -> float:
        """Waits until one more request fits and counts it; returns the seconds waited. Threads wait in turn."""
        with self._turn:
            pause = 0.0
            if len(self._sent) == self._requests:
                pause = max(0.0, self._sent[0] + self._seconds - self._clock())
            if pause:
                self._sleep(pause)
            self._sent.append(self._clock())
            return pause
