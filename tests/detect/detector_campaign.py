"""A long run of exact legs and of routes in floats, hostile numbers included.

`python -m tests.detect.detector_campaign --cases 10000000 --seed 1` prints progress as it goes and
one JSON object at the end; the exit code is 1 if a case broke a rule. `--seconds` ends it earlier.
Formulas of pools have campaigns of their own (`make pools`), sizes and splits too (`make cycles`).
"""

import argparse
import json
import math
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

import numpy as np

from engine.detect.sizing.exact import confirm_exact
from engine.domain.errors import BadValueError
from engine.domain.opportunities import Side
from engine.kernels.sizing import size_route
from engine.kernels.sizing_layout import (
    CURVE_COLUMNS,
    FORM_PIECES,
    PIECE_COLUMNS,
    SIDE,
    SIZED,
    SIZED_COLUMNS,
    TERM,
)
from engine.market.book_leg import OrderBookLeg, leg_of_book
from tests.detect.mixed_routes import KINDS, float_optimum, random_route, swaps_of
from tests.detect.outputs import route_output
from tests.reference import book_leg as twin
from tests.reference import confirming as reference
from tests.reference import sizing as smooth
from tests.reference.world import make_instrument

BAD = (math.nan, math.inf, -math.inf, -1.0, -1e300, 0.0, 1e-300, 1e61, 1e300, 2.0**256)
ROUTES_OF_HOSTILE = 1_000
"""Cases of hostile numbers for each case of the slower kinds."""

PROMISE_RATIO_MAX = 1e-9
"""Of the input: how much more a confirmed gain may be than what legs without rounding give."""

SEAM_RATIO_MAX = 1e-6
"""Of the output: what pieces in floats may lack where one ends and the next one starts."""

SAMPLES_MAX = 5


def check_book(rng: random.Random) -> str | None:
    """Compare one answer each way of a book's leg with its twin."""
    side = rng.choice(list(Side))
    places = rng.randint(0, 4)
    lot = Decimal(rng.randint(1, 5)).scaleb(-2)
    instrument = make_instrument(
        "here",
        price_decimals=places,
        size_decimals=2,
        tick=str(Decimal(1).scaleb(-places)),
        lot=str(lot),
        size_min=str(lot * rng.randint(0, 4)),
        notional_min=str(rng.randint(0, 2)),
    )
    raw = {rng.randint(1, 4_000): rng.randint(1, 15) for _ in range(rng.randint(1, 4))}
    levels = sorted(raw.items(), reverse=side is Side.SELL)
    fee_bps = Decimal(rng.randint(0, 5_000)) / 10
    decimals = rng.randint(2, 9)
    leg = leg_of_book(
        instrument, side, levels, fee_bps=fee_bps, base_decimals=4, quote_decimals=decimals
    )
    if leg.lot_raw != lot.scaleb(4):
        return None  # lots of dust are joined: the twin knows single ones
    exact = [(Fraction(instrument.price_of(p)), Fraction(instrument.size_of(s))) for p, s in levels]
    least = twin.Order(
        Fraction(instrument.size_min_base), Fraction(instrument.notional_min_quote), Fraction(0)
    )
    fee = Fraction(fee_bps) / 10_000
    is_buy = side is Side.BUY
    plain = twin.orders(exact, lot=Fraction(lot), fee=fee, is_buy=is_buy, least=least)
    return _differs(rng, leg, plain, decimals)


def _differs(
    rng: random.Random, leg: OrderBookLeg, plain: list[twin.Order], decimals: int
) -> str | None:
    is_buy = leg.side is Side.BUY
    wanted = rng.randint(1, int(max((o.base for o in plain), default=Fraction(1)) * 10_000 + 2))
    asked = rng.randint(1, int(max((o.quote for o in plain), default=1) * 10**decimals) + 2)
    spent, given = (asked, wanted) if is_buy else (wanted, asked)
    units = (10_000, 10**decimals)
    out = _or_none(leg.amount_out, spent)
    most = twin.most_out(plain, spent, is_buy=is_buy, base_unit=units[0], quote_unit=units[1])
    if out != most:
        return "a book gives what the walk does not"
    needed = _or_none(leg.amount_in, given)
    if needed != twin.least_in(
        plain, given, is_buy=is_buy, base_unit=units[0], quote_unit=units[1]
    ):
        return "a book does not ask for the least input"
    return None


def check_route(rng: random.Random) -> str | None:
    """Confirm a mixed route; what is reported must be there when all legs are asked again."""
    kinds = tuple(rng.choice(KINDS) for _ in range(rng.choice((2, 3, 4))))
    route = random_route(rng, kinds, scale=10 ** rng.randint(3, 22))
    pips = rng.choice((0, 0, 500, 900))
    start = float_optimum(route, pays=1.0 + pips / 1e6)
    if rng.random() < 0.1:
        start = rng.choice((0, 1, 2**112, 2**255, 2**256 - 1))
    found = confirm_exact(route.legs, start, flash_fee_pips=pips)
    plain = reference.gain_of(swaps_of(route), start) if start > 0 else None
    charged = -(-start * pips // 1_000_000)
    if found is None:
        return "missed" if plain is not None and plain - charged > 0 else None
    net = found.gain_raw - -(-found.input_raw * pips // 1_000_000)
    if net <= 0:
        return "no gain was confirmed"
    if found.gain_raw != reference.gain_of(swaps_of(route), found.input_raw):
        return "a gain that the legs do not give"
    if plain is not None and net < plain - charged:
        return "worse than the floored optimum"
    promised = smooth.gain(route.smooth, float(found.input_raw), 1.0)
    if found.gain_raw > promised + 8 + PROMISE_RATIO_MAX * found.input_raw:
        return "more than legs without rounding give"
    return None


def check_hostile(rng: random.Random) -> str | None:
    """Size a route over raw rows that no edge checked: no crash, no number that is none."""
    count = rng.randint(1, 4)
    rows = rng.randint(1, 3) * count
    pieces = np.empty((rows, PIECE_COLUMNS))
    for k in range(rows):
        pieces[k] = (k // count * 100.0, k // count * 90.0, rng.uniform(0.8, 1.3), 1e-4)
    each = rows // count
    pieces = np.ascontiguousarray(pieces.reshape(each, count, -1).swapaxes(0, 1).reshape(rows, -1))
    sides = np.array(
        [[FORM_PIECES, k * each, (k + 1) * each, 0, 1, math.inf] for k in range(count)]
    )
    terms = np.array([1.0, 0.0, 0.0, math.inf, 1.0])
    spoiled = rng.choice((pieces, pieces, sides, terms))
    at = rng.randrange(spoiled.size)
    number = rng.choice(BAD)
    spoiled.flat[at] = number
    out = np.zeros(SIZED_COLUMNS)
    cycle = np.arange(count, dtype=np.int64)
    curves = np.zeros((1, CURVE_COLUMNS))
    has_gain = size_route(cycle, sides, pieces, curves, terms, out)
    if not np.isfinite(out).all():
        return "a number that is none came out"
    profit, amount = float(out[SIZED.PROFIT]), float(out[SIZED.INPUT])
    if has_gain != (profit > 0.0) or (not has_gain and amount != 0.0):
        return "a gain without a profit"
    if not has_gain:
        return None
    again = route_output(cycle, sides, pieces, curves, amount)
    kept = again - amount * float(terms[TERM.PAYS_RATIO]) - float(terms[TERM.FIXED_COST])
    if abs(kept - profit) > SEAM_RATIO_MAX * (amount + again):
        return "a profit that the legs do not give"
    walked = amount
    for side in sides:
        rows_of = pieces[int(side[SIDE.FROM]) : int(side[SIDE.TO])]
        walked = _walked(rows_of, min(walked, float(side[SIDE.INPUT_MAX])))
    if abs(walked - again) > 10 * SEAM_RATIO_MAX * again:
        return "an output that no walk through the pieces gives"
    return None


def _walked(pieces: np.ndarray, amount: float) -> float:
    """Add up what the pieces give, one after the other, without asking what they start with."""
    out = 0.0
    for k, (start, _, rate, bend) in enumerate(pieces):
        if k and start > amount:
            break
        width = min(pieces[k + 1][0] if k + 1 < len(pieces) else math.inf, amount) - start
        out += rate * width / (1.0 + bend * width) if width else 0.0
    return float(out)


def _or_none(answer: Callable[[int], int], amount_raw: int) -> int | None:
    try:
        return answer(amount_raw)
    except BadValueError:
        return None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=math.inf)
    chosen = parser.parse_args()
    rng = random.Random(chosen.seed)
    started = time.monotonic()
    cases: Counter[str] = Counter()
    failures: Counter[str] = Counter()
    samples: list[dict[str, object]] = []
    checks = {"book": check_book, "route": check_route, "hostile": check_hostile}
    turn = 0
    while sum(cases.values()) < chosen.cases and time.monotonic() - started < chosen.seconds:
        name = ("book", "route")[turn // ROUTES_OF_HOSTILE % 2]
        name = name if turn % (ROUTES_OF_HOSTILE // 10) == 0 else "hostile"
        turn += 1
        seed = rng.getrandbits(48)
        wrong = checks[name](random.Random(seed))
        cases[name] += 1
        if wrong:
            failures[wrong] += 1
            if len(samples) < SAMPLES_MAX:
                samples.append({"wrong": wrong, "seed": seed, "kind": name})
        if turn % 1_000_000 == 0:
            print(f"{turn} cases, {sum(failures.values())} failures", file=sys.stderr, flush=True)
    report = {
        "cases": dict(cases),
        "seed": chosen.seed,
        "seconds": round(time.monotonic() - started, 1),
        "failures": dict(failures),
        "samples": samples,
    }
    print(json.dumps(report))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
