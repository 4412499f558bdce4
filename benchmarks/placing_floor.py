"""The least that a plan's way could take on this machine: one sync, one question, one write."""

import os
import socket
import threading
import time
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.harness import Row, row

TIMES: Final = 100
APART_S: Final = 0.02
SYNC_BYTES: Final = 40 * 1024
"""As much as taking two orders on writes into the log of the table."""

QUESTION_BYTES: Final = 3 * 1024


def floors(folder: Path) -> list[Row]:
    """Measure them, some way apart as in a market."""
    return [
        row("placing.floor.sync", np.array(_syncs(folder / "floor"))),
        row("placing.floor.question", np.array(_questions())),
    ]


def _syncs(path: Path) -> list[int]:
    """Return what it takes to write and sync into a file that is there, each in ns."""
    content = os.urandom(SYNC_BYTES)
    took = []
    file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        os.write(file, bytes(SYNC_BYTES * TIMES))
        os.fsync(file)
        os.lseek(file, 0, os.SEEK_SET)
        for _ in range(TIMES):
            time.sleep(APART_S)
            began = time.perf_counter_ns()
            os.write(file, content)
            os.fdatasync(file)
            took.append(time.perf_counter_ns() - began)
    finally:
        os.close(file)
    return took


def _questions() -> list[int]:
    """Return what a question and its answer take through a socket, each in ns."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        threading.Thread(target=_answer, args=(theirs,), daemon=True).start()
        took = []
        for _ in range(TIMES):
            time.sleep(APART_S)
            began = time.perf_counter_ns()
            ours.sendall(bytes(QUESTION_BYTES))
            left = QUESTION_BYTES
            while left:
                left -= len(ours.recv(left))
            took.append(time.perf_counter_ns() - began)
        ours.shutdown(socket.SHUT_RDWR)
    return took


def _answer(connection: socket.socket) -> None:
    while content := connection.recv(QUESTION_BYTES):
        connection.sendall(content)
