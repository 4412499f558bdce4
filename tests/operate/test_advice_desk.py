"""Advice reaches an engine checked, bounded and at a pace; a bad set leaves the last in force."""

from decimal import Decimal

import pytest

from engine.bus.notices import LimitProposed, Notice
from engine.bus.wire import make_decoder
from engine.domain.advice import (
    AnyAdvice,
    DatedAdvice,
    InclusionAdvice,
    PathAdvice,
    PoolsAdvice,
    ThresholdProposal,
    TipAdvice,
)
from engine.domain.errors import BadValueError, TransientError
from engine.operate.advice_desk import BYTES_MAX, PACE_NS, AdviceDesk
from engine.requests.advise import Advise
from engine.wiring.one_chain import weights_of
from tests.core.test_advice import core_of, gwei, tell_gas
from tests.reference.world import START_NS

S = 1_000_000_000
TIP = TipAdvice(chain="ethereum", tip_gwei=4.0)


def dated(advice: AnyAdvice, holds_s: int = 60) -> DatedAdvice:
    return DatedAdvice(discovery=1, until_ns=START_NS + holds_s * S, advice=advice)


class Desk:
    """A desk of a core, with a clock of the test's."""

    def __init__(self) -> None:
        self.now_ns = START_NS
        self.core = core_of()
        tell_gas(self.core)
        self.told: list[Notice] = []
        self.desk = AdviceDesk(self.core, lambda: self.now_ns, self.told.append)

    def later(self) -> AdviceDesk:
        self.now_ns += PACE_NS
        return self.desk


def test_a_set_is_taken_once_however_often_it_is_told() -> None:
    desk = Desk()
    first = desk.desk.take([dated(TIP)])
    seq = desk.core.hot_path.seq
    again = desk.later().take([dated(TIP)])

    assert (first.in_force, first.is_changed) == (1, True)
    assert (first.run_id, first.input_seq, again.input_seq) == ("r1", seq, 0)
    assert (again.in_force, again.is_changed, desk.core.hot_path.seq) == (1, False, seq)
    assert desk.desk.counts == {"taken": 1, "same": 1}


def test_no_storm_of_advice_becomes_one_of_inputs() -> None:
    desk = Desk()
    desk.desk.take([dated(TIP)])
    seq = desk.core.hot_path.seq
    for number in range(100):
        with pytest.raises(TransientError):
            desk.desk.take([dated(TipAdvice(chain="ethereum", tip_gwei=float(number)))])

    assert desk.core.hot_path.seq == seq
    assert desk.desk.counts["too often"] == 100


@pytest.mark.parametrize(
    "bad",
    [
        [dated(TIP), dated(TIP)],
        [dated(TIP, holds_s=100_000)],
        [dated(TipAdvice(chain=f"c{n}", tip_gwei=1.0)) for n in range(300)],
        [
            dated(
                InclusionAdvice(
                    chain=f"c{n}",
                    edges_usd=tuple(float(edge) for edge in range(16)),
                    ratios=((0.123456789,) * 16,) * 16,
                )
            )
            for n in range(20)
        ],
    ],
)
def test_a_bad_set_is_refused_as_a_whole_and_the_last_holds_on(bad: list[DatedAdvice]) -> None:
    desk = Desk()
    desk.desk.take([dated(TIP)])
    with pytest.raises(BadValueError):
        desk.later().take(bad)

    assert gwei(desk.core) == 14
    assert desk.desk.counts["refused"] == 1
    assert BYTES_MAX == 65_536


def test_what_has_ended_before_it_came_is_not_taken() -> None:
    desk = Desk()

    assert desk.desk.take([dated(TIP, holds_s=0)]).in_force == 0


def test_what_is_none_is_refused_where_it_is_read() -> None:
    decoder = make_decoder([Advise])
    text = decoder.decode  # a request as it comes over the wire
    for hostile in (
        b"\x81\xa4type\xa6Advise",
        b"\x82\xa4type\xa6Advise\xa6advice\x91\x80",
        b"\x82\xa4type\xa6Advise\xa6advice\xc0",
    ):
        with pytest.raises((ValueError, BadValueError)):
            text(hostile)


def test_a_limit_is_proposed_once_and_stays_what_it_is() -> None:
    desk = Desk()
    limits = desk.core.decider.limits
    before = limits.in_force()
    proposal = dated(ThresholdProposal(term="net_edge_bps_min", value=12.5, why="it pays"))
    desk.desk.take([proposal])
    for number in range(3):
        desk.later().take([proposal, dated(TipAdvice(chain="base", tip_gwei=float(number)))])

    (told,) = desk.told
    assert isinstance(told, LimitProposed)
    assert (told.name, told.now, told.proposed) == (
        "net_edge_bps_min",
        before["net_edge_bps_min"],
        Decimal("12.5"),
    )
    assert limits.in_force() == before


@pytest.mark.parametrize(
    ("term", "value"), [("nothing", 1.0), ("net_edge_bps_min", 0.0), ("daily_loss_usd", 1e9)]
)
def test_what_could_not_be_set_is_not_proposed(term: str, value: float) -> None:
    desk = Desk()
    taken = desk.desk.take([dated(ThresholdProposal(term=term, value=value, why="it pays"))])

    assert len(taken.refused) == 1
    assert desk.told == []


def test_pools_are_weighed_by_their_addresses_alone() -> None:
    address, other = "0x" + "a" * 40, "0x" + "b" * 64
    weights = weights_of(
        [
            PathAdvice(chain="base", tokens=("A", "B"), pools=(address, "0x' OR 1=1")),
            PoolsAdvice(chain="base", weights=((address, 0.5), (other, 3.0), ("0xzz", 2.0))),
        ]
    )

    assert weights == {address: 10.0, other: 3.0}
