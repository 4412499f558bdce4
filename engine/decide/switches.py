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
        sends_live: transactions are sent in mode live; not where that is for orders alone.
    """

    mode: Mode = Mode.OBSERVE
    is_paused: bool = False
    is_blind: bool = False
    sends_approved: bool = False
    sends_live: bool = True

    @property
    def sends(self) -> bool:
        """Whether plans of one transaction are signed and sent, as things are now."""
        if self.mode is Mode.LIVE:
            return self.sends_live
        return self.mode is Mode.APPROVE and self.sends_approved

    @property
    def trades(self) -> bool:
        """Whether orders are placed for real as things are now, at venues that are for that."""
        return self.mode is Mode.LIVE or self.mode is Mode.APPROVE
