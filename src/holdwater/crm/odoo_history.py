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
        for row in rows:
            what = f"Odoo tracking value {id_of(row)}"
            try:
                change = read(WireTracking, row, what)
                if change.message.res_id not in ids:
                    raise BadAnswerError(f"{what} is of a lead that was not asked for; sync again.")  # noqa: TRY301 -- one of several
                self._changes[change.message.res_id].append(change)
            except BadAnswerError as problem:
                self.readable = False
                self.issues.append(Issue(str(id_of(row)), str(problem)))

    def take(self, lead: WireLead) -> None:
        """A lead may have moved on since it was read, but not have come into its stage unseen."""
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
