"""Recordings: damage is named, numbers are exact, gaps between venues are as the note says."""

import heapq
import json
import lzma
import math
import shutil
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.sandbox.errors import SandboxStartError
from engine.sandbox.fault_script import FaultKind, load_fault_script
from engine.sandbox.levels import RawLevel, Side, render_steps
from engine.sandbox.lineup import LINEUP_PATH, RECORDINGS_FOLDER, Listing, load_lineup
from engine.sandbox.recordings import load_recording
from engine.sandbox.truth import Scale, TruthBook

FEE_BPS_TAKER = {"binance": 10, "coinbase": 20, "bitstamp": 20, "gemini": 20, "kraken": 26}
NET_BPS_MIN = 10

SCALE = Scale(
    price_factor=Fraction("3.7"),
    size_factor=Fraction("0.013"),
    tick_steps=5,
    lot_steps=10,
    price_decimals=2,
    size_decimals=6,
)


def test_binance_recording_begins_with_the_update_that_follows_its_snapshot() -> None:
    snapshot_id = 50093239218

    recorded = load_recording(
        folder=RECORDINGS_FOLDER,
        files=["hftbacktest.btcusdt_20240808.depth.xz"],
        form="hftbacktest-binance",
        instruments={"BTCUSDT"},
    )["BTCUSDT"]

    first = json.loads(recorded.events[0].frame)["data"]
    assert first["U"] <= snapshot_id + 1 <= first["u"]
    assert recorded.window_ns > 340_000_000_000


def test_missing_recording_is_named(tmp_path: Path) -> None:
    with pytest.raises(SandboxStartError, match=r"COINBASE.*missing"):
        load_lineup(recordings_folder=tmp_path)


@pytest.mark.parametrize("damage", ["cut", "other"])
def test_damaged_recording_is_named(tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "recordings"
    shutil.copytree(RECORDINGS_FOLDER, folder)
    path = folder / "cryptofeed.GEMINI.ws.1.0.xz"
    whole = path.read_bytes()
    path.write_bytes(whole[:-500] if damage == "cut" else lzma.compress(b"1.0: {}\n"))

    with pytest.raises(SandboxStartError, match="GEMINI"):
        load_lineup(recordings_folder=folder)


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('venue = "coinbase"', "venue = 7", "lineup"),
        ('instrument = "DASH-BTC"', 'instrument = "NO-PE"', "NO-PE"),
        ("offset_s = 7.5", "offset_s = 99.0", "99 s"),
        ('recording = "gemini"', 'recording = "mars"', "unknown recording"),
        ('tick = "0.01"', 'tick = "0"', "tick_quote"),
    ],
)
def test_wrong_line_up_is_named(tmp_path: Path, old: str, new: str, named: str) -> None:
    path = tmp_path / "lineup.toml"
    path.write_text(LINEUP_PATH.read_text().replace(old, new))

    with pytest.raises(SandboxStartError, match=named):
        load_lineup(path)


def test_fault_scripts_are_read_from_toml_and_json_in_order_of_time(tmp_path: Path) -> None:
    toml, as_json = tmp_path / "a.toml", tmp_path / "a.json"
    toml.write_text(
        '[[fault]]\nat_s=2\nvenue="gemini"\nfault="drop"\n'
        '[[fault]]\nat_s=1\nvenue="gemini"\nfault="stall"\nform="lost"\n'
    )
    as_json.write_text(
        '[{"at_s":2,"venue":"gemini","fault":"drop"},'
        '{"at_s":1,"venue":"gemini","fault":"stall","form":"lost"}]'
    )

    script = load_fault_script(toml)

    assert [item.fault for item in script] == [FaultKind.STALL, FaultKind.DROP]
    assert load_fault_script(as_json) == script


@pytest.mark.parametrize(
    "text",
    [
        "no json",
        '[{"at_s":1}]',
        '[{"at_s":-1,"venue":"x","fault":"drop"}]',
        '[{"at_s":1,"venue":"x","fault":"drop","colour":"red"}]',
        '[{"at_s":1,"venue":"x","fault":"stall","form":"green"}]',
    ],
)
def test_bad_fault_script_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "script.json"
    path.write_text(text)

    with pytest.raises(SandboxStartError, match=r"script\.json"):
        load_fault_script(path)


prices = st.integers(1, 400).map(lambda cents: f"{cents / 100:.2f}")
sizes = st.integers(0, 10_000).map(lambda units: f"{units / 100:.2f}")
raw_levels = st.lists(st.tuples(st.sampled_from(Side), prices, sizes), max_size=40)


@given(start=raw_levels, changes=st.lists(raw_levels, max_size=6))
def test_changes_of_ticks_always_lead_to_the_truth(
    start: list[RawLevel], changes: list[list[RawLevel]]
) -> None:
    book = TruthBook(SCALE, tuple(start), padding_levels=0)
    seen: tuple[dict[int, int], dict[int, int]] = (dict(book.sides[0]), dict(book.sides[1]))
    begun = (dict(seen[0]), dict(seen[1]))

    for step in [*(book.apply(levels) for levels in changes), book.restart()]:
        for side, price, size in step:
            if size:
                seen[side][price] = size
            else:
                seen[side].pop(price, None)

    assert seen == book.sides == begun


@given(bid=st.decimals("0.01", "99", places=4), gap=st.decimals("0.0001", "1", places=4))
def test_scaling_never_crosses_a_book(bid: Decimal, gap: Decimal) -> None:
    assert SCALE.price_steps(Side.BID, f"{bid:f}") < SCALE.price_steps(Side.ASK, f"{bid + gap:f}")


@given(
    side=st.sampled_from(Side),
    price=st.decimals(0, 10**6, places=5),
    size=st.decimals(0, 10**6, places=5),
)
def test_a_scaled_number_is_the_exact_product_rounded_once(
    side: Side, price: Decimal, size: Decimal
) -> None:
    ticks = Fraction(price) * SCALE.price_factor * 100 / SCALE.tick_steps
    lots = Fraction(size) * SCALE.size_factor * 10**6 / SCALE.lot_steps

    whole = math.floor(ticks) if side is Side.BID else math.ceil(ticks)
    assert SCALE.price_steps(side, f"{price:f}") == whole * SCALE.tick_steps
    assert SCALE.size_steps(f"{size:f}") == (max(round(lots), 1) if size else 0) * SCALE.lot_steps


def test_a_price_written_with_other_zeros_is_the_same_level() -> None:
    book = TruthBook(SCALE, ((Side.BID, "101.50", "100"),), padding_levels=0)

    changes = book.apply(
        [(Side.BID, "101.5", "0"), (Side.BID, "100", "7"), (Side.BID, "100.0", "0")]
    )

    assert not any(size for _, _, size in changes)
    assert book.sides == ({}, {})


@given(steps=st.integers(0, 10**15), decimals=st.integers(0, 12))
def test_rendered_steps_are_exact(steps: int, decimals: int) -> None:
    assert Decimal(render_steps(steps, decimals)) == Decimal(steps).scaleb(-decimals)


def top(listing: Listing) -> tuple[float, float]:
    book, unit = listing.track.book, 10.0**listing.instrument.price_decimals
    bid, ask = book.best(Side.BID), book.best(Side.ASK)
    assert bid is not None
    assert ask is not None
    assert bid < ask, f"{listing.instrument} is crossed"
    return bid / unit, ask / unit


def net_bps(buy: Listing, sell: Listing) -> float:
    cost = top(buy)[1] * (1 + FEE_BPS_TAKER[buy.instrument.venue] / 1e4)
    gain = top(sell)[0] * (1 - FEE_BPS_TAKER[sell.instrument.venue] / 1e4)
    return (gain / cost - 1) * 1e4


def test_a_demo_shows_some_opportunities_but_not_always() -> None:
    listings, _ = load_lineup()
    heap = [(listing.track.next_at_ns, index) for index, listing in enumerate(listings)]
    heapq.heapify(heap)
    began: dict[tuple[int, int], int] = {}
    lengths_s: list[float] = []
    while heap[0][0] < 30_000_000_000:
        at_ns, index = heapq.heappop(heap)
        listings[index].track.step()
        heapq.heappush(heap, (listings[index].track.next_at_ns, index))
        for other, listing in enumerate(listings):
            if other == index or listing.instrument.pair != listings[index].instrument.pair:
                continue
            for buy, sell in ((index, other), (other, index)):
                if net_bps(listings[buy], listings[sell]) > NET_BPS_MIN:
                    began.setdefault((buy, sell), at_ns)
                elif (buy, sell) in began:
                    lengths_s.append((at_ns - began.pop((buy, sell))) / 1e9)

    assert 5 <= len(lengths_s) + len(began) <= 36
    assert sum(lengths_s) < 15
