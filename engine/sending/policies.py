"""By which path a chain's transactions leave, and how patient we are with it: one row for each.

Where the blocks' makers see a public queue, a route goes to them alone, by a relay. Where one
sequencer orders by arrival or tip there is no queue to hide from. Depths and times are from
`docs/chains.md`: how deep a reorganisation was seen, how often a tip has to be raised.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from engine.domain.chains import CHAINS, LIKE
from engine.domain.errors import BadValueError
from engine.sending.life import LifeRules


class Path(StrEnum):
    """By which path transactions leave."""

    PRIVATE = "private"
    """As a bundle, to a relay of the makers of blocks; what only protects goes in public."""
    SEQUENCER = "sequencer"
    """To the one who orders the chain; there is no queue that others see."""
    PUBLIC = "public"
    """To a node, into the queue that everybody sees."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendPolicy:
    """How transactions of a chain are sent.

    Attributes:
        share_bps: of what the dearest gas leaves of a gain, as tip, where tips decide the order.
            It is spread over the gas limit, of which ten parts in thirteen are used.
        cancel_wei_max: the most that a cancel may pay for its gas.
    """

    path: Path
    rules: LifeRules
    share_bps: int = 0
    cancel_wei_max: int


_MILLI: Final = 10**15

LOCAL: Final = SendPolicy(
    path=Path.PUBLIC,
    rules=LifeRules(confirm_blocks=2, stuck_blocks=3),
    cancel_wei_max=10 * _MILLI,
)
"""Of a local node, whatever chain it poses as."""

LOCAL_PRIVATE: Final = SendPolicy(
    path=Path.PRIVATE,
    rules=LifeRules(confirm_blocks=2, stuck_blocks=1),
    share_bps=8_000,
    cancel_wei_max=10 * _MILLI,
)
"""Of a local chain that has a relay: rivals bid there, about a third to most of what they gain."""

POLICIES: Final[Mapping[str, SendPolicy]] = {
    "ethereum": SendPolicy(
        path=Path.PRIVATE,
        rules=LifeRules(confirm_blocks=3, stuck_blocks=1),
        share_bps=8_000,
        cancel_wei_max=5 * _MILLI,
    ),
    "bnb": SendPolicy(
        path=Path.PRIVATE,
        rules=LifeRules(confirm_blocks=5, stuck_blocks=4),
        share_bps=5_000,
        cancel_wei_max=2 * _MILLI,
    ),
    "arbitrum": SendPolicy(
        path=Path.SEQUENCER,
        rules=LifeRules(confirm_blocks=8, stuck_blocks=20),
        cancel_wei_max=_MILLI,
    ),
    "base": SendPolicy(
        path=Path.SEQUENCER,
        rules=LifeRules(confirm_blocks=3, stuck_blocks=3),
        share_bps=2_500,
        cancel_wei_max=_MILLI,
    ),
    "optimism": SendPolicy(
        path=Path.SEQUENCER,
        rules=LifeRules(confirm_blocks=3, stuck_blocks=3),
        share_bps=2_500,
        cancel_wei_max=_MILLI,
    ),
    "polygon": SendPolicy(
        path=Path.PUBLIC,
        rules=LifeRules(confirm_blocks=4, stuck_blocks=3),
        cancel_wei_max=2_000 * _MILLI,
    ),
}


def policy_of(chain: str, *, is_local: bool, has_relay: bool = False) -> SendPolicy:
    """Return how a chain's transactions are sent.

    Args:
        chain: its name.
        is_local: it is the sandbox's.
        has_relay: the sandbox has one for it.

    Raises:
        BadValueError: nobody said how.
    """
    if is_local:
        return LOCAL_PRIVATE if has_relay else LOCAL
    named = POLICIES.get(LIKE.get(chain, chain))
    if named is None:
        raise BadValueError(f"nobody says how transactions of {chain} are sent")
    return named


def network_policy_of(chain: str) -> SendPolicy:
    """Return how transactions are sent for real on a test or main network.

    Raises:
        BadValueError: nobody said how, or the path that it takes is not there.
    """
    named = policy_of(chain, is_local=False)
    if named.path is not Path.PRIVATE:
        return named
    if chain in CHAINS:
        raise BadValueError(
            f"on {chain} a route goes to the makers of blocks alone, and no relay of theirs is"
            " known here: in public others would take it"
        )
    # Who would take what is worth nothing?
    return replace(named, path=Path.PUBLIC, share_bps=0)
