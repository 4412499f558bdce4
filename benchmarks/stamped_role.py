"""A role that notes when it is where on the way of an order: `python -m benchmarks.stamped_role`.

The role itself is as it is; what is named here is wrapped. What was noted is written once an order
is on its way, to a file beside the role's own.
"""

import asyncio
import functools
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from engine.__main__ import main
from engine.trading.ahead import Signing
from engine.trading.answers import TraderAnswers
from engine.trading.book import OrderBook
from engine.trading.connections import Connections
from engine.wiring.signer_answers import SignerAnswers

NOTED: Final = "stamps"
"""Of each line: what is reached, and when (`perf_counter_ns`, which all processes share)."""

STAMPS: Final[dict[str, tuple[type, str]]] = {
    "handed over": (TraderAnswers, "hand_over"),
    "question made": (Signing, "_ask"),
    "table begun": (OrderBook, "hand_over"),
    "question taken": (SignerAnswers, "sign_together"),
}
"""What is noted as a method begins, where it does so in a role."""

SOON: Final[dict[str, tuple[type, str]]] = {"written": (Connections, "_open_ahead")}
"""What is noted one turn of the loop later: uvloop gives to the system at the end of a turn."""

ENDS: Final[dict[str, tuple[type, str]]] = {
    "synced": (OrderBook, "hand_over"),
    "signed": (SignerAnswers, "sign_together"),
    "signatures there": (Signing, "_ask"),
}
"""What is noted as a method ends."""

_LAST: Final = frozenset({"written", "signed"})
_noted: list[str] = []


def stamps_of(folder: Path) -> list[tuple[str, int]]:
    """Return what roles below a folder have noted so far."""
    lines = (folder / NOTED).read_text().splitlines() if (folder / NOTED).exists() else []
    return [(name, int(at_ns)) for name, _, at_ns in (line.rpartition(" ") for line in lines)]


def _note(name: str, file: int) -> None:
    _noted.append(f"{name} {time.perf_counter_ns()}\n")
    if name in _LAST:
        os.write(file, "".join(_noted).encode())
        _noted.clear()


def _wrap(owner: type, method: str, names: Sequence[str], file: int) -> None:
    begins, ends, soon = names
    plain: Callable[..., Any] = getattr(owner, method)

    @functools.wraps(plain)
    def stamped(*given: Any, **named: Any) -> Any:
        if begins:
            _note(begins, file)
        try:
            return plain(*given, **named)
        finally:
            if ends:
                _note(ends, file)
            if soon:
                asyncio.get_running_loop().call_soon(_note, soon, file)

    @functools.wraps(plain)
    async def stamped_later(*given: Any, **named: Any) -> Any:
        if begins:
            _note(begins, file)
        try:
            return await plain(*given, **named)
        finally:
            if ends:
                _note(ends, file)

    is_later = plain.__code__.co_flags & 0x80
    setattr(owner, method, stamped_later if is_later else stamped)


def stamp() -> None:
    """Note from now on."""
    path = Path(os.environ["SYNDICATE_DATA_DIR"]).parent / NOTED
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    begins = {where: name for name, where in STAMPS.items()}
    ends = {where: name for name, where in ENDS.items()}
    soon = {where: name for name, where in SOON.items()}
    for where in {*begins, *ends, *soon}:
        names = [kind.get(where, "") for kind in (begins, ends, soon)]
        _wrap(*where, names, file)


if __name__ == "__main__":
    stamp()
    sys.exit(main())
