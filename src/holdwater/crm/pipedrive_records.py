"""How Pipedrive's records become canonical ones: a person is a lead, and so is a company that nobody stands for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Literal

from holdwater.crm.pipedrive_wire import WireActivity, WireDeal, WireLead, WireMove, WirePerson, WireStage, WireUser
from holdwater.crm.records import Activity, Consent, Deal, Lead, Money, Owner, Stage, StageEvent, id_text, source_name
from holdwater.errors import BadAnswerError

Kind = Literal["call", "email", "meeting", "note", "task", "message"]
_COMPANY = "organization:"
_AT_ONCE = timedelta(minutes=1)  # a first stage that is entered no later than this is the one a deal began in
# The types that every account begins with; those that a company adds may mean anything.
_KINDS: Mapping[str | None, Kind] = {"call": "call", "email": "email", "meeting": "meeting", "lunch": "meeting"}
# An activity is what the firm's own people do, but of a meeting nobody can say who approached whom.
_OUTBOUND = ("call", "email")
_CONSENTS: Mapping[str | None, Literal["opted_in", "opted_out"]] = {
    "subscribed": "opted_in",
    "unsubscribed": "opted_out",
}


@dataclass(frozen=True, slots=True)
class Inquiry:
    """That a person or company has shown interest: a deal, or a lead of the inbox."""

    at: datetime
    changed: datetime
    source: str | None
    owner_id: int | None


class Inquiries:
    """Knows the first inquiry of every person and company; `channels` has the names of the numbers of sources."""

    def __init__(self, channels: Mapping[int, str]) -> None:
        self._channels = channels
        self._first: dict[str, Inquiry] = {}
        self._met: set[str] = set()

    def meet(self, row: object) -> None:
        """Remember the company that a row is about, before anybody knows whether the row can be read."""
        if isinstance(row, Mapping) and row.get("person_id") is None and not row.get("is_deleted"):
            company = row.get("org_id", row.get("organization_id"))
            if type(company) is int:
                self._met.add(f"{_COMPANY}{company}")

    def note(self, wire: WireDeal | WireLead) -> None:
        lead_id = lead_of(wire)
        if lead_id is None:
            return
        source = None if wire.channel is None else self._channels.get(wire.channel, str(wire.channel))
        new = Inquiry(wire.add_time, wire.changed, source, wire.owner_id)
        known = self._first.get(lead_id)
        if known is None or new.at < known.at:
            self._first[lead_id] = new

    def source_of(self, lead_id: str) -> str | None:
        found = self._first.get(lead_id)
        return found.source if found else None

    def companies(self) -> list[Lead]:
        """The leads that are no persons."""
        return [_company(id_, first) for id_, first in self._first.items() if id_.startswith(_COMPANY)]

    def unread(self) -> list[str]:
        """The companies that are there, but in rows alone that cannot be read."""
        return sorted(self._met - self._first.keys())


def lead_of(wire: WireDeal | WireLead | WireActivity) -> str | None:
    """Whom it is about."""
    if wire.person_id is not None:
        return str(wire.person_id)
    return None if wire.org_id is None else f"{_COMPANY}{wire.org_id}"


def to_owner(wire: WireUser) -> Owner:
    return Owner(id=str(wire.id), updated_at=wire.modified or wire.created, archived=not wire.active_flag)


def to_stage(wire: WireStage) -> Stage:
    """Won and lost are no stages: a deal stays in the one it was in."""
    return Stage(
        id=str(wire.id),
        pipeline_id=str(wire.pipeline_id),
        label=wire.name,
        position=wire.order_nr,
        closed=False,
        won=False,
        updated_at=wire.update_time or wire.add_time,
    )


def to_lead(wire: WirePerson, source: str | None, person: Callable[[str | None], str | None] | None) -> Lead:
    return Lead(
        id=str(wire.id),
        created_at=wire.add_time,
        updated_at=wire.changed,
        source=source_name(source),
        source_raw=source,
        owner_id=id_text(wire.owner_id),
        person=person(wire.email) if person else None,
    )


def to_consent(wire: WirePerson) -> Consent | None:
    """None where the account does not keep it. Whoever never gave consent has not refused it either."""
    if wire.marketing_status is None:
        return None
    return Consent(
        id=f"{wire.id}:email",
        lead_id=str(wire.id),
        channel="email",
        status=_CONSENTS.get(wire.marketing_status, "unknown"),
        updated_at=wire.changed,
    )


def to_deal(wire: WireDeal) -> Deal:
    if wire.status == "deleted":
        raise BadAnswerError(f"Pipedrive deal {wire.id} is deleted and is not; run the sync again later.")
    ended = {"open": None, "won": wire.won_time or wire.close_time, "lost": wire.lost_time or wire.close_time}
    lost_reason = wire.lost_reason if wire.status == "lost" else None
    return Deal(
        id=str(wire.id),
        status=wire.status,
        created_at=wire.add_time,
        updated_at=wire.changed,
        lead_id=lead_of(wire),
        closed_at=ended[wire.status],
        amount=_amount(wire),
        pipeline_id=id_text(wire.pipeline_id),
        stage_id=id_text(wire.stage_id),
        owner_id=id_text(wire.owner_id),
        lost_reason=source_name(lost_reason),
        lost_reason_raw=lost_reason,
    )


def to_stage_events(wire: WireDeal, moves: Sequence[WireMove], stages: Mapping[int, str]) -> list[StageEvent]:
    """Every stage since the deal was made; `moves` come first to last, `stages` has the pipeline of each stage."""
    first = moves[0].old if moves else None if wire.moved else wire.stage_id
    entries = [(wire.add_time, first), *((move.time, move.new) for move in moves)]
    if wire.moved and entries[-1][1] != wire.stage_id:
        entries.append((wire.moved, wire.stage_id))
    return [
        StageEvent(
            id=f"{wire.id}:{at.isoformat()}:{stage}",
            deal_id=str(wire.id),
            stage_id=str(stage),
            entered_at=at,
            updated_at=at,
            pipeline_id=stages.get(stage),
        )
        for at, stage in entries
        if stage
    ]


def tells_all(wire: WireDeal, moves: Sequence[WireMove]) -> bool:
    """Whether `moves`, first to last, lead without a gap from the deal's first stage into its present one."""
    if not moves:
        return wire.moved is None
    begun = moves[0].old is not None or moves[0].time - wire.add_time < _AT_ONCE
    return begun and all(a.new == b.old for a, b in pairwise(moves)) and moves[-1].new == wire.stage_id


def to_activity(wire: WireActivity) -> Activity:
    """One that is done; what is planned is none yet."""
    kind = _KINDS.get(wire.type, "task")
    return Activity(
        id=str(wire.id),
        kind=kind,
        direction="out" if kind in _OUTBOUND else None,
        occurred_at=wire.marked_as_done_time or wire.add_time,
        updated_at=wire.changed,
        lead_id=lead_of(wire),
        deal_id=id_text(wire.deal_id),
        owner_id=id_text(wire.owner_id),
    )


def _company(id_: str, first: Inquiry) -> Lead:
    return Lead(
        id=id_,
        created_at=first.at,
        updated_at=first.changed,
        source=source_name(first.source),
        source_raw=first.source,
        owner_id=id_text(first.owner_id),
    )


def _amount(wire: WireDeal) -> Money | None:
    """Pipedrive writes 0 where nobody gave an amount."""
    if not wire.value:
        return None
    if wire.currency is None:
        raise BadAnswerError(f"Pipedrive deal {wire.id} has a value without a currency; set one in Pipedrive.")
    return Money.of(wire.value, wire.currency, str(wire.value))
