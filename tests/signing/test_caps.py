"""Caps of a day: over requests, restarts, kills and losses of power, never more than they say."""

import random
import sqlite3
import subprocess
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.errors import FatalError
from engine.domain.signing import Purpose, RefusalKind, Signed
from engine.domain.units import NS_PER_DAY
from engine.signing.caps import RESERVED_PARTS, DailyCaps
from engine.signing.desk import MICRO_USD, USD_CAP, SigningDesk, caps_of, count_cap, gas_cap
from engine.signing.journal import Journal
from engine.signing.terms import SigningTerms
from engine.signing.wallet import LocalWallet
from tests.signing.intents import (
    CHAIN,
    GWEI,
    NOW_NS,
    TERMS,
    Word,
    kind_of,
    make_intent,
    make_plan,
    make_protective,
)
from tests.signing.test_nonces import cancel, dearer
from tests.signing.test_policy import KEY, desk_of

ROOT = Path(__file__).resolve().parents[2]


def terms(**changes: Any) -> SigningTerms:
    fields = {
        "chain_ids": TERMS.chain_ids,
        "contracts": TERMS.contracts,
        "gas_day_wei": TERMS.gas_day_wei,
        "notional_day_usd": TERMS.notional_day_usd,
        "signatures_day": TERMS.signatures_day,
    }
    return SigningTerms(**{**fields, **changes})


@pytest.mark.parametrize(
    ("own", "fits"),
    [
        (terms(notional_day_usd=Decimal(7_500)), 3),
        (terms(notional_day_usd=Decimal("7499.99")), 2),
        (terms(signatures_day=4), 4),
        (terms(gas_day_wei={CHAIN: 5 * 300_000 * 8 * GWEI}), 5),
        (terms(gas_day_wei={CHAIN: 5 * 300_000 * 8 * GWEI - 1}), 4),
        (terms(gas_day_wei={}), 0),
    ],
)
async def test_a_cap_is_used_to_its_end_and_no_further(own: SigningTerms, fits: int) -> None:
    with desk_of(own) as desk:
        kinds = [
            kind_of(await desk.sign(make_intent(make_plan(nonce), nonce=nonce)))
            for nonce in range(8)
        ]
    assert kinds == [None] * fits + [RefusalKind.CAP] * (8 - fits)


async def test_what_protects_is_signed_after_all_else_is_used_up() -> None:
    with desk_of(terms(signatures_day=2)) as desk:
        for nonce in range(3):
            await desk.sign(make_intent(make_plan(nonce), nonce=nonce))
        assert isinstance(await desk.sign(cancel(nonce=1)), Signed)
        assert isinstance(await desk.sign(make_protective(Purpose.PAUSE, nonce=5)), Signed)
        last = make_protective(Purpose.REVOKE, nonce=6)
        assert kind_of(await desk.sign(last)) is RefusalKind.CAP


async def test_a_replacement_counts_for_what_it_pays_beyond_the_one_before() -> None:
    own = terms(gas_day_wei={CHAIN: 300_000 * 10 * GWEI})
    with desk_of(own) as desk:
        assert isinstance(await desk.sign(make_intent()), Signed)
        again = dearer(make_intent(), 1_250)
        assert isinstance(await desk.sign(again), Signed)
        used = desk.caps.used
        assert used[gas_cap(CHAIN, is_protective=False)] == again.transaction.gas_max_wei
        assert used[USD_CAP] == 2_500 * MICRO_USD
        assert used[count_cap(is_protective=False)] == 2


def opened(path: Path, caps: dict[str, int], *, boot: str = "b", day: int = 5) -> DailyCaps:
    return DailyCaps(Journal(path), caps, boot=boot, now_ns=day * NS_PER_DAY + 1)


def test_what_was_reserved_counts_as_used_after_a_loss_of_power(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    caps = opened(path, {"a": 1_600})
    caps.reserve({"a": 10})
    caps.use({"a": 10})
    caps._journal.close()
    same = opened(path, {"a": 1_600})
    assert same.used == {}  # nothing was signed, and this process's end lost nothing
    same._journal.close()
    for boot in ("another", ""):
        after = opened(path, {"a": 1_600}, boot=boot)
        assert after.used == {"a": 10 + 1_600 // RESERVED_PARTS}
        after._journal.close()


def test_a_new_day_begins_anew_and_a_clock_that_is_set_back_brings_none_again(
    tmp_path: Path,
) -> None:
    caps = opened(tmp_path / "journal", {"a": 10})
    caps.reserve({"a": 10})
    caps.use({"a": 10})
    caps.look(6 * NS_PER_DAY - 1)
    assert caps.beyond({"a": 1})
    caps.look(6 * NS_PER_DAY)
    assert not caps.beyond({"a": 10})
    caps.reserve({"a": 3})
    caps.use({"a": 3})
    caps.look(5 * NS_PER_DAY)
    assert (caps.day, caps.used) == (6, {"a": 3})
    caps._journal.close()
    again = opened(tmp_path / "journal", {"a": 10}, day=5)
    assert again.day == 6
    again._journal.close()


def test_what_no_cap_is_named_for_is_beyond_it(tmp_path: Path) -> None:
    caps = opened(tmp_path / "journal", {"a": 10})
    assert caps.beyond({"b": 1})
    with pytest.raises(FatalError, match="beyond a cap"):
        caps.reserve({"b": 1})
    caps._journal.close()


@given(
    most=st.integers(0, 200),
    takes=st.lists(st.tuples(st.integers(0, 60), st.sampled_from("srpd")), max_size=40),
)
def test_over_any_takes_restarts_losses_of_power_and_days_no_day_passes_its_cap(
    most: int, takes: list[tuple[int, str]]
) -> None:
    journal = Journal(Path(":memory:"))
    day, boot = 5, 0
    caps = DailyCaps(journal, {"a": most}, boot="0", now_ns=day * NS_PER_DAY)
    taken: Counter[int] = Counter()
    for amount, act in takes:
        match act:
            case "r":
                caps = DailyCaps(journal, {"a": most}, boot=str(boot), now_ns=day * NS_PER_DAY)
                # What this process signed is in the journal; here that is in `taken`.
                caps.used["a"] = max(caps.used.get("a", 0), taken[day])
            case "p":
                boot += 1
                caps = DailyCaps(journal, {"a": most}, boot=str(boot), now_ns=day * NS_PER_DAY)
            case "d":
                day += 1
                caps.look(day * NS_PER_DAY)
            case _:
                if not caps.beyond({"a": amount}):
                    caps.reserve({"a": amount})
                    caps.use({"a": amount})
                    taken[day] += amount
    journal.close()
    assert all(amount <= most for amount in taken.values())


SIGNS = """
import asyncio, sys
from pathlib import Path
from tests.signing.test_caps import signing
asyncio.run(signing(Path(sys.argv[1]), int(sys.argv[2])))
"""
CAP = 300


async def signing(path: Path, first: int) -> None:
    """Sign for ever, telling each signature once it is out; run as a process that is killed."""
    own = terms(signatures_day=CAP, notional_day_usd=Decimal(10**9))
    journal = Journal(path)
    caps = DailyCaps(journal, caps_of(own), boot="b", now_ns=NOW_NS)
    desk = SigningDesk(terms=own, journal=journal, caps=caps, leave=Word(), clock=lambda: NOW_NS)
    desk.wallet = LocalWallet(KEY)
    nonce = first
    while True:
        intent = make_intent(make_plan(nonce), nonce=nonce, gas_limit=21_000,
                             max_fee_per_gas_wei=2, max_priority_fee_per_gas_wei=1)  # fmt: skip
        reply = await desk.sign(intent)
        if not isinstance(reply, Signed):
            break
        sys.stdout.write(f"{nonce} {reply.hash}\n")
        sys.stdout.flush()
        nonce += 1
    sys.stdout.write(f"end {reply.kind}\n")
    sys.stdout.flush()
    sys.stdin.read()


def _killed_often(path: Path, *, kills: int, chance: random.Random) -> list[str]:
    told: list[str] = []
    for round_ in range(kills + 1):
        child = subprocess.Popen(
            [sys.executable, "-c", SIGNS, str(path), str(round_ * 1_000)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout is not None
        after = chance.randrange(1, max(2 * CAP // max(kills, 1), 2)) if round_ < kills else CAP * 9
        for line in child.stdout:
            told.append(line.strip())
            if len(told) % after == 0 or line.startswith("end"):
                break
        child.kill()
        told += [line.strip() for line in child.stdout]
        child.communicate()
    return told


def _holds(path: Path, *, kills: int, chance: random.Random) -> None:
    told = _killed_often(path, kills=kills, chance=chance)
    signed = [line for line in told if line[0].isdigit()]
    assert told[-1] == f"end {RefusalKind.CAP}"
    assert len(signed) == len(set(signed)) <= CAP
    with sqlite3.connect(path) as database:
        (stored,) = database.execute("select count(*) from signed").fetchone()
    database.close()
    # At most one for each kill was kept and not told; none was told and not kept.
    assert len(signed) <= stored == CAP
    assert stored - len(signed) <= kills


@pytest.mark.slow
def test_killed_at_any_instant_it_never_signs_more_than_the_cap_says(tmp_path: Path) -> None:
    _holds(tmp_path / "journal", kills=2, chance=random.Random())


@pytest.mark.campaign
def test_killed_at_any_instant_300_times_it_never_signs_more_than_the_cap_says(
    tmp_path: Path,
) -> None:
    for number in range(30):
        _holds(tmp_path / str(number), kills=10, chance=random.Random(number))


def test_a_journal_that_another_process_holds_or_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    one = Journal(path)
    one.newest_day()
    with pytest.raises(FatalError, match="cannot be used"):
        Journal(path)
    one.close()
    bad = tmp_path / "bad"
    bad.write_bytes(b"no database at all, whatever it says" * 100)
    with pytest.raises(FatalError, match="nothing is signed"):
        Journal(bad)


async def test_what_the_disk_does_not_take_is_not_signed(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    caps = DailyCaps(journal, caps_of(TERMS), boot="b", now_ns=NOW_NS)
    desk = SigningDesk(terms=TERMS, journal=journal, caps=caps, leave=Word(), clock=lambda: NOW_NS)
    desk.wallet = LocalWallet(KEY)
    journal._database.execute("pragma query_only = on")
    with pytest.raises(FatalError, match="nothing is signed"):
        await desk.sign(make_intent())
    journal._database.execute("pragma query_only = off")
    assert isinstance(await desk.sign(make_intent()), Signed)
    journal.close()
