"""`holdwater diagnose` as a person and a script run it: what it says is what the library answers."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import openpyxl
import pytest

import holdwater
from holdwater import Bucket, NumError
from holdwater.bucket.improvement import LEVERS
from holdwater.bucket.verdict import diagnose as diagnosed
from holdwater.cli import main
from holdwater.demo import demo
from holdwater.workbook.describe import describe
from holdwater.workbook.template import write_template

PAGE = Path(__file__).parents[2] / "docs" / "diagnose.md"
SHOP = {
    "leads": 100, "cost_per_lead": 20, "fit_share": 0.8, "conversion": 0.125, "onboarding_capacity": 12,
    "revenue_per_customer": 100, "gross_margin": 0.6, "churn": 0.05, "customers": 150, "discount": 0.01,
}  # fmt: skip
GYM = {"leads": 100, "cost_per_lead": 15, "conversion": 0.1, "revenue_per_customer": 50, "gross_margin": 0.8,
       "churn": 0.05, "lead_capacity": 80}  # fmt: skip
CLINIC = {"leads": 60, "cost_per_lead": 40, "conversion": 0.3, "revenue_per_customer": 60, "gross_margin": 0.7,
          "churn": 0.03, "customers": 240, "customer_capacity": 250, "overload_slope": 1.5, "lead_capacity": 50,
          "horizon": 36}  # fmt: skip
FIXES: list[dict[str, Any]] = [
    {"name": "training", "lever": "conversion", "change": 0.2, "cost": 25000, "periods": 1},
    {"name": "filter", "lever": "fit share", "change": 0.2, "cost": 25000, "periods": 1},
    {"name": "onboarder", "lever": "onboarding capacity", "change": 0.5, "cost": 12000, "periods": 2},
]


def toml(path: Path, bucket: dict[str, Any], projects: list[dict[str, Any]] | None = None, top: str = "") -> Path:
    def entries(of: dict[str, Any]) -> str:
        return "".join(f"{key} = {json.dumps(value)}\n" for key, value in of.items())

    tables = "".join(f"[[projects]]\n{entries(project)}" for project in projects or [])
    path.write_text(f"{top}\n[bucket]\n{entries(bucket)}{tables}")
    return path


Printed = pytest.CaptureFixture[str]


def said(printed: Printed, *words: str | Path) -> str:
    printed.readouterr()
    code = main(["diagnose", *map(str, words)])
    out, err = printed.readouterr()
    assert (code, err) == (0, "")
    return out


def fails(printed: Printed, path: Path | str, code: int, *words: str) -> str:
    """One sentence on stderr with these words, nothing on stdout, the exit code of its kind."""
    printed.readouterr()
    assert main(["diagnose", str(path)]) == code
    out, err = printed.readouterr()
    assert out == ""
    assert err.startswith("holdwater: ")
    assert err.count("\n") == 1
    for word in words:
        assert word in err
    return err


@pytest.mark.parametrize("model", [SHOP, GYM, CLINIC], ids=["shop", "gym", "clinic"])
def test_the_json_holds_the_librarys_numbers(model: dict[str, Any], tmp_path: Path, capsys: Printed) -> None:
    answer = json.loads(said(capsys, toml(tmp_path / "b.toml", model), "--json"))
    assert answer["profit"] == holdwater.bucket_profit(model)
    assert answer["bottleneck"] == holdwater.bottleneck(model)
    assert answer["verdict"]["sentence"] == holdwater.verdict(model)
    assert answer["verdict"]["lead_worth"] == diagnosed(model).lead_worth
    assert answer["verdict"]["leads_safe"] == holdwater.leads_safe(model)
    for row in answer["constraints"]:
        assert row["now"] == model.get(row["label"])
        assert row["value"] == holdwater.constraint_value(model, row["label"])
        low, high = Bucket.of(model).constraint_range(row["label"]) if row["label"] in model else (None, None)
        assert (row["holds_from"], row["holds_to"]) == (low, None if high == float("inf") else high)
    assert [row["label"] for row in answer["constraints"]] == [
        "customer_capacity", "onboarding_capacity", "lead_capacity", "leads",
    ]  # fmt: skip
    assert sorted(row["label"] for row in answer["levers"]) == sorted(LEVERS)
    assert [row["value"] for row in answer["levers"]] == [row["value"] for row in holdwater.levers(model)]
    for row in answer["levers"]:
        assert row["value"] == holdwater.lever_value(model, row["label"])
        try:
            assert row["leads"] == holdwater.leads_equivalent(model, row["label"])
        except NumError:
            assert row["leads"] is None
    assert (answer["sequence"], answer["uncertainty"], answer["currency"]) == (None, None, None)
    assert answer["bucket"] | model == answer["bucket"], "the model as it was given"


def test_limits_say_since_when_they_hold_back(tmp_path: Path, capsys: Printed) -> None:
    def since(model: dict[str, Any]) -> dict[str, int | None]:
        answer = json.loads(said(capsys, toml(tmp_path / "b.toml", model), "--json"))
        return {row["label"]: row["binds_from"] for row in answer["constraints"]}

    assert since(GYM) == {"customer_capacity": None, "onboarding_capacity": None, "lead_capacity": 1, "leads": None}
    # 8 a month of 0, less 5 %: 8, 15.6, 22.8 at the start of the second, third and fourth month.
    assert since(GYM | {"customer_capacity": 20})["customer_capacity"] == 4
    # Of 10 wanted from leads and 1 % of the customers from referral, more than 12 once there are more than 200.
    shop = SHOP | {"referral_rate": 0.01, "customers": 199, "churn": 0.0, "discount": 0.01}
    assert since(shop)["onboarding_capacity"] == 2


def test_the_next_steps_are_at_most_three_and_know_their_ends(tmp_path: Path, capsys: Printed) -> None:
    def steps(model: dict[str, Any]) -> list[tuple[str, str, float | None]]:
        answer = json.loads(said(capsys, toml(tmp_path / "b.toml", model), "--json"))
        return [(step["do"], step["label"], step["until"]) for step in answer["next_steps"]]

    assert steps(GYM) == [("fix", "lead_capacity", pytest.approx(100)), ("fix", "churn", None),
                          ("fewer leads", "leads", 80)]  # fmt: skip
    assert steps(SHOP) == [("more leads", "leads", 120), ("fix", "churn", None)]
    assert steps(GYM | {"cost_per_lead": 90, "lead_capacity": 200})[0] == ("fewer leads", "leads", 0)
    full = GYM | {"lead_capacity": 300, "customers": 400, "churn": 0.1, "conversion": 0.02, "cost_per_lead": 7}
    assert [step[0] for step in steps(full)] == ["fix", "fix", "more leads"]


def test_the_sequence_of_fixes_is_the_librarys(tmp_path: Path, capsys: Printed) -> None:
    rows = [[*fix.values()] for fix in FIXES]
    plan = holdwater.fix_sequence(rows, SHOP)
    path = toml(tmp_path / "shop.toml", SHOP, FIXES, 'period = "month"')
    answer = json.loads(said(capsys, path, "--json"))["sequence"]
    assert answer["rows"] == list(plan)
    assert (answer["cash_low"], answer["cash_low_period"], answer["left_out"]) == (-40437.5, 3, [])
    text = said(capsys, path)
    assert re.search(r"1 training +0 +1 +25,000 +15,912 +339,058", text)
    assert "Cash is lowest in month 4: 40,438 less than today." in text

    answer = json.loads(said(capsys, toml(path, SHOP, FIXES, "budget = 30000"), "--json"))["sequence"]
    assert [row["name"] for row in answer["rows"]] == ["as is", "training"]
    assert answer["left_out"] == ["filter", "onboarder"]
    assert "left out: filter, onboarder" in said(capsys, path)
    answer = json.loads(said(capsys, toml(path, SHOP, FIXES, "horizon = 6"), "--json"))["sequence"]
    assert answer["rows"] == list(holdwater.fix_sequence(rows, SHOP, None, 6))
    assert "none of the projects pays" in said(capsys, toml(path, SHOP, FIXES, "budget = 1"))

    needing = [FIXES[0] | {"needs": ["filter"], "running_cost": 10}, *FIXES[1:]]
    answer = json.loads(said(capsys, toml(path, SHOP, needing), "--json"))["sequence"]
    assert answer["rows"] == list(holdwater.fix_sequence([[*rows[0], "filter", 10], *rows[1:]], SHOP))


def test_the_text_is_short_and_fits(tmp_path: Path, capsys: Printed) -> None:
    path = toml(tmp_path / "gym.toml", GYM, FIXES[:1], 'currency = "EUR"\nperiod = "month"')
    text = said(capsys, path)
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    assert len(lines) < 60
    assert lines[0] == "gym.toml. Money in EUR over 24 months, discounted, and what the customers left"
    one = " ".join(text.split())
    assert holdwater.verdict(GYM).replace("period", "month") in one
    heads = ["Fix lead capacity first", "What limits you", "What one more of it is worth", "Levers (10 % better)",
             "Next steps", "Sequence of fixes"]  # fmt: skip
    assert sorted(heads, key=text.index) == heads
    assert "lead capacity: from month 1 on" in text
    assert re.search(r"lead capacity +80 +1,920 +0 to 100\n", text)
    assert re.search(r"leads +100 +-360\.00 +80 or more\n", text)
    assert re.search(r"churn +5 % +4\.5 % +[\d,]+ +-\n", text), "no number of leads does that"
    churn = holdwater.leads_equivalent(SHOP, "churn")
    shop = " ".join(said(capsys, toml(path, SHOP)).split())
    assert f"as good as {churn:.1f} more leads a period" in shop
    assert "month" not in shop


def test_every_limit_of_the_text_may_be_far_away(tmp_path: Path, capsys: Printed) -> None:
    """Without a limit, without customers, with tiny and with huge numbers: still words and numbers."""
    for change in ({"lead_capacity": 1e15}, {"leads": 0}, {"churn": 1}, {"run_off": 0}, {"conversion": 0},
                   {"revenue_per_customer": 5e9}, {"revenue_per_customer": 1e-6, "cost_per_lead": 1e-9},
                   {"horizon": 1}, {"onboarding_capacity": 0}):  # fmt: skip
        path = toml(tmp_path / "b.toml", GYM | change)
        text = said(capsys, path)
        assert "inf" not in text
        assert "nan" not in text
        assert "None" not in text
        assert "-0 " not in text
        json.loads(said(capsys, path, "--json"))


def test_labels_and_files_are_read_as_people_write_them(tmp_path: Path, capsys: Printed) -> None:
    plain = said(capsys, toml(tmp_path / "b.toml", GYM), "--json")
    loose = {label.replace("_", " ").title(): value for label, value in GYM.items()}
    path = tmp_path / "b.toml"
    path.write_bytes(b"\xef\xbb\xbf[Bucket]\r\n" + "".join(f'"{k}" = {v}\r\n' for k, v in loose.items()).encode())
    assert said(capsys, path, "--json") == plain
    path.write_text(path.read_text(encoding="utf-8-sig") + "onboarding_capacity = inf\n")
    assert said(capsys, path, "--json") == plain


BAD = {
    "missing label": ("[bucket]\nleads = 3\n", "cost_per_lead and conversion and", "missing"),
    "unknown label": ("[bucket]\nchrun = 0.1\n", "'chrun'", "closest is churn"),
    "text in a number": ('[bucket]\nchurn = "5 %"\n' + "LEFT", "churn is '5 %'; a number belongs here"),
    "true in a number": ("[bucket]\nchurn = true\n" + "LEFT", "churn is True"),
    "a list": ("[bucket]\nchurn = [1]\n" + "LEFT", "churn is no number"),
    "a date": ("[bucket]\nchurn = 2026-01-01\n" + "LEFT", "churn is no number"),
    "not a number": ("[bucket]\nchurn = nan\n" + "LEFT", "churn is nan; allowed is 0 to 1"),
    "impossible rate": ("[bucket]\nchurn = 5\n" + "LEFT", "churn is 5; allowed is 0 to 1"),
    "horizon 0": ("[bucket]\nchurn = 0.1\nhorizon = 0\n" + "LEFT", "horizon is 0"),
    "horizon too long": ("[bucket]\nchurn = 0.1\nhorizon = 10001\n" + "LEFT", "1 to 10,000"),
    "no finite sum": ("[bucket]\nchurn = 0\n" + "LEFT", "no churn and no discount"),
    "twice": ("[bucket]\nchurn = 0.1\nChurn = 0.2\n" + "LEFT", "churn stands there twice"),
    "no table": ("leads = 3\n", "'leads'", "does not exist here"),
    "empty": ("", "[bucket] is missing"),
    "no table either": ("bucket = 3\n", "[bucket] is no table"),
    "another table": ("[bucket]\n[buckets]\n", "'buckets'", "closest is bucket"),
    "currency too late": ('[bucket]\nchurn = 0.1\ncurrency = "EUR"\n' + "LEFT", "currency stands below [bucket]"),
    "currency of another kind": ("currency = 3\n[bucket]\nchurn = 0.1\n" + "LEFT", "currency is no short text"),
    "period": ('period = "moth"\n[bucket]\nchurn = 0.1\n' + "LEFT", "'moth'", "closest is month"),
    "budget for nothing": ("budget = 3\n[bucket]\nchurn = 0.1\n" + "LEFT", "budget at the top belongs to projects"),
    "budget in words": ('budget = "much"\n[bucket]\nchurn = 0.1\nLEFTPROJECT', "budget is 'much'"),
    "lever": ('[bucket]\nchurn = 0.1\nLEFT[[projects]]\nname="a"\nlever="chrun"\n', "'chrun'", "closest is churn"),
    "entry of a project": ("[bucket]\nchurn = 0.1\nLEFT[[projects]]\nprice = 3\n", "project 1", "does not exist"),
    "one project": ("projects = 3\n[bucket]\nchurn = 0.1\n" + "LEFT", "projects is no list"),
    "worse": ("[bucket]\nchurn = 0.1\nLEFTPROJECT", "change in row 1 of projects is -0.1"),
    "syntax": ("[bucket\n", "is not valid TOML", "line 1"),
}
LEFT = "leads = 100\ncost_per_lead = 15\nconversion = 0.1\nrevenue_per_customer = 50\ngross_margin = 0.8\n"
PROJECT = '[[projects]]\nname = "a"\nlever = "churn"\nchange = -0.1\ncost = 5\nperiods = 1\n'


@pytest.mark.parametrize("what", BAD)
def test_a_bad_description_is_one_sentence(what: str, tmp_path: Path, capsys: Printed) -> None:
    text, *words = BAD[what]
    path = tmp_path / "bad.toml"
    path.write_text(text.replace("LEFT", LEFT).replace("PROJECT", PROJECT))
    fails(capsys, path, 5, "bad.toml", *words)


def test_a_wrong_path_is_told(tmp_path: Path, capsys: Printed) -> None:
    fails(capsys, tmp_path / "none.toml", 5, "There is no file", "none.toml")
    fails(capsys, tmp_path / "none.xlsx", 6, "no workbook", "none.xlsx")
    fails(capsys, tmp_path / "bucket.csv", 2, "neither a workbook (.xlsx, .xlsm) nor", ".toml")
    (tmp_path / "folder.toml").mkdir()
    fails(capsys, tmp_path / "folder.toml", 5, "cannot be read")
    (tmp_path / "latin.toml").write_bytes("# M\u00fcller\n".encode("cp1252"))
    fails(capsys, tmp_path / "latin.toml", 5, "UTF-8")
    (tmp_path / "deep.toml").write_text("bucket = " + "[" * 20_000)
    fails(capsys, tmp_path / "deep.toml", 5, "deep.toml")
    (tmp_path / "text.xlsx").write_text("leads")
    fails(capsys, tmp_path / "text.xlsx", 6, "text.xlsx")


def test_workbooks_that_cannot_be_diagnosed_say_what_to_do(tmp_path: Path, capsys: Printed) -> None:
    write_template(tmp_path / "empty.xlsx")
    before = (tmp_path / "empty.xlsx").read_bytes()
    fails(capsys, tmp_path / "empty.xlsx", 5, "empty.xlsx: fill in on the sheet Inputs: Revenue per customer and month")
    assert (tmp_path / "empty.xlsx").read_bytes() == before
    book = openpyxl.Workbook()
    book.save(tmp_path / "foreign.xlsx")
    book.close()
    fails(capsys, tmp_path / "foreign.xlsx", 6, "sheet, table or range named bucket", "docs/diagnose.md")


def test_a_workbook_with_a_sheet_of_labels(tmp_path: Path, capsys: Printed) -> None:
    book = openpyxl.Workbook()
    sheet = book.create_sheet("bucket")
    for row in GYM.items():
        sheet.append(row)
    book.save(tmp_path / "own.xlsm")
    book.close()
    answer = json.loads(said(capsys, tmp_path / "own.xlsm", "--json"))
    assert answer["verdict"]["sentence"] == holdwater.verdict(GYM)
    assert (answer["origin"], answer["period"], answer["currency"]) == ("own.xlsm", "period", None)


@pytest.mark.slow
def test_the_demo_says_that_it_is_simulated(tmp_path: Path, capsys: Printed) -> None:
    book = tmp_path / "demo.xlsx"
    demo(book, seed=1)
    before = book.read_bytes()
    text = said(capsys, book)
    assert text.startswith("SIMULATED business, no real customers (seed 1), as of 2026-10-31")
    assert "Money in USD over 24 months" in text
    assert "period" not in text
    assert max(map(len, text.splitlines())) <= 80
    answer = json.loads(said(capsys, book, "--json"))
    assert answer["verdict"]["sentence"] == holdwater.verdict(describe(book).bucket)
    assert answer["bucket"]["churn"] == 0.045
    assert len(answer["notes"]) >= 3
    assert book.read_bytes() == before


UNCERTAIN = GYM | {"lead_capacity": 400, "cost_per_lead": 60}
_BARE = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        root = name.partition(".")[0]
        if root in sys.stdlib_module_names or root == "holdwater":
            return None
        raise ModuleNotFoundError(f"No module named {root!r}", name=root)
sys.meta_path.insert(0, Blocked())
from holdwater.cli import main
raise SystemExit(main(sys.argv[1:]))
"""


def test_the_bare_install_diagnoses(tmp_path: Path) -> None:
    """With every package but the standard library out of reach; what needs NumPy says so."""

    def bare(path: Path) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-c", _BARE, "diagnose", str(path)]
        return subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)

    done = bare(toml(tmp_path / "shop.toml", SHOP, FIXES))
    assert (done.returncode, done.stderr) == (0, "")
    assert "Sequence of fixes" in done.stdout
    book = openpyxl.Workbook()
    sheet = book.create_sheet("bucket")
    for row in GYM.items():
        sheet.append(row)
    book.save(tmp_path / "own.xlsx")
    book.close()
    done = bare(tmp_path / "own.xlsx")
    assert (done.returncode, done.stderr) == (0, "")
    path = tmp_path / "sure.toml"
    path.write_text("[bucket]\nchurn = {low = 0.04, high = 0.06}\n" + LEFT)
    done = bare(path)
    assert done.returncode == 3
    assert done.stderr.startswith("holdwater: This command needs the package numpy")
    assert "holdwater[models]" in done.stderr
    assert done.stderr.count("\n") == 1


def test_what_is_uncertain_becomes_a_probability(tmp_path: Path, capsys: Printed) -> None:
    from holdwater.models.uncertain_bucket import Between, Counted, UncertainBucket

    path = tmp_path / "b.toml"
    rest = "cost_per_lead = 60\nrevenue_per_customer = 50\ngross_margin = 0.8\n"
    path.write_text(
        "[bucket]\nleads = {low = 80, high = 120}\nconversion = {won = 6, of = 60}\n"
        "churn = {lost = 12, of = 240}\nfit_share = {count = 40, of = 50}\ngrowth = {low = -0.01, high = 0.01,"
        f" confidence = 0.8}}\n{rest}"
    )
    model = {
        "leads": Between(80, 120), "conversion": Counted(6, 60), "churn": Counted(12, 240),
        "fit_share": Counted(40, 50), "growth": Between(-0.01, 0.01, 0.8), "cost_per_lead": 60,
        "revenue_per_customer": 50, "gross_margin": 0.8,
    }  # fmt: skip
    simulation = UncertainBucket.of(model).simulate()
    answer = json.loads(said(capsys, path, "--json"))
    assert answer["uncertainty"]["more_leads_pay"] == simulation.more_leads_pay
    assert 0.01 < simulation.more_leads_pay < 0.99
    assert answer["uncertainty"]["profit"] == simulation.profit._asdict()
    assert answer["uncertainty"]["drivers"] == [driver._asdict() for driver in simulation.drivers]
    assert answer["verdict"]["sentence"] == holdwater.verdict(UncertainBucket.of(model).middle)
    text = said(capsys, path)
    assert "How sure that is" in text
    assert simulation.summary()[0].split(":")[0] in " ".join(text.split())

    for entry, words in {
        "conversion = {lost = 6, of = 60}": "conversion is a table of lost, of; write",
        "churn = {won = 6, of = 60}": "churn = {lost = 9, of = 240}",
        "churn = {low = 0.1}": "churn is a table of low",
        "churn = {}": "churn is a table of",
        "churn = {lost = 1, of = 2, x = 3}": "lost, of, x",
        "churn = {lost = 3, of = 2}": "successes is 3",
        'churn = {lost = "3", of = 20}': "no number",
        "churn = {low = 0.1, high = 1.2}": "churn lies between",
        "chrun = {low = 0.1, high = 0.2}": "closest is churn",
        "leads = {count = 1, of = 2}": "only a share",
    }.items():
        path.write_text(f"[bucket]\n{entry}\n{rest}")
        fails(capsys, path, 5, "b.toml", words)


def test_the_page_shows_what_the_command_says(tmp_path: Path, capsys: Printed) -> None:
    page = PAGE.read_text()
    (written,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)[:1]
    (shown,) = re.findall(r"```text\n(.*?)```", page, re.DOTALL)
    path = tmp_path / "shop.toml"
    path.write_text(written)
    assert said(capsys, path) == shown
    for extra in re.findall(r"```toml\n(.*?)```", page, re.DOTALL)[1:]:
        path.write_text(extra)
        said(capsys, path)
    answer = json.loads(said(capsys, path, "--json"))

    def keys(value: Any) -> set[str]:
        if isinstance(value, list):
            return keys(value[0]) if value else set()
        return set(value).union(*map(keys, value.values())) if isinstance(value, dict) else set()

    answer["sequence"] = json.loads(said(capsys, toml(path, SHOP, FIXES), "--json"))["sequence"]
    answer["bucket"] = None  # its labels are those of the reference
    assert [key for key in sorted(keys(answer)) if f"`{key}`" not in page] == []


def test_help_says_what_it_does_with_an_example(capsys: Printed) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["diagnose", "--help"])
    assert caught.value.code == 0
    assert "Example: holdwater diagnose leads.xlsx" in capsys.readouterr().out
