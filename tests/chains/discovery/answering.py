"""Contracts that answer what a test says, byte by byte: assembled here, deployed on a real node."""

from collections.abc import Mapping

from eth_hash.auto import keccak

from engine.sandbox.world.hands import Hands


def answering(hands: Hands, answers: Mapping[str, bytes]) -> str:
    """Deploy a contract that answers calls by their signatures; it reverts all others."""
    return hands.deploy("0x" + _creation(_runtime(answers)).hex())


def answering_each(hands: Hands, answers: Mapping[bytes, bytes]) -> str:
    """Deploy a contract that answers each of these calls, arguments and all; it reverts others."""
    return hands.deploy("0x" + _creation(_runtime_of_calls(answers)).hex())


def proxy_of(hands: Hands, implementation: str) -> str:
    """Deploy a minimal proxy (EIP-1167)."""
    runtime = "363d3d373d3d3d363d73" + implementation[2:] + "5af43d82803e903d91602b57fd5bf3"
    return hands.deploy("0x" + _creation(bytes.fromhex(runtime)).hex())


def string(text: bytes) -> bytes:
    """Return a string as a contract answers one."""
    padded = text + bytes(-len(text) % 32)
    return (32).to_bytes(32) + len(text).to_bytes(32) + padded


def number(value: int) -> bytes:
    return value.to_bytes(32)


def _creation(runtime: bytes) -> bytes:
    size = len(runtime).to_bytes(2)
    start = b"\x61" + size + b"\x60\x0e\x5f\x39\x61" + size + b"\x5f\xf3"
    return start.ljust(14, b"\x00") + runtime


def _runtime(answers: Mapping[str, bytes]) -> bytes:
    """A jump for each selector, then a block that copies its answer out of the code."""
    head = b"\x5f\x35\x60\xe0\x1c"  # the selector
    jump_size, block_size = 11, 14
    blocks_at = len(head) + jump_size * len(answers) + 4
    data_at = blocks_at + block_size * len(answers)
    jumps = blocks = data = b""
    for index, (signature, answer) in enumerate(answers.items()):
        selector = keccak(signature.encode())[:4]
        target = (blocks_at + block_size * index).to_bytes(2)
        jumps += b"\x80\x63" + selector + b"\x14\x61" + target + b"\x57"
        size, at = len(answer).to_bytes(2), (data_at + len(data)).to_bytes(2)
        blocks += b"\x5b\x61" + size + b"\x61" + at + b"\x5f\x39\x61" + size + b"\x5f\xf3"
        data += answer
    return head + jumps + b"\x5f\x5f\xfd\x00" + blocks + data


def _runtime_of_calls(answers: Mapping[bytes, bytes]) -> bytes:
    """As `_runtime`, by the hash of the whole call."""
    head = b"\x36\x5f\x5f\x37\x36\x5f\x20"
    jump_size, block_size = 39, 14
    blocks_at = len(head) + jump_size * len(answers) + 4
    data_at = blocks_at + block_size * len(answers)
    jumps = blocks = data = b""
    for index, (call, answer) in enumerate(answers.items()):
        target = (blocks_at + block_size * index).to_bytes(2)
        jumps += b"\x80\x7f" + keccak(call) + b"\x14\x61" + target + b"\x57"
        size, at = len(answer).to_bytes(2), (data_at + len(data)).to_bytes(2)
        blocks += b"\x5b\x61" + size + b"\x61" + at + b"\x5f\x39\x61" + size + b"\x5f\xf3"
        data += answer
    return head + jumps + b"\x5f\x5f\xfd\x00" + blocks + data
