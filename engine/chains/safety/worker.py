"""The process that probes one token and ends: a job comes in, findings go out.

It is given no environment, no file and no key, and bounds for time and memory: what it runs was
written by strangers.
"""

import os
import resource
import sys
from typing import Final

import msgspec
from eth_hash.auto import keccak

from engine.chains.safety.probe import probe
from engine.chains.safety.probed import Job, Probed

MEMORY_BYTES_MAX: Final = 1024 * 1024 * 1024
CPU_S_MAX: Final = 60
_FILES_MAX: Final = 64
_NICENESS: Final = 10


def main() -> int:
    """Probe what standard input says."""
    for what, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES_MAX),
        (resource.RLIMIT_CPU, CPU_S_MAX),
        (resource.RLIMIT_NOFILE, _FILES_MAX),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):
        resource.setrlimit(what, (most, most))
    os.nice(_NICENESS)
    job = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Job)
    keccak(b"")
    probed: Probed = probe(job)
    sys.stdout.buffer.write(msgspec.msgpack.encode(probed))
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
