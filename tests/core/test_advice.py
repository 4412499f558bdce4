"""What is advised changes what the engine reckons with, until it ends; then all is as before."""

import dataclasses
import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.core.inputs.advised import ADVISED, Advised
from engine.core.inputs.gas_priced import GasPriced
from engine.domain.advice import (
    AnyAdvice,
    BlockTimeAdvice,
    DatedAdvice,
    GasAdvice,
    TipAdvice,
)
from engine.domain.chains import BlockTerms
from engine.domain.errors import BadValueError
from engine.domain.gas import GasPrice, Tips
from engine.operate.core_parts import Core
from engine.operate.recorder import Recorder, RecorderSettings
from engine.operate.recording import EntryKind
from engine.operate.run_header import encode_header
from engine.operate.world import LiveWorld
from engine.pools.blocks import Block, PoolMoved
from engine.pools.moves import PairMove
from engine.tools.replaying import replay
from engine.wiring.core import build_core
from tests.detect.test_live_pools import pair_of
from tests.reference.run_core import make_header, make_surroundings
from tests.reference.world import START_NS

S = 1_000_000_000
CHAINS = {"ethereum": BlockTerms(stale_ms=36_000, undo_blocks=4, block_ms=2_000)}
TIPS = Tips(now=Decimal(2), least=Decimal(1), most=Decimal(8))


def core_of() -> Core:
    header = make_header([], [replace(pair_of(1_000, 2_000_000), block=1)], chains=CHAINS)
    world = LiveWorld(is_killed=lambda: False, is_ledger_behind=lambda: False, recorder=None)
    around = dataclasses.replace(make_surroundings(), world=world)
    return build_core(header, around)


def advise(core: Core, *advice: AnyAdvice, at_s: int = 0, holds_s: int = 60) -> None:
    at_ns = START_NS + at_s * S
    dated = tuple(
        DatedAdvice(discovery=n, until_ns=at_ns + holds_s * S, advice=one)
        for n, one in enumerate(advice, 1)
    )
    core.hot_path.command(Advised(advice=dated), at_ns)


def tell_gas(core: Core, gwei: str = "12", tips: Tips | None = TIPS, at_s: int = 0) -> None:
    priced = GasPriced(chain="ethereum", gwei=Decimal(gwei), tips=tips)
    core.hot_path.command(priced, START_NS + at_s * S)


def block(number: int) -> Block:
    return Block(
        chain="ethereum",
        number=number,
        hash=f"h{number}",
        parent_hash=f"h{number - 1}",
        made_at_ns=0,
    )


def gwei(core: Core) -> Decimal:
    price = core.gas.price("ethereum")
    assert price is not None
    return price.gwei


@pytest.mark.parametrize(
    ("tip_gwei", "reckoned"), [(3.5, "13.5"), (0.0, "11"), (1.5, "11.5"), (5_000.0, "18")]
)
def test_a_tip_takes_the_place_of_the_told_one_within_what_blocks_were_paid(
    tip_gwei: float, reckoned: str
) -> None:
    core = core_of()
    tell_gas(core)
    advise(core, TipAdvice(chain="ethereum", tip_gwei=tip_gwei))

    assert gwei(core) == Decimal(reckoned)
    tell_gas(core, "22")
    assert gwei(core) == Decimal(reckoned) + 10


def test_where_nobody_says_what_is_a_tip_none_is_advised() -> None:
    core = core_of()
    tell_gas(core, tips=None)
    advise(core, TipAdvice(chain="ethereum", tip_gwei=9.0))

    assert gwei(core) == 12


def test_gas_is_reckoned_dearer_never_cheaper_and_what_is_paid_stays() -> None:
    core = core_of()
    tell_gas(core)
    advise(core, GasAdvice(chain="ethereum", ratio=1.5), TipAdvice(chain="ethereum", tip_gwei=4.0))

    assert gwei(core) == 21
    told, paid = core.gas.told("ethereum"), core.gas.paid("ethereum")
    assert told is not None
    assert paid is not None
    assert (told.gwei, paid.gwei) == (Decimal(12), Decimal(14))


def test_advice_ends_with_its_time_and_leaves_nothing_behind() -> None:
    core, plain = core_of(), core_of()
    for one in (core, plain):
        tell_gas(one)
    advise(core, TipAdvice(chain="ethereum", tip_gwei=4.0), holds_s=60)
    core.hot_path.tick(START_NS + 59 * S)
    assert gwei(core) == 14

    core.hot_path.tick(START_NS + 60 * S)

    assert gwei(core) == 12
    assert core.advice.all == ()
    assert core.gas.price("ethereum") == plain.gas.price("ethereum")


def test_a_set_replaces_the_one_before() -> None:
    core = core_of()
    tell_gas(core)
    advise(core, TipAdvice(chain="ethereum", tip_gwei=4.0))
    advise(core, at_s=1)

    assert gwei(core) == 12


def test_a_chain_is_late_sooner_by_advice_never_later() -> None:
    core = core_of()
    slow = BlockTimeAdvice(chain="ethereum", block_ms=60_000.0, heard_ms=0.0, jitter_ms=0.0)
    quick = BlockTimeAdvice(chain="ethereum", block_ms=2_000.0, heard_ms=100.0, jitter_ms=200.0)
    core.hot_path.command(block(2), START_NS)
    advise(core, slow)
    assert core.moving_pools.is_fresh("ethereum", START_NS + 36 * S)
    assert not core.moving_pools.is_fresh("ethereum", START_NS + 36 * S + 1)

    advise(core, quick, at_s=1)
    assert core.moving_pools.is_fresh("ethereum", START_NS + 4_900_000_000)
    assert not core.moving_pools.is_fresh("ethereum", START_NS + 4_900_000_001)
    core.hot_path.command(block(3), START_NS + 2 * S)
    assert not core.moving_pools.is_fresh("ethereum", START_NS + 7 * S)
    advise(core, at_s=3)
    assert core.moving_pools.is_fresh("ethereum", START_NS + 38 * S)


def test_no_advice_makes_a_lost_chain_fresh_again() -> None:
    core = core_of()
    core.hot_path.command(block(2), START_NS)
    core.moving_pools._set_until("ethereum", core.moving_pools._chains["ethereum"], 0)
    advise(core, BlockTimeAdvice(chain="ethereum", block_ms=9e5 / 2, heard_ms=0.0, jitter_ms=0.0))
    advise(core, at_s=1)

    assert not core.moving_pools.is_fresh("ethereum", START_NS + S)


def test_a_step_of_the_clock_lets_it_hold_as_long_as_it_would_have() -> None:
    core = core_of()
    tell_gas(core)
    advise(core, TipAdvice(chain="ethereum", tip_gwei=4.0), holds_s=60)

    core.advice.step_clock(100 * S)

    (one,) = core.advice.all
    assert one.until_ns == START_NS + 160 * S == core.advice.ends_at_ns


def test_a_checkpoint_holds_what_is_advised() -> None:
    core, other = core_of(), core_of()
    tell_gas(core)
    advise(core, TipAdvice(chain="ethereum", tip_gwei=4.0))

    other.frame.load(b"".join(core.frame.save()))

    assert other.advice.all == core.advice.all
    assert gwei(other) == 14
    other.hot_path.tick(START_NS + 60 * S)
    assert gwei(other) == 12


def test_a_set_that_holds_too_long_is_refused_and_changes_nothing() -> None:
    core = core_of()
    tell_gas(core)
    with pytest.raises(BadValueError, match="more than 86400 s"):
        advise(core, TipAdvice(chain="ethereum", tip_gwei=4.0), holds_s=86_401)

    assert gwei(core) == 12


def test_a_recording_can_be_read_without_some_of_it() -> None:
    tip = TipAdvice(chain="ethereum", tip_gwei=4.0)
    dated = [DatedAdvice(discovery=n, until_ns=1, advice=tip) for n in (1, 2, 3)]
    text = ADVISED.encode(Advised(advice=tuple(dated)))

    left = ADVISED.decode(text).without(frozenset({1, 3}))

    assert left.advice == (dated[1],)


class Recorded:
    """A recorded run of two pools whose chain falls silent."""

    def __init__(self, directory: Path, *advice: AnyAdvice) -> None:
        pools = [pair_of(1_000, 2_000_000), pair_of(1_000, 2_000_000, address="0xother")]
        header = make_header([], [replace(pool, block=1) for pool in pools], chains=CHAINS)
        kept = RecorderSettings(directory=directory, segment_bytes=1 << 20, total_bytes_max=1 << 20)
        self.recorder, self.lines = Recorder(kept, header.run_id), list[bytes]()
        self.recorder.write(0, EntryKind.HEADER, 0, 0, "", encode_header(header))
        world = LiveWorld(
            is_killed=lambda: False, is_ledger_behind=lambda: False, recorder=self.recorder
        )
        around = make_surroundings(log=self.log, recorder=self.recorder)
        self.core = build_core(header, dataclasses.replace(around, world=world))
        self.run(advice)

    def log(self, line: bytes) -> None:
        self.recorder.write(0, EntryKind.DECIDED, 0, 0, "", line)
        self.lines.append(line)

    def run(self, advice: tuple[AnyAdvice, ...]) -> None:
        hot_path = self.core.hot_path
        hot_path.command(GasPriced(chain="ethereum", gwei=Decimal(0)), START_NS)
        if advice:
            advise(self.core, *advice, holds_s=20)
        move = PairMove(reserve0_raw=10**21, reserve1_raw=2_200_000 * 10**6)
        moved = (PoolMoved(address="0xother", move=move),)
        hot_path.command(replace(block(2), changes=moved), START_NS)
        for second in range(40):
            hot_path.tick(START_NS + second * S)
        self.recorder.write(0, EntryKind.ENDED, 0, 0, "", b"")
        self.recorder.close()


def test_a_run_with_advice_is_replayed_byte_for_byte_and_without_it_is_another(
    tmp_path: Path,
) -> None:
    quick = BlockTimeAdvice(chain="ethereum", block_ms=2_000.0, heard_ms=0.0, jitter_ms=0.0)
    with_it = Recorded(tmp_path / "with", quick)
    without = Recorded(tmp_path / "without")
    replayed: list[bytes] = []

    result = replay(with_it.recorder.run_directory, lines=replayed)

    assert result.is_complete
    assert result.first_difference is None
    assert replayed == with_it.lines != without.lines
    # Advised, its pools are out after two blocks until the advice ends; without, after 36 s.
    assert [lost_and_back_s(run.lines) for run in (with_it, without)] == [[5, 20, 37], [37]]


def lost_and_back_s(lines: list[bytes]) -> list[int]:
    """Say after how many seconds pools were lost or back."""
    told = [one[1] for line in lines if (one := json.loads(line))[0] == "venue"]
    return [(one["at_ns"] - START_NS) // S for one in told]


@settings(max_examples=60, deadline=None)
@given(
    st.decimals(0, 1_000, places=9),
    st.tuples(*[st.decimals(0, 100, places=9)] * 3),
    st.floats(0, 10_000),
    st.floats(1, 5),
)
def test_no_tip_is_below_what_some_block_took_and_no_ratio_makes_gas_cheaper(
    base: Decimal, tips: tuple[Decimal, Decimal, Decimal], tip_gwei: float, ratio: float
) -> None:
    least, now, most = sorted(tips)
    told = GasPrice(gwei=base + now, tips=Tips(now=now, least=least, most=most))

    bid = told.bidding(Decimal(str(tip_gwei)))

    assert base + least <= bid.gwei <= base + most
    assert bid.times(Decimal(str(round(ratio, 4)))).gwei >= bid.gwei
