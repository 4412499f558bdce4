"""A frame of a connection; of one that waited to be taken, the key is its receive time."""

from typing import Final

from engine.core.inputs.kind import Answers, Input, Kind
from engine.core.middle import Middle
from engine.ports import InputKind


def take_frame(core: Middle, given: Input[bytes]) -> Answers:
    """Refuse: frames have a way of their own, `HotPath.frame`, that makes no object of them."""
    del core
    raise AssertionError(f"a frame of stream {given.stream} went the way of other inputs")


FRAME: Final = Kind(number=InputKind.FRAME, name="frame", payload=bytes, take=take_frame)
