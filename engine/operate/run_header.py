"""The header of a run: all that a replay needs to build the same core."""

from decimal import Decimal

import msgspec

from engine.core.inputs.switched import ControlState
from engine.decide.approvals import ApprovalRules
from engine.decide.mixed_gate import ON_PAPER
from engine.domain.assets import AssetCode
from engine.domain.bridges import Bridge
from engine.domain.chains import BlockTerms
from engine.domain.engines import MAIN
from engine.domain.errors import BadValueError
from engine.domain.fees import FeeWord
from engine.domain.holdings import Capital, Holding
from engine.domain.instruments import BuyFee, Instrument, VenueId
from engine.domain.live_start import LiveStart
from engine.domain.measured_edge import MeasuredEdge
from engine.domain.modes import Basis
from engine.domain.orders import Intent
from engine.domain.residuals import LastPrice, Residual
from engine.domain.switched_off import Off
from engine.operate.recording import FORMAT_VERSION
from engine.pools.snapshots import PoolSnapshot


class StreamSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One connection: a venue's feed and the rows of its instruments on the board."""

    venue: VenueId
    feed: str
    books: list[int]


class VenueTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What trading at a venue costs and how long an order takes to get there.

    Attributes:
        buy_fee: in recordings of earlier versions every fee was quote.
    """

    fee_bps_taker: Decimal
    latency_ms_median: float
    latency_ms_p99: float
    buy_fee: BuyFee = BuyFee.QUOTE


class RunTerms(msgspec.Struct, frozen=True, kw_only=True):
    """Costs, limits and rules of a run; see the settings of the same names.

    Attributes:
        limits: values of `decide/limit_list.py`, by name.
        waits_for_intents: whether there are inputs that say which intents are durable; in
            recordings of earlier versions they counted as durable at once.
        sends_approved: whether mode approve signs and sends what is one transaction; in recordings
            of earlier versions it was on paper.
        sends_live: whether mode live sends transactions; in recordings of earlier versions it did.
        trades: venues at which orders are placed for real, and the most in USD at risk at each.
        mixed_shut: why orders together with a transaction are on paper in any mode; empty where
            both are carried out for real. In recordings of earlier versions they were on paper.
        low_balance: by asset, below what a place of live money is told to be low.
        kelly_ratio: part of the Kelly bet that plans are held to; 0 for none, as earlier.
        gas_stale_ms: how long a price of gas that a chain told counts; 0 for ever, as earlier.
    """

    venues: dict[VenueId, VenueTerms]
    transfer_bps: Decimal
    limits: dict[str, Decimal]
    audit_s: int
    seed: int
    legs_max: int
    flash_fee_bps: Decimal
    gas_prices_gwei: dict[str, Decimal]
    gas_stale_ms: int = 0
    chains: dict[str, BlockTerms] = {}
    waits_for_intents: bool = False
    late_fill_ratio: float = 0.0
    approvals: ApprovalRules = ApprovalRules()
    sends_approved: bool = False
    sends_live: bool = True
    trades: dict[VenueId, Decimal] = {}
    mixed_shut: str = ON_PAPER
    low_balance: dict[AssetCode, Decimal] = {}
    kelly_ratio: Decimal = Decimal(0)


class RunHeader(msgspec.Struct, frozen=True, kw_only=True):
    """The first entry of a recording.

    Attributes:
        pools: pools of the run as they are at its start, by their numbers.
        bridges: bridges of the run, by their numbers.
        limits: what the operator had set of limits.
        off: what the operator had switched off.
        fees: what the operator had set of fees.
        capital: paper money that each place is to start with.
        realised_today_usd, residuals, last_prices, holdings: what the ledger knew at the start;
            headers of earlier versions have no last prices.
        engine_id: whose run it is.
        drawdown_usd: how far all that was realised is below its highest point.
        gas_today_usd: paid for gas on the day of the start.
        sent_at_ns: of each order and transaction of the minute before the start.
        failures: by venue, how many real orders failed in a row, and when the last did.
        edge: what trades came to against what was expected of them.
        live: the same of live money; earlier versions had paper alone.
        open_plans: that were under way when their engine ended; earlier versions kept none.
    """

    format_version: int
    run_id: str
    basis: Basis
    market_note: str
    started_at_ns: int
    version: str
    instruments: list[Instrument]
    streams: list[StreamSpec]
    pools: list[PoolSnapshot]
    bridges: list[Bridge]
    terms: RunTerms
    control: ControlState
    limits: dict[str, Decimal]
    capital: list[Capital]
    realised_today_usd: Decimal
    residuals: list[Residual]
    holdings: list[Holding]
    last_prices: list[LastPrice] = []
    open_plans: list[Intent] = []
    engine_id: str = MAIN
    off: tuple[Off, ...] = ()
    fees: dict[VenueId, FeeWord] = {}
    live: LiveStart = LiveStart()
    drawdown_usd: Decimal = Decimal(0)
    gas_today_usd: Decimal = Decimal(0)
    sent_at_ns: tuple[int, ...] = ()
    failures: dict[VenueId, tuple[int, int]] = {}
    edge: MeasuredEdge = MeasuredEdge()


def encode_header(header: RunHeader) -> bytes:
    """Encode a header as the payload of a HEADER entry."""
    return msgspec.json.encode(header)


def decode_header(payload: bytes) -> RunHeader:
    """Decode the payload of a HEADER entry.

    Raises:
        BadValueError: another version wrote it, or it is damaged.
    """
    try:
        header = msgspec.json.decode(payload, type=RunHeader)
    except msgspec.MsgspecError as error:
        raise BadValueError(f"the recording's header cannot be read: {error}") from error
    if header.format_version != FORMAT_VERSION:
        raise BadValueError(
            f"the recording has format {header.format_version}; this program reads {FORMAT_VERSION}"
        )
    return header
