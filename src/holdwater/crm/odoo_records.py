"""How Odoo's leads and opportunities, which are one kind of record, become canonical records."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from holdwater.crm.odoo_wire import WireLead, WireStage, WireTracking, WireUser
from holdwater.crm.records import Deal, Lead, Money, Owner, Stage, StageEvent, id_text, source_name
from holdwater.errors import BadAnswerError

PIPELINE = "crm.lead"
_STATUS: Mapping[str, Literal["open", "won", "lost"]] = {"won": "won", "lost": "lost", "pending": "open"}


def to_owner(wire: WireUser) -> Owner:
    return Owner(id=str(wire.id), updated_at=wire.write_date, archived=not wire.active)


def to_stage(wire: WireStage) -> Stage:
    """Lost is no stage: a lost lead stays in the one it was in."""
    return Stage(
        id=str(wire.id),
        pipeline_id=PIPELINE,
        label=wire.name,
        position=wire.sequence,
        closed=wire.is_won,
        won=wire.is_won,
        updated_at=wire.write_date,
    )


def to_lead(wire: WireLead, person: Callable[[str | None], str | None] | None) -> Lead:
    source = wire.source.name if wire.source else None
    return Lead(
        id=str(wire.id),
        created_at=wire.create_date,
        updated_at=wire.write_date,
        source=source_name(source),
        source_raw=source,
        owner_id=id_text(wire.user),
        person=person(wire.email) if person else None,
    )


def to_deal(wire: WireLead, lead_id: int) -> Deal:
    status = _STATUS[wire.won_status]
    lost_reason = wire.lost_reason.name if wire.lost_reason and status == "lost" else None
    return Deal(
        id=str(wire.id),
        status=status,
        created_at=wire.create_date,
        updated_at=wire.write_date,
        lead_id=str(lead_id),
        closed_at=None if status == "open" else wire.date_closed,
        amount=_amount(wire),
        pipeline_id=PIPELINE,
        stage_id=id_text(wire.stage),
        owner_id=id_text(wire.user),
        lost_reason=source_name(lost_reason),
        lost_reason_raw=lost_reason,
    )


def to_stage_events(wire: WireLead, trackings: Sequence[WireTracking]) -> list[StageEvent]:
    """Every stage since the lead was made; `trackings` come first to last."""
    first = trackings[0].old if trackings else wire.stage
    entries = [(wire.create_date, first), *((one.create_date, one.new) for one in trackings)]
    return [
        StageEvent(
            id=f"{wire.id}:{at.isoformat()}:{stage}",
            deal_id=str(wire.id),
            stage_id=str(stage),
            entered_at=at,
            updated_at=at,
            pipeline_id=PIPELINE,
        )
        for at, stage in entries
        if stage
    ]


def _amount(wire: WireLead) -> Money | None:
    """Odoo cannot leave an amount empty: 0 is what nobody filled in."""
    if not wire.revenue:
        return None
    if wire.currency is None or wire.currency.name is None:
        raise BadAnswerError(f"Odoo lead {wire.id} has an amount without a currency; give it a company in Odoo.")
    return Money.of(wire.revenue, wire.currency.name, str(wire.revenue))
