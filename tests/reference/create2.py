"""Keccak-256, and addresses as their checksums spell them.

Written from FIPS 202 (with Keccak's own padding) and EIP-55.
"""

ROUNDS = 24
WORD = (1 << 64) - 1
RATE_BYTES = 136


def _round_constants() -> list[int]:
    state, constants = 1, []
    for _ in range(ROUNDS):
        constant = 0
        for bit in range(7):
            constant |= (state & 1) << ((1 << bit) - 1)
            state = (state << 1) ^ (0x171 if state & 0x80 else 0)
        constants.append(constant)
    return constants


ROUND_CONSTANTS = _round_constants()


def _turned(word: int, bits: int) -> int:
    bits %= 64
    return ((word << bits) | (word >> (64 - bits))) & WORD


def _permuted(lanes: list[int]) -> list[int]:
    for constant in ROUND_CONSTANTS:
        columns = [
            lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20]
            for x in range(5)
        ]
        mixed = [columns[x - 1] ^ _turned(columns[(x + 1) % 5], 1) for x in range(5)]
        lanes = [lane ^ mixed[i % 5] for i, lane in enumerate(lanes)]
        moved = [lanes[0]] + [0] * 24
        x, y, held = 1, 0, lanes[1]
        for step in range(ROUNDS):
            x, y = y, (2 * x + 3 * y) % 5
            moved[x + 5 * y] = _turned(held, (step + 1) * (step + 2) // 2)
            held = lanes[x + 5 * y]
        lanes = [
            moved[i] ^ (~moved[(i % 5 + 1) % 5 + i // 5 * 5] & moved[(i % 5 + 2) % 5 + i // 5 * 5])
            for i in range(25)
        ]
        lanes = [lane & WORD for lane in lanes]
        lanes[0] ^= constant
    return lanes


def keccak(text: bytes) -> bytes:
    """Return the Keccak-256 of some bytes."""
    padded = bytearray(text + b"\x01" + b"\0" * ((-len(text) - 1) % RATE_BYTES))
    padded[-1] |= 0x80
    lanes = [0] * 25
    for start in range(0, len(padded), RATE_BYTES):
        for lane in range(RATE_BYTES // 8):
            at = start + 8 * lane
            lanes[lane] ^= int.from_bytes(padded[at : at + 8], "little")
        lanes = _permuted(lanes)
    return b"".join(lane.to_bytes(8, "little") for lane in lanes[:4])


def checksummed(address: str) -> str:
    """Return an address with the letters' case that EIP-55 gives it."""
    digits = address.removeprefix("0x").lower()
    digest = keccak(digits.encode()).hex()
    return "0x" + "".join(
        digit.upper() if int(of, 16) > 7 else digit
        for digit, of in zip(digits, digest, strict=False)
    )
