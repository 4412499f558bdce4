"""The three streams of a process: open, and never the reason why its exit code changes.

A terminal may know few characters, a reader may be gone, a disk may be full, and a parent may have
closed a stream: each costs the text at most.
"""

import os
import sys
from typing import TextIO

from engine.domain.errors import FatalError


def settle_streams() -> None:
    """Open the streams that the parent closed, and let unknown characters become question marks.

    A closed one would be given to the next file or connection, which then gets what is printed;
    libuv ends the process where it finds one there.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the least free number is this one
    sys.stdin = sys.stdin or _opened(0, "r")
    sys.stdout = sys.stdout or _opened(1, "w")
    sys.stderr = sys.stderr or _opened(2, "w")
    for stream in (sys.stdin, sys.stdout):
        reconfigure = getattr(stream, "reconfigure", None)  # a test's own has none
        if reconfigure is not None:
            reconfigure(errors="replace")


def say(text: str) -> None:
    """Write a line to stdout, if anybody can still read it."""
    try:
        _write(sys.stdout, f"{text}\n")
    except OSError:
        _abandon(sys.stdout)


def say_last(text: str) -> None:
    """Write to stderr, if anybody can still read it."""
    try:
        _write(sys.stderr, text)
    except OSError:
        _abandon(sys.stderr)


def put_out(text: str) -> None:
    """Write to stdout what was asked for; a reader that has enough may leave.

    Raises:
        FatalError: it cannot be written.
    """
    try:
        _write(sys.stdout, text)
    except BrokenPipeError:
        _abandon(sys.stdout)
    except OSError as error:
        _abandon(sys.stdout)
        raise FatalError(f"what was asked for cannot be written: {error.strerror}") from error


def _write(stream: TextIO, text: str) -> None:
    stream.write(text)
    stream.flush()


def _abandon(stream: TextIO) -> None:
    """Let what waits in its buffer go nowhere: at the end it would fail again, as code 120."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _opened(number: int, mode: str) -> TextIO:
    return open(number, mode, encoding="utf-8", closefd=False)  # type: ignore[return-value]
