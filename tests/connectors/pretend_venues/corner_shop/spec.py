"""A whole venue in one file: it sends whole books, and lists its goods by their names."""

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from engine.connectors.link import FAULT_OF, UNREADABLE, Link
from engine.connectors.steps import make_pair
from engine.domain.faults import Fault
from engine.domain.instruments import BuyFee, Instrument, VenueId
from engine.ports import (
    NO_ACTIONS,
    Action,
    Applied,
    BookSink,
    FeedLimits,
    LevelForm,
    Listed,
    ListedRow,
    RequestBudget,
    Send,
    VenueSpec,
)

VENUE = VenueId("corner_shop")


class Frame(msgspec.Struct):
    name: str
    bids: msgspec.Raw
    asks: msgspec.Raw


class CornerShopFeed:
    """Obeys `ports.Feed`."""

    def __init__(
        self,
        instruments: Sequence[Instrument],
        books: Sequence[int],
        sink: BookSink,
        limits: FeedLimits,
    ) -> None:
        self.venue = VENUE
        self._link = Link(
            venue=VENUE, instruments=instruments, books=books, sink=sink, limits=limits
        )
        self.behind = self._link.behind
        self._sink = sink
        self._decode = msgspec.json.Decoder(Frame).decode

    def opened(self, at_ns: int) -> Sequence[Action]:
        self._link.open(at_ns)
        return [Send(f"show {row.wire}") for row in self._link.wanted()]

    def frame(self, payload: bytes, at_ns: int) -> Sequence[Action]:
        try:
            frame = self._decode(payload)
        except UNREADABLE as error:
            return self._link.refuse(error, at_ns)
        row = self._link.by_wire.get(frame.name)
        if row is None:
            return self._link.unplaced(frame.name, at_ns)
        outcome = self._sink.replace(row.book, LevelForm.PAIRS, frame.bids, frame.asks, at_ns)
        if outcome is Applied.OK:
            self._link.made_live(row, 0)
        else:
            self._link.drop(row, FAULT_OF[outcome], at_ns)
        return NO_ACTIONS

    def fetched(self, key: str, payload: bytes, at_ns: int) -> Sequence[Action]:  # noqa: ARG002
        return NO_ACTIONS

    def fetch_failed(self, key: str, why: str, at_ns: int) -> Sequence[Action]:  # noqa: ARG002
        return NO_ACTIONS

    def closed(self, at_ns: int) -> Sequence[Action]:
        self._link.close(at_ns)
        return NO_ACTIONS

    def listed(self, rows: Sequence[ListedRow], at_ns: int) -> Sequence[Action]:
        return [Send(f"show {row.wire}") for row in self._link.listed(rows, at_ns)]

    def tick(self, at_ns: int) -> Sequence[Action]:
        if not self._link.is_check_due(at_ns):
            return NO_ACTIONS
        if (why := self._link.dead_reason(at_ns)) is not None:
            return self._link.fail(Fault.STALLED, why, at_ns)
        return [Send(f"show {row.wire}") for row in self._link.overdue(at_ns)]


def parse_instruments(payload: bytes, pairs: Sequence[str]) -> list[Listed]:
    """See `ports.InstrumentParser`."""
    return [
        Listed(
            instrument=Instrument(
                venue=VENUE,
                pair=make_pair(*name.split("-")),
                wire_name=name,
                price_decimals=2,
                size_decimals=4,
                tick_quote=Decimal("0.01"),
                lot_base=Decimal("0.0001"),
                size_min_base=Decimal("0.0001"),
                notional_min_quote=Decimal(1),
            )
        )
        for name in msgspec.json.decode(payload, type=list[str])
        if name in pairs
    ]


SPEC = VenueSpec(
    venue=VENUE,
    feeds={"window": CornerShopFeed},
    websocket_urls={"window": "wss://corner-shop.invalid"},
    rest_url="https://corner-shop.invalid",
    instruments_path="/goods",
    parse_instruments=parse_instruments,
    fee_bps_taker=10.0,
    buy_fee=BuyFee.QUOTE,
    latency_ms_median=20.0,
    latency_ms_p99=100.0,
    budget=RequestBudget(weight_per_s=10.0),
)
