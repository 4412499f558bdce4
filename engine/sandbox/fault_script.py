"""Faults that the sandbox can commit, and scripts of them: written by hand or made from a seed."""

import random
import tomllib
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path

import msgspec

from engine.sandbox.errors import SandboxStartError
from engine.sandbox.exchange.faults import AccountFault, ScriptedAccountFault

EVERY = "*"
"""As `instrument` of a fault: every instrument of the venue."""

SCRIPT_FAULTS_MAX = 100_000


class FaultKind(StrEnum):
    """What a venue can do wrong."""

    DELAY = "delay"
    DROP = "drop"
    DUPLICATE = "duplicate"
    REORDER = "reorder"
    TRUNCATE = "truncate"
    CORRUPT = "corrupt"
    OVERSIZE = "oversize"
    CROSSED = "crossed"
    GAP = "gap"
    STALL = "stall"
    DISCONNECT = "disconnect"
    RECONNECT_REQUEST = "reconnect_request"
    HTTP_429 = "http_429"
    HTTP_5XX = "http_5xx"
    SLOW_REST = "slow_rest"
    WRONG_SNAPSHOT = "wrong_snapshot"


FRAME_FAULTS = frozenset(
    {
        FaultKind.DELAY,
        FaultKind.DROP,
        FaultKind.DUPLICATE,
        FaultKind.REORDER,
        FaultKind.TRUNCATE,
        FaultKind.CORRUPT,
        FaultKind.OVERSIZE,
        FaultKind.CROSSED,
        FaultKind.GAP,
    }
)
"""Faults of the next `count` book frames of an instrument that somebody listens to."""

REST_FAULTS = frozenset({FaultKind.HTTP_429, FaultKind.HTTP_5XX, FaultKind.SLOW_REST})
"""Faults of the next `count` REST requests of a venue."""

FORMS: Mapping[FaultKind, tuple[str, ...]] = {
    FaultKind.CORRUPT: ("json", "number"),
    FaultKind.DISCONNECT: ("close", "reset"),
    FaultKind.STALL: ("late", "lost"),
    FaultKind.WRONG_SNAPSHOT: ("old", "false"),
}
"""Forms of a fault; the first is the default."""


class ScriptedFault(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One fault of a script.

    Attributes:
        at_s: replay time at which it is armed.
        venue, instrument: where; `instrument` is the venue's wire name or ``*``.
        count: frames, requests or snapshots that it hits; of a gap, the numbers skipped.
        duration_s: length of a delay, a stall or a slow answer, or the Retry-After of a 429.
        form: variant of the fault, see `FORMS`; empty for the default.
        status: HTTP status of `http_5xx`.
        size_bytes: size of an oversize frame.
    """

    at_s: float
    venue: str
    fault: FaultKind
    instrument: str = EVERY
    count: int = 1
    duration_s: float = 1.0
    form: str = ""
    status: int = 503
    size_bytes: int = 17 * 1024 * 1024

    def __post_init__(self) -> None:
        forms = FORMS.get(self.fault, ())
        if self.form and self.form not in forms:
            raise ValueError(f"form {self.form!r} of {self.fault} is none of {', '.join(forms)}")
        if self.at_s < 0 or self.duration_s < 0 or not 1 <= self.count <= SCRIPT_FAULTS_MAX:
            raise ValueError("at_s and duration_s must not be negative, count must be 1 or more")
        if not 0 <= self.size_bytes <= 64 * 1024 * 1024:
            raise ValueError(f"size_bytes {self.size_bytes} is not within 0 to 64 MiB")

    @property
    def variant(self) -> str:
        """The form, or the fault's default form."""
        return self.form or FORMS.get(self.fault, ("",))[0]


AnyFault = ScriptedFault | ScriptedAccountFault


class _Kind(msgspec.Struct):
    fault: str


class _ScriptFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    fault: list[dict[str, object]]


def read_fault(body: bytes) -> AnyFault:
    """Read a fault of a market or of an account, in JSON.

    Raises:
        msgspec.MsgspecError: it is none, or has an unknown or wrong entry.
    """
    kind = msgspec.json.decode(body, type=_Kind).fault
    if kind in set(AccountFault):
        return msgspec.json.decode(body, type=ScriptedAccountFault)
    return msgspec.json.decode(body, type=ScriptedFault)


def load_fault_script(path: Path) -> tuple[AnyFault, ...]:
    """Load a script: TOML with ``[[fault]]`` tables, or a JSON list of the same objects.

    Raises:
        SandboxStartError: the file cannot be read or has an unknown or wrong entry.
    """
    try:
        text = path.read_bytes()
        if path.suffix == ".toml":
            table = tomllib.loads(text.decode())
            entries = msgspec.convert(table, _ScriptFile).fault
        else:
            entries = msgspec.json.decode(text, type=list[dict[str, object]])
        faults = [read_fault(msgspec.json.encode(entry)) for entry in entries]
    except (OSError, ValueError, msgspec.MsgspecError) as error:
        raise SandboxStartError(f"fault script {path} cannot be used: {error}") from error
    if len(faults) > SCRIPT_FAULTS_MAX:
        raise SandboxStartError(f"fault script {path} has more than {SCRIPT_FAULTS_MAX} faults")
    return tuple(sorted(faults, key=lambda fault: fault.at_s))


WIDE_STALL_RATIO = 0.3
"""Share of made stalls that hold back a whole venue."""

INTENSITIES = {"light": 1 / 8, "heavy": 2.0}
"""Faults per second of replay time, by name."""


def make_fault_script(
    seed: int,
    duration_s: float,
    intensity: str,
    *,
    wire_names: Mapping[str, Sequence[str]],
    kinds: Sequence[FaultKind] = tuple(FaultKind),
) -> tuple[ScriptedFault, ...]:
    """Make a script of faults over all venues; the same arguments make the same script.

    `wire_names` are the instruments by venue, `intensity` is a key of `INTENSITIES`, `kinds` are
    the faults to choose from.
    """
    rng = random.Random(f"{seed}/{duration_s}/{intensity}")  # noqa: S311 - a script, not a secret
    count = min(max(1, round(duration_s * INTENSITIES[intensity])), SCRIPT_FAULTS_MAX)
    # Going round all kinds in a shuffled order shows each of them before any comes back.
    order: list[FaultKind] = []
    faults = []
    for at_s in sorted(rng.uniform(0, duration_s) for _ in range(count)):
        if not order:
            order = list(kinds)
            rng.shuffle(order)
        faults.append(_draw_fault(rng, order.pop(), round(at_s, 3), wire_names))
    return tuple(faults)


def _draw_fault(
    rng: random.Random,
    kind: FaultKind,
    at_s: float,
    wire_names: Mapping[str, Sequence[str]],
) -> ScriptedFault:
    venue = rng.choice(sorted(wire_names))
    if kind is FaultKind.RECONNECT_REQUEST and "bitstamp" in wire_names:
        venue = "bitstamp"
    names = sorted(wire_names[venue])
    is_wide = kind is FaultKind.STALL and rng.random() < WIDE_STALL_RATIO
    instrument = EVERY if is_wide or kind in REST_FAULTS else rng.choice(names)
    forms = FORMS.get(kind, ("",))
    return ScriptedFault(
        at_s=at_s,
        venue=venue,
        instrument=instrument,
        fault=kind,
        count=rng.randint(1, 3),
        duration_s=round(rng.uniform(0.2, 12.0 if kind is FaultKind.STALL else 2.0), 2),
        form=rng.choice(forms),
        status=rng.choice([500, 502, 503, 504]),
    )
