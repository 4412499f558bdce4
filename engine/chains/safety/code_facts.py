"""What a contract's code alone tells: its functions, the addresses in it, whether it can vanish."""

from typing import Final, NamedTuple

_PUSH1: Final = 0x60
_PUSH32: Final = 0x7F
_SELFDESTRUCT: Final = 0xFF
_BASEFEE: Final = 0x48
_JUMPDEST: Final = 0x5B
_ENDS: Final = frozenset({0x00, 0x56, 0xF3, 0xFD, 0xFE, _SELFDESTRUCT})
"""STOP, JUMP, RETURN, REVERT, INVALID: what stands behind one is run only from a JUMPDEST on."""

_SELECTOR_BYTES: Final = 4
_ADDRESS_BYTES: Final = 20
_WORD_BYTES: Final = 32
_CLONE_HEAD: Final = bytes.fromhex("363d3d373d3d3d363d73")
_CLONE_TAIL: Final = bytes.fromhex("5af43d82803e903d91602b57fd5bf3")
_METADATA_MARKS: Final = (b"\x64ipfs", b"\x65bzzr0", b"\x65bzzr1", b"\x64solc", b"\x65vyper")
_DELEGATED: Final = bytes.fromhex("ef0100")
_NOT_FUNCTIONS: Final = frozenset(
    {
        0xFFFFFFFF,
        0x08C379A0,  # Error(string)
        0x4E487B71,  # Panic(uint256)
    }
)


class CodeFacts(NamedTuple):
    """What code tells without being run.

    Attributes:
        selectors: of functions, as far as numbers of four bytes are any.
        addresses: that are written in it, in lower case.
        constants: of 32 bytes: names of roles are among them.
        destroys: it holds the instruction that ends a contract.
        reads_base_fee: by which a contract can tell a probe from a block, being 0 here.
        clone_of: the contract that it passes every call to, for ever (EIP-1167).
        is_account: it is no contract but somebody's account that lends its code (EIP-7702).
    """

    selectors: tuple[bytes, ...]
    addresses: tuple[str, ...]
    constants: tuple[bytes, ...]
    destroys: bool
    reads_base_fee: bool
    clone_of: str | None
    is_account: bool


def facts_of(code: bytes) -> CodeFacts:
    """Read code as its instructions, without what the compiler noted behind them."""
    selectors: dict[bytes, None] = {}
    addresses: dict[str, None] = {}
    constants: dict[bytes, None] = {}
    found: set[int] = set()
    is_run = True
    run = _without_metadata(code)
    at = 0
    while at < len(run):
        op = run[at]
        size = op - _PUSH1 + 1 if _PUSH1 <= op <= _PUSH32 else 0
        pushed = run[at + 1 : at + 1 + size]
        if size in {_SELECTOR_BYTES - 1, _SELECTOR_BYTES}:
            number = int.from_bytes(pushed, "big")
            if number not in _NOT_FUNCTIONS:
                selectors[number.to_bytes(_SELECTOR_BYTES, "big")] = None
        elif size == _ADDRESS_BYTES:
            addresses["0x" + pushed.hex()] = None
        elif size == _WORD_BYTES:
            constants[pushed] = None
        is_run = is_run or op == _JUMPDEST
        if is_run:
            found.add(op)
        is_run = is_run and op not in _ENDS
        at += 1 + size
    return CodeFacts(
        selectors=tuple(selectors),
        addresses=tuple(one for one in addresses if one.strip("0xf")),
        constants=tuple(constants),
        destroys=_SELFDESTRUCT in found,
        reads_base_fee=_BASEFEE in found,
        clone_of=_clone_of(code),
        is_account=code.startswith(_DELEGATED),
    )


def _clone_of(code: bytes) -> str | None:
    head, tail = len(_CLONE_HEAD), len(_CLONE_HEAD) + _ADDRESS_BYTES
    if code[:head] != _CLONE_HEAD or code[tail : tail + len(_CLONE_TAIL)] != _CLONE_TAIL:
        return None
    return "0x" + code[head:tail].hex()


def _without_metadata(code: bytes) -> bytes:
    size = int.from_bytes(code[-2:], "big") + 2
    notes = code[-size:]
    if size <= len(code) and any(mark in notes for mark in _METADATA_MARKS):
        return code[:-size]
    return code
