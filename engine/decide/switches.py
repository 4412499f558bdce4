"""How far an opportunity may go now: the mode, a pause, and whether a chat reaches the operator."""

from dataclasses import dataclass

from engine.domain.modes import Mode


@dataclass(slots=True, kw_only=True)
class Switches:
    """Changed between inputs only.

    Attributes:
        mode, is_paused: as the operator has set them.
        is_blind: no chat can hear or tell the operator: nobody is asked.
        sends_approved: what a person allows in mode approve is signed and sent, where it is one
            transaction; else it is on paper.
    """

    mode: Mode = Mode.OBSERVE
    is_paused: bool = False
    is_blind: bool = False
    sends_approved: bool = False

    @property
    def sends(self) -> bool:
        """Whether plans of one transaction are signed and sent, as things are now."""
        return self.mode is Mode.LIVE or (self.mode is Mode.APPROVE and self.sends_approved)
