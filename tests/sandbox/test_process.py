"""The sandbox as a process: announcing, ending, and one sentence when it cannot start."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from engine.sandbox.exchange.doors.door_list import DOORS
from tests.patience import PATIENCE_S

MEMORY_MB_MAX = 120


def command(*options: str) -> list[str]:
    return [sys.executable, "-m", "engine.sandbox", *options]


@contextmanager
def started(announce: Path, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(command("--announce", str(announce), *options)) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def wait_for_file(path: Path, process: subprocess.Popen[bytes]) -> dict[str, object]:
    deadline = time.monotonic() + PATIENCE_S
    while not path.exists():
        assert process.poll() is None, "the process ended before it announced itself"
        assert time.monotonic() < deadline, "no announcement in time"
        os.sched_yield()
    read: dict[str, object] = json.loads(path.read_text())
    return read


@pytest.mark.slow
def test_process_announces_itself_serves_and_ends_in_order_at_sigterm(
    tmp_path: Path,
) -> None:
    path = tmp_path / "announced.json"
    with started(path, "--faults", "light", "--speed", "5") as process:
        told = wait_for_file(path, process)
        with urllib.request.urlopen(f"{told['control_url']}/status", timeout=PATIENCE_S) as answer:  # noqa: S310
            status = json.load(answer)
        memory_mb = psutil.Process(process.pid).memory_info().rss / 1e6
        process.send_signal(signal.SIGTERM)
        code = process.wait(timeout=PATIENCE_S)

    assert told["pid"] == process.pid
    assert set(told) >= {"websocket_urls", "rest_urls", "pairs", "wire_names", "market_note"}
    assert "not a real market" in str(told["market_note"])
    assert "coinbase 2021" in str(told["market_note"])
    assert status["venues"].keys() == set(DOORS)
    assert code == 0
    assert memory_mb < MEMORY_MB_MAX


@pytest.mark.slow
def test_process_ends_by_itself_after_its_seconds_and_announces_on_stdout() -> None:
    done = subprocess.run(
        command("--seconds", "0.2"), capture_output=True, timeout=PATIENCE_S, check=False
    )

    assert done.returncode == 0
    assert json.loads(done.stdout)["port"] > 0
    assert done.stderr == b""


def refusal(*options: str) -> str:
    done = subprocess.run(
        command("--seconds", "1", *options), capture_output=True, timeout=PATIENCE_S, check=False
    )
    text = done.stderr.decode()
    assert done.returncode == 2, text
    assert text.startswith("sandbox: ")
    assert text.count("\n") == 1, "one sentence, no traceback"
    return text


@pytest.mark.slow
def test_busy_port_is_one_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        assert f"port {port}" in refusal("--port", str(port))


@pytest.mark.slow
def test_other_addresses_and_bad_scripts_are_one_sentence(tmp_path: Path) -> None:
    script = tmp_path / "script.toml"
    script.write_text('[[fault]]\nat_s = 1\nvenue = "coinbase"\nfault = "explode"\n')

    assert "loopback" in refusal("--host", "0.0.0.0")
    assert str(script) in refusal("--fault-script", str(script))
