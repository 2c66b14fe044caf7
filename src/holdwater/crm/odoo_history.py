"""When leads came into their stages, by what Odoo has tracked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from itertools import pairwise

from holdwater.crm.connector import Issue
from holdwater.crm.odoo_records import to_stage_events
from holdwater.crm.odoo_wire import Json, WireLead, WireTracking, id_of, read
from holdwater.crm.records import StageEvent
from holdwater.errors import BadAnswerError


class History:
    """The past of the leads `ids`; `rows` are their changes of stage, first to last.

    `issues` tells what is missing; `readable`: whether only such as Odoo has not tracked.
    """

    def __init__(self, rows: Iterable[Json], ids: Collection[int]) -> None:
        self.events: list[StageEvent] = []
        self.issues: list[Issue] = []
        self.readable = True
        self._changes: defaultdict[int, list[WireTracking]] = defaultdict(list)
        self._unclear: dict[int, int] = {}  # by lead: a change of it, or one that may be of it, that cannot be read
        for row in rows:
            what = f"Odoo tracking value {id_of(row)}"
            try:
                change = read(WireTracking, row, what)
                if change.message.res_id not in ids:
                    raise BadAnswerError(f"{what} is of a lead that was not asked for; sync again.")  # noqa: TRY301 -- one of several
                self._changes[change.message.res_id].append(change)
            except BadAnswerError as problem:
                self.readable = False
                self.issues.append(Issue(f"tracking value {id_of(row)}", str(problem)))
                lead = _lead_of(row)
                self._unclear |= dict.fromkeys([lead] if lead in ids else ids, id_of(row))

    def take(self, lead: WireLead) -> None:
        """A lead may have moved on since it was read, but not have come into its stage unseen.

        With a change that cannot be read, the others would tell of stages and times that never were.
        """
        if lead.id in self._unclear:
            problem = (
                f"Odoo tracking value {self._unclear[lead.id]} cannot be read, and may tell of lead {lead.id}, of whose"
                " stages the store keeps what it has; mend it in Odoo, or update Holdwater, then sync once with --full."
            )
            self.issues.append(Issue(str(lead.id), problem))
            return
        changes = self._changes[lead.id]
        self.events += to_stage_events(lead, changes)
        met = [change.new for change in changes] + [change.old for change in changes[:1]]
        if changes and (
            not changes[0].old
            or (lead.stage or 0) not in met
            or any(one.new != other.old for one, other in pairwise(changes))
        ):
            problem = f"Odoo has not tracked every stage that lead {lead.id} was in; what it has is kept."
            self.issues.append(Issue(str(lead.id), problem))


def _lead_of(row: Json) -> int:
    """0 where it does not say."""
    message = row.get("mail_message_id")
    lead = message.get("res_id") if isinstance(message, dict) else None
    return lead if type(lead) is int else 0
