"""Whatever is switched, set and restarted in whatever order: no plan uses what is off, nor a fee
below the one that was last allowed."""

from collections.abc import Mapping
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from engine.bus.records import StateRecord
from engine.core.inputs.fees_set import FeesSet
from engine.core.inputs.places_off import PlacesOff
from engine.domain.assets import AssetCode
from engine.domain.instruments import VenueId
from engine.domain.modes import Mode
from engine.domain.opportunities import Leg
from engine.domain.plans import LeggedPlan
from engine.domain.switched_off import Off
from engine.portfolio.costs import ceil_share
from engine.settings.schema import CostsSettings, Settings
from engine.storage.append import _state_row
from engine.storage.totals import read_fees, read_off
from tests.effort import examples
from tests.reference.engine import BUY_AT, NOTHING, OTHER, SELL_AT, Engine, header_of
from tests.reference.world import START_NS

BTC_USD = (AssetCode("BTC"), AssetCode("USD"))
PLACES = (
    Off(name=BUY_AT, since_ns=START_NS),
    Off(name=SELL_AT, since_ns=START_NS),
    Off(name="BTC-USD", assets=BTC_USD, since_ns=START_NS),
    Off(name="elsewhere", since_ns=START_NS),
)
VENUES = st.sampled_from([BUY_AT, SELL_AT])
FEES = st.sampled_from([Decimal(one) for one in ("0", "1.5", "3", "4", "9", "12", "40")])
STEPS = st.one_of(
    st.tuples(st.just("off"), st.sampled_from(PLACES)),
    st.tuples(st.just("on"), st.sampled_from(PLACES)),
    st.tuples(st.just("fee"), VENUES, st.one_of(st.none(), FEES), st.booleans()),
    st.tuples(st.just("restart"), FEES),
    st.tuples(st.just("gap"), st.booleans()),
    st.tuples(st.just("gap"), st.booleans()),
)


class Installation:
    """An engine over its restarts, with what the operator was last told of it."""

    def __init__(self) -> None:
        self.fee_bps: Mapping[str, Decimal] = OTHER.costs.fee_bps_taker
        self.off: set[str] = set()
        self.said: dict[VenueId, Decimal] = {}
        self.plans = 0
        self.engine = self._begin(OTHER)

    def _begin(self, of: Settings) -> Engine:
        state = NOTHING
        if hasattr(self, "engine"):
            decider, fees = self.engine.core.decider, self.engine.core.fees
            row = _state_row(
                StateRecord(
                    record_id="s1",
                    at_ns=START_NS,
                    mode=Mode.PAPER,
                    is_paused=False,
                    limits={},
                    off=decider.off.all,
                    fees=dict(fees.by_operator),
                    by="me",
                    action="",
                )
            )
            off, words = read_off(row["switched_off"]), read_fees(row["fees"])
            state = structs.replace(NOTHING, off=off, fees=words)
        engine = Engine(header_of(of, state))
        engine.fund()
        return engine

    def take(self, step: tuple[str, *tuple[object, ...]]) -> None:
        match step:
            case ("off", Off() as place):
                held = self.engine.core.decider.off.all
                self.off.add(place.name)
                self._switch((*(one for one in held if one.key != place.key), place))
            case ("on", Off() as place):
                self.off.discard(place.name)
                held = self.engine.core.decider.off.all
                self._switch(tuple(one for one in held if one.key != place.key))
            case ("fee", str() as venue, (None | Decimal()) as bps, bool() as is_confirmed):
                self._set_fee(VenueId(venue), bps, is_confirmed=is_confirmed)
            case ("restart", Decimal() as bps):
                self.fee_bps = {**self.fee_bps, BUY_AT: bps}
                costs = CostsSettings(fee_bps_taker=dict(self.fee_bps))
                self.engine = self._begin(structs.replace(OTHER, costs=costs))
            case ("gap", bool() as is_other_way):
                self._open_gap(is_other_way=is_other_way)

    def _switch(self, off: tuple[Off, ...]) -> None:
        self.engine.core.hot_path.command(PlacesOff(off=off), self.engine.now_ns)

    def _set_fee(self, venue: VenueId, bps: Decimal | None, *, is_confirmed: bool) -> None:
        fees = self.engine.core.fees
        wanted = fees.with_one(venue, bps, at_ns=self.engine.now_ns)
        if fees.is_looser(wanted) and not is_confirmed:
            return
        self.said.pop(venue, None)
        if bps is not None:
            self.said[venue] = bps
        self.engine.core.hot_path.command(FeesSet(fees=wanted), self.engine.now_ns)

    def _open_gap(self, *, is_other_way: bool) -> None:
        engine = self.engine
        low, high = (1, 0) if is_other_way else (0, 1)
        engine.tick(1_100)
        engine.show(low, [("99.90", "9")], [("100.00", "9")])
        engine.show(high, [("100.80", "9")], [("101.00", "9")])
        self._check()
        engine.tick(1_100)
        engine.show(high, [("99.90", "9")], [("100.00", "9")])
        engine.show(low, [("99.90", "9")], [("100.00", "9")])

    def _check(self) -> None:
        for entry in self.engine.core.journal.recent.newest:
            if isinstance(entry.plan, LeggedPlan) and entry.closed_at_ns is None:
                self.plans += 1
                for leg in entry.plan.legs:
                    assert leg.venue not in self.off
                    assert "BTC-USD" not in self.off
                    self._check_fee(leg)

    def _check_fee(self, leg: Leg) -> None:
        allowed = self.said.get(leg.venue, self.fee_bps[leg.venue])
        least = ceil_share(leg.notional_quote, allowed)
        least_base = ceil_share(leg.size_base, allowed)
        assert leg.fee_quote >= least or leg.fee_base >= least_base > 0


@settings(max_examples=examples(60), deadline=None)
@given(steps=st.lists(STEPS, min_size=1, max_size=12))
def test_no_order_of_words_and_restarts_lets_a_plan_use_what_is_off_or_too_low_a_fee(
    steps: list[tuple[str, *tuple[object, ...]]],
) -> None:
    installation = Installation()
    for step in steps:
        installation.take(step)
    installation.take(("gap", False))
    installation.take(("gap", True))


def test_the_property_is_not_empty() -> None:
    installation = Installation()
    installation.take(("gap", False))
    installation.take(("gap", True))
    assert installation.plans >= 2
