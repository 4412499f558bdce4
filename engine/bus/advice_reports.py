"""Reply to advice."""

import msgspec

from engine.bus.reports import Report


class AdviceTaken(Report, frozen=True, kw_only=True):
    """What became of a set of advice.

    Attributes:
        in_force: how many pieces are in force now.
        is_changed: whether that is another set than before.
        refused: why pieces of it change nothing here.
        changed: what was otherwise because of pieces that were in force until now, by the number
            of each one's discovery.
        run_id, input_seq: of an engine: which input of which run it became; 0 if it became none.
    """

    in_force: int
    is_changed: bool
    refused: list[str] = msgspec.field(default_factory=list)
    changed: dict[int, str] = msgspec.field(default_factory=dict)
    run_id: str = ""
    input_seq: int = 0
