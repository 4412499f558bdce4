"""The state of a core goes into bytes and comes back whole, and a stranger's bytes do nothing."""

import os
import pickle
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.core import checkpoint
from engine.core.attributes import attributes_of
from engine.core.checkpoint import ARRAY_BYTES_MAX, CoreFrame, UsesArrays
from engine.core.inputs.fees_set import FeesSet
from engine.core.inputs.places_off import PlacesOff
from engine.core.state_pickle import PartOfFrame, StatePickler
from engine.domain.assets import AssetCode
from engine.domain.errors import BadValueError
from engine.domain.fees import FeeWord
from engine.domain.instruments import VenueId
from engine.domain.switched_off import Off
from engine.operate.core_parts import Core
from engine.wiring.core import build_core
from engine.wiring.engine_recording import begin_segment
from engine.wiring.shared_prices import SharedPrices
from tests.reference.run_core import make_run_core, make_surroundings
from tests.reference.state import differences, state_of
from tests.reference.world import START_NS, make_instrument
from tests.simulation import life
from tests.simulation.simulation import MEMORY, make_empty_database, simulate


class Strict(StatePickler):
    """Writes no container of the frame by value: whoever reads it would have two of it."""

    def persistent_id(self, value: Any) -> None:
        is_container = isinstance(value, (dict, list, set, deque))
        assert not (is_container and id(value) in self._numbers), value


def root_of(core: Core) -> object:
    return core.hot_path._middle


def restored(core: Core, *, left_out: frozenset[int] = frozenset()) -> Core:
    """Return another core of the same header, in the state that this one is in."""
    another = build_core(core.header, make_surroundings())
    another.frame.load(b"".join(core.frame.save()), left_out=left_out)
    return another


def own_state(part: object) -> dict[str, object]:
    """Return the state of a part without that of others that it holds."""
    return {path: value for path, value in state_of(part).items() if path.count("/") < 2}


def is_told(core: Core, part: np.ndarray[Any, Any]) -> bool:
    """Say whether another part tells what of this array is in use."""
    owners = [core.frame.part(number) for number in core.frame.changed_parts()]
    return any(
        np.may_share_memory(part, piece)
        for owner in owners
        if isinstance(owner, UsesArrays)
        for piece in owner.used_arrays()
    )


def is_missed(core: Core, number: int, running: dict[str, object]) -> bool:
    """Say whether a core that is restored without a part's state is another one, or none."""
    try:
        without = restored(core, left_out=frozenset({number}))
    except BadValueError:
        return True
    return bool(differences(state_of(root_of(without)), running))


Look = Callable[[Core], None]


@pytest.fixture
def lives(
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[[int, Look], None]]:
    """Run a simulation and look at its core wherever a segment of its recording begins."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as place:
        directory = Path(place)
        empty = make_empty_database(directory)

        def run(seed: int, look: Look) -> None:
            def begin(core: Core) -> list[bytes]:
                look(core)
                return begin_segment(core)

            monkeypatch.setattr(life, "begin_segment", begin)
            folder = directory / str(seed)
            folder.mkdir()
            assert not simulate(seed, folder, empty_database=empty).failures

        yield run


@pytest.mark.parametrize("seeds", [(4,), pytest.param((3, 6, 7), marks=pytest.mark.campaign)])
def test_a_restored_core_is_in_the_whole_state_of_the_one_that_runs(
    lives: Callable[[int, Look], None], monkeypatch: pytest.MonkeyPatch, seeds: tuple[int, ...]
) -> None:
    monkeypatch.setattr(checkpoint, "StatePickler", Strict)
    under_way, open_routes = [], []

    def look(core: Core) -> None:
        under_way.append(len(core.under_way))
        open_routes.append(len(core.detector.open_episodes))
        assert not differences(state_of(root_of(restored(core))), state_of(root_of(core)))

    for seed in seeds:
        lives(seed, look)

    assert max(under_way) > 0
    assert max(open_routes) > 0


def test_no_attribute_of_any_part_is_overlooked(lives: Callable[[int, Look], None]) -> None:
    compared = 0

    def look(core: Core) -> None:
        nonlocal compared
        for number, path in enumerate(core.frame.paths):
            part = core.frame.part(number)
            held = set(getattr(part, "__dict__", ())) - set(getattr(part, "NOT_STATE", ()))
            compared += len(held)
            assert held <= {name for name, _ in attributes_of(part)}, path

    lives(3, look)
    assert compared > 300


@pytest.mark.campaign
def test_whatever_part_is_left_out_of_a_checkpoint_is_missed(
    lives: Callable[[int, Look], None],
) -> None:
    looks: list[int] = []
    unchanged: list[int] = []

    def look(core: Core) -> None:
        if not core.under_way or looks:
            return
        looks.append(len(core.frame.changed_parts()))
        running = state_of(root_of(core))
        in_use = CoreFrame(root_of(core))._numbers
        fresh = build_core(core.header, make_surroundings())
        for number in core.frame.changed_parts():
            part = core.frame.part(number)
            if is_missed(core, number, running) or isinstance(part, UsesArrays):
                continue
            if isinstance(part, np.ndarray) and is_told(core, part):  # it is stored twice
                continue
            if id(part) not in in_use:  # another list stands in its place by now
                continue
            # Some parts were changed to what they were.
            was = own_state(fresh.frame.part(number))
            assert not differences(own_state(part), was), core.frame.paths[number]
            unchanged.append(number)

    for seed in range(3, 8):
        lives(seed, look)

    assert looks
    assert len(unchanged) < looks[0]


def test_a_core_that_shares_its_prices_and_one_that_does_not_take_each_others_state(
    tmp_path: Path,
) -> None:
    core = make_run_core([make_instrument("gemini")], [])
    prices = SharedPrices(tmp_path / "prices", run_id="r1", at_ns=0)
    sharing = build_core(core.header, replace(make_surroundings(), open_matrix=prices.open))
    sharing.hot_path.tick(START_NS)

    core.frame.load(b"".join(sharing.frame.save()))
    prices.close()

    assert core.hot_path.seq == 1


def test_a_core_without_inputs_has_next_to_nothing_to_tell_and_takes_it_back() -> None:
    core = make_run_core([make_instrument("gemini")], [])
    core.hot_path.tick(START_NS)

    another = make_run_core([make_instrument("gemini")], [])
    another.frame.load(b"".join(core.frame.save()))

    assert another.hot_path.seq == 1
    assert not differences(state_of(root_of(another)), state_of(root_of(core)))


def test_what_is_switched_off_and_set_of_fees_is_in_the_state_and_taken_back() -> None:
    core = make_run_core([make_instrument("gemini")], [])
    off = (
        Off(name="gemini", since_ns=START_NS),
        Off(name="BTC-USD", assets=(AssetCode("BTC"), AssetCode("USD")), since_ns=START_NS),
    )
    core.hot_path.command(PlacesOff(off=off), START_NS)
    word = FeeWord(bps=Decimal(12), instead_of_bps=Decimal(10), since_ns=START_NS)
    core.hot_path.command(FeesSet(fees={VenueId("gemini"): word}), START_NS)

    another = restored(core)

    assert another.decider.off.all == off
    assert another.fees.in_force == {"gemini": 12}
    assert not differences(state_of(root_of(another)), state_of(root_of(core)))


@dataclass
class Holder:
    value: Any


class Odd:
    """Stands for an object of a library whose state nobody knows."""


Odd.__module__ = "somewhere"


def test_a_part_whose_state_nobody_knows_is_refused_at_once() -> None:
    with pytest.raises(TypeError, match=r"core\.value is a .*Odd"):
        CoreFrame(Holder(Odd()))
    with pytest.raises(TypeError, match=r"core\.value is in use"):
        CoreFrame(Holder(np.zeros(ARRAY_BYTES_MAX, np.int64)))


class Runs:
    """What a stranger's pickle holds: it runs something as soon as it is read."""

    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self._what = function, arguments

    def __reduce__(self) -> Any:
        return self._what


def framed(states: object) -> bytes:
    head = pickle.dumps((0, states, []), protocol=5)
    return len(head).to_bytes(8, "little") + head


@pytest.mark.parametrize("function", [os.mkdir, getattr, eval, exec, __import__, open])
def test_a_strangers_checkpoint_runs_nothing(
    function: Callable[..., object], tmp_path: Path
) -> None:
    core = make_run_core([make_instrument("gemini")], [])
    made = tmp_path / "made"

    with pytest.raises(BadValueError, match="no part of a state"):
        core.frame.load(framed([(0, Runs(function, str(made)))]))

    assert not made.exists()


@pytest.mark.parametrize(
    "reached",
    [
        "engine.domain.errors.BadValueError",
        "engine.operate.kill_latch.KillLatch",
        "engine.connectors.session.Session",
        "engine.wiring.core.build_core",
        "engine.market.board.np",
        "numpy.frombuffer",
        "subprocess.Popen",
        "antigravity.geohash",
    ],
)
def test_no_other_class_or_function_can_be_named(reached: str) -> None:
    core = make_run_core([make_instrument("gemini")], [])
    module, _, name = reached.rpartition(".")
    head = b"\x80\x04(I0\nc" + f"{module}\n{name}\n".encode() + b"]t."

    with pytest.raises(BadValueError, match="no part of a state"):
        core.frame.load(len(head).to_bytes(8, "little") + head)


def test_a_checkpoint_of_another_frame_is_refused() -> None:
    core = make_run_core([make_instrument("gemini")], [])
    other = make_run_core([make_instrument("gemini"), make_instrument("here")], [])

    with pytest.raises(BadValueError, match="another version"):
        other.frame.load(b"".join(core.frame.save()))


@pytest.mark.parametrize("cut", [0, 4, 8, 200, -1])
def test_a_damaged_checkpoint_ends_in_a_sentence(cut: int) -> None:
    core = make_run_core([make_instrument("gemini")], [])
    core.hot_path.tick(START_NS)
    payload = b"".join(core.frame.save())

    with pytest.raises(BadValueError, match="the checkpoint is"):
        core.frame.load(payload[:cut])


def test_a_part_cannot_be_named_that_is_not_there() -> None:
    core = make_run_core([make_instrument("gemini")], [])

    with pytest.raises(BadValueError, match="damaged"):
        core.frame.load(framed([(0, PartOfFrame(10**6))]))
