"""The line-up: which recording plays which instrument at which venue, and how it is scaled.

The recordings were made in different years and of other pairs. The table gives all venues of a
pair one start price; from there each follows its own recording.
"""

import tomllib
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path

import msgspec

from engine.domain.assets import AssetCode
from engine.domain.errors import BadValueError
from engine.domain.instruments import Instrument, Pair, VenueId
from engine.domain.units import BPS_PER_UNIT
from engine.sandbox.errors import SandboxStartError
from engine.sandbox.recordings import RecordedInstrument, load_recording
from engine.sandbox.track import Track, levels_at, mid_price_of
from engine.sandbox.truth import Scale

HERE = Path(__file__).parent
MADE_UP_CHAIN = "pools follow the books on a made-up chain"
"""Of the sentence that says what these markets are."""

LINEUP_PATH = HERE / "lineup.toml"
RECORDINGS_FOLDER = HERE / "recordings"


class RecordingRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A recording: its format, files and when it was made (UTC)."""

    format: str
    files: list[str]
    recorded_at: str


class PairRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A pair: the price from which all its venues start, in quote per base."""

    start_price: str


class LineRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One instrument at one venue and the recorded instrument that plays it.

    Attributes:
        size_factor: multiplier of recorded sizes, chosen to keep the value of a level plausible.
        offset_s: where in the recording the replay begins.
        price_decimals, size_decimals: decimals on the venue's wire.
        tide_bps: how much higher its prices are in every second round of the recording: a gap that
            stays long enough for a person to say a word about.
        tick, lot, size_min, notional_min: the venue's rules, as its instrument list gives them.
    """

    venue: str
    pair: str
    wire_name: str
    recording: str
    instrument: str
    size_factor: str
    offset_s: float
    price_decimals: int
    size_decimals: int
    tick: str
    lot: str
    size_min: str
    notional_min: str = "0"
    tide_bps: str = "0"
    is_beside_chains: bool = False


class LineupFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole table."""

    recordings: dict[str, RecordingRow]
    pairs: dict[str, PairRow]
    lines: list[LineRow]


@dataclass(slots=True)
class Listing:
    """One instrument at one venue while it plays.

    Attributes:
        instrument: wire name, and the decimals of prices and sizes on the wire.
        rules: the rules that the venue's list gives now; as `instrument` has them at first.
        state: the venue's word for a market that may not be traded now, empty for one that may.
        is_listed: whether the venue has it at all now.
        last_id: update id of the last change, for dialects that have update ids.
        changed_at_ns: replay time of the last change.
    """

    instrument: Instrument
    track: Track
    last_id: int = 0
    changed_at_ns: int = 0
    rules: Instrument = field(init=False)
    state: str = ""
    is_listed: bool = True

    def __post_init__(self) -> None:
        self.rules = self.instrument

    @property
    def wire_name(self) -> str:
        """The venue's own name of the instrument."""
        return self.instrument.wire_name


def load_lineup(
    path: Path = LINEUP_PATH,
    *,
    recordings_folder: Path = RECORDINGS_FOLDER,
    padding_levels: dict[str, int] | None = None,
    has_chains: bool = False,
) -> tuple[list[Listing], str]:
    """Load the table and its recordings; return the listings and the note for the screen.

    Args:
        path: of the table.
        recordings_folder: where the recordings are.
        padding_levels: see `SandboxSettings`, by venue.
        has_chains: whether local chains run, beside which there are some books more.

    Raises:
        SandboxStartError: the table or a recording is missing or wrong; the text names it.
    """
    table = _load_table(path)
    if not has_chains:
        usual = [row for row in table.lines if not row.is_beside_chains]
        table = msgspec.structs.replace(table, lines=usual)
    recorded = _load_recordings(table, recordings_folder)
    listings = [
        _make_listing(row, table, recorded[row.recording], padding_levels or {})
        for row in table.lines
    ]
    return listings, _render_note(table)


def load_start_prices(path: Path = LINEUP_PATH) -> dict[AssetCode, Decimal]:
    """Load the price in USD from which each asset starts.

    Raises:
        SandboxStartError: the table is missing or wrong.
    """
    pairs = ((Pair.parse(name), row) for name, row in _load_table(path).pairs.items())
    return {pair.base: Decimal(row.start_price) for pair, row in pairs if pair.quote == "USD"}


def load_wire_names(path: Path = LINEUP_PATH) -> dict[str, list[str]]:
    """Load the wire names of the table's instruments by venue, without those beside chains.

    Raises:
        SandboxStartError: the table is missing or wrong.
    """
    names: dict[str, list[str]] = {}
    for row in _load_table(path).lines:
        if row.is_beside_chains:
            continue
        names.setdefault(row.venue, []).append(row.wire_name)
    return names


def _load_table(path: Path) -> LineupFile:
    try:
        return msgspec.convert(tomllib.loads(path.read_text()), LineupFile)
    except (OSError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise SandboxStartError(f"line-up table {path} cannot be used: {error}") from error


def _load_recordings(table: LineupFile, folder: Path) -> dict[str, dict[str, RecordedInstrument]]:
    wanted: dict[str, set[str]] = {}
    for row in table.lines:
        if row.recording not in table.recordings or row.pair not in table.pairs:
            raise SandboxStartError(
                f"line-up of {row.pair} at {row.venue} names an unknown recording or pair"
            )
        wanted.setdefault(row.recording, set()).add(row.instrument)
    return {
        name: _load_once(
            folder,
            tuple(table.recordings[name].files),
            table.recordings[name].format,
            frozenset(instruments),
        )
        for name, instruments in wanted.items()
    }


@cache
def _load_once(
    folder: Path, files: tuple[str, ...], form: str, instruments: frozenset[str]
) -> dict[str, RecordedInstrument]:
    """Load a recording, which nothing changes, for all sandboxes of this process."""
    return load_recording(folder=folder, files=files, form=form, instruments=set(instruments))


def _make_listing(
    row: LineRow,
    table: LineupFile,
    recorded: dict[str, RecordedInstrument],
    padding_levels: dict[str, int],
) -> Listing:
    played = recorded[row.instrument]
    offset_ns = int(row.offset_s * 1e9)
    name = f"{row.pair} at {row.venue}"
    levels = levels_at(played, offset_ns=offset_ns, name=name)
    mid_price = mid_price_of(levels, name=name)
    try:
        instrument = Instrument(
            venue=VenueId(row.venue),
            pair=Pair.parse(row.pair),
            wire_name=row.wire_name,
            price_decimals=row.price_decimals,
            size_decimals=row.size_decimals,
            tick_quote=Decimal(row.tick),
            lot_base=Decimal(row.lot),
            size_min_base=Decimal(row.size_min),
            notional_min_quote=Decimal(row.notional_min),
        )
    except BadValueError as error:
        raise SandboxStartError(f"line-up of {name} is wrong: {error}") from error
    scale = Scale(
        price_factor=Fraction(table.pairs[row.pair].start_price) / Fraction(mid_price),
        size_factor=Fraction(row.size_factor),
        tick_steps=int(instrument.tick_quote.scaleb(row.price_decimals)),
        lot_steps=int(instrument.lot_base.scaleb(row.size_decimals)),
        price_decimals=row.price_decimals,
        size_decimals=row.size_decimals,
    )
    higher = 1 + Fraction(row.tide_bps) / BPS_PER_UNIT
    track = Track(
        played,
        scale,
        offset_ns=offset_ns,
        now=levels,
        padding_levels=padding_levels.get(row.venue, 0),
        tide=replace(scale, price_factor=scale.price_factor * higher),
    )
    return Listing(instrument, track)


def _render_note(table: LineupFile) -> str:
    parts: dict[str, list[str]] = {}
    for row in table.lines:
        year = table.recordings[row.recording].recorded_at.partition("-")[0]
        years = parts.setdefault(row.venue, [])
        if year not in years:
            years.append(year)
    venues = ", ".join(f"{venue} {'/'.join(sorted(years))}" for venue, years in parts.items())
    return (
        f"recordings of other pairs and days ({venues}), lined up and scaled: "
        f"gaps between venues are not a real market's; {MADE_UP_CHAIN}"
    )
