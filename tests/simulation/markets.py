"""Markets of a run: the sandbox's venues, whose truth books wander by the seed.

Rules and wire names are those of the sandbox's line-up. Prices of a pair wander together; each
venue strays from them by some basis points and comes back, so that gaps open often.
"""

import random
import tomllib
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cache

import msgspec

from engine.domain.instruments import Instrument, Pair, VenueId
from engine.sandbox.dialects.all import DIALECTS
from engine.sandbox.fault_script import FaultKind, make_fault_script
from engine.sandbox.levels import Change, Side
from engine.sandbox.lineup import LINEUP_PATH, LineupFile, Listing
from engine.sandbox.stage import Stage
from engine.sandbox.track import Track
from engine.sandbox.truth import Scale, TruthBook

PRICES_USD = {"BTC": 60_000.0, "ETH": 2_700.0, "USD": 1.0}
LEVELS = 4
KINDS = tuple(kind for kind in FaultKind if kind is not FaultKind.OVERSIZE)
"""An oversize frame is 17 MiB, which the feeds' own tests send."""


class Prices:
    """True prices in USD, which wander."""

    def __init__(self, rng: random.Random, wander_ratio: float = 0.0003) -> None:
        self._rng = rng
        self._wander_ratio = wander_ratio
        self._usd = dict(PRICES_USD)

    def of(self, pair: Pair) -> float:
        """Let the pair's base move a little and return its price."""
        self._usd[pair.base] *= 1 + self._rng.gauss(0, self._wander_ratio)
        return self._usd[pair.base] / self._usd[pair.quote]

    def usd(self, asset: str) -> float:
        """Return the price of an asset now."""
        return self._usd[asset]


@dataclass(frozen=True, slots=True, kw_only=True)
class Temper:
    """How markets move.

    Attributes:
        steps_per_s: how often a book is drawn anew.
        stray_ratio: by how much a venue strays each time.
        wander_ratio: by how much a price moves with each book that is drawn.
        faults: intensity of the script of faults; None draws one, nothing leaves them out.
    """

    steps_per_s: float = 2.5
    stray_ratio: float = 0.0007
    wander_ratio: float = 0.0003
    faults: str | None = None


class WanderingTrack(Track):
    """A truth book that is drawn anew, around the wandering price, at random moments."""

    def __init__(
        self, instrument: Instrument, prices: Prices, rng: random.Random, temper: Temper
    ) -> None:
        # A track of the sandbox plays a recording; this one has none.
        self._instrument, self._prices, self._rng = instrument, prices, rng
        self._temper = temper
        self._away = 0.0
        self._at_ns = 0
        self.cycles = 0
        self.book = TruthBook(_scale(instrument), (), padding_levels=0)
        self.step()

    @property
    def next_at_ns(self) -> int:
        """Replay time of the next change."""
        return self._at_ns

    def step(self) -> list[Change]:
        """Move the book and return what changed."""
        self._at_ns += int(self._rng.expovariate(self._temper.steps_per_s) * 1e9) + 1_000_000
        self._away = 0.8 * self._away + self._rng.gauss(0, self._temper.stray_ratio)
        mid = self._prices.of(self._instrument.pair) * (1 + self._away)
        before, self.book.sides = self.book.sides, (self._side(mid, -1), self._side(mid, 1))
        changes: list[Change] = []
        for side in Side:
            old, new = before[side], self.book.sides[side]
            changes.extend((side, price, 0) for price in old if price not in new)
        for side in Side:
            old, new = before[side], self.book.sides[side]
            changes.extend(
                (side, price, size) for price, size in new.items() if old.get(price) != size
            )
        return changes

    def _side(self, mid: float, sign: int) -> dict[int, int]:
        scale, rng = self.book.scale, self._rng
        tick = scale.tick_steps / 10**scale.price_decimals
        lot = scale.lot_steps / 10**scale.size_decimals
        usd = self._prices.usd(self._instrument.pair.base)
        levels: dict[int, int] = {}
        ticks = int(mid / tick) + (sign > 0)
        for _ in range(LEVELS):
            ticks += sign * max(1, int(mid * rng.uniform(0.00002, 0.0003) / tick))
            lots = max(1, int(rng.uniform(100, 4_000) / usd / lot))
            levels[ticks * scale.tick_steps] = lots * scale.lot_steps
        return levels


def make_stage(
    seed: int, *, seconds: float, epoch_ns: int, temper: Temper = Temper()
) -> tuple[Stage, Prices]:
    """Make the markets of a run, with a script of faults; return them and the true prices."""
    rng = random.Random(f"markets {seed}")
    prices = Prices(rng, temper.wander_ratio)
    listings = [Listing(one, WanderingTrack(one, prices, rng, temper)) for one in _instruments()]
    names: dict[str, list[str]] = {}
    for listing in listings:
        names.setdefault(listing.instrument.venue, []).append(listing.wire_name)
    drawn = rng.choice(["light", "heavy"])
    intensity = drawn if temper.faults is None else temper.faults
    faults = (
        make_fault_script(seed, seconds, intensity, wire_names=names, kinds=KINDS)
        if intensity
        else ()
    )
    stage = Stage(
        listings=listings,
        dialects=DIALECTS,
        epoch_ns=epoch_ns,
        seed=seed,
        faults=faults,
    )
    return stage, prices


@cache
def _instruments() -> tuple[Instrument, ...]:
    table = msgspec.convert(tomllib.loads(LINEUP_PATH.read_text()), LineupFile)
    found = []
    for row in table.lines:
        pair = Pair.parse(row.pair)
        if {pair.base, pair.quote} <= PRICES_USD.keys():
            found.append(
                Instrument(
                    venue=VenueId(row.venue),
                    pair=pair,
                    wire_name=row.wire_name,
                    price_decimals=row.price_decimals,
                    size_decimals=row.size_decimals,
                    tick_quote=Decimal(row.tick),
                    lot_base=Decimal(row.lot),
                    size_min_base=Decimal(row.size_min),
                    notional_min_quote=Decimal(row.notional_min),
                )
            )
    return tuple(found)


def _scale(instrument: Instrument) -> Scale:
    return Scale(
        price_factor=Fraction(1),
        size_factor=Fraction(1),
        tick_steps=int(instrument.tick_quote.scaleb(instrument.price_decimals)),
        lot_steps=int(instrument.lot_base.scaleb(instrument.size_decimals)),
        price_decimals=instrument.price_decimals,
        size_decimals=instrument.size_decimals,
    )
