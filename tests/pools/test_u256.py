"""256-bit whole numbers against Python's, with the divide instruction and without."""

import importlib.util
import platform
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from engine.kernels import u256

LIMIT = 2**256


def load_copy(folder: Path, machine: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Import the module again, as it would be on another machine."""
    path = folder / "u256_elsewhere.py"
    path.write_text(Path(u256.__file__).read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(platform, "machine", lambda: machine)
    spec = importlib.util.spec_from_file_location("u256_elsewhere", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "u256_elsewhere", module)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(params=["here", "elsewhere"])
def words(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ModuleType]:
    if request.param == "here":
        yield u256
        return
    module = load_copy(tmp_path, "aarch64", monkeypatch)
    assert not module.HAS_DIVIDE_INSTRUCTION
    yield module


def any_word(rng: random.Random) -> int:
    """Return a word of one of the shapes that long division finds hard."""
    bits = rng.randint(1, 256)
    chance = rng.random()
    if chance < 0.4:
        return rng.getrandbits(bits)
    if chance < 0.7:
        return ((1 << bits) - rng.getrandbits(rng.randint(1, 66))) % LIMIT
    limbs = [0, 2**64 - 1, 2**63, 2**63 - 1, 1, rng.getrandbits(64)]
    return sum(rng.choice(limbs) << 64 * place for place in range(rng.randint(1, 4)))


def test_mul_div_is_that_of_pythons_whole_numbers(words: ModuleType) -> None:
    rng = random.Random(1)
    out = np.zeros(4, np.uint64)
    right = wrong = 0

    for number in range(20_000):
        a, b, divisor = any_word(rng), any_word(rng), any_word(rng)
        if number % 2 and divisor:
            b %= divisor  # so that the quotient fits
        for kernel, rounds_up in ((words.words_mul_div, 0), (words.words_mul_div_up, 1)):
            is_right = kernel(*map(u256.to_limbs, (a, b, divisor)), out)
            expected = None
            if divisor:
                expected = -(-a * b // divisor) if rounds_up else a * b // divisor
            if expected is None or expected >= LIMIT:
                wrong += 1
                assert not is_right
            else:
                right += 1
                assert is_right
                assert u256.from_limbs(out) == expected

    assert right > 20_000
    assert wrong > 2_000


def test_halves_divide_as_the_instruction_does() -> None:
    rng = random.Random(2)

    for _ in range(5_000):
        divisor = rng.choice([2**63, 2**64 - 1, rng.getrandbits(63) | 2**63])
        high = rng.choice([0, divisor - 1, rng.randrange(divisor)])
        low = rng.choice([0, 2**64 - 1, rng.getrandbits(64)])
        found = u256.divide_by_halves(np.uint64(high), np.uint64(low), np.uint64(divisor))
        assert tuple(map(int, found)) == divmod(high << 64 | low, divisor)


def test_limbs_of_a_number_that_does_not_fit_are_refused() -> None:
    assert u256.from_limbs(u256.to_limbs(LIMIT - 1)) == LIMIT - 1
    with pytest.raises(OverflowError):
        u256.to_limbs(LIMIT)
    with pytest.raises(OverflowError):
        u256.to_limbs(-1)
