"""What a task may want: each is a frozen struct that names the type of what is given for it.

What is given are columns, oldest first, of plain values: floats are estimates, NaN where something
is not known. Where there is more than was asked for, the newest is given, and `left_out` says how
much is not.
"""

from typing import Final

import msgspec

from engine.background.ports import Discovery
from engine.domain.advice import AnyAdvice
from engine.domain.block_facts import BlockFact
from engine.domain.trials import Trial

HOURS_MAX: Final = 24 * 30
ROWS_MAX: Final = 5_000
"""Most rows that anything is given with: some 2 MB."""


class ExecutionsGiven(msgspec.Struct, frozen=True, kw_only=True):
    """Plans that were carried out; see `domain.past.Trade`."""

    execution_id: list[str] = []
    opportunity_id: list[str] = []
    seen_at_ns: list[int] = []
    decided_at_ns: list[int] = []
    closed_at_ns: list[int] = []
    pair: list[str] = []
    route: list[str] = []
    venues: list[tuple[str, ...]] = []
    legs: list[int] = []
    net_edge_bps: list[float] = []
    expected_usd: list[float] = []
    realised_usd: list[float] = []
    gas_usd: list[float] = []
    slippage_usd: list[float] = []
    outcome: list[str] = []
    chain: list[str] = []
    block: list[int] = []
    left_out: int = 0


class Executions(msgspec.Struct, frozen=True, kw_only=True):
    """Plans whose execution ended in the last hours, at most `limit` of them."""

    hours: int
    limit: int = 2_000

    @property
    def answer_type(self) -> type[ExecutionsGiven]:
        """See `ports.Want`."""
        return ExecutionsGiven


class RacesGiven(msgspec.Struct, frozen=True, kw_only=True):
    """Our own transactions that landed on a chain, in the order in which they ended.

    Attributes:
        profit_usd: that was to be expected.
        block: in which it landed.
        came: it went through; otherwise it reverted.
    """

    decided_at_ns: list[int] = []
    ended_at_ns: list[int] = []
    profit_usd: list[float] = []
    block: list[int] = []
    came: list[bool] = []


class Races(msgspec.Struct, frozen=True, kw_only=True):
    """Our own transactions on a chain in the last hours, among the newest `limit` trades."""

    chain: str
    hours: int = 2
    limit: int = 1_000

    @property
    def answer_type(self) -> type[RacesGiven]:
        """See `ports.Want`."""
        return RacesGiven


class OpportunitiesGiven(msgspec.Struct, frozen=True, kw_only=True):
    """Opportunities; see `domain.past.Episode`."""

    opportunity_id: list[str] = []
    seen_at_ns: list[int] = []
    closed_at_ns: list[int] = []
    pair: list[str] = []
    route: list[str] = []
    venues: list[tuple[str, ...]] = []
    places: list[tuple[str, ...]] = []
    chain: list[str] = []
    legs: list[int] = []
    net_edge_bps: list[float] = []
    profit_usd: list[float] = []
    peak_usd: list[float] = []
    outcome: list[str] = []
    ended: list[str] = []
    reasons: list[tuple[str, ...]] = []
    left_out: int = 0


class Opportunities(msgspec.Struct, frozen=True, kw_only=True):
    """Opportunities seen in the last hours, at most `limit` of them."""

    hours: int
    limit: int = 2_000

    @property
    def answer_type(self) -> type[OpportunitiesGiven]:
        """See `ports.Want`."""
        return OpportunitiesGiven


class PricesGiven(msgspec.Struct, frozen=True, kw_only=True):
    """What the engine's shared prices say now.

    Attributes:
        place: a book's pair, or what a pool is called.
        chain: of a pool; empty for a book.
        bid, ask: quote per base, a pool's after its fee; NaN where absent or stale.
        bid_size, ask_size: base at the best price; 0 for a pool.
    """

    at_ns: int = 0
    venue: list[str] = []
    place: list[str] = []
    base: list[str] = []
    quote: list[str] = []
    chain: list[str] = []
    bid: list[float] = []
    ask: list[float] = []
    bid_size: list[float] = []
    ask_size: list[float] = []
    left_out: int = 0


class PricesNow(msgspec.Struct, frozen=True, kw_only=True):
    """All prices as they are when the run begins; they cost the engine nothing."""

    @property
    def answer_type(self) -> type[PricesGiven]:
        """See `ports.Want`."""
        return PricesGiven


class PoolsGiven(msgspec.Struct, frozen=True, kw_only=True):
    """Pools of a chain, the richest first.

    Attributes:
        venue, place: as legs of routes name the pool; no place where it is not followed.
        tokens: the assets in the pool's own order, as the engine names them.
        usd: what is in it; 0 if that is not known.
        log_rates: of each direction of a followed pool: source, target, and the log of target per
            source at the margin, after the fee; none where it is stale or not followed.
    """

    dex: list[str] = []
    venue: list[str] = []
    place: list[str] = []
    address: list[str] = []
    tokens: list[tuple[str, ...]] = []
    fee_bps: list[float] = []
    usd: list[float] = []
    is_followed: list[bool] = []
    log_rates: list[tuple[tuple[str, str, float], ...]] = []
    left_out: int = 0


class Pools(msgspec.Struct, frozen=True, kw_only=True):
    """Pools that are followed on a chain, and others of the same assets that are not."""

    chain: str
    limit: int = 1_000

    @property
    def answer_type(self) -> type[PoolsGiven]:
        """See `ports.Want`."""
        return PoolsGiven


class GasGiven(msgspec.Struct, frozen=True, kw_only=True):
    """What gas costs by chain, as plans are reckoned with.

    Attributes:
        gwei: as reckoned with; `now_gwei` as last read; NaN where not known.
        native_usd: price of the chain's own asset.
        is_old: it is too old to be planned with.
    """

    chain: list[str] = []
    gwei: list[float] = []
    now_gwei: list[float] = []
    native_usd: list[float] = []
    is_old: list[bool] = []


class GasNow(msgspec.Struct, frozen=True, kw_only=True):
    """Gas prices as they are when the run begins."""

    @property
    def answer_type(self) -> type[GasGiven]:
        """See `ports.Want`."""
        return GasGiven


class BlocksGiven(msgspec.Struct, frozen=True, kw_only=True):
    """Facts of a chain's newest blocks."""

    blocks: tuple[BlockFact, ...] = ()
    left_out: int = 0


class Blocks(msgspec.Struct, frozen=True, kw_only=True):
    """Facts of the last blocks of a chain that is followed."""

    chain: str
    blocks: int = 2_000

    @property
    def answer_type(self) -> type[BlocksGiven]:
        """See `ports.Want`."""
        return BlocksGiven


class HistoryGiven(msgspec.Struct, frozen=True, kw_only=True):
    """Runs of tasks that ended; `ended` says how (`domain.runs.How`)."""

    task: list[str] = []
    agent: list[str] = []
    began_at_ns: list[int] = []
    wall_s: list[float] = []
    cpu_s: list[float] = []
    held_s: list[float] = []
    ended: list[str] = []
    found: list[int] = []


class History(msgspec.Struct, frozen=True, kw_only=True):
    """The last runs of a task, or of each if none is named."""

    task: str = ""
    runs: int = 100

    @property
    def answer_type(self) -> type[HistoryGiven]:
        """See `ports.Want`."""
        return HistoryGiven


class InForceGiven(msgspec.Struct, frozen=True, kw_only=True):
    """Discoveries that hold now.

    Attributes:
        effect_usd_hour: what each was measured to be worth; NaN if it was not.
    """

    discoveries: tuple[Discovery, ...] = ()
    at_ns: list[int] = []
    task: list[str] = []
    agent: list[str] = []
    effect_usd_hour: list[float] = []
    left_out: int = 0


class InForce(msgspec.Struct, frozen=True, kw_only=True):
    """Discoveries of some kinds, of all if none is named.

    Attributes:
        has_ended: those too that hold no more.
    """

    kinds: tuple[str, ...] = ()
    has_ended: bool = False
    limit: int = 500

    @property
    def answer_type(self) -> type[InForceGiven]:
        """See `ports.Want`."""
        return InForceGiven


class TrialsGiven(msgspec.Struct, frozen=True, kw_only=True):
    """Routes carried out on forks; see `domain.trials.Trial`."""

    trials: tuple[Trial, ...] = ()


class Trials(msgspec.Struct, frozen=True, kw_only=True):
    """The newest plan of each shape, carried out once more in each encoding."""

    @property
    def answer_type(self) -> type[TrialsGiven]:
        """See `ports.Want`."""
        return TrialsGiven


class LimitsGiven(msgspec.Struct, frozen=True, kw_only=True):
    """Limits in force by the names that /limit knows."""

    values: dict[str, float] = {}


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits as they are when the run begins."""

    @property
    def answer_type(self) -> type[LimitsGiven]:
        """See `ports.Want`."""
        return LimitsGiven


AnyWant = (
    Executions
    | Races
    | Opportunities
    | PricesNow
    | Pools
    | GasNow
    | Blocks
    | History
    | InForce
    | Limits
)


class AdvisedNow(msgspec.Struct, frozen=True, kw_only=True):
    """A discovery in force that advises something.

    Attributes:
        seq: its number.
        line: what it advises about, the same for all that take each other's place.
    """

    seq: int
    line: str
    advice: AnyAdvice


class RecordedGiven(msgspec.Struct, frozen=True, kw_only=True):
    """The newest recorded run, and what is advised now.

    Attributes:
        folder: of the run.
        segments: numbers of those that are whole, in order.
        advised: of each line the discovery that counts.
        limits: in force now, by the names that /limit knows; none where no engine tells them.
    """

    folder: str
    segments: list[int]
    advised: list[AdvisedNow]
    limits: dict[str, float] = {}


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """What a run was, in files that are written no more; whoever wants it reads these itself."""

    @property
    def answer_type(self) -> type[RecordedGiven]:
        """See `ports.Want`."""
        return RecordedGiven
