"""The truth that a fake venue tells: books of whole ticks and lots, and all they ever were."""

from dataclasses import dataclass, field
from decimal import Decimal
from random import Random

from engine.domain.instruments import Instrument, Kind, Pair, VenueId

TICK = Decimal("0.01")
LOT = Decimal("0.001")
MID_TICKS = 10_000
HISTORY_MAX = 500

Sides = tuple[dict[int, int], dict[int, int]]
Texts = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Change:
    """Levels as text, a size of zero removes; `version` is the book's after the change."""

    wire: str
    version: int
    bids: Texts
    asks: Texts


def price_text(ticks: int) -> str:
    return f"{ticks // 100}.{ticks % 100:02d}"


def size_text(lots: int) -> str:
    return f"{lots // 1000}.{lots % 1000:03d}"


@dataclass(slots=True)
class Truth:
    random: Random
    wires: list[str]
    books: dict[str, Sides] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    history: dict[tuple[str, int], Sides] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for wire in self.wires:
            bids = {MID_TICKS - 1 - step: self.random.randint(1, 9_999) for step in range(0, 90, 3)}
            asks = {MID_TICKS + 1 + step: self.random.randint(1, 9_999) for step in range(0, 90, 3)}
            self.books[wire] = (bids, asks)
            self.versions[wire] = 1
            self._remember(wire)

    def change(self, wire: str) -> Change:
        """Set or remove up to three levels near the touch, never crossing nor emptying a side."""
        texts: tuple[Texts, Texts] = ([], [])
        for _ in range(self.random.randint(1, 3)):
            side = self.random.randrange(2)
            levels = self.books[wire][side]
            away = min(int(self.random.expovariate(0.1)), 200)
            ticks = MID_TICKS - 1 - away if side == 0 else MID_TICKS + 1 + away
            lots = self.random.choice([0, self.random.randint(1, 99_999)])
            if lots == 0 and len(levels) <= 3:
                lots = 1
            if lots:
                levels[ticks] = lots
            else:
                levels.pop(ticks, None)
            texts[side].append((price_text(ticks), size_text(lots)))
        return self._changed(wire, *texts)

    def lie(self, wire: str, bids: Texts, asks: Texts) -> Change:
        """Make a change that the venue announces although its book does not have it."""
        return self._changed(wire, bids, asks)

    def far_change(self, wire: str) -> Change:
        """Set a level far below the touch."""
        ticks, lots = MID_TICKS // 2, self.random.randint(1, 99_999)
        self.books[wire][0][ticks] = lots
        return self._changed(wire, [(price_text(ticks), size_text(lots))], [])

    def crossing(self, wire: str) -> Change:
        return self.lie(wire, [(price_text(2 * MID_TICKS), "1")], [])

    def emptying(self, wire: str) -> Change:
        asks = self.books[wire][1]
        return self.lie(wire, [], [(price_text(ticks), "0") for ticks in asks])

    def texts(self, wire: str) -> tuple[Texts, Texts]:
        bids, asks = self.books[wire]
        return (
            [(price_text(ticks), size_text(bids[ticks])) for ticks in sorted(bids, reverse=True)],
            [(price_text(ticks), size_text(asks[ticks])) for ticks in sorted(asks)],
        )

    def _changed(self, wire: str, bids: Texts, asks: Texts) -> Change:
        self.versions[wire] += 1
        self._remember(wire)
        return Change(wire, self.versions[wire], bids, asks)

    def _remember(self, wire: str) -> None:
        bids, asks = self.books[wire]
        self.history[wire, self.versions[wire]] = (dict(bids), dict(asks))
        self.history.pop((wire, self.versions[wire] - HISTORY_MAX), None)


def make_instrument(
    venue: VenueId,
    pair: str,
    wire: str,
    kind: Kind = Kind.SPOT,
    *,
    price_decimals: int = 4,
    size_decimals: int = 8,
) -> Instrument:
    return Instrument(
        venue=venue,
        pair=Pair.parse(pair),
        wire_name=wire,
        price_decimals=price_decimals,
        size_decimals=size_decimals,
        tick_quote=TICK,
        lot_base=LOT,
        kind=kind,
    )
