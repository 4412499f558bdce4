"""A venue as the signer has it: its gateway, its key, and how fast it may be asked."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from engine.domain.errors import BadValueError, SettingsError
from engine.domain.signing import RefusalKind, SignRefusal
from engine.gateways.calls import Call, SignedCall
from engine.gateways.gateway import Gateway
from engine.gateways.gateway_list import gateway_of
from engine.signing.call_rates import Bucket
from engine.signing.rules import refused
from engine.signing.venue_auth.auth import VenueKey
from engine.signing.venue_auth.auth_list import authentication_of

CALLS_PER_S: Final = 50.0
CALLS_BURST: Final = 400.0
"""Of what asks, at one venue: far more than any venue takes."""


@dataclass(slots=True, kw_only=True)
class VenueAt:
    """See the module.

    Attributes:
        key: with which is signed; None while locked.
    """

    gateway: Gateway
    orders: Bucket
    cancels: Bucket
    calls: Bucket
    key: VenueKey | None = None
    sign: Callable[[Call, int, int], SignedCall] | None = None

    def open(self, key: VenueKey) -> None:
        """Sign with this key from now on.

        Raises:
            SettingsError: it is no key of that venue.
        """
        auth = authentication_of(self.gateway.venue, key)
        self.key = key
        self.sign = lambda call, now_ms, nonce: auth.sign(call, now_ms=now_ms, nonce=nonce)

    def too_fast(self) -> SignRefusal | None:
        """Take an order's turn; refused where orders come too fast."""
        if self.orders.takes():
            return None
        return refused(RefusalKind.RATE, f"orders at {self.gateway.venue} come too fast")


def venue_at(name: str, steady_ns: Callable[[], int]) -> VenueAt:
    """Make a venue, its key locked.

    Args:
        name: of the venue.
        steady_ns: a clock that is never set back.

    Raises:
        SettingsError: nobody has a gateway to it.
    """
    try:
        gateway = gateway_of(name)
    except BadValueError as error:
        raise SettingsError(str(error)) from error
    pace = gateway.pace
    return VenueAt(
        gateway=gateway,
        orders=Bucket(per_s=pace.orders_per_s, burst=pace.orders_burst, clock_ns=steady_ns),
        cancels=Bucket(per_s=CALLS_PER_S, burst=CALLS_BURST, clock_ns=steady_ns),
        calls=Bucket(per_s=CALLS_PER_S, burst=CALLS_BURST, clock_ns=steady_ns),
    )
