"""A real Tryton: a server of its own on SQLite, and an office at work in it through Tryton's API.

`.ci/run` installs Tryton into build/tryton; its programs are run, nothing of it is imported.
"""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest

BUILD = Path(__file__).parents[2] / "build" / "tryton"
PASSWORD = "admin:of-this-test"
Json = dict[str, Any]


def amount(text: str) -> Json:
    return {"__class__": "Decimal", "decimal": text}


def day(at: date) -> Json:
    return {"__class__": "date", "year": at.year, "month": at.month, "day": at.day}


class Office:
    """One user at work: calls any method of Tryton's models, as its own client would."""

    def __init__(self, url: str, login: str, password: str) -> None:
        self.http = httpx.Client(base_url=url, timeout=120)
        user_id, key, *_ = self.call("common.db.login", login, {"password": password})
        self.user_id: int = user_id
        self.http.headers["Authorization"] = "Session " + b64encode(f"{login}:{user_id}:{key}".encode()).decode()

    def call(self, method: str, *params: object) -> Any:
        answer = self.http.post("/crm/rpc/", json={"id": 1, "method": method, "params": params})
        assert answer.status_code == 200, answer.text
        said = answer.json()
        assert "error" not in said, said["error"]
        return said["result"]

    def do(self, method: str, *params: object) -> Any:
        return self.call(f"model.{method}", *params, {"company": 1, "employee": 1})

    def create(self, model: str, *values: Json) -> list[int]:
        made: list[int] = self.do(f"{model}.create", list(values))
        return made

    def found_company(self, *currencies: Json) -> tuple[int, list[int]]:
        """A company in which this user works, and the currencies, the first of them its own."""
        money = self.create("currency.currency", *currencies)
        (party,) = self.create("party.party", {"name": "Our Company"})
        (company,) = self.create("company.company", {"party": party, "currency": money[0]})
        self.do("res.user.write", [self.user_id], {"companies": [["add", [company]]], "company": company})
        return company, money

    def press(self, button: str, *ids: int) -> None:
        self.do(f"sale.opportunity.{button}", list(ids))

    def delete(self, id_: int) -> None:
        """Which Tryton allows with an opportunity that is cancelled."""
        self.press("cancel", id_)
        self.do("sale.opportunity.delete", [id_])

    def merge(self, party: int, into: int) -> None:
        """Of one name, or Tryton would want a person to confirm it."""
        wizard, *_ = self.call("wizard.party.replace.create", {})
        asked = {"ask": {"source": party, "destination": into}}
        self.call("wizard.party.replace.execute", wizard, asked, "replace", {})


class Server:
    """A running Tryton with one database, `crm`; `database` is its file, for a look past the API."""

    def __init__(self, url: str, database: Path) -> None:
        self.url = url
        self.database = database

    @property
    def address(self) -> str:
        return f"{self.url}/crm"

    def rows(self, query: str, *values: object) -> list[Any]:
        with closing(sqlite3.connect(self.database, timeout=60)) as database, database:
            database.row_factory = sqlite3.Row
            return database.execute(query, values).fetchall()


@contextmanager
def running_tryton(folder: Path) -> Iterator[Server]:
    """A new database with the module sale_opportunity, served until the block ends."""
    if not (BUILD / "bin" / "trytond").exists():
        if os.environ.get("CI"):
            pytest.fail("CI installs Tryton into build/tryton; it is not there")
        pytest.skip("Tryton is not installed in build/tryton; .ci/run does that")
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        listen = f"127.0.0.1:{free.getsockname()[1]}"
    config = folder / "trytond.conf"
    config.write_text(f"[database]\nuri = sqlite://\npath = {folder}\n[web]\nlisten = {listen}\n")
    database = folder / "crm.sqlite"
    shutil.copy(_template(), database)
    command = [str(BUILD / "bin" / "trytond"), "-c", str(config), "-d", "crm"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
        assert server.stdout
        reading = Thread(target=server.stdout.read)  # a full pipe would stop the server
        try:
            assert any("Running on" in line for line in server.stdout), "Tryton did not start"
            reading.start()
            yield Server(f"http://{listen}", database)
        finally:
            server.terminate()
            if reading.ident is not None:
                reading.join()


def _template() -> Path:
    """A database with the modules and nothing else in it; making one takes a minute or two, so it is kept."""
    ready = BUILD / "template" / "crm.sqlite"
    if not ready.exists():
        making = BUILD / f"making-{os.getpid()}"
        making.mkdir()
        (making / "crm.sqlite").touch()
        (making / "password").write_text(PASSWORD)
        (making / "trytond.conf").write_text(f"[database]\nuri = sqlite://\npath = {making}\n")
        admin = [str(BUILD / "bin" / "trytond-admin"), "-c", str(making / "trytond.conf"), "-d", "crm"]
        environment = os.environ | {"TRYTONPASSFILE": str(making / "password")}
        subprocess.run([*admin, "--all", "--email", "a@b.example"], env=environment, check=True)
        subprocess.run([*admin, "-u", "sale_opportunity", "--activate-dependencies"], env=environment, check=True)
        making.rename(ready.parent)
    return ready
