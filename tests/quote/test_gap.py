"""The exact confirmation against plain fractions."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.opportunities import Reason
from engine.kernels.layout import ASK, BID
from engine.market.board import Board
from engine.portfolio.costs import Costs
from engine.portfolio.taken import Taken
from engine.ports import Applied, LevelForm
from engine.quote.gap import Confirmed, Confirmer, LimitRules, Unconfirmed
from engine.quote.two_books import CommonLot
from tests.effort import examples
from tests.reference import confirm as twin
from tests.reference.gaps import make_gap
from tests.reference.world import START_NS, make_instrument, write_side

BUY = make_instrument("here", price_decimals=2, size_decimals=5, lot="0.001")
SELL = make_instrument("there", price_decimals=3, size_decimals=3, tick="0.005", lot="0.002")

steps = st.integers(1, 5_000)
asks_side = st.dictionaries(st.integers(9_900, 10_100), steps, min_size=1, max_size=6)
bids_side = st.dictionaries(st.integers(19_800, 20_300), steps, min_size=1, max_size=6)
fees = st.integers(0, 300).map(lambda n: Decimal(n) / 10)


class Case:
    def __init__(
        self,
        asks: dict[int, int],
        bids: dict[int, int],
        *,
        costs: Costs,
        slippage_bps: Decimal = Decimal(5),
        floor_bps: Decimal = Decimal(0),
    ) -> None:
        self.board = Board([BUY, SELL], levels_max=16)
        self.asks = [(Decimal(p).scaleb(-2), Decimal(s).scaleb(-3)) for p, s in asks.items()]
        self.bids = [(Decimal(p * 5).scaleb(-3), Decimal(s).scaleb(-3)) for p, s in bids.items()]
        for book, (bid_side, ask_side) in enumerate(
            (([(Decimal(1), Decimal(1))], self.asks), (self.bids, [(Decimal(999), Decimal(1))]))
        ):
            raw_bids, raw_asks = (
                write_side([(str(price), str(size)) for price, size in side])
                for side in (bid_side, ask_side)
            )
            outcome = self.board.replace(book, LevelForm.PAIRS, raw_bids, raw_asks, START_NS)
            assert outcome is Applied.OK
        self.taken = Taken(self.board)
        rules = LimitRules(slippage_bps=slippage_bps, edge_bps_floor=floor_bps)
        self.confirmer = Confirmer(self.board, costs, self.taken, rules)

    def confirm(self, size: Decimal) -> Confirmed | Unconfirmed:
        return self.confirmer.confirm(OPPORTUNITY, size)

    def exact_levels(self, side: int) -> list[twin.Level]:
        book = 0 if side == ASK else 1
        instrument = (BUY, SELL)[book]
        levels = []
        for price, size in sorted(self.asks if side == ASK else self.bids, reverse=side == BID):
            price_steps = int(price.scaleb(instrument.price_decimals))
            taken = self.taken.steps_at(book, side, price_steps)
            levels.append((Fraction(price), Fraction(size - instrument.size_of(taken))))
        return levels


OPPORTUNITY = make_gap(BUY, SELL)


def make_costs(fee_buy: Decimal, fee_sell: Decimal, transfer: Decimal) -> Costs:
    return Costs(fee_bps_taker={BUY.venue: fee_buy, SELL.venue: fee_sell}, transfer_bps=transfer)


@settings(max_examples=examples(300), deadline=None)
@given(
    asks=asks_side,
    bids=bids_side,
    size=st.integers(1, 8_000).map(lambda n: Decimal(n).scaleb(-3)),
    fee_bps=st.tuples(fees, fees, fees),
    takes=st.lists(st.tuples(st.booleans(), st.integers(0, 5), st.integers(1, 900)), max_size=4),
)
def test_confirmation_equals_plain_fractions(
    asks: dict[int, int],
    bids: dict[int, int],
    size: Decimal,
    fee_bps: tuple[Decimal, Decimal, Decimal],
    takes: list[tuple[bool, int, int]],
) -> None:
    case = Case(asks, bids, costs=make_costs(*fee_bps))
    for is_buy, nth, taken_steps in takes:
        levels = case.board.top_levels(0 if is_buy else 1, 6)[ASK if is_buy else BID]
        price, rests = levels[nth % len(levels)]
        book, side = (0, ASK) if is_buy else (1, BID)
        free = rests - case.taken.steps_at(book, side, price)
        case.taken.take(book, side, price, min(taken_steps, free))
    size_floor = CommonLot.of(BUY, SELL).floor(size)
    fee_buy, fee_sell, transfer = (Fraction(one) / 10_000 for one in fee_bps)

    confirmed = case.confirm(size)
    expected = (
        twin.confirm(
            case.exact_levels(ASK),
            case.exact_levels(BID),
            Fraction(size_floor),
            fee_buy=fee_buy,
            fee_sell=fee_sell,
            transfer=transfer,
        )
        if size_floor
        else None
    )

    if expected is None:
        assert isinstance(confirmed, Unconfirmed)
        return
    assert isinstance(confirmed, Confirmed)
    buy_leg, sell_leg = confirmed.legs
    assert Fraction(buy_leg.notional_quote) == expected.paid
    assert Fraction(sell_leg.notional_quote) == expected.received
    assert Fraction(buy_leg.fee_quote + sell_leg.fee_quote) == expected.fees
    assert Fraction(confirmed.transfer_quote) == expected.transfer
    assert Fraction(confirmed.profit_quote) == expected.profit
    edge = expected.profit / expected.paid * 10_000
    assert 0 <= edge - Fraction(confirmed.net_edge_bps) < Fraction(1, 10_000)


@settings(max_examples=examples(200), deadline=None)
@given(
    asks=asks_side,
    bids=bids_side,
    size=st.integers(2, 4_000).map(lambda n: Decimal(n).scaleb(-3)),
    slippage=st.integers(0, 200).map(Decimal),
    floor=st.integers(0, 20).map(Decimal),
)
def test_limit_prices_lie_between_the_worst_walked_and_the_widest_allowed(
    asks: dict[int, int], bids: dict[int, int], size: Decimal, slippage: Decimal, floor: Decimal
) -> None:
    costs = make_costs(Decimal(10), Decimal(10), Decimal(2))
    case = Case(asks, bids, costs=costs, slippage_bps=slippage, floor_bps=floor)

    confirmed = case.confirm(size)

    if isinstance(confirmed, Unconfirmed):
        return
    exact = twin.confirm(
        case.exact_levels(ASK),
        case.exact_levels(BID),
        Fraction(confirmed.size_base),
        fee_buy=Fraction(10, 10_000),
        fee_sell=Fraction(10, 10_000),
        transfer=Fraction(2, 10_000),
    )
    assert exact is not None
    buy_limit, sell_limit = (Fraction(leg.price_limit) for leg in confirmed.legs)
    share = Fraction(slippage) / 10_000
    assert exact.buy_worst <= buy_limit <= exact.buy_worst * (1 + share)
    assert exact.sell_worst * (1 - share) <= sell_limit <= exact.sell_worst
    assert confirmed.legs[0].price_limit % BUY.tick_quote == 0
    assert confirmed.legs[1].price_limit % SELL.tick_quote == 0
    is_widened = buy_limit > exact.buy_worst and sell_limit < exact.sell_worst
    if is_widened:
        base = Fraction(confirmed.size_base)
        paid, received = base * buy_limit, base * sell_limit
        worst = received * Fraction(9_990, 10_000) - paid * Fraction(10_012, 10_000)
        assert worst >= Fraction(floor) / 10_000 * paid - Fraction(1, 10**6)


FREE = make_costs(Decimal(0), Decimal(0), Decimal(0))


def test_liquidity_that_was_taken_is_not_confirmed_again() -> None:
    case = Case({10_000: 1_000}, {20_200: 1_000}, costs=FREE)
    case.taken.take(0, ASK, 10_000, 50_000)

    outcome = case.confirm(Decimal(1))

    assert isinstance(outcome, Unconfirmed)
    assert outcome.reason is Reason.LIQUIDITY_TAKEN
    assert outcome.detail == "0.50000 of 1.00000 BTC is there"


@pytest.mark.parametrize(
    ("rule", "size"), [({"size_min": "0.5"}, "0.499"), ({"notional_min": "60"}, "0.5")]
)
def test_what_a_venue_does_not_accept_is_refused(rule: dict[str, str], size: str) -> None:
    strict = make_instrument("there", lot="0.001", **rule)  # type: ignore[arg-type]
    board = Board([BUY, strict], levels_max=4)
    for book in (0, 1):
        board.replace(book, LevelForm.PAIRS, b"[[100,9]]", b"[[101,9]]", START_NS)
    confirmer = Confirmer(board, FREE, Taken(board), LimitRules(slippage_bps=Decimal(0)))

    outcome = confirmer.confirm(OPPORTUNITY, Decimal(size))

    assert isinstance(outcome, Unconfirmed)
    assert outcome.reason is Reason.SIZE_BELOW_MIN


def test_a_size_below_one_common_lot_is_refused() -> None:
    case = Case({10_000: 1_000}, {20_200: 1_000}, costs=FREE)

    outcome = case.confirm(Decimal("0.0019"))

    assert isinstance(outcome, Unconfirmed)
    assert outcome.reason is Reason.SIZE_BELOW_MIN
