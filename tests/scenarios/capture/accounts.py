"""What became of each chance: captured, or lost to a cost that has a name."""

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

import msgspec

from engine.domain.opportunities import Hop, HopKind, Reason
from engine.domain.told import Fate, TransactionNews
from engine.domain.units import NS_PER_MS
from engine.sending.outbid import OUTBID
from tests.scenarios.capture.brute_force import Chance
from tests.scenarios.capture.witness import Episode

AROUND_NS: Final = 1_500 * NS_PER_MS
"""So long before and after a chance was seen a decision is about it: the engine sees blocks a
little later, and the witness looks now and then."""

FLASH_FEE_BPS: Final = 5.0
EDGE_BPS_MIN: Final = 10.0
"""The limit as it comes."""


class Cause(StrEnum):
    """What became of a chance."""

    CAPTURED = "captured"
    EDGE = "limit: least edge (10 bps, with the fee of a loan)"
    GAS = "gas: may cost more than is gained"
    OUTBID = "outbid: others paid more, or came first"
    OWN = "own trade: one of ours moves these pools already"
    SENT_LATE = "sent, and in no block before its end"
    LATE = "too late: its time was over before it was signed"
    MOVED = "moved: its pools were otherwise when it was simulated"
    LIMIT = "limit: of positions, balances, losses, orders a minute, least size, or switched off"
    LIKELY_TAKEN = "limit: others most likely take it first"
    ROUTE_OFF = "limit: its route did nothing before, and is off"
    NO_EXECUTOR = "no executor carries such a route out"
    SIGNER = "limit: the signer's"
    STALE = "stale: a pool, a book or a price too old"
    STARTING = "before the mode was live"
    UNNAMED = "unnamed"


NAMED: Final = tuple(one for one in Cause if one not in {Cause.UNNAMED, Cause.STARTING})

_REASONS: Final = {
    Reason.EDGE_BELOW_MIN: Cause.EDGE,
    Reason.GAS_TOO_DEAR: Cause.GAS,
    Reason.LIQUIDITY_TAKEN: Cause.OWN,
    Reason.NOT_CONFIRMED: Cause.EDGE,
    Reason.STALE_GAS: Cause.STALE,
    Reason.STALE_POOL: Cause.STALE,
    Reason.STALE_BOOK: Cause.STALE,
    Reason.UNPROVEN_BOOK: Cause.STALE,
    Reason.NO_USD_PRICE: Cause.STALE,
    Reason.SIZE_BELOW_MIN: Cause.LIMIT,
    Reason.ORDER_RATE_LIMIT: Cause.LIMIT,
    Reason.BALANCE_TOO_LOW: Cause.LIMIT,
    Reason.DAILY_LOSS_LIMIT: Cause.LIMIT,
    Reason.DRAWDOWN_LIMIT: Cause.LIMIT,
    Reason.GAS_DAY_LIMIT: Cause.LIMIT,
    Reason.KELLY_SIZE: Cause.LIMIT,
    Reason.POSITION_LIMIT: Cause.LIMIT,
    Reason.LEDGER_BEHIND: Cause.LIMIT,
    Reason.SWITCHED_OFF: Cause.LIMIT,
    Reason.LIKELY_TAKEN: Cause.LIKELY_TAKEN,
    Reason.ROUTE_FAILS: Cause.ROUTE_OFF,
    Reason.NO_EXECUTOR: Cause.NO_EXECUTOR,
    Reason.VENUE_UNREADY: Cause.NO_EXECUTOR,
    Reason.VENUE_FAILURES: Cause.LIMIT,
    Reason.VENUE_EXPOSURE: Cause.LIMIT,
}
"""Any other reason is no named cost: a chance that was lost for it counts as unnamed."""


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """A decision on a route through pools of one chain, as the ledger has it.

    Attributes:
        pools: of its hops: venue, the two assets, and the fee.
    """

    opportunity_id: str
    seen_at_ns: int
    closed_at_ns: int
    outcome: str
    pools: frozenset[tuple[str, frozenset[str], str]]
    chain: str


def decided_of(row: Sequence[Any]) -> Decided | None:
    """Read a row (id, seen, closed, outcome, hops); None if it is no route of one chain's pools."""
    opportunity_id, seen_at_ns, closed_at_ns, outcome, text = row
    hops = msgspec.json.decode(text, type=list[Hop])
    chains = {hop.chain for hop in hops}
    if any(hop.kind is not HopKind.POOL for hop in hops) or len(chains) != 1:
        return None
    return Decided(
        opportunity_id=opportunity_id,
        seen_at_ns=seen_at_ns,
        closed_at_ns=closed_at_ns or seen_at_ns,
        outcome=outcome,
        pools=frozenset(
            (hop.venue, frozenset((hop.source, hop.target)), _fee(hop.place)) for hop in hops
        ),
        chain=next(iter(chains)),
    )


def pools_of(chance: Chance) -> frozenset[tuple[str, frozenset[str], str]]:
    """Return a chance's pools as decisions name them."""
    return frozenset(
        (one.pool.venue, frozenset((one.source, one.target)), one.pool.fee_text)
        for one in chance.swaps
    )


def cause_of(
    episode: Episode,
    decisions: Sequence[Decided],
    news: dict[str, TransactionNews],
    *,
    live_from_ns: int,
) -> Cause:
    """Say what became of a chance.

    Args:
        episode: the chance.
        decisions: all of its chain.
        news: the newest of each plan's transaction, by opportunity.
        live_from_ns: when the mode was live.
    """
    if episode.from_ns < live_from_ns:
        return Cause.STARTING
    mine = pools_of(episode.best)
    about = [
        one
        for one in decisions
        if mine & one.pools
        and one.seen_at_ns <= episode.to_ns + AROUND_NS
        and one.closed_at_ns >= episode.from_ns - AROUND_NS
    ]
    told = [news[one.opportunity_id] for one in about if one.opportunity_id in news]
    if told:
        return _first(map(_of_news, told))
    if _edge_bps(episode.best) < EDGE_BPS_MIN:
        return Cause.EDGE  # what is screened out leaves no decision
    refused = [one.outcome for one in about if one.outcome in _VALUES]
    return _first(_REASONS.get(Reason(one), Cause.UNNAMED) for one in refused)


def _first(causes: Iterable[Cause]) -> Cause:
    """Return the one that says most, in the order in which they stand."""
    return min(causes, key=list(Cause).index, default=Cause.UNNAMED)


_VALUES: Final = frozenset(one.value for one in Reason)


def why_of(news: TransactionNews) -> str:
    """Return why a transaction did nothing, as it was told; empty if it did, or nobody says."""
    return news.why or ("" if news.receipt is None else news.receipt.why)


def _of_news(news: TransactionNews) -> Cause:
    if news.fate is Fate.SUCCEEDED:
        return Cause.CAPTURED
    if news.fate is Fate.REVERTED:
        return Cause.OUTBID
    why = why_of(news)
    return next((cause for word, cause in _WORDS if word in why), Cause.SENT_LATE)


_WORDS: Final = (
    (OUTBID, Cause.OUTBID),
    ("gas costs", Cause.GAS),
    ("its time was over", Cause.LATE),
    ("refused", Cause.SIGNER),
    ("its lender may take", Cause.SIGNER),
    ("it reverts", Cause.MOVED),
    ("the contracts give", Cause.MOVED),
)
"""What sender and signer say, and what it means."""


def _edge_bps(chance: Chance) -> float:
    """Return the edge as decisions reckon it, the loan's fee taken off."""
    return chance.net_usd / chance.paid_usd * 10_000 - FLASH_FEE_BPS


def _fee(place: str) -> str:
    return place.split(" ", 1)[1]


class Account(msgspec.Struct, kw_only=True):
    """What became of all chances of a chain.

    Attributes:
        counts: by cause; `usd` what they were worth.
    """

    chain: str
    counts: Counter[Cause] = msgspec.field(default_factory=Counter)
    usd: dict[Cause, float] = msgspec.field(default_factory=dict)

    def add(self, cause: Cause, worth_usd: float) -> None:
        """Count one."""
        self.counts[cause] += 1
        self.usd[cause] = self.usd.get(cause, 0.0) + worth_usd

    @property
    def total(self) -> int:
        """How many there were while the mode was live."""
        return sum(count for cause, count in self.counts.items() if cause is not Cause.STARTING)

    @property
    def named_ratio(self) -> Decimal:
        """How many are captured or lost to a named cost, of all."""
        named = sum(self.counts[cause] for cause in NAMED)
        return Decimal(named) / self.total if self.total else Decimal(1)


def table(accounts: Sequence[Account]) -> str:
    """Return what became of all as a table in Markdown: number, and dollars at their best."""
    lines = [
        "| | " + " | ".join(one.chain for one in accounts) + " |",
        "|---|" + "---|" * len(accounts),
    ]
    for cause in Cause:
        if any(one.counts[cause] for one in accounts):
            cells = [f"{one.counts[cause]} ({one.usd.get(cause, 0.0):,.0f} $)" for one in accounts]
            lines.append(f"| {cause} | " + " | ".join(cells) + " |")
    lines.append(
        "| captured or named | "
        + " | ".join(f"{one.named_ratio * 100:.1f} % of {one.total}" for one in accounts)
        + " |"
    )
    return "\n".join(lines)
