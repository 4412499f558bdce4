"""Ways to spoil a frame, each from a seed."""

import re
from collections.abc import Callable
from random import Random

import msgspec

Mutation = Callable[[Random, bytes], bytes]

_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")
_ODD_NUMBERS = (
    b"0",
    b"-1",
    b"1e400",
    b"1E-40",
    b"9223372036854775807",
    b"9223372036854775808",
    b"99999999999999999999999999",
    b"0.00000000000000000001",
    b"-0",
    b"NaN",
    b"Infinity",
    b"007",
    b"1_000",
    b".5",
    b"5.",
    b"+1",
    b"0x10",
)
_ODD_VALUES: tuple[object, ...] = (None, True, 0, -1, 1.5, "", "x", [], {}, [[]], [["1"]], "١٢")


def flip_bits(random: Random, frame: bytes) -> bytes:
    spoiled = bytearray(frame)
    for _ in range(random.randint(1, 4)):
        spoiled[random.randrange(len(spoiled))] ^= 1 << random.randrange(8)
    return bytes(spoiled)


def truncate(random: Random, frame: bytes) -> bytes:
    return frame[: random.randrange(len(frame))]


def mutate_number(random: Random, frame: bytes) -> bytes:
    numbers = list(_NUMBER.finditer(frame))
    if not numbers:
        return frame
    number = random.choice(numbers)
    return frame[: number.start()] + random.choice(_ODD_NUMBERS) + frame[number.end() :]


def mutate_digit(random: Random, frame: bytes) -> bytes:
    digits = [index for index, byte in enumerate(frame) if 48 <= byte <= 57]
    if not digits:
        return frame
    spoiled = bytearray(frame)
    spoiled[random.choice(digits)] = random.randrange(48, 58)
    return bytes(spoiled)


def delete_key(random: Random, frame: bytes) -> bytes:
    return _change_one(random, frame, lambda holder, key: holder.pop(key))


def replace_value(random: Random, frame: bytes) -> bytes:
    def change(holder: dict[str, object], key: str) -> None:
        holder[key] = random.choice(_ODD_VALUES)

    return _change_one(random, frame, change)


def nest(random: Random, frame: bytes) -> bytes:
    at = random.randrange(len(frame) + 1)
    return frame[:at] + random.choice([b"[", b'{"a":']) * random.choice([3, 2_000]) + frame[at:]


def bad_text(random: Random, frame: bytes) -> bytes:
    at = random.randrange(len(frame) + 1)
    return frame[:at] + random.choice([b"\xff", b"\xc3\x28", b"\x00", b"\xed\xa0\x80"]) + frame[at:]


def repeat_part(random: Random, frame: bytes) -> bytes:
    start = random.randrange(len(frame))
    end = random.randrange(start, len(frame)) + 1
    return frame[:end] + frame[start:end] + frame[end:]


def grow(random: Random, frame: bytes) -> bytes:
    at = random.randrange(len(frame) + 1)
    return frame[:at] + bytes([random.randrange(256)]) * random.choice([10, 1_000]) + frame[at:]


MUTATIONS: dict[str, Mutation] = {
    "flip_bits": flip_bits,
    "truncate": truncate,
    "mutate_number": mutate_number,
    "mutate_digit": mutate_digit,
    "delete_key": delete_key,
    "replace_value": replace_value,
    "nest": nest,
    "bad_text": bad_text,
    "repeat_part": repeat_part,
    "grow": grow,
}


def _change_one(
    random: Random, frame: bytes, change: Callable[[dict[str, object], str], object]
) -> bytes:
    message = msgspec.json.decode(frame)
    holders: list[dict[str, object]] = []
    _collect(message, holders)
    if not holders:
        return frame
    holder = random.choice(holders)
    change(holder, random.choice(list(holder)))
    return msgspec.json.encode(message)


def _collect(value: object, holders: list[dict[str, object]]) -> None:
    if isinstance(value, dict):
        if value:
            holders.append(value)
        for each in value.values():
            _collect(each, holders)
    elif isinstance(value, list):
        for each in value[:5]:
            _collect(each, holders)
