"""`holdwater sync` with its options, on exports whose rows come and go."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdwater.cli import main

MAPPING = """
name = "shop"
timezone = "UTC"

[leads]
file = "leads.csv"
columns = { id = "ID", created_at = "Created", source = "Source" }
"""


@pytest.fixture
def exports(tmp_path: Path) -> Path:
    (tmp_path / "map.toml").write_text(MAPPING, encoding="utf-8")
    (tmp_path / "leads.csv").write_text("ID,Created,Source\n1,2026-01-31,Fair\n2,2026-02-01,Fair\n", encoding="utf-8")
    return tmp_path


def sync(folder: Path, *options: str) -> int:
    where = ["--from", str(folder), "--mapping", str(folder / "map.toml"), "--store", str(folder / "store.db")]
    return main(["sync", "exports", *where, *options])


def test_a_row_that_left_the_export_goes_only_on_request(exports: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sync(exports) == 0
    (exports / "leads.csv").write_text("ID,Created,Source\n2,2026-02-01,Fair\n", encoding="utf-8")
    capsys.readouterr()
    assert sync(exports) == 0
    assert "gone" not in capsys.readouterr().out
    assert sync(exports, "--reconcile", "--dry-run") == 0
    assert "1 gone.\nNothing was kept: this was a dry run." in capsys.readouterr().out
    assert sync(exports, "--reconcile") == 0
    assert "0 new or changed, 1 gone." in capsys.readouterr().out
    assert sync(exports, "--reconcile") == 0
    assert "gone" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--since", "2026-01-31"], "read whole each time"),
        (["--url", "https://shop.example"], "read whole each time"),
        (["--since", "2026-01-31", "--full"], "not both"),
    ],
)
def test_options_that_would_do_nothing_are_refused(
    options: list[str], said: str, exports: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sync(exports, *options) == 2
    assert said in capsys.readouterr().err


def test_a_day_that_is_none_is_refused(exports: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        sync(exports, "--since", "31.01.2026")
    assert "31.01.2026 is no date; write it as 2026-01-31" in capsys.readouterr().err
