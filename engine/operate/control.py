"""What the operator asked of the core: mode, pause, paper money. Only as recorded inputs."""

import msgspec

from engine.decide.switches import Switches
from engine.domain.modes import Mode
from engine.portfolio.inventory import Inventory


class ControlState(msgspec.Struct, tag="control", frozen=True, kw_only=True):
    """Mode and pause at one time; travels as the payload of a COMMAND input."""

    mode: Mode
    is_paused: bool


class InventoryReset(msgspec.Struct, tag="reset", frozen=True, kw_only=True):
    """Set every place of the paper inventory to its capital; payload of a COMMAND input."""


class Control:
    """The current state, as the decider reads it from `switches`."""

    def __init__(self, state: ControlState, inventory: Inventory) -> None:
        self.switches = Switches(mode=state.mode, is_paused=state.is_paused)
        self._inventory = inventory

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
        asked = msgspec.json.decode(payload, type=ControlState | InventoryReset)
        if isinstance(asked, InventoryReset):
            self._inventory.reset()
            return
        self.switches.mode = asked.mode
        self.switches.is_paused = asked.is_paused


def encode_control(asked: ControlState | InventoryReset) -> bytes:
    """Encode what is asked as the payload of a COMMAND input."""
    return msgspec.json.encode(asked)
