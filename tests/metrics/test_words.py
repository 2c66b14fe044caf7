"""What the words of a CRM mean: sources and lost reasons in a file that a person keeps."""

from __future__ import annotations

import tomllib
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from random_books import NOW, books

from holdwater.cli import main
from holdwater.crm.connector import Page
from holdwater.crm.records import Deal, Lead, Money, Record, Spend
from holdwater.errors import ExportError
from holdwater.metrics import parquet, run
from holdwater.metrics.customer_figures import LossRecord, LostReason, Share
from holdwater.metrics.reporting import report
from holdwater.metrics.words import Words
from holdwater.store.database import Store
from holdwater.store.runs import Run

VERSION = datetime(2026, 1, 31, tzinfo=UTC)
WORDS = """
[sources]
"Paid Search" = "Google Ads"
ppc = "Google Ads"
empfehlung = "referral"

[lost_reasons]
"No reply" = "them"
"keine Antwort" = { whose = "them", name = "No reply" }
"Our delay" = "us"
too_expensive = "unknown"
"""


def words(folder: Path, text: str = WORDS) -> Words:
    path = folder / "words.toml"
    path.write_text(text, encoding="utf-8")
    return Words.read(path)


def lead(id: str, source: str | None) -> Lead:
    return Lead(id=id, created_at=datetime(2026, 1, 1, tzinfo=UTC), updated_at=VERSION, source=source)


def deal(id: str, lead_id: str | None, reason: str | None, status: str = "lost") -> Deal:
    closed = datetime(2026, 1, 5, tzinfo=UTC)
    return Deal(id=id, status=status, created_at=closed, closed_at=closed, updated_at=VERSION, lead_id=lead_id,  # type: ignore[arg-type]  # a text
                lost_reason=reason)  # fmt: skip


BOOK: list[Record] = [
    *(lead(f"a{n}", "paid_search") for n in range(3)),
    *(lead(f"b{n}", "ppc") for n in range(2)),
    *(lead(f"c{n}", "google_ads") for n in range(4)),
    lead("d", "empfehlung"),
    lead("e", "fair"),
    lead("f", None),
    *(deal(f"r{n}", None, "no_reply") for n in range(3)),
    *(deal(f"s{n}", None, "keine_antwort") for n in range(2)),
    deal("t", None, "too_expensive"),
    deal("u", None, "our_late_answer"),
    deal("v", None, None),
    deal("won", "d", None, "won"),
    Spend(id="m", day=date(2026, 1, 2), amount=Money(5_000, "EUR", "50"), updated_at=VERSION, source="ppc"),
    Spend(id="n", day=date(2026, 1, 2), amount=Money(700, "EUR", "7"), updated_at=VERSION, source="flyers"),
]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "holdwater.db"
    with Store.open(path) as opened:
        opened.keep("a", Page("any", BOOK))
        opened.log("a", Run(started_at=VERSION, status="done"))
    return path


def test_the_figures_use_the_names_and_the_store_keeps_the_words(tmp_path: Path, store: Path) -> None:
    with Store.open(store) as opened:
        before = opened.checksum()
        found = report(opened, words=words(tmp_path))
        assert opened.checksum() == before
    assert {row.source: (row.leads, row.spend) for row in found.sources} == {
        "Google Ads": (9, 50.0),  # google_ads is another spelling of the name itself
        "referral": (1, None),
        "fair": (1, None),
        "flyers": (0, 7.0),
        None: (1, None),
    }
    assert found.referred == Share(count=1, of=1)
    assert found.lost_reasons == (
        LostReason(reason="No reply", whose="them", deals=Share(count=5, of=8),
                   record=LossRecord(claim="no reply", supported=0, contradicted=0, no_messages=5)),
        # A first reading of its words
        LostReason(reason="our_late_answer", whose="us", deals=Share(count=1, of=8),
                   record=LossRecord(claim="our delay", supported=0, contradicted=0, no_messages=1)),
        LostReason(reason="too_expensive", whose="unknown", deals=Share(count=1, of=8)),  # as the file says
        LostReason(reason=None, whose="unknown", deals=Share(count=1, of=8)),
    )  # fmt: skip


def test_without_a_file_the_words_stay_as_they_are(store: Path) -> None:
    with Store.open(store) as opened:
        found = report(opened)
    assert {row.source for row in found.sources} == {"paid_search", "ppc", "google_ads", "empfehlung", "fair",
                                                     "flyers", None}  # fmt: skip
    assert found.unnamed == 0
    assert {lost.reason: lost.whose for lost in found.lost_reasons}["no_reply"] == "them"


def test_parquet_tables_are_read_with_the_same_words(tmp_path: Path, store: Path) -> None:
    meant = words(tmp_path)
    with Store.open(store) as opened:
        parquet.write_tables(opened, tmp_path)
        expected = report(opened, words=meant, as_of=NOW)
    with closing(parquet.duckdb_over(tmp_path)) as database:
        assert run(database, as_of=NOW, words=meant) == expected
    assert expected.unnamed == 3  # fair, flyers, our_late_answer


def test_words_that_name_nothing_there_change_nothing(tmp_path: Path) -> None:
    with Store.open(tmp_path / "s.db") as opened:
        opened.keep("a", Page("any", books(3, 60)))
        found = report(opened, as_of=NOW, words=words(tmp_path, '[sources]\n"x" = "y"\n'))
        assert replace(found, unnamed=0) == report(opened, as_of=NOW)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[sources", "valid TOML"),
        ("[origins]\na = 'b'", r'"origins"'),
        ("sources = 3", r"\[sources\]"),
        ("[sources]\na = 3", '"a"'),
        ("[sources]\na = ''", '"a"'),
        ("[sources]\n'Paid Search' = 'a'\npaid_search = 'b'", '"paid_search" stands there twice'),
        ("[sources]\na = 'Google Ads'\nb = 'google ads'", '"google ads"'),
        ("[sources]\na = 'b'\nb = 'c'", '"b"'),
        ("[lost_reasons]\na = 'me'", "us, them or unknown"),
        ("[lost_reasons]\na = { name = 'x' }", "us, them or unknown"),
        ("[lost_reasons]\na = { whose = 'us', nmae = 'x' }", '"nmae"'),
        ("[lost_reasons]\na = { whose = 'us', name = 'x' }\nb = { whose = 'them', name = 'x' }", '"x"'),
        ("[lost_reasons]\n'' = 'us'", "empty"),
        ("[lost_reasons]\na = { whose = 'us', claim = 'price' }", '"no reply", "our delay", "none"'),
        ("[lost_reasons]\na = { whose = 'us', claim = 'no reply' }", "another door"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ExportError, match=said) as caught:
        words(tmp_path, text)
    assert "words.toml" in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"gone\.toml cannot be read"):
        Words.read(tmp_path / "gone.toml")
    assert not Words.beside(tmp_path / "holdwater.db")


def said(capsys: pytest.CaptureFixture[str], *command: str | Path) -> str:
    assert main([str(word) for word in command]) == 0
    return capsys.readouterr().out


def test_the_command_lists_what_has_no_name_and_starts_a_file(
    tmp_path: Path, store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = said(capsys, "words", "--store", store)
    assert '"paid_search" = "paid_search"  # 3 leads' in listed
    assert '"ppc" = "ppc"  # 2 leads, 1 row of spend' in listed
    assert '"no_reply" = "them"  # 3 deals' in listed
    assert '"our_late_answer" = "us"  # 1 deal' in listed
    started = said(capsys, "words", "--store", store, "--start")
    path = tmp_path / "words.toml"
    assert str(path) in started
    begun = tomllib.loads(path.read_text(encoding="utf-8"))
    assert set(begun["sources"]) == {"paid_search", "ppc", "google_ads", "empfehlung", "fair", "flyers"}
    assert begun["lost_reasons"]["keine_antwort"] == "unknown"
    assert "has a name" in said(capsys, "words", "--store", store)

    words(tmp_path)  # written by hand, beside the store: it is found
    listed = said(capsys, "words", "--store", store)
    assert "ppc" not in listed
    assert "google_ads" not in listed
    assert '"fair" = "fair"' in listed
    figures = said(capsys, "metrics", "--store", store)
    assert "Lost, No reply (them): 62.5% (5 of 8)" in figures
    assert "3 sources and lost reasons have no name in the words file" in figures


def test_a_started_file_replaces_none(tmp_path: Path, store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words(tmp_path)
    assert main(["words", "--store", str(store), "--start"]) == 5
    assert "words.toml exists" in capsys.readouterr().err
    assert (tmp_path / "words.toml").read_text(encoding="utf-8") == WORDS


def test_words_with_marks_that_toml_knows_come_back_as_they_were(tmp_path: Path) -> None:
    odd = 'a "b" \\ c\x7f\u2028\u00e9'
    with Store.open(tmp_path / "holdwater.db") as opened:
        opened.keep("a", Page("any", [lead("1", odd)]))
        opened.log("a", Run(started_at=VERSION, status="done"))
    assert main(["words", "--store", str(tmp_path / "holdwater.db"), "--start"]) == 0
    begun = tomllib.loads((tmp_path / "words.toml").read_text(encoding="utf-8"))
    assert begun["sources"] == {odd: odd}
