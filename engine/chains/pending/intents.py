"""What a pending transaction means to do, in the order in which its router does it.

Amounts move between holders: the sender (who is taken to have what is needed), the router, pairs
that were paid ahead, and what V4's manager is owed. Only the last three are kept account of.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from engine.chains.pending.calldata import address_text

NATIVE: Final = address_text(0)
"""A chain's own coin, as V4 and universal routers write it."""


class Payer(Enum):
    """Whose tokens a swap sells."""

    SENDER = auto()
    ROUTER = auto()
    POOL = auto()
    """The first pool has them already."""
    MANAGER = auto()
    """V4: nobody pays yet; what is owed is settled later."""


class Quoting(Enum):
    """When the amounts of a route through pairs are found."""

    STEPWISE = auto()
    """At each pool, from what it was paid."""
    AHEAD = auto()
    """For all pools before the first one moves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """A swap in one pool.

    Attributes:
        pool: its address, or its id in V4.
        token_in: index of the token that is sold.
        tokens: addresses of what is sold and of what is bought; nothing if only the pool says.
        kept_e9: what the caller reckons the pair keeps of an input after its fee, 0 for the pair's
            own fee.
    """

    pool: str
    token_in: int
    tokens: tuple[str, str] | None = None
    kept_e9: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """A route through pools.

    Attributes:
        amount_raw: sold or, with an exact output, bought; none for all that the payer holds or, in
            V4, all that is owed.
        limit_raw: least output or greatest input.
        recipient: who gets the output; the manager of V4 is nobody.
        sqrt_price_limit_x96: of the only pool, 0 for none.
        has_hop_limits: whether each pool's price is bounded too, in a way that is not decoded.
    """

    hops: tuple[Hop, ...]
    is_exact_in: bool
    amount_raw: int | None
    limit_raw: int
    payer: Payer
    recipient: str
    quoting: Quoting = Quoting.STEPWISE
    sqrt_price_limit_x96: int = 0
    has_hop_limits: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrap:
    """The router turns native coins that it holds into wrapped ones; none for all."""

    amount_raw: int | None
    recipient: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unwrap:
    """The router turns all wrapped coins that it holds into native ones: so many at least."""

    least_raw: int
    recipient: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pay:
    """The router gives tokens that it holds: an amount, all of them, or a share of them.

    Attributes:
        amount_raw: none for all.
        share_bps: of what is held, in the place of an amount.
        least_raw: of what is held; with less, the call fails.
    """

    token: str
    recipient: str
    amount_raw: int | None = None
    share_bps: int | None = None
    least_raw: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """The sender gives tokens to somebody."""

    token: str
    recipient: str
    amount_raw: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Settle:
    """Pay V4's manager: an amount, all that is owed (none), or all that the router holds.

    Attributes:
        most_raw: with more owed, the call fails.
    """

    token: str
    amount_raw: int | None
    is_all_held: bool
    is_sender: bool
    most_raw: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """Take from V4's manager: an amount, all that it owes (none), or a share of that.

    Attributes:
        least_raw: with less owed, the call fails.
    """

    token: str
    recipient: str
    amount_raw: int | None
    share_bps: int | None = None
    least_raw: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Steps that belong together.

    Attributes:
        may_fail: then all of them are undone, and what follows goes on.
        is_unlock: of V4's manager: nobody may owe anything at its end.
    """

    steps: tuple["Step", ...]
    may_fail: bool = False
    is_unlock: bool = False


Step = Swap | Wrap | Unwrap | Pay | Pull | Settle | Take | Group


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What a transaction means to do, as far as its calldata says.

    Attributes:
        router: what it calls, by name.
        steps: nothing if the route is hidden.
        weth: the wrapped coin of the chain.
        value_raw: native coins that the router holds from the start.
        deadline_s: from when on it fails; none if it never does.
        hidden: of an aggregator whose route only its own contracts can read: what is sold for what.
    """

    router: str
    router_address: str
    weth: str
    steps: tuple[Step, ...]
    value_raw: int = 0
    deadline_s: int | None = None
    hidden: "HiddenRoute | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HiddenRoute:
    """A trade whose pools are not told: which tokens, how much is sold, what has to come out."""

    token_in: str
    token_out: str
    amount_in_raw: int
    least_out_raw: int


def swaps_in(steps: tuple[Step, ...]) -> list[Swap]:
    """Return the swaps among steps, those in groups too."""
    found: list[Swap] = []
    for step in steps:
        if isinstance(step, Swap):
            found.append(step)
        elif isinstance(step, Group):
            found.extend(swaps_in(step.steps))
    return found
