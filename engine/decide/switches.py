"""How far an opportunity may go now: the mode, a pause, and whether a chat reaches the operator."""

from dataclasses import dataclass

from engine.domain.modes import Mode


@dataclass(slots=True, kw_only=True)
class Switches:
    """Changed between inputs only.

    Attributes:
        mode, is_paused: as the operator has set them.
        is_blind: no chat can hear or tell the operator: nobody is asked.
    """

    mode: Mode = Mode.OBSERVE
    is_paused: bool = False
    is_blind: bool = False
