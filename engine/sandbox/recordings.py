"""Reads recordings of venues' frames and turns them into neutral level changes.

A frame stays the bytes that the venue sent until it is played, which keeps memory small. One
`Format` per recorder and venue says how a file is split into frames and what a frame means.
"""

import lzma
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from engine.sandbox.errors import SandboxStartError
from engine.sandbox.levels import RawLevel, Side

RECORDING_BYTES_MAX = 64 * 1024 * 1024
"""Most bytes that one recording may unpack to."""

BUY_SIDES = {"buy": Side.BID, "sell": Side.ASK}


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """One frame of one instrument.

    Attributes:
        at_ns: time since the start of the recording's window.
        frame: the venue's JSON, untouched.
    """

    at_ns: int
    frame: bytes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RecordedInstrument:
    """A start book and the frames that change it; another one is never the same.

    Attributes:
        start: levels of the start book.
        events: later frames, in order of time.
        window_ns: length of the whole recording, the same for all its instruments.
        parse: turns a frame into level changes.
    """

    start: tuple[RawLevel, ...]
    events: tuple[RecordedEvent, ...]
    window_ns: int
    parse: Callable[[bytes], list[RawLevel]]


@dataclass(slots=True)
class _Draft:
    start: list[RawLevel]
    events: list[tuple[int, bytes]] = field(default_factory=list)
    last_id: int = 0


Drafts = dict[str, _Draft]


@dataclass(frozen=True, slots=True)
class Format:
    """How one recorder wrote one venue's feed.

    Attributes:
        read: turns the lines of the files, in their order, into drafts by instrument.
        parse: turns a frame into level changes.
    """

    read: Callable[[Sequence[Sequence[bytes]]], Drafts]
    parse: Callable[[bytes], list[RawLevel]]


def load_recording(
    *, folder: Path, files: Sequence[str], form: str, instruments: set[str]
) -> dict[str, RecordedInstrument]:
    """Load some instruments of a recording.

    Raises:
        SandboxStartError: a file is missing, damaged or has other contents than `form` says.
    """
    chosen = FORMATS.get(form)
    if chosen is None:
        known = ", ".join(sorted(FORMATS))
        raise SandboxStartError(f"recording format {form!r} is unknown; known are {known}")
    lines = [_read_lines(folder / name) for name in files]
    try:
        drafts = chosen.read(lines)
    except (msgspec.MsgspecError, KeyError, IndexError, ValueError, TypeError) as error:
        raise SandboxStartError(
            f"recording {folder / files[0]} is damaged ({error}); restore the file"
        ) from error
    missing = sorted(instruments - drafts.keys())
    if missing:
        raise SandboxStartError(
            f"recording {folder / files[0]} has no instrument {', '.join(missing)}"
        )
    return _finish({name: drafts[name] for name in sorted(instruments)}, chosen)


def _finish(drafts: Drafts, form: Format) -> dict[str, RecordedInstrument]:
    times = [at_ns for draft in drafts.values() for at_ns, _ in draft.events]
    first_ns, last_ns = (min(times), max(times)) if times else (0, 0)
    return {
        name: RecordedInstrument(
            start=tuple(draft.start),
            events=tuple(
                RecordedEvent(at_ns - first_ns, frame)
                for at_ns, frame in sorted(draft.events, key=lambda event: event[0])
            ),
            window_ns=last_ns - first_ns,
            parse=form.parse,
        )
        for name, draft in drafts.items()
    }


def _read_lines(path: Path) -> list[bytes]:
    try:
        with lzma.open(path) as packed:
            text = packed.read(RECORDING_BYTES_MAX + 1)
    except FileNotFoundError as error:
        raise SandboxStartError(f"recording {path} is missing; restore the file") from error
    except (lzma.LZMAError, EOFError, OSError) as error:
        raise SandboxStartError(
            f"recording {path} cannot be read ({error}); restore the file"
        ) from error
    if len(text) > RECORDING_BYTES_MAX:
        raise SandboxStartError(
            f"recording {path} unpacks to more than {RECORDING_BYTES_MAX} bytes; use a shorter one"
        )
    return text.splitlines()


def _seconds_to_ns(text: bytes) -> int:
    whole, _, fraction = text.decode().partition(".")
    return int(whole) * 1_000_000_000 + int(fraction.ljust(9, "0")[:9])


def _received(lines: Sequence[bytes]) -> Iterator[tuple[int, bytes, Any]]:
    """Yield receive time, frame and decoded frame of a cryptofeed WebSocket file."""
    for line in lines:
        if not line.strip() or line.startswith(b"wss:"):
            continue
        time_s, _, frame = line.partition(b": ")
        yield _seconds_to_ns(time_s), frame, msgspec.json.decode(frame)


def _answers(lines: Sequence[bytes]) -> Iterator[tuple[str, Any]]:
    """Yield address and decoded answer of a cryptofeed REST file."""
    for line in lines:
        if not line.strip():
            continue
        address, _, rest = line.partition(b" -> ")
        _, _, body = rest.partition(b": ")
        yield address.decode(), msgspec.json.decode(body)


def _pairs(bids: Sequence[Sequence[str]], asks: Sequence[Sequence[str]]) -> list[RawLevel]:
    levels: list[RawLevel] = [(Side.BID, price, size) for price, size in bids]
    levels.extend((Side.ASK, price, size) for price, size in asks)
    return levels


def _sided(changes: Sequence[Sequence[str]]) -> list[RawLevel]:
    return [(BUY_SIDES[side], price, size) for side, price, size in changes]


def _read_coinbase(files: Sequence[Sequence[bytes]]) -> Drafts:
    drafts: Drafts = {}
    for at_ns, frame, decoded in _received(files[0]):
        kind = decoded["type"]
        if kind == "snapshot":
            drafts[decoded["product_id"]] = _Draft(_pairs(decoded["bids"], decoded["asks"]))
        elif kind == "l2update":
            drafts[decoded["product_id"]].events.append((at_ns, frame))
    return drafts


def _read_gemini(files: Sequence[Sequence[bytes]]) -> Drafts:
    drafts: Drafts = {}
    for at_ns, frame, decoded in _received(files[0]):
        if decoded["type"] != "l2_updates":
            continue
        draft = drafts.get(decoded["symbol"])
        if draft is None:
            drafts[decoded["symbol"]] = _Draft(_sided(decoded["changes"]))
        else:
            draft.events.append((at_ns, frame))
    return drafts


def _read_bitstamp(files: Sequence[Sequence[bytes]]) -> Drafts:
    drafts: Drafts = {}
    for address, book in _answers(files[1]):
        draft = _Draft(_pairs(book["bids"], book["asks"]), last_id=int(book["microtimestamp"]))
        drafts[address.rsplit("/", 1)[1]] = draft
    for _, frame, decoded in _received(files[0]):
        if decoded["event"] != "data":
            continue
        draft = drafts[decoded["channel"].rsplit("_", 1)[1]]
        at_us = int(decoded["data"]["microtimestamp"])
        if at_us > draft.last_id:
            draft.events.append((at_us * 1000, frame))
    return drafts


def _read_binance(files: Sequence[Sequence[bytes]]) -> Drafts:
    drafts: Drafts = {}
    for address, book in _answers(files[1]):
        name = address.partition("symbol=")[2].partition("&")[0]
        drafts[name] = _Draft(_pairs(book["bids"], book["asks"]), last_id=book["lastUpdateId"])
    for at_ns, frame, decoded in _received(files[0]):
        if "@depth" in decoded["stream"]:
            update = decoded["data"]
            draft = drafts[update["s"]]
            _append_binance(draft, at_ns, frame, first_id=update["U"], last_id=update["u"])
    return drafts


def _read_kraken(files: Sequence[Sequence[bytes]]) -> Drafts:
    drafts: Drafts = {}
    for at_ns, frame, decoded in _received(files[0]):
        if not isinstance(decoded, list):
            continue
        content, pair = decoded[1], decoded[-1]
        if "as" in content:
            drafts[pair] = _Draft(_timed(content["bs"], Side.BID) + _timed(content["as"], Side.ASK))
        else:
            drafts[pair].events.append((at_ns, frame))
    return drafts


def _timed(levels: Sequence[Sequence[str]], side: Side) -> list[RawLevel]:
    """Return levels that have a time, and maybe a mark that they are told again, behind them."""
    return [(side, level[0], level[1]) for level in levels]


def _read_hftbacktest(files: Sequence[Sequence[bytes]]) -> Drafts:
    """Read depth lines around one REST snapshot; lines before it are kept until it is known."""
    draft: _Draft | None = None
    waiting: list[tuple[int, bytes, _Update]] = []
    for line in files[0]:
        time_ns, _, frame = line.partition(b" ")
        # Only what the order needs is decoded: the levels are, once they are played.
        decoded = _read_update(frame)
        if decoded.data is not None:
            waiting.append((int(time_ns), frame, decoded.data))
        else:
            book = msgspec.json.decode(frame)
            draft = _Draft(_pairs(book["bids"], book["asks"]), last_id=book["lastUpdateId"])
    if draft is None:
        raise ValueError("no snapshot in it")
    for at_ns, frame, update in waiting:
        _append_binance(draft, at_ns, frame, first_id=update.U, last_id=update.u)
    return {waiting[0][2].s: draft}


class _Update(msgspec.Struct):
    s: str
    U: int
    u: int


class _UpdateFrame(msgspec.Struct):
    data: _Update | None = None


_read_update = msgspec.json.Decoder(_UpdateFrame).decode


def _append_binance(
    draft: _Draft, at_ns: int, frame: bytes, *, first_id: int, last_id: int
) -> None:
    if last_id <= draft.last_id:
        return
    if first_id > draft.last_id + 1:
        raise ValueError(f"update ids {draft.last_id + 1} to {first_id - 1} are missing")
    draft.last_id = last_id
    draft.events.append((at_ns, frame))


# Of a frame that is played only its levels are decoded, which takes half of the time.
class _SidedChanges(msgspec.Struct):
    changes: list[tuple[str, str, str]]


class _Sides(msgspec.Struct):
    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]


class _BitstampBook(msgspec.Struct):
    data: _Sides


class _BinanceSides(msgspec.Struct):
    b: list[tuple[str, str]]
    a: list[tuple[str, str]]


class _BinanceUpdate(msgspec.Struct):
    data: _BinanceSides


_read_sided = msgspec.json.Decoder(_SidedChanges).decode
_read_bitstamp_book = msgspec.json.Decoder(_BitstampBook).decode
_read_binance_update = msgspec.json.Decoder(_BinanceUpdate).decode


def _parse_sided(frame: bytes) -> list[RawLevel]:
    return _sided(_read_sided(frame).changes)


def _parse_kraken(frame: bytes) -> list[RawLevel]:
    # Of a frame that changes both sides each has a part of its own.
    parts = [part for part in msgspec.json.decode(frame)[1:] if isinstance(part, dict)]
    return [
        level
        for part in parts
        for name, side in (("b", Side.BID), ("a", Side.ASK))
        for level in _timed(part.get(name, ()), side)
    ]


def _parse_bitstamp(frame: bytes) -> list[RawLevel]:
    book = _read_bitstamp_book(frame).data
    return _pairs(book.bids, book.asks)


def _parse_binance(frame: bytes) -> list[RawLevel]:
    update = _read_binance_update(frame).data
    return _pairs(update.b, update.a)


FORMATS = {
    "cryptofeed-coinbase": Format(_read_coinbase, _parse_sided),
    "cryptofeed-gemini": Format(_read_gemini, _parse_sided),
    "cryptofeed-bitstamp": Format(_read_bitstamp, _parse_bitstamp),
    "cryptofeed-kraken": Format(_read_kraken, _parse_kraken),
    "cryptofeed-binance": Format(_read_binance, _parse_binance),
    "hftbacktest-binance": Format(_read_hftbacktest, _parse_binance),
}
"""Known formats. Bitstamp and Binance read two files: WebSocket frames, then REST answers."""
