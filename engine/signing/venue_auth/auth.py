"""What signs the calls of one venue."""

from dataclasses import dataclass, field
from typing import Protocol

from engine.gateways.calls import Call, SignedCall


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueKey:
    """A key of an account at a venue.

    Attributes:
        name: the public half, as the venue calls it.
        secret: the other half, in the venue's own form; it is shown nowhere.
    """

    name: str
    secret: str = field(repr=False)


class Authentication(Protocol):
    """Signs calls with one key.

    Whoever makes it has checked the key's form; it raises `SettingsError` on one that is no key.
    """

    def sign(self, call: Call, *, now_ms: int, nonce: int) -> SignedCall:
        """Write a call as it goes to the wire.

        Args:
            call: which may change something or not.
            now_ms: since the epoch, for what the venue holds against its own clock.
            nonce: higher than every one before with this key.
        """
        ...
