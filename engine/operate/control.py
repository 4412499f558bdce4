"""What the operator set: mode and pause. Changes reach the core only as recorded inputs."""

import msgspec

from engine.domain.modes import Mode


class ControlState(msgspec.Struct, frozen=True, kw_only=True):
    """Mode and pause at one time; travels as the payload of a COMMAND input."""

    mode: Mode
    is_paused: bool


class Control:
    """The current state, as the decider reads it."""

    def __init__(self, state: ControlState) -> None:
        self.state = state

    @property
    def mode(self) -> Mode:
        """Current mode."""
        return self.state.mode

    @property
    def is_paused(self) -> bool:
        """Whether plans are held back by the operator."""
        return self.state.is_paused

    def take(self, payload: bytes) -> None:
        """Take the payload of a COMMAND input."""
        self.state = msgspec.json.decode(payload, type=ControlState)


def encode_control(state: ControlState) -> bytes:
    """Encode a state as the payload of a COMMAND input."""
    return msgspec.json.encode(state)
