"""A state page gives the newest state that is whole, and never what is none."""

import contextlib
import hashlib
import os
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.background.ports import STATE_BYTES_MAX
from engine.background.sealed import GarbageError, Kind, Sealed, next_sequence, unseal
from engine.background.state_page import (
    HALF_BYTES,
    StateTooLargeError,
    open_page,
    read_page,
)
from engine.domain.errors import TransientError

RUN = b"r" * 16
NAME = "fit_walk"


def sealed(content: bytes, *, sequence: int = 7) -> Sealed:
    return Sealed(
        kind=Kind.STATE,
        task=NAME,
        version=3,
        sequence=sequence,
        at_ns=11,
        run=RUN,
        content=content,
    )


def write(path: Path, *contents: bytes, at_ns: int = 100) -> None:
    with open_page(path, kind=Kind.STATE, task=NAME, clock=lambda: at_ns) as page:
        for content in contents:
            page.write(content, version=3, run=RUN)


def newest(path: Path) -> bytes | None:
    found, _ = read_page(path, kind=Kind.STATE, task=NAME)
    return None if found is None else bytes(found.content)


@given(st.binary(max_size=200), st.data())
def test_what_was_sealed_is_read_as_it_was_or_not_at_all(
    content: bytes, data: st.DataObject
) -> None:
    raw = bytearray(sealed(content).encode())
    assert unseal(bytes(raw), kind=Kind.STATE, task=NAME) == sealed(content)
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))

    with pytest.raises(GarbageError):
        unseal(bytes(raw), kind=Kind.STATE, task=NAME)


@given(st.binary(max_size=300))
def test_any_bytes_are_nothing_or_garbage(raw: bytes) -> None:
    try:
        assert unseal(raw, kind=Kind.STATE, task=NAME) is None
    except GarbageError:
        return
    assert not any(raw[:60])


def test_a_state_of_another_task_or_kind_is_garbage() -> None:
    raw = sealed(b"x").encode()

    with pytest.raises(GarbageError, match="does not pass"):
        unseal(raw, kind=Kind.STATE, task="fit_walks")
    with pytest.raises(GarbageError, match="does not pass"):
        unseal(raw, kind=Kind.LEARNED, task=NAME)


def test_a_page_gives_the_newest_state_also_to_the_next_writer(tmp_path: Path) -> None:
    path = tmp_path / "page"
    assert newest(path) is None

    write(path, b"one", b"two", b"three")
    assert newest(path) == b"three"
    write(path, b"four")

    assert newest(path) == b"four"


@pytest.mark.parametrize("written", range(0, 90, 7))
def test_a_write_that_was_cut_anywhere_leaves_the_state_before(
    tmp_path: Path, written: int
) -> None:
    path = tmp_path / "page"
    write(path, b"a" * 40, b"b" * 40)
    with path.open("r+b") as file:
        half = max((0, HALF_BYTES), key=lambda start: _sequence(path, start))
        older = HALF_BYTES - half
        file.seek(older)
        file.write(sealed(b"c" * 40, sequence=1_000).encode()[:written])

    assert newest(path) == b"b" * 40
    write(path, b"d")
    assert newest(path) == b"d"


def _sequence(path: Path, start: int) -> int:
    with path.open("rb") as file:
        file.seek(start)
        found = unseal(file.read(4_096), kind=Kind.STATE, task=NAME)
    assert found is not None
    return found.sequence


def test_garbage_in_both_halves_is_told_and_no_state(tmp_path: Path) -> None:
    path = tmp_path / "page"
    write(path, b"one", b"two")
    with path.open("r+b") as file:
        for start in (0, HALF_BYTES):
            file.seek(start)
            file.write(os.urandom(4_096))

    found, faults = read_page(path, kind=Kind.STATE, task=NAME)

    assert found is None
    assert len(faults) == 2
    write(path, b"three")
    assert newest(path) == b"three"


@pytest.mark.parametrize("size", [0, 1, 50, 4_096, HALF_BYTES, HALF_BYTES + 3])
def test_a_page_that_was_shortened_is_mended_by_the_next_writer(tmp_path: Path, size: int) -> None:
    path = tmp_path / "page"
    write(path, b"one", b"two")
    os.truncate(path, size)

    assert newest(path) in {None, b"one", b"two"}
    write(path, b"three")
    assert newest(path) == b"three"


def test_a_clock_that_is_set_back_does_not_make_an_older_state_newer(tmp_path: Path) -> None:
    path = tmp_path / "page"
    write(path, b"one", at_ns=10**18)
    write(path, b"two", at_ns=5)

    assert newest(path) == b"two"
    assert next_sequence(0, at_ns=10**18) == 10**18


def test_a_state_that_is_too_large_is_refused_by_name_and_size(tmp_path: Path) -> None:
    path = tmp_path / "page"
    write(path, bytes(STATE_BYTES_MAX))

    with pytest.raises(StateTooLargeError, match="state of fit_walk has 10,000,001 bytes"):
        write(path, bytes(STATE_BYTES_MAX + 1))
    is_kept = newest(path) == bytes(STATE_BYTES_MAX)
    assert is_kept  # not compared here: pytest would spell out millions of bytes


def test_a_page_has_one_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.background.state_page.LOCK_S", 0.0)
    path = tmp_path / "page"
    with (
        open_page(path, kind=Kind.STATE, task=NAME),
        pytest.raises(TransientError, match="another process writes"),
        open_page(path, kind=Kind.STATE, task=NAME),
    ):
        pass


def test_a_page_takes_no_more_room_than_what_is_on_it(tmp_path: Path) -> None:
    path = tmp_path / "page"
    write(path, b"one", b"two")

    assert path.stat().st_blocks * 512 < 100_000


def of_format_1(content: bytes) -> bytes:
    """Seal as the program did when its digest covered the content itself."""
    header = struct.pack("<8sHHIQq16sQ", b"SYNDKEPT", 1, Kind.STATE, 3, 7, 11, RUN, len(content))
    digest = hashlib.blake2b(header, digest_size=16, key=NAME.encode())
    digest.update(content)
    return header + digest.digest() + content


def test_what_was_kept_before_the_checksum_was_made_faster_is_read_and_checked() -> None:
    raw = of_format_1(b"some state")

    assert unseal(raw, kind=Kind.STATE, task=NAME) == sealed(b"some state")
    with pytest.raises(GarbageError, match="does not pass"):
        unseal(raw[:-1] + b"x", kind=Kind.STATE, task=NAME)


def test_a_format_that_is_not_known_is_told_and_not_read() -> None:
    raw = bytearray(sealed(b"x").encode())
    raw[8] = 3

    with pytest.raises(GarbageError, match="of format 3, not 2"):
        unseal(bytes(raw), kind=Kind.STATE, task=NAME)


def test_what_is_read_is_not_copied_from_what_was_read() -> None:
    raw = sealed(b"some state").encode()
    found = unseal(raw, kind=Kind.STATE, task=NAME)

    assert found is not None
    assert isinstance(found.content, memoryview)
    assert found.content.obj is raw


class KilledError(Exception):
    """The writer is killed."""


class Mapped(bytearray):
    """Memory whose writer dies after so many stores."""

    stores = 0

    def __setitem__(self, at: Any, value: Any) -> None:
        if self.stores == 0:
            raise KilledError
        self.stores -= 1
        super().__setitem__(at, value)


@pytest.mark.parametrize("stores", [0, 1, 2, 3])
def test_a_writer_that_is_killed_between_two_stores_leaves_one_whole_state(
    tmp_path: Path, stores: int
) -> None:
    path = tmp_path / "page"
    write(path, b"a" * 40, b"b" * 40)
    memory = Mapped(path.read_bytes())
    with open_page(path, kind=Kind.STATE, task=NAME) as page:
        memory.stores, page._memory = stores, memory  # type: ignore[assignment]
        with contextlib.suppress(KilledError):
            page.write(b"c" * 50, version=3, run=RUN)
    path.write_bytes(memory)

    found, faults = read_page(path, kind=Kind.STATE, task=NAME)

    assert found is not None
    assert bytes(found.content) == (b"c" * 50 if stores == 3 else b"b" * 40)
    assert faults == []
