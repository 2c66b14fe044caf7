"""LOSS_CHECK against conversations whose answers are plain to see."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta, timezone
from math import isnan, nan
from statistics import median
from typing import Any

import pytest

import holdwater

MONDAY = datetime(2026, 3, 2, 9)  # noqa: DTZ001  # as a sheet has it, without a time zone


def log(*messages: tuple[float, str], account: object = "Ash") -> list[list[Any]]:
    """Messages as (hours after Monday, direction)."""
    return [[account, MONDAY + timedelta(hours=hours), direction] for hours, direction in messages]


def check(claim: str, messages: Any, **more: Any) -> dict[str, Any]:
    (row,) = holdwater.loss_check(claim, "Ash", messages, **more)
    return row


# We write at 0 and again at 30; they reply at 40; we at 50; silence from us after their 60 until 160; they never reply.
TALK = log((0, "out"), (30, "out"), (40, "in"), (50, "out"), (60, "in"), (160, "out"), (200, "out"))


def test_a_conversation_by_hand() -> None:
    row = check("no reply", TALK)
    assert row == {
        "verdict": "contradicted",
        "messages_in": 2,
        "messages_out": 5,
        "they_answered": pytest.approx(2 / 3),
        "we_answered": 1 / 2,
        "their_reply_hours": 40,  # of 40, 10, and 40 still waiting
        "our_reply_hours": 55,  # of 10 and 100
        "longest_silence_hours": 100,
        "whose": "ours",
    }


@pytest.mark.parametrize(
    ("claim", "limit", "verdict"),
    [
        ("no reply", 40, "contradicted"),  # 2 of 3 in time
        ("no reply", 39, "supported"),  # 1 of 3
        ("our delay", 55, "contradicted"),  # the median is at the limit, not beyond it
        ("our delay", 54.99, "supported"),
        (" No-Reply ", 40, "contradicted"),
        ("OUR_DELAY", 54, "supported"),
        ("price", 40, "not testable"),
        ("unknown", 40, "not testable"),
    ],
)
def test_verdicts(claim: str, limit: float, verdict: str) -> None:
    row = check(claim, TALK, limit_hours=limit)
    assert row["verdict"] == verdict
    assert (row["messages_in"], row["messages_out"]) == (2, 5), "what it rests on is always shown"


def test_half_answered_is_enough_to_contradict() -> None:
    assert check("no reply", log((0, "out"), (5, "in"), (10, "out")))["verdict"] == "contradicted"
    assert (
        check("no reply", log((0, "out"), (5, "in"), (10, "out"), (100, "in"), (101, "out")))["verdict"] == "supported"
    )


@pytest.mark.parametrize("claim", ["no reply", "our delay"])
@pytest.mark.parametrize("messages", [[], [[None, None, None]], log((0, "out"), account="Birch")])
def test_no_message_of_the_account(claim: str, messages: Any) -> None:
    row = check(claim, messages)
    assert (row["verdict"], row["messages_in"], row["messages_out"]) == ("no messages", 0, 0)
    assert all(isnan(value) for name, value in row.items() if name.endswith(("answered", "hours")))
    assert row["whose"] == "nobody's"


def test_messages_one_way_only_test_the_claim_about_that_way() -> None:
    ours = log((0, "out"), (100, "out"))
    assert check("no reply", ours)["verdict"] == "supported"
    assert check("our delay", ours)["verdict"] == "no messages"
    assert check("price", ours)["whose"] == "theirs"
    theirs = log((0, "in"), (100, "in"))
    assert check("price", theirs)["whose"] == "ours"
    assert check("our delay", theirs)["verdict"] == "supported"
    assert check("no reply", theirs)["verdict"] == "no messages"
    assert check("price", theirs)["verdict"] == "not testable"


def test_a_single_message_shows_no_waiting() -> None:
    row = check("our delay", log((0, "in")))
    assert (row["verdict"], row["our_reply_hours"], row["whose"]) == ("contradicted", 0, "nobody's")


def test_order_of_rows_and_other_accounts_do_not_matter() -> None:
    mixed = TALK + log((1, "in"), (500, "in"), account="Birch") + [["Cedar", "never", "sideways"]]
    random.Random(4).shuffle(mixed)
    assert check("no reply", mixed) == check("no reply", TALK)


def test_messages_of_one_moment_stand_as_listed() -> None:
    row = check("no reply", log((0, "out"), (0, "in"), (0, "out")))
    assert (row["they_answered"], row["their_reply_hours"]) == (0.5, 0)


def test_serial_numbers_of_a_sheet_are_the_same_times() -> None:
    day_zero = datetime(1899, 12, 30)  # noqa: DTZ001  # as above
    serials = [[a, (t - day_zero) / timedelta(days=1), d] for a, t, d in TALK]
    assert check("no reply", serials) == check("no reply", TALK)
    assert check("no reply", serials[:3] + TALK[3:]) == check("no reply", TALK)
    # A third of a day as a sheet shows it, and as it computes it: 72 hours later is 72 hours all the same.
    thirds = [["Ash", 45000.3333333333, "in"], ["Ash", 45003 + 1 / 3, "out"]]
    assert check("our delay", thirds)["verdict"] == "contradicted"


def test_time_zones() -> None:
    berlin = timezone(timedelta(hours=1))
    start = datetime(2026, 3, 2, 9, tzinfo=UTC)
    row = check("our delay", [["Ash", start, "in"], ["Ash", datetime(2026, 3, 2, 11, tzinfo=berlin), "out"]])
    assert row["our_reply_hours"] == 1
    with pytest.raises(holdwater.KindError, match="some times of messages have a time zone"):
        check("our delay", [["Ash", start, "in"], ["Ash", MONDAY, "out"]])


def test_a_date_is_its_midnight() -> None:
    assert check("our delay", [["Ash", date(2026, 3, 1), "in"], ["Ash", MONDAY, "out"]])["our_reply_hours"] == 33


def test_an_account_may_be_a_number() -> None:
    number: Any = 1001.0
    (row,) = holdwater.loss_check("no reply", number, log((0, "out"), account=1001) + log((1, "in"), account="1001"))
    assert (row["messages_in"], row["messages_out"]) == (1, 1)


@pytest.mark.parametrize(
    ("row", "error", "message"),
    [
        ([None, MONDAY, "in"], holdwater.KindError, "account in row 2 of messages is blank"),
        (["Ash", None, "in"], holdwater.KindError, "time in row 2 of messages is blank"),
        (["Ash", MONDAY, " "], holdwater.KindError, "direction in row 2 of messages is blank"),
        (["Birch", MONDAY, ""], holdwater.KindError, "direction in row 2 of messages is blank"),
        (["Ash", MONDAY, "inbound"], holdwater.KindError, "direction in row 2 of messages is no in or out"),
        (["Ash", MONDAY, 1], holdwater.KindError, "direction in row 2 of messages is no in or out"),
        (["Ash", "2026-03-02", "in"], holdwater.KindError, "time in row 2 of messages is no date"),
        (["Ash", True, "in"], holdwater.KindError, "time in row 2 of messages is no date"),
        (["Ash", nan, "in"], holdwater.NumError, "time in row 2 of messages is nan"),
        (["Ash", -1, "in"], holdwater.NumError, "time in row 2 of messages is -1"),
        (["Ash", 1772442000000, "in"], holdwater.NumError, "time in row 2 of messages is 1772442000000"),
        (["Ash", MONDAY], holdwater.KindError, "row 2 of messages has 2 cells, not 3"),
    ],
)
def test_names_the_row_that_is_wrong(row: list[Any], error: type[holdwater.FormulaError], message: str) -> None:
    with pytest.raises(error, match=f"^LOSS_CHECK: {message}") as caught:
        check("no reply", [*log((0, "out")), row])
    assert "Ash" not in str(caught.value), "an account may be a person"


def test_claim_and_account_are_needed() -> None:
    nothing: Any
    for nothing in (None, "", " "):
        with pytest.raises(holdwater.KindError, match="claim"):
            holdwater.loss_check(nothing, "Ash", TALK)
        with pytest.raises(holdwater.KindError, match="account"):
            holdwater.loss_check("no reply", nothing, TALK)
    number: Any = 5
    with pytest.raises(holdwater.KindError, match="claim"):
        holdwater.loss_check(number, "Ash", TALK)
    with pytest.raises(holdwater.NumError, match="limit_hours is 0"):
        check("no reply", TALK, limit_hours=0)


@pytest.mark.parametrize("seed", range(40))
def test_against_a_reading_backwards(seed: int) -> None:
    """Random logs; each turn is found from its end, instead of its beginning."""
    r = random.Random(seed)
    times = sorted(r.sample(range(1000), r.randint(1, 25)))
    messages = [(hour, r.choice(("in", "out"))) for hour in times]
    hours: dict[str, list[float]] = {"in": [], "out": []}
    prompt: dict[str, int] = {"in": 0, "out": 0}
    rest = list(messages)
    end, answered = messages[-1][0], False
    while rest:
        way = rest[-1][1]
        began = end
        while rest and rest[-1][1] == way:
            began, _ = rest.pop()
        hours[way].append(end - began)
        prompt[way] += answered and end - began <= 72
        end, answered = began, True
    row = check("our delay", log(*messages))
    for way, share, reply in (("out", "they_answered", "their_reply_hours"), ("in", "we_answered", "our_reply_hours")):
        if hours[way]:
            assert row[share] == pytest.approx(prompt[way] / len(hours[way]))
            assert row[reply] == pytest.approx(median(hours[way]))
        else:
            assert isnan(row[share])
            assert isnan(row[reply])
    assert row["longest_silence_hours"] == pytest.approx(max(hours["in"] + hours["out"]))
    if hours["in"]:
        assert row["verdict"] == ("supported" if median(hours["in"]) > 72 else "contradicted")
