"""A sandbox that answers as fast as it can, so that what is measured is who asks: HubSpot's dialect, each reply kept.

    python benchmarks/crm_server.py RECORDS

prints its address. `POST /bench/delay/80` lets each later reply wait so many milliseconds; `POST /bench/change/100`
changes one contact, deal and activity in a hundred; `GET /bench/requests` says how many requests were answered.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import TypeVar
from urllib.parse import parse_qsl

from holdwater.sandbox import Business, simulate
from holdwater.sandbox.hubspot import HubSpot
from holdwater.sandbox.records import Activity, Contact, Deal
from holdwater.sandbox.truth import DEFAULT

Record = TypeVar("Record", Contact, Deal, Activity)

TOKEN = "simulated-token"
_RECORDS = 37_620  # of the usual business in 48 months


def business_of(records: int) -> Business:
    """A simulated business with about so many contacts, deals and activities."""
    factor = records / _RECORDS
    sources = tuple(replace(source, leads_per_month=source.leads_per_month * factor) for source in DEFAULT.sources)
    return simulate(replace(DEFAULT, sources=sources), months=48)


class Replies:
    """What the sandbox answers, made once for each question."""

    def __init__(self, business: Business) -> None:
        self.delay = 0.0
        self.requests = 0
        self._business = business
        self._hubspot = HubSpot(business, token=TOKEN)
        self._kept: dict[object, bytes] = {}

    def reply(self, method: str, target: str, body: bytes, host: str) -> bytes:
        path, _, query = target.partition("?")
        if path.startswith("/bench/"):
            return self._steer(*path.split("/")[2:])
        self.requests += 1
        question = (method, path, tuple(sorted(parse_qsl(query))), body)
        if question not in self._kept:
            headers = {"authorization": f"Bearer {TOKEN}", "host": host}
            self._kept[question] = self._written(*self._hubspot.answer(method, path, query, body, headers))
        return self._kept[question]

    def _steer(self, what: str, number: str = "0") -> bytes:
        if what == "delay":
            self.delay = int(number) / 1000
        elif what == "change":
            self._change(int(number))
        requests, self.requests = self.requests, 0
        return self._written(200, {}, {"requests": requests})

    def _change(self, every: int) -> None:
        business = self._business
        now = business.wait_until(business.now + timedelta(days=1))
        business.contacts |= _changed(business.contacts, every, now)
        business.deals |= _changed(business.deals, every, now)
        business.activities |= _changed(business.activities, every, now)
        business.wait_until(now + timedelta(hours=1))
        self._kept.clear()

    def _written(self, status: int, headers: dict[str, str], body: object) -> bytes:
        content = json.dumps(body, separators=(",", ":")).encode()
        head = {
            "Date": format_datetime(self._business.now, usegmt=True),
            "Content-Type": "application/json;charset=utf-8",
            "Content-Length": str(len(content)),
            **headers,
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        return f"HTTP/1.1 {status} .\r\n{lines}\r\n".encode() + content


def _changed(records: dict[str, Record], every: int, now: datetime) -> dict[str, Record]:
    return {id_: replace(records[id_], modified=now) for id_ in list(records)[::every]}


class Connection(asyncio.Protocol):
    """One client's requests, one after another."""

    def __init__(self, replies: Replies) -> None:
        self._replies = replies
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, ended, rest = self._received.partition(b"\r\n\r\n")
        if not ended:
            return
        first, *others = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in others)}
        length = int(headers.get("content-length", 0))
        if len(rest) < length:
            return
        method, target, _ = first.split(" ")
        self._received = rest[length:]
        reply = self._replies.reply(method, target, rest[:length], headers.get("host", ""))
        asyncio.get_running_loop().call_later(self._replies.delay, self._transport.write, reply)


async def serve(records: int) -> None:
    replies = Replies(business_of(records))
    server = await asyncio.get_running_loop().create_server(lambda: Connection(replies), "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
