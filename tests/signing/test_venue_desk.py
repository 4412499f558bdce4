"""Orders over time: one under an id for ever, and never beyond a limit, whatever comes between."""

import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.errors import FatalError
from engine.domain.instruments import VenueId
from engine.domain.orders import Purpose
from engine.domain.permits import Permit, PermitKind
from engine.domain.plans import LeggedPlan, digest_of_plan
from engine.domain.signing import RefusalKind, SignRefusal
from engine.domain.units import NS_PER_DAY, NS_PER_MS, NS_PER_S
from engine.domain.words import Approved, sealed_word
from engine.gateways.asks import BalancesAsk
from engine.gateways.venue_signing import (
    LegIntent,
    PlanIntent,
    PlanSigned,
    VenueIntent,
    VenueSigned,
)
from engine.signing.caps import RESERVED_PARTS
from engine.signing.desk import MICRO_USD, USD_CAP
from engine.signing.journal import Journal
from engine.signing.venue_caps import MOVED_CAP, ORDERS_CAP, UNWINDINGS_CAP, UNWOUND_CAP
from engine.signing.venue_journal import VenueJournal
from engine.signing.venue_nonces import AHEAD_MS, VenueNonces
from engine.signing.venue_rules import UNWINDINGS_MAX, most_unwound
from tests.effort import examples
from tests.signing.saying import WORD_KEY, granted
from tests.signing.venue_intents import (
    NOW_MS,
    NOW_NS,
    TERMS,
    Signer,
    kind_of,
    make_place,
    make_plan,
    make_unwinding,
)

K = RefusalKind
ROOT = Path(__file__).resolve().parents[2]
structs = msgspec.structs


@pytest.fixture
def signer(tmp_path: Path) -> Iterator[Signer]:
    made = Signer(tmp_path / "journal")
    yield made
    made.close()


# ---- one order under an id ----------------------------------------------------------------------


def test_a_second_order_under_an_id_is_refused_for_ever(signer: Signer) -> None:
    plan = make_plan()
    assert signer.kind(make_place(plan)) is None
    others = (
        make_place(plan, request={"size_base": Decimal("0.1")}),
        make_place(plan, request={"price_limit": Decimal(59_000)}),
        make_place(make_plan(2), name=f"{plan.plan_id}-o1"),
        make_unwinding(plan, name=f"{plan.plan_id}-o1"),
    )
    for days in (0, 1, 400):
        signer.now_ns = NOW_NS + days * NS_PER_DAY
        signer.restart()
        for other in others:
            reply = signer.sign(other)
            assert isinstance(reply, SignRefusal)
            assert reply.kind is K.REPEAT
            assert "another order was signed under" in reply.detail


def test_the_same_order_of_two_engines_has_two_ids(signer: Signer) -> None:
    assert signer.kind(make_place(make_plan())) is None
    assert signer.kind(make_place(make_plan(2), name="r1-1-p-o1", engine="two")) is None


@pytest.mark.parametrize("venue", ["binance", "gemini", "bitstamp", "kraken"])
def test_the_very_same_again_is_no_second_signature_where_a_second_send_is_not_harmless(
    signer: Signer, venue: str
) -> None:
    plan = make_plan(venues=(venue, "coinbase"))
    assert signer.kind(make_place(plan)) is None

    reply = signer.sign(make_place(plan))

    assert isinstance(reply, SignRefusal)
    assert "could make a second order" in reply.detail


def test_the_very_same_again_is_signed_anew_at_coinbase_counted_once_and_for_now_alone(
    signer: Signer,
) -> None:
    plan = make_plan(venues=("coinbase", "kraken"))
    first = signer.sign(make_place(plan))
    used = dict(signer.caps.used)
    signer.restart()
    signer.now_ns += NS_PER_S
    again = signer.sign(make_place(plan, now_ms=NOW_MS + 1_000))

    assert isinstance(first, VenueSigned)
    assert isinstance(again, VenueSigned)
    assert (first.is_repeat, again.is_repeat) == (False, True)
    assert first.calls[0].body == again.calls[0].body
    assert first.calls[0].headers != again.calls[0].headers
    assert signer.caps.used == used
    signer.why = SignRefusal(kind=K.KILLED, detail="killed")
    assert signer.kind(make_place(plan)) is K.KILLED
    signer.why = None
    signer.now_ns += 60 * NS_PER_S
    assert signer.kind(make_place(plan)) is K.DEADLINE


def test_nothing_is_answered_that_is_not_on_disk(signer: Signer) -> None:
    signer.journal._database.execute("pragma query_only = on")

    with pytest.raises(FatalError, match="nothing is signed"):
        signer.sign(make_place())

    signer.journal._database.execute("pragma query_only = off")
    assert signer.kind(make_place()) is None


# ---- a person's word ----------------------------------------------------------------------------


def mandated(plan: Any, mandate_id: str = "m1") -> Any:
    return structs.replace(plan, permit=Permit(kind=PermitKind.MANDATE, id=mandate_id))


def test_a_mandate_covers_plans_until_what_it_may_spend_is_spent() -> None:
    signer = Signer(terms=replace(TERMS, notional_day_usd=Decimal(10**9)))
    signer.usd_cap = Decimal(10**9)
    signer.restart()
    usd: dict[str, Any] = {"each_usd_max": Decimal(31_000), "total_usd_max": Decimal(61_000)}
    assert signer.kind(make_place(mandated(make_plan()))) is K.PERMIT
    signer.words.hear(granted("m1", at_ns=NOW_NS, **usd), NOW_NS)
    for number, kind in ((1, None), (2, None), (3, K.PERMIT)):
        signer.now_ns += NS_PER_S
        now_ms = signer.now_ns // NS_PER_MS
        plan = mandated(make_plan(number, decided_at_ns=signer.now_ns))
        plan = structs.replace(plan, deadline_ns=signer.now_ns + NS_PER_S)
        assert signer.kind(make_place(plan, now_ms=now_ms)) is kind, number
        # What follows of the same plan takes no further word, and what trades back none at all.
        if kind is None:
            assert signer.kind(make_place(plan, leg=1, now_ms=now_ms)) is None
            assert signer.kind(make_unwinding(plan, now_ms=now_ms, request=SMALL)) is None
    signer.close()


SMALL = {"size_base": Decimal("0.01")}


def test_a_mandate_for_another_place_or_a_route_that_is_not_the_plans_covers_nothing(
    signer: Signer,
) -> None:
    signer.words.hear(granted("m1", at_ns=NOW_NS), NOW_NS)
    plan = mandated(make_plan())
    hops = tuple(structs.replace(hop, venue="gemini") for hop in plan.opportunity.hops)
    other = structs.replace(
        plan, opportunity=structs.replace(plan.opportunity, hops=hops), plan_id="x"
    )

    reply = signer.sign(make_place(other))

    assert isinstance(reply, SignRefusal)
    assert "another route than its parts" in reply.detail


def approval_of(terms: Any) -> Permit:
    return Permit(kind=PermitKind.APPROVAL, id="a1", digest=digest_of_plan(terms))


def approve(signer: Signer, terms: Any) -> None:
    word = Approved(engine="main", by="ann", at_ns=NOW_NS, digest=digest_of_plan(terms))
    signer.words.hear(sealed_word(word, WORD_KEY), NOW_NS)


def test_an_approval_carries_one_plan_within_its_terms(signer: Signer) -> None:
    terms = make_plan()
    plan = make_plan(2, permit=approval_of(terms))
    unsaid = make_place(plan, approved=terms)
    assert signer.kind(unsaid) is K.PERMIT
    approve(signer, terms)

    assert signer.kind(make_place(plan)) is K.PERMIT  # without the terms
    approve(signer, make_plan(3))
    assert signer.kind(make_place(plan, approved=make_plan(3))) is K.PERMIT
    assert signer.kind(unsaid) is None
    assert signer.kind(make_place(plan, leg=1, approved=terms)) is None
    other = make_plan(4, permit=approval_of(terms))
    assert signer.kind(make_place(other, approved=terms)) is K.PERMIT


def looser() -> dict[str, Any]:
    buy, sell = make_plan().legs
    return {
        "size": {"legs": (structs.replace(buy, size_base=Decimal("0.5001")), sell)},
        "price": {"legs": (buy, structs.replace(sell, price_limit=Decimal(60_000)))},
        "time": {"deadline_ns": make_plan().deadline_ns + 1},
        "route": {"venues": ("binance", "gemini")},
    }


@pytest.mark.parametrize("what", looser())
def test_a_plan_that_is_looser_than_what_was_approved_is_not_carried_out(
    signer: Signer, what: str
) -> None:
    terms = make_plan()
    approve(signer, terms)
    plan = make_plan(2, permit=approval_of(terms), **looser()[what])

    assert signer.kind(make_place(plan, approved=terms)) is K.PERMIT


# ---- caps over anything that may happen ---------------------------------------------------------

NARROW = replace(TERMS, notional_day_usd=Decimal(70_000), orders_day=6)


class Watched:
    """A signer, and what it signed as somebody else counts it."""

    def __init__(self, path: Path) -> None:
        self.signer = Signer(path, NARROW)
        self.signer.usd_cap = Decimal(90_000)
        self.signer.restart()
        self.moved: defaultdict[int, Decimal] = defaultdict(Decimal)
        self.orders: Counter[int] = Counter()
        self.unwindings: Counter[int] = Counter()
        self.by_id: dict[tuple[str, str], Any] = {}
        self.of_leg: defaultdict[tuple[str, int, Purpose], list[Decimal]] = defaultdict(list)

    def ask(
        self,
        number: int,
        legs: Sequence[int],
        name: int,
        share: int,
        is_back: bool,  # noqa: FBT001
    ) -> None:
        """Ask for orders of a plan, one alone or both together; look whether they may be signed."""
        intents = [self.intent(number, leg, name + leg, share, is_back=is_back) for leg in legs]
        signed: tuple[VenueSigned, ...] = ()
        if len(intents) == 1:
            reply = self.signer.sign(intents[0])
            signed = (reply,) if isinstance(reply, VenueSigned) else ()
        else:
            both = self.signer.desk.sign_together(together(intents))
            signed = both.orders if isinstance(both, PlanSigned) else ()
        for intent, one in zip(intents, signed, strict=False):
            self.check(intent, one)

    def intent(self, number: int, leg: int, name: int, share: int, *, is_back: bool) -> VenueIntent:
        """Return what is asked for some share of a leg, or to trade it back."""
        plan = PLANS[number]
        size = (plan.legs[leg].size_base * share / 4).quantize(Decimal("0.0001"))
        make = make_unwinding if is_back else make_place
        return make(
            plan,
            leg=leg,
            name=f"o{name}",
            now_ms=self.signer.now_ns // NS_PER_MS,
            request={"size_base": size},
        )

    def check(self, intent: VenueIntent, reply: VenueSigned) -> None:
        """Look at what was signed."""
        assert intent.plan is not None
        request = intent.ask.request  # type: ignore[union-attr]
        leg = intent.plan.legs[intent.leg]
        what = (intent.venue, request.side, request.size_base, request.price_limit)
        key = (intent.engine, intent.client_order_id)
        assert self.signer.why is None, "signed while latched"
        assert self.by_id.setdefault(key, what) == what, "another order under an id"
        if reply.is_repeat:
            return
        day = self.signer.caps.day
        plan = digest_of_plan(intent.plan)
        self.of_leg[plan, intent.leg, intent.purpose].append(request.size_base)
        if intent.purpose is Purpose.LEG:
            self.moved[day] += request.size_base * request.price_limit
            self.orders[day] += 1
            assert sum(self.of_leg[plan, intent.leg, Purpose.LEG]) <= leg.size_base
        else:
            self.unwindings[day] += 1
            assert request.size_base <= most_unwound(leg)
            assert len(self.of_leg[plan, intent.leg, Purpose.UNWIND]) <= UNWINDINGS_MAX
        assert self.moved[day] <= 70_000
        assert self.orders[day] <= 6
        assert self.unwindings[day] <= 6


def together(intents: Sequence[VenueIntent]) -> PlanIntent:
    """Return the one question for orders of a plan."""
    assert intents[0].plan is not None
    return PlanIntent(
        plan=intents[0].plan,
        purpose=intents[0].purpose,
        orders=tuple(
            LegIntent(
                request=one.ask.request,  # type: ignore[union-attr]
                client_order_id=one.client_order_id,
                leg=one.leg,
            )
            for one in intents
        ),
    )


def lasting(number: int, *venues: str) -> LeggedPlan:
    """Return a plan that lasts, so that days do not end it before limits do."""
    plan = make_plan(number, venues=(venues[0], venues[1]))
    return structs.replace(plan, deadline_ns=NOW_NS + 1_000 * NS_PER_DAY)


PLANS = [
    lasting(1, "coinbase", "kraken"),
    lasting(2, "binance", "kraken"),
    lasting(3, "gemini", "coinbase"),
]

ACTS = st.lists(
    st.one_of(
        st.tuples(
            st.just("ask"),
            st.integers(0, 2),
            st.sampled_from(((0,), (1,), (0, 1))),
            st.integers(0, 9),
            st.integers(1, 5),
            st.booleans(),
        ),
        st.tuples(
            st.sampled_from(("restart", "power", "latch", "clear", "wait", "day", "back", "ahead"))
        ),
    ),
    max_size=40,
)


@settings(max_examples=examples(160), deadline=None)
@given(acts=ACTS)
def test_no_sequence_of_intents_restarts_days_and_latches_signs_beyond_a_limit_or_a_second_order(
    tmp_path_factory: pytest.TempPathFactory, acts: list[Any]
) -> None:
    path = tmp_path_factory.mktemp("w") / "journal"
    watched = Watched(path)
    signer = watched.signer
    boots = 0
    for act, *words in acts:
        signer.now_ns += 50 * NS_PER_MS
        if act == "ask":
            watched.ask(*words)
        elif act == "restart":
            signer.restart()
        elif act == "power":
            boots += 1
            signer.boot = str(boots)
            signer.restart()
        elif act == "ahead":
            signer.desk.keep_ahead()
        elif act == "latch":
            signer.why = SignRefusal(kind=K.KILLED, detail="killed")
        elif act == "clear":
            signer.why = None
        elif act == "wait":
            signer.now_ns += 2 * NS_PER_S
        elif act == "day":
            signer.now_ns += NS_PER_DAY
        else:
            signer.now_ns -= NS_PER_DAY  # a clock that is set back
    signer.close()
    path.unlink()


def test_a_caps_share_that_was_reserved_is_lost_with_the_power_and_no_more(
    signer: Signer,
) -> None:
    assert signer.kind(make_place()) is None
    signer.boot = "another"
    signer.restart()
    used = signer.caps.used
    most = signer.caps.caps[MOVED_CAP]
    moved = 30_030 * MICRO_USD
    assert moved <= used[MOVED_CAP] == moved + most // RESERVED_PARTS
    assert used[USD_CAP] == used[MOVED_CAP]
    assert used.get(UNWOUND_CAP, 0) == used.get(UNWINDINGS_CAP, 0) == 0
    assert used[ORDERS_CAP] >= 1


def test_what_transactions_moved_counts_for_orders_too() -> None:
    signer = Signer()
    signer.usd_cap = Decimal(40_000)
    signer.restart()
    signer.caps.reserve({USD_CAP: 10_000 * MICRO_USD})
    signer.caps.use({USD_CAP: 10_000 * MICRO_USD})

    reply = signer.sign(make_place())

    assert isinstance(reply, SignRefusal)
    assert reply.detail == "USD moved: 10000.00 of 40000.00 are used today, it takes 30030.00"
    signer.close()


# ---- numbers of calls ---------------------------------------------------------------------------


@given(
    st.lists(
        st.tuples(
            st.sampled_from(("next", "next", "next", "restart", "ahead")),
            st.integers(-40_000, 40_000),
        ),
        max_size=80,
    )
)
def test_numbers_rise_over_restarts_and_clocks_that_jump(acts: list[tuple[str, int]]) -> None:
    journal = Journal(Path(":memory:"))
    kept = VenueJournal(journal)
    nonces = VenueNonces(kept)
    now_ms, last = NOW_MS, 0
    for act, step_ms in acts:
        now_ms += step_ms
        if act == "restart":
            nonces = VenueNonces(kept)
        elif act == "ahead":
            nonces.keep_ahead(now_ms)
        else:
            number = nonces.next("k", now_ms)
            assert number > last
            assert number >= now_ms
            last = number
    journal.close()


def test_with_each_restart_numbers_get_ahead_of_the_clock_by_what_is_reserved_at_most() -> None:
    journal = Journal(Path(":memory:"))
    kept = VenueJournal(journal)
    for _ in range(50):
        first = VenueNonces(kept).next("k", NOW_MS)
    assert NOW_MS < first <= NOW_MS + 50 * (AHEAD_MS + 1)
    later = VenueNonces(kept).next("k", NOW_MS + 60 * AHEAD_MS)
    assert later == NOW_MS + 60 * AHEAD_MS
    journal.close()


def test_numbers_of_one_key_are_not_held_up_by_another(signer: Signer) -> None:
    intents = [
        VenueIntent(venue=VenueId(venue), ask=BalancesAsk()) for venue in ("gemini", "kraken")
    ]

    for intent in intents:
        assert kind_of(signer.sign(intent)) is None

    assert signer.desk.nonces.next("gemini/a-key", NOW_MS) == NOW_MS + 1
    assert signer.desk.nonces.next("another", NOW_MS) == NOW_MS


SIGNS = """
import sys
from tests.signing.test_venue_desk import signing
signing(sys.argv[1], int(sys.argv[2]))
"""


def signing(path: str, first: int) -> None:
    """Sign an order at Kraken each second of a clock that stands still at first, and tell so."""
    signer = Signer(path, replace(TERMS, notional_day_usd=Decimal(10**9), orders_day=10**6))
    signer.usd_cap = Decimal(10**9)
    signer.restart()
    for number in range(first, first + 100_000):
        signer.now_ns += NS_PER_S
        plan = structs.replace(PLANS[1], plan_id=f"p{number}")
        intent = make_place(plan, leg=1, now_ms=signer.now_ns // NS_PER_MS)
        reply = signer.sign(intent)
        assert isinstance(reply, VenueSigned), reply
        nonce = parse_qs(reply.calls[0].body.decode())["nonce"][0]
        sys.stdout.write(f"{number} {nonce}\n")
        sys.stdout.flush()


@pytest.mark.slow
def test_a_signer_that_is_killed_at_any_instant_uses_no_number_twice_and_knows_each_order(
    tmp_path: Path,
) -> None:
    path, told = tmp_path / "journal", []
    for life, lines in enumerate((1, 40, 7, 200)):
        process = subprocess.Popen(
            [sys.executable, "-c", SIGNS, str(path), str(life * 1_000_000)],
            cwd=ROOT, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        told += [process.stdout.readline() for _ in range(lines)]
        process.kill()
        told += process.communicate()[0].splitlines(keepends=True)
    orders = [tuple(map(int, line.split())) for line in told if line.endswith("\n")]
    numbers = [number for _, number in orders]
    assert numbers == sorted(set(numbers))
    journal = Journal(path)
    kept = VenueJournal(journal)
    assert all(kept.digest_of("main", f"p{order}-o2") for order, _ in orders)
    assert len(orders) > 240
    journal.close()
