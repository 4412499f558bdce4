"""The keys of the sandbox's accounts: published, worth nothing, and refused everywhere else.

They are here so that an order can be placed in the sandbox by the same steps as at a venue.
"""

import base64
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from engine.sandbox.exchange.doors.door import DoorKey

_SEED: Final = b"the sandbox's key, worth nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxKey:
    """A key with both of its halves.

    Attributes:
        secret: what a client signs with.
        known: what the venue verifies with.
    """

    name: str
    secret: str
    known: str

    @property
    def of_door(self) -> DoorKey:
        """The key as the venue knows it."""
        # At gemini the option is the key's; at the others there is none, or a call for it.
        is_held_off = self.name.startswith("account-")
        return DoorKey(name=self.name, secret=self.known, is_held_off=is_held_off)

    @property
    def of_withdrawals(self) -> DoorKey:
        """The key as the venue knows one that withdraws, and does nothing else but read."""
        return DoorKey(name=self.name, secret=self.known, may_trade=False, may_withdraw=True)


def withdraw_key_of(venue: str) -> SandboxKey:
    """Return the key that withdraws from the sandbox's account at a venue."""
    secret = base64.b64encode(f"withdrawals of the sandbox of {venue}".encode()).decode()
    return SandboxKey(name=f"sandbox-{venue}-withdraw", secret=secret, known=secret)


def key_of(venue: str) -> SandboxKey:
    """Return the key of the sandbox's account at a venue."""
    if venue == "coinbase":
        private = Ed25519PrivateKey.from_private_bytes(_SEED)
        return SandboxKey(
            name="organizations/sandbox/apiKeys/sandbox",
            secret=base64.b64encode(private.private_bytes_raw()).decode(),
            known=base64.b64encode(private.public_key().public_bytes_raw()).decode(),
        )
    secret = base64.b64encode(f"sandbox of {venue}".encode()).decode()
    name = "account-sandbox" if venue == "gemini" else f"sandbox-{venue}"
    return SandboxKey(name=name, secret=secret, known=secret)
