"""What is kept of events: each once, through restarts, until it is taken."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from bot.web.hooks.store import DiskError, HookStore, key_of, row_of
from engine.bus.hooked import HookEvent, Level
from tests.bot.web.hooks import bodies

EVENT = HookEvent(
    stream="base",
    chain="base",
    level=Level.SEEN,
    block_number=100,
    block_hash=bodies.hash_of(100),
    tx_hash=bodies.hash_of(1, "tx"),
    log_index=4,
    address=bodies.ADDRESS,
    topics=(b"t" * 32,),
    data=b"d" * 64,
    received_at_ns=1_000,
)
CONFIRMED = replace(EVENT, level=Level.CONFIRMED)
REMOVED = replace(EVENT, level=Level.REMOVED)
LATER = 10**18


@pytest.fixture
def store(tmp_path: Path) -> Iterator[HookStore]:
    made = HookStore(tmp_path)
    yield made
    made.close()


def keep(store: HookStore, *events: HookEvent) -> list[bool]:
    (known,) = store.keep([events], [])
    return known


@pytest.mark.parametrize(
    ("told", "is_new"),
    [
        ((EVENT, EVENT), [True, False]),
        ((EVENT, CONFIRMED, CONFIRMED), [True, True, False]),
        ((CONFIRMED, EVENT), [True, False]),
        ((EVENT, REMOVED, EVENT), [True, True, False]),
        ((EVENT, replace(EVENT, log_index=5)), [True, True]),
        ((EVENT, replace(EVENT, stream="other")), [True, True]),
        ((EVENT, replace(EVENT, block_hash=bodies.hash_of(101))), [True, True]),
        ((EVENT, replace(EVENT, data=b"otherwise")), [True, False]),
    ],
)
def test_an_event_counts_once_in_whatever_order_its_levels_come(
    store: HookStore, told: tuple[HookEvent, ...], is_new: list[bool]
) -> None:
    assert [keep(store, one)[0] for one in told] == is_new


@pytest.mark.parametrize(
    ("bodies_of", "is_new"),
    [
        ([[EVENT], [EVENT]], [[True], [False]]),
        ([[EVENT, EVENT], [CONFIRMED]], [[True, False], [True]]),
        ([[CONFIRMED], [EVENT]], [[True], [False]]),
        ([[EVENT], [CONFIRMED, EVENT]], [[True], [True, False]]),
    ],
)
def test_of_bodies_in_one_change_the_first_one_tells_an_event(
    store: HookStore, bodies_of: list[list[HookEvent]], is_new: list[list[bool]]
) -> None:
    assert store.keep(bodies_of, []) == is_new
    assert store.waiting_count() == sum(map(sum, is_new))
    other = [replace(EVENT, log_index=9)]
    assert store.keep([*bodies_of, other], []) == [[False] * len(one) for one in is_new] + [[True]]


def test_what_was_taken_before_it_is_kept_is_known_and_waits_for_nobody(store: HookStore) -> None:
    other = replace(EVENT, log_index=5)
    assert store.keep([[EVENT], [other]], [row_of(EVENT)]) == [[True], [True]]
    assert store.waiting(before_ns=LATER, most=10) == [other]
    assert keep(store, EVENT) == [False]


def test_a_change_takes_as_many_statements_whatever_it_keeps(store: HookStore) -> None:
    store.open()
    counts = []
    for at, size in enumerate((1, 400)):
        events = [replace(EVENT, block_number=at, log_index=place) for place in range(size)]
        statements: list[str] = []
        file = store._file
        assert file is not None
        file.set_trace_callback(statements.append)
        store.keep([[one] for one in events], [row_of(one) for one in events])
        file.set_trace_callback(None)
        counts.append(len(statements))
    assert counts[0] == counts[1]


def test_events_of_blocks_that_follow_one_another_lie_side_by_side() -> None:
    keys = [
        key_of(replace(EVENT, block_number=number, log_index=place))
        for number in (7, 8, 255, 256)
        for place in range(20)
    ]
    assert [key[:6] for key in sorted(keys)] == [key[:6] for key in keys]
    assert len(set(keys)) == len(keys)


def test_what_is_known_and_what_waits_outlives_a_restart(tmp_path: Path) -> None:
    first = HookStore(tmp_path)
    other = replace(EVENT, log_index=5)
    first.keep([[EVENT, other]], [])
    first.keep([], [row_of(EVENT)])
    # nothing is closed: as after kill -9, but for the lock

    first.close()
    second = HookStore(tmp_path)
    assert second.waiting(before_ns=LATER, most=10) == [other]
    assert keep(second, EVENT, other) == [False, False]
    second.close()


def test_what_is_forgotten_says_from_when_on_all_is_known(store: HookStore) -> None:
    events = [replace(EVENT, log_index=at, received_at_ns=at) for at in range(100)]
    keep(store, *events)
    store.keep([], [row_of(one) for one in events])

    assert store.prune(before_ns=10) == 10
    assert store.pruned_until_ns == 10
    assert store.prune(before_ns=10) == 0
    assert store.prune(before_ns=0, kept_max=50) == 40
    assert store.pruned_until_ns == 50
    assert keep(store, events[50], events[49]) == [False, True]


def test_a_full_disk_keeps_nothing_of_a_change_and_goes_on_when_there_is_room(
    tmp_path: Path,
) -> None:
    full = HookStore(tmp_path, pages_max=24)
    large = [replace(EVENT, log_index=at, data=b"d" * 2_000) for at in range(200)]
    with pytest.raises(DiskError, match="full"):
        full.keep([large[:1], large], [])
    full.close()

    store = HookStore(tmp_path)
    assert store.waiting(before_ns=LATER, most=10) == []
    assert store.keep([large], []) == [[True] * 200]
    store.close()
