"""What is kept of events: each once, through restarts, until it is taken."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from bot.web.hooks.store import DiskError, HookStore, row_of
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
