"""LOSS_CHECK: what the message log says about the reason given for a lost customer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from math import isfinite, nan
from statistics import median
from typing import Any

from holdwater.bucket.projection import BUCKET
from holdwater.errors import KindError, NumError
from holdwater.formula import formula
from holdwater.rows import as_text, filled_rows, is_blank
from holdwater.units import PositiveHours, Rows, Text

_BELONGS = "give rows of account, time and direction"
_SHEETS_DAY_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001  # a sheet knows no time zones
_UTC = timezone.utc  # noqa: UP017  # datetime.UTC is unknown to Python 3.10, which some builds of LibreOffice carry
_SHEETS_LAST_DAY = 2_958_466  # the end of the year 9999
_AN_HOUR = 3_600_000  # milliseconds: a sheet's fractions of a day are no finer


@dataclass(frozen=True, slots=True)
class Turn:
    """A run of messages one way, up to the next message the other way, or to the last one of all."""

    ours: bool
    began: int  # milliseconds
    ended: int
    answered: bool

    @property
    def hours(self) -> float:
        return (self.ended - self.began) / _AN_HOUR


@formula(
    BUCKET,
    Text,
    columns=(
        "verdict",
        "messages_in",
        "messages_out",
        "they_answered",
        "we_answered",
        "their_reply_hours",
        "our_reply_hours",
        "longest_silence_hours",
        "whose",
    ),
    python_only="it reads a log of messages",
)
def loss_check(claim: Text, account: Text, messages: Rows, limit_hours: PositiveHours = 72) -> list[dict[str, Any]]:
    """Whether the message log bears out why a customer was lost: supported, contradicted, not testable or no messages.

    Beside the verdict stands what it rests on: the messages each way, the share of turns answered within the limit,
    the median hours to a reply, and who kept silent longest. NaN where there was no such turn. A turn that was never
    answered has waited at least until the account's last message; how much longer, the log does not tell.

    Arguments:
        claim: the reason given; `no reply` (they did not answer us) and `our delay` can be tested
        account: the customer, as in the messages
        messages: rows of account, time (a date with its time) and direction (in: from the customer; out: from us)
        limit_hours: hours within which a reply is expected

    Equation:
        a turn is a run of messages one way, a reply the next message the other way, counted from the turn's first;
        `no reply`: contradicted if half of our turns or more were answered within the limit, else supported;
        `our delay`: supported if the median of our reply hours exceeds the limit, else contradicted

    Source:
        Reasons are remembered in one's own favour; messages carry a time.

    Examples:
        "They never replied", it was said. They did, within the day, and then waited a week for us:

        >>> log = [["Ash", 45000.0, "out"], ["Ash", 45000.5, "in"], ["Ash", 45007.5, "out"], ["Ash", 45008.0, "in"]]
        >>> (row,) = holdwater.loss_check("no reply", "Ash", log)
        >>> row["verdict"], row["they_answered"], row["longest_silence_hours"], row["whose"]
        ('contradicted', 1.0, 168.0, 'ours')

        So the delay was ours; and a price is nothing that times of messages could confirm:

        >>> [holdwater.loss_check(claim, "Ash", log)[0]["verdict"] for claim in ("our delay", "price")]
        ['supported', 'not testable']
    """
    reason = _claim(claim)
    if is_blank(account):
        raise KindError("LOSS_CHECK: account is blank; give the account as it stands in the messages.")
    log = _messages_of(as_text(account), messages)
    turns = _turns(log)
    ours, theirs = ([t for t in turns if t.ours is who] for who in (True, False))
    they_answered, we_answered = (_share_answered(t, limit_hours) for t in (ours, theirs))
    their_hours, our_hours = (median(t.hours for t in some) if some else nan for some in (ours, theirs))
    if reason == "noreply":
        verdict = "no messages" if not ours else "contradicted" if they_answered >= 0.5 else "supported"
    elif reason == "ourdelay":
        verdict = "no messages" if not theirs else "supported" if our_hours > limit_hours else "contradicted"
    else:
        verdict = "not testable"
    longest = max(turns, key=lambda turn: turn.hours, default=None)
    return [
        {
            "verdict": verdict,
            "messages_in": sum(not out for _, out in log),
            "messages_out": sum(out for _, out in log),
            "they_answered": they_answered,
            "we_answered": we_answered,
            "their_reply_hours": their_hours,
            "our_reply_hours": our_hours,
            "longest_silence_hours": longest.hours if longest else nan,
            "whose": ("theirs" if longest.ours else "ours") if longest and longest.hours else "nobody's",
        }
    ]


def _claim(claim: object) -> str:
    if not isinstance(claim, str) or not claim.strip():
        raise KindError(f"LOSS_CHECK: claim is {claim!r}; give the reason as text, such as no reply or our delay.")
    return "".join(claim.casefold().split()).replace("-", "").replace("_", "")


def _messages_of(account: str, messages: Any) -> list[tuple[int, bool]]:
    """Time in milliseconds and whether it is ours, in order of time; of the same moment, in order of the rows."""
    log = []
    for position, cells in filled_rows(messages, "LOSS_CHECK: messages", _BELONGS, may_be_empty=True):
        if len(cells) != 3:
            raise KindError(f"LOSS_CHECK: row {position} of messages has {len(cells)} cells, not 3; {_BELONGS}.")
        for name, cell in zip(("account", "time", "direction"), cells, strict=True):
            if is_blank(cell):
                raise KindError(f"LOSS_CHECK: {name} in row {position} of messages is blank; fill it in.")
        if as_text(cells[0]) != account:
            continue
        direction = cells[2].strip().casefold() if isinstance(cells[2], str) else None
        if direction not in ("in", "out"):
            raise KindError(f"LOSS_CHECK: direction in row {position} of messages is no in or out; give one of them.")
        log.append((_milliseconds(cells[1], position), direction == "out", cells[1]))
    aware = {isinstance(given, datetime) and given.tzinfo is not None for _, _, given in log}
    if len(aware) > 1:
        raise KindError("LOSS_CHECK: some times of messages have a time zone and others have none; give all one way.")
    return sorted(((moment, out) for moment, out, _ in log), key=lambda message: message[0])


def _milliseconds(given: Any, position: int) -> int:
    where = f"LOSS_CHECK: time in row {position} of messages"
    if isinstance(given, date):
        moment = given if isinstance(given, datetime) else datetime.combine(given, time())
        zero = _SHEETS_DAY_ZERO.replace(tzinfo=_UTC) if moment.tzinfo else _SHEETS_DAY_ZERO
        return round((moment - zero) / timedelta(milliseconds=1))
    if isinstance(given, (bool, str, bytes)) or not hasattr(given, "__float__"):
        raise KindError(f"{where} is no date; give a date with its time, not text.")
    days = float(given)
    if not (isfinite(days) and 0 <= days < _SHEETS_LAST_DAY):
        raise NumError(f"{where} is {days:.15g}; allowed are the dates of a sheet, 0 to {_SHEETS_LAST_DAY - 1}.")
    return round(days * 24 * _AN_HOUR)


def _turns(log: list[tuple[int, bool]]) -> list[Turn]:
    turns: list[Turn] = []
    began: int | None = None
    for index, (moment, out) in enumerate(log):
        if began is None:
            began = moment
        following = log[index + 1] if index + 1 < len(log) else None
        if following is None or following[1] != out:
            ended = moment if following is None else following[0]
            turns.append(Turn(out, began, ended, following is not None))
            began = None
    return turns


def _share_answered(turns: list[Turn], limit_hours: float) -> float:
    return sum(t.answered and t.hours <= limit_hours for t in turns) / len(turns) if turns else nan
