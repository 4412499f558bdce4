"""What a kind of input is: a number in recordings, a payload, and what it does to the core."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import msgspec

from engine.core.middle import Middle
from engine.core.pipeline import Pipeline
from engine.domain.errors import BadValueError
from engine.ports import Action

NO_STREAM: Final = 65_535
"""Stream number of inputs that belong to no connection."""

Answers = Mapping[int, Sequence[Action]]
"""What the sessions shall do, by stream."""

NO_ANSWERS: Final[Answers] = {}

Payload = TypeVar("Payload")


@dataclass(frozen=True, slots=True)
class Input(Generic[Payload]):
    """One input, as its kind takes it."""

    stream: int
    key: str
    payload: Payload
    at_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[Payload]):
    """One kind of input.

    Attributes:
        number: stands for it in recordings, 1 to 99; never given to another kind.
        payload: `bytes` as they came, or what msgspec writes as JSON. The core takes what was
            read back from that, in a live run too: it is what a replay will take.
        take: changes the core. It must depend on nothing but the core and the input.
        after: what follows of it; decisions are made there.
    """

    number: int
    name: str
    payload: type[Payload]
    take: Callable[[Middle, Input[Payload]], Answers]
    after: Callable[[Pipeline, int], None] = Pipeline.after_input

    def encode(self, payload: Payload) -> bytes:
        """Encode a payload for the recording."""
        return payload if isinstance(payload, bytes) else msgspec.json.encode(payload)

    def decode(self, payload: bytes) -> Payload:
        """Decode a payload.

        Raises:
            BadValueError: the recording that holds it is damaged.
        """
        if self.payload is bytes:
            return payload  # type: ignore[return-value]
        try:
            return msgspec.json.decode(payload, type=self.payload)
        except (msgspec.MsgspecError, BadValueError) as error:
            raise BadValueError(
                f"the recording is damaged: an input {self.name} cannot be read: {error}"
            ) from error


AnyKind = Kind[Any]
