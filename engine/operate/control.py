"""What the operator set: mode and pause. Changes reach the core only as recorded inputs."""

import msgspec

from engine.decide.switches import Switches
from engine.domain.modes import Mode


class ControlState(msgspec.Struct, frozen=True, kw_only=True):
    """Mode and pause at one time; travels as the payload of a COMMAND input."""

    mode: Mode
    is_paused: bool


class Control:
    """The current state, as the decider reads it from `switches`."""

    def __init__(self, state: ControlState) -> None:
        self.switches = Switches(mode=state.mode, is_paused=state.is_paused)

    @property
    def mode(self) -> Mode:
        """Current mode."""
        return self.switches.mode

    @property
    def is_paused(self) -> bool:
        """Whether plans are held back by the operator."""
        return self.switches.is_paused

    def take(self, payload: bytes) -> None:
        """Take the payload of a COMMAND input."""
        state = msgspec.json.decode(payload, type=ControlState)
        self.switches.mode = state.mode
        self.switches.is_paused = state.is_paused


def encode_control(state: ControlState) -> bytes:
    """Encode a state as the payload of a COMMAND input."""
    return msgspec.json.encode(state)
