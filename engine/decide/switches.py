"""What the operator has set: how far an opportunity may go, and whether trading is paused."""

from dataclasses import dataclass

from engine.domain.modes import Mode


@dataclass(slots=True, kw_only=True)
class Switches:
    """Changed by the operator's commands only, between inputs."""

    mode: Mode = Mode.OBSERVE
    is_paused: bool = False
