"""Another key in the place of the one that signs: looked at first, and no order in between is lost.

Files are sealed quickly here; what it takes to open one is measured where keys are sealed.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from engine.bus.records import Appended, KeyActRecord
from engine.bus.request import Reply, Request
from engine.bus.signing import SignedVenue, WalletsReport
from engine.bus.trading import VenuesSeen
from engine.connectors.limiter import Limiter
from engine.domain.assets import AssetCode
from engine.domain.errors import BadValueError, FatalError, SyndicateError, TransientError
from engine.domain.instruments import VenueId
from engine.domain.modes import Basis
from engine.domain.orders_told import HeldAtVenue, VenueSeen
from engine.domain.signing import RefusalKind
from engine.domain.venue_orders import BalanceShown, KeyRights
from engine.gateways.answers import Found
from engine.gateways.asks import LookUpAsk, calls_of
from engine.gateways.calls import Call, SignedCall
from engine.gateways.gateway_list import gateway_of
from engine.gateways.rights import UNTOLD
from engine.gateways.venue_signing import VenueIntent, VenueSigned
from engine.ports import RequestBudget
from engine.sandbox.exchange.doors.door import DoorKey
from engine.sandbox.exchange.doors.door_list import DOORS
from engine.settings.schema import ExchangesSettings, Settings
from engine.signing.password_pace import FREE, PasswordPace
from engine.signing.secret_files import write_secret_file
from engine.signing.venue_auth.auth import VenueKey
from engine.signing.venue_checked import VenueChecked, checked_venues
from engine.signing.venue_keys import VenueKeyFile, open_venue_key, parse_venue_key, seal_venue_key
from engine.tools.key_rotation import line_with, rotate_key, why_another_account
from engine.trading.wire import Reply as Answer
from engine.wiring.paths import prepare
from engine.wiring.signer_venues import trading_keys, venue_key_path
from engine.wiring.venue_rotation import VenueRotation
from tests.sandbox.exchange.place import KEYS, asked_of, place_of
from tests.signing.venue_intents import NOW_MS, TERMS, Signer, make_place, make_plan
from tests.signing.withdrawals import Withdrawer

VENUE = "binance"
PASSWORD = b"correct horse battery"
OLD = VenueKey(name="a-key", secret=KEYS[VENUE][0])
NEW = VenueKey(name="b-key", secret="planted: of the new key")
GOOD = KeyRights(may_read=True, may_trade=True, may_withdraw=False, is_address_bound=True)
BUDGET = RequestBudget(weight_per_s=1_000.0, weight_burst=10_000.0)
N = 2**4
seal = partial(seal_venue_key, n=N)


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.signing.keystore.SCRYPT_N_MIN", N)
    monkeypatch.setattr("engine.tools.key_rotation.seal_venue_key", seal)


class World:
    """A signer with one key, the venue with two, and the roles that a rotation asks."""

    def __init__(self, folder: Path) -> None:
        self.place = place_of(VENUE)
        self.door = DOORS[VENUE][0](self.place.exchange, DoorKey(name="b-key", secret=NEW.secret))
        self.is_cut = False
        self.signing = Signer(folder / "journal", replace(TERMS, notional_day_usd=Decimal(10**7)))
        self.signing.usd_cap = Decimal(10**7)
        self.signing.restart()
        paths = prepare(str(folder / "var"))
        settings = Settings(exchanges=ExchangesSettings(trades="real", venues=[VENUE]))
        self.path = venue_key_path(settings, paths, VENUE)
        write_secret_file(self.path, seal(VENUE, OLD, PASSWORD), what="key")
        self.checked = checked_venues(paths.signer)
        self.checked.keep(
            VENUE, VenueChecked(key="a-key", rights=GOOD, tested_at_ns=7, reconciled_at_ns=8)
        )
        terms = replace(TERMS, is_real=True, venues=(VENUE,))
        self.rotation = VenueRotation(
            self.signing.desk,
            trading_keys(settings, paths, terms),
            Withdrawer().desk,
            self.checked,
            PasswordPace(lambda: self.now_ns),
        )
        self.held: tuple[HeldAtVenue, ...] | None = self.shown()
        self.audited: list[KeyActRecord] = []
        self.is_ledger_away = False
        self.now_ns = 0
        self.lost: tuple[str, ...] = ()
        self.signer = self.trader = self.ledger = self

    # ---- the roles

    async def call(self, request: Request[Reply], /, *, timeout_s: float = 5.0) -> Reply:
        del timeout_s
        reply = await request.answer(self)
        if type(request).__name__ in self.lost:
            raise TransientError("the answer was lost")
        return reply

    def seen(self) -> VenuesSeen:
        if self.held is None:
            return VenuesSeen(seen=())
        one = VenueSeen(venue=VenueId(VENUE), told=0, at_ns=1, held=self.held)
        return VenuesSeen(seen=(one,))

    async def append(self, records: list[Any], **_of: Any) -> Appended:
        if self.is_ledger_away:
            raise TransientError("the ledger is away")
        self.audited += records
        return Appended(count=len(records))

    async def rotate(
        self, venue: str, sealed: str, password: str, rights: KeyRights
    ) -> WalletsReport:
        try:
            await self.rotation.rotate(venue, sealed.encode(), password.encode(), rights)
        except FatalError as error:
            raise BadValueError(str(error)) from error
        return self.wallets()

    def wallets(self) -> WalletsReport:
        return WalletsReport(
            basis=Basis.LIVE,
            is_locked=True,
            address="",
            key="",
            chains=[],
            day=0,
            caps=[],
            guards=[],
            missing=[],
            venues=[SignedVenue(name=VENUE, key=self.signing.desk.keys[VENUE])],
        )

    # ---- the venue, as the new key sees it

    def shown(self) -> tuple[HeldAtVenue, ...]:
        return tuple(
            HeldAtVenue(asset=AssetCode(asset), free=one.free, held=one.held)
            for asset, one in self.place.exchange.balances.items()
        )

    async def send(self, call: SignedCall) -> Answer | str:
        if self.is_cut:
            return "no answer"
        answer = self.door.answer(asked_of(call), time.time_ns() // 1_000_000)
        return Answer(answer.status, answer.body)

    def rehearse(self, call: Call) -> None:
        pass

    # ---- what is done

    async def turn_to(self, key: VenueKey = NEW, password: bytes = PASSWORD) -> None:
        limiter = Limiter(BUDGET, now_ns=time.monotonic_ns)
        line = line_with(key, gateway_of(VENUE), self, limiter)
        await rotate_key(self, line, key, password, self.path)

    def placed_by(self, number: int) -> str:
        """Have an order signed, and say by which key it was."""
        return by(self.signing.sign(make_place(make_plan(number))))

    def kept(self) -> VenueKey:
        """Return the key that the next start would sign with."""
        store = parse_venue_key(self.path.read_bytes(), VENUE, where="it")
        assert isinstance(store, VenueKeyFile)
        return open_venue_key(store, PASSWORD, where="it")


def by(reply: object) -> str:
    assert isinstance(reply, VenueSigned), reply
    return reply.calls[0].headers["X-MBX-APIKEY"]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def test_orders_across_the_change_are_signed_by_one_key_or_the_other_and_each_once(
    world: World,
) -> None:
    keys = [world.placed_by(number) for number in range(3)]
    turning = asyncio.ensure_future(world.turn_to())
    while not turning.done():
        await asyncio.sleep(0)
        if len(keys) < 18:
            keys.append(world.placed_by(len(keys)))
    await turning
    keys += [world.placed_by(number) for number in range(len(keys), len(keys) + 3)]

    assert keys[:3] == ["a-key"] * 3
    assert keys[-3:] == ["b-key"] * 3
    assert keys == sorted(keys), "none is signed by the old key after the new one has signed"
    for number in range(len(keys)):
        kind = world.signing.kind(make_place(make_plan(number)))
        assert kind is RefusalKind.REPEAT, "what the old key signed is not signed again by the new"


async def test_an_order_of_the_old_key_is_found_with_the_new_one(world: World) -> None:
    intent = make_place(make_plan())
    request = intent.ask.request  # type: ignore[union-attr]
    placed = world.signing.sign(intent)
    assert by(placed) == "a-key"
    assert isinstance(placed, VenueSigned)
    assert world.place.door.answer(asked_of(placed.calls[0]), placed.signed_at_ms).status == 200
    world.held = world.shown()

    await world.turn_to()

    ask = LookUpAsk(request=request, made_since_ms=NOW_MS - 1_000)
    signed = world.signing.sign(VenueIntent(venue=VenueId(VENUE), ask=ask))
    assert by(signed) == "b-key"
    assert isinstance(signed, VenueSigned)
    gateway = gateway_of(VENUE)
    call, one = calls_of(ask, gateway)[0], signed.calls[0]
    answer = world.door.answer(asked_of(one), signed.signed_at_ms)
    found = gateway.looked_up(request, call, answer.status, answer.body)
    assert isinstance(found, Found), found
    assert found.orders[0].venue_order_id


async def test_what_signs_is_what_the_next_start_opens_and_it_stands_in_the_audit(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    await world.turn_to()

    assert world.kept() == NEW
    assert world.path.stat().st_mode & 0o777 == 0o600
    assert [*world.path.parent.iterdir()] == [world.path]
    (act,) = world.audited
    assert act.action == "asked that the key b-key sign for binance"
    # The account was compared, and goes on; with the new key no self-test was made yet.
    kept = world.checked.now()[VENUE]
    assert kept == VenueChecked(key="b-key", rights=GOOD, tested_at_ns=0, reconciled_at_ns=8)
    said = capsys.readouterr()
    for text in (said.out, said.err, repr(act), world.path.read_text()):
        assert NEW.secret not in text
        assert PASSWORD.decode() not in text
    with pytest.raises(BadValueError, match="b-key is the key that signs for binance already"):
        await world.turn_to()


def may_withdraw(world: World) -> None:
    world.door.key = replace(world.door.key, may_withdraw=True)


def may_not_trade(world: World) -> None:
    world.door.key = replace(world.door.key, may_trade=False)


def is_revoked(world: World) -> None:
    world.door.key = replace(world.door.key, is_revoked=True)


def is_cut(world: World) -> None:
    world.is_cut = True


def is_anothers(world: World) -> None:
    other = place_of(VENUE, usd="1000")
    world.door = DOORS[VENUE][0](other.exchange, world.door.key)


def has_no_trader(world: World) -> None:
    world.held = None


def has_no_ledger(world: World) -> None:
    world.is_ledger_away = True


def is_locked(world: World) -> None:
    world.signing.desk._venues[VENUE].key = None


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (may_withdraw, "the key may withdraw"),
        (may_not_trade, "the key may not trade"),
        (is_revoked, "does not answer with the new key, so that it is not used"),
        (is_cut, "does not answer with the new key, so that it is not used"),
        (is_anothers, "it shows another account, as of USD"),
        (has_no_trader, "the trader cannot say what is held at binance now"),
        (has_no_ledger, "nothing was changed, as it cannot be written into the audit"),
    ],
)
async def test_a_new_key_that_does_not_pass_changes_nothing_and_the_old_one_goes_on(
    world: World, spoil: Callable[[World], None], says: str
) -> None:
    spoil(world)

    with pytest.raises(SyndicateError, match=says):
        await world.turn_to()

    assert world.placed_by(1) == "a-key"
    assert world.kept() == OLD
    assert [*world.path.parent.iterdir()] == [world.path]
    assert world.checked.now()[VENUE].key == "a-key"


async def test_only_who_knows_the_password_of_the_key_that_signs_may_change_it(
    world: World,
) -> None:
    with pytest.raises(BadValueError, match="the key of binance that signs now does not open"):
        await world.turn_to(password=b"a password of somebody else")
    assert world.placed_by(1) == "a-key"
    world.rotation._keys._files.clear()  # as of a key that is kept in the clear
    with pytest.raises(BadValueError, match="has no password here that would show who asks"):
        await world.turn_to()
    assert world.placed_by(2) == "a-key"


async def test_a_locked_key_is_opened_and_not_replaced(world: World) -> None:
    is_locked(world)
    with pytest.raises(BadValueError, match="no key of 'binance' is open"):
        await world.turn_to()


async def test_the_key_that_withdraws_does_not_come_to_trade(world: World) -> None:
    out = VenueKey(name="sandbox-binance-withdraw", secret=NEW.secret)
    world.door.key = replace(world.door.key, name=out.name)
    with pytest.raises(BadValueError, match="is the key that withdraws from binance"):
        await world.turn_to(out)


async def test_what_a_venue_does_not_tell_of_a_key_nobody_vouched_for_in_passing(
    world: World,
) -> None:
    sealed = seal(VENUE, NEW, PASSWORD).decode()
    with pytest.raises(BadValueError, match="does not say whether the key may withdraw"):
        await world.rotate(VENUE, sealed, PASSWORD.decode(), UNTOLD)
    assert world.placed_by(1) == "a-key"


async def test_where_the_signers_answer_is_lost_it_says_at_the_next_question_what_is_so(
    world: World,
) -> None:
    world.lost = ("RotateVenueKey",)
    await world.turn_to()
    assert (world.placed_by(1), world.kept()) == ("b-key", NEW)


async def test_a_key_of_which_nobody_knows_whether_it_signs_is_not_lost(world: World) -> None:
    world.lost = ("RotateVenueKey", "GetWallets")
    with pytest.raises(TransientError, match="nobody knows whether b-key signs for binance now"):
        await world.turn_to()
    assert world.kept() == OLD
    world.path.with_name("binance.json.new").replace(world.path)
    assert world.kept() == NEW


def test_an_account_is_known_by_what_is_held_there() -> None:
    one = HeldAtVenue(asset=AssetCode("BTC"), free=Decimal(1), held=Decimal(1))
    nothing = structs.replace(one, asset=AssetCode("ETH"), free=Decimal(0), held=Decimal(0))
    same = BalanceShown(asset="BTC", free=Decimal(2), held=Decimal(0))
    more = BalanceShown(asset="LTC", free=Decimal(2), held=Decimal(0))

    assert why_another_account([one, nothing], [same]) == ""
    assert "as of LTC there" in why_another_account([one], [same, more])
    assert "as of BTC there" in why_another_account([one], [])
    assert "nothing is held there" in why_another_account([nothing], [])


async def test_wrong_passwords_are_paced_and_the_old_key_goes_on(world: World) -> None:
    for _ in range(FREE + 1):
        with pytest.raises(BadValueError, match="password"):
            await world.turn_to(password=b"guessed by a program")
    with pytest.raises(BadValueError, match="wrong passwords in a row"):
        await world.turn_to()
    assert world.placed_by(1) == "a-key"

    world.now_ns += 10**10
    await world.turn_to()
    assert world.placed_by(2) == "b-key"
