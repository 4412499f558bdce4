"""The signer's own process for exchanges: by a person's word, behind its gates, and with secrets
that are nowhere but in its memory and in a sealed file."""

import contextlib
import signal
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pyotp
import pytest

from engine.bus.signing import HearWord
from engine.bus.venue_signing import SignCalls
from engine.domain.errors import BadValueError
from engine.domain.instruments import VenueId
from engine.domain.modes import Mode
from engine.domain.plans import LeggedPlan
from engine.domain.signing import RefusalKind, Signed, SignRefusal
from engine.domain.units import NS_PER_MS, NS_PER_S
from engine.domain.venue_orders import KeyRights
from engine.gateways.asks import BalancesAsk
from engine.gateways.gateway_list import gateway_of
from engine.gateways.rights import UNTOLD
from engine.gateways.venue_signing import VenueIntent, VenueSigned
from engine.operate import exit_codes
from engine.operate.mode_word import ModeWord
from engine.requests.wallets import GetWallets, RotateVenueKey, UnlockSigner
from engine.sandbox.exchange.doors.door_list import DOORS
from engine.sandbox.exchange.exchange import Exchange
from engine.sandbox.exchange.keys import key_of
from engine.signing.secret_files import write_secret_file
from engine.signing.venue_auth.auth import VenueKey
from engine.signing.venue_checked import VenueChecked, checked_venues
from engine.signing.venue_keys import seal_venue_key
from engine.wiring.paths import Paths
from tests.patience import PATIENCE_S
from tests.sandbox.exchange.place import WIRE_NAMES, StillBooks, asked_of
from tests.signing.saying import went_live
from tests.signing.sealed_once import sealed_once
from tests.signing.test_role import MEMORY_MB_MAX, SECRET, Role, running
from tests.signing.venue_intents import make_place, make_plan, make_test, make_unwinding

K = RefusalKind
VENUES = ("binance", "coinbase", "gemini", "bitstamp", "kraken")
PASSWORD = "correct horse battery"
PLANTED = "cGxhbnRlZCBzZWNyZXQgb2Yga3Jha2Vu"  # base64, as Kraken's are
PLANTED_TOO = "planted-secret-of-binance"
PLANTED_LAST = "cGxhbnRlZCBzZWNyZXQgb2YgdGhlIG5leHQ="
KEY_NAME = "planted-key-name"
TOTP = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"

pytestmark = pytest.mark.slow


@contextlib.contextmanager
def trading(folder: Path, **changes: str) -> Iterator[Role]:
    """Run the role for the sandbox's exchanges, with no wallet's key at all."""
    environment = {
        "SYNDICATE_SIGNER_SIGNS": "off",
        "SYNDICATE_EXCHANGES_TRADES": "sandbox",
        "SYNDICATE_EXCHANGES_VENUES": ",".join(VENUES),
        "SYNDICATE_EXCHANGES_EXPOSURE_USD": ",".join(f"{one}=60000" for one in VENUES),
        "SYNDICATE_EXCHANGES_NOTIONAL_DAY_USD": "1000000",
    }
    with running(folder, b"{}", has_password=False, **environment | changes) as role:
        yield role


def plan_now(number: int = 1, **changes: Any) -> LeggedPlan:
    now_ns = time.time_ns()
    return make_plan(
        number, **{"decided_at_ns": now_ns, "deadline_ns": now_ns + 300 * NS_PER_S} | changes
    )


def now_ms() -> int:
    return time.time_ns() // NS_PER_MS


async def sign(role: Role, intent: VenueIntent) -> Any:
    return await role.ask(SignCalls(intent=intent))


async def place(role: Role, plan: LeggedPlan, **changes: Any) -> Any:
    return await sign(role, make_place(plan, now_ms=now_ms(), **changes))


async def go_live(role: Role, code: str | None = None) -> ModeWord:
    word = ModeWord(role.paths.engines / "main")
    word.write(Mode.LIVE)
    await role.ask(HearWord(word=went_live(at_ns=time.time_ns(), code=code)))
    return word


async def test_orders_are_signed_in_live_by_a_persons_word_and_not_while_a_latch_is_set(
    tmp_path: Path,
) -> None:
    with trading(tmp_path) as role:
        report = await role.until_up()
        assert {one.name: one.key for one in report.venues} == {
            venue: key_of(venue).name for venue in VENUES
        }
        plan = plan_now()
        word = ModeWord(role.paths.engines / "main")
        for mode in (Mode.OBSERVE, Mode.PAPER, Mode.APPROVE):
            word.write(mode)
            assert (await place(role, plan)).kind is K.MODE
        word.write(Mode.LIVE)
        assert "nobody who went live" in (await place(role, plan)).detail
        word = await go_live(role)
        assert isinstance(await place(role, plan), VenueSigned)
        latches = role.paths.latches()
        for latch in (latches.of_all, latches.own):
            latch.kill(by="test", why="looking")
            for intent in (make_place(plan, leg=1, now_ms=now_ms()), make_test(now_ms=now_ms())):
                assert (await sign(role, intent)).kind is K.KILLED
            asked = VenueIntent(venue=VenueId("kraken"), ask=BalancesAsk())
            assert isinstance(await sign(role, asked), VenueSigned)
            latch.clear()
        assert "a latch was set or cleared" in (await place(role, plan, leg=1)).detail
        # What trades back only takes away what was signed, in whatever mode.
        word.write(Mode.OBSERVE)
        back = make_unwinding(plan, now_ms=now_ms())
        assert isinstance(await sign(role, back), VenueSigned)
        assert (await place(role, plan, leg=1)).kind is K.MODE
        await _knows_after_a_kill(role, tmp_path, plan)


async def _knows_after_a_kill(role: Role, folder: Path, plan: LeggedPlan) -> None:
    role.process.kill()
    role.process.wait()
    with trading(folder) as again:
        report = await again.until_up()
        used = {line.what: line.used for line in report.caps}
        assert used["orders at exchanges"] == 1
        assert used["moved at exchanges"] == Decimal(30_030)
        assert used["moved by plans"] == Decimal(30_030)
        await go_live(again)
        assert (await place(again, plan)).kind is K.REPEAT
        assert isinstance(await place(again, plan, leg=1), VenueSigned)


async def test_transactions_and_orders_of_a_day_have_one_cap_between_them(tmp_path: Path) -> None:
    keystore = sealed_once(tmp_path, SECRET, PASSWORD.encode(), use="sandbox")
    both = {
        "SYNDICATE_EXCHANGES_TRADES": "sandbox",
        "SYNDICATE_EXCHANGES_VENUES": "binance,kraken",
        "SYNDICATE_EXCHANGES_EXPOSURE_USD": "binance=60000,kraken=60000",
        "SYNDICATE_SIGNER_NOTIONAL_DAY_USD": "62000",
    }
    with running(tmp_path, keystore, has_password=True, **both) as role:
        report = await role.until_up()
        assert not report.is_locked
        assert [one.name for one in report.venues] == ["binance", "kraken"]
        await go_live(role)
        assert isinstance(await role.sign(), Signed)
        plan = plan_now()
        assert isinstance(await place(role, plan), VenueSigned)
        refusal = await place(role, plan, leg=1)
        assert refusal.kind is K.CAP
        assert "USD moved: 32530.00 of 62000.00 are used today" in refusal.detail
        assert isinstance(await sign(role, make_unwinding(plan, now_ms=now_ms())), VenueSigned)


async def test_what_it_signs_is_taken_by_the_sandboxs_exchanges(tmp_path: Path) -> None:
    with trading(tmp_path) as role:
        await role.until_up()
        await go_live(role)
        for number, venue in enumerate(VENUES):
            other = "binance" if venue == "kraken" else "kraken"
            plan = plan_now(number, venues=(venue, other))
            reply = await place(role, plan)
            assert isinstance(reply, VenueSigned), reply
            make_door, terms = DOORS[venue]
            one, amount = Decimal(60_000), Decimal(2)
            books = StillBooks(WIRE_NAMES[venue], asks=[(one, amount)], bids=[(one - 1, amount)])
            exchange = Exchange(terms, books, {"USD": Decimal(100_000)})
            door = make_door(exchange, key_of(venue).of_door)
            answer = door.answer(asked_of(reply.calls[0]), reply.signed_at_ms)
            request = make_place(plan).ask.request  # type: ignore[union-attr]
            told = gateway_of(venue).placed(request, answer.status, answer.body)
            assert exchange.by_client_id(request.wire_id), (venue, told)


# ---- with real money ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sealed() -> bytes:
    return seal_venue_key("kraken", VenueKey(name=KEY_NAME, secret=PLANTED), PASSWORD.encode())


@contextlib.contextmanager
def real(folder: Path, sealed: bytes, **changes: str) -> Iterator[Role]:
    """Run the role for two real exchanges: one key is sealed, one in a file of somebody's care."""
    folder.mkdir(exist_ok=True)
    clear = folder / "binance-key"
    if not clear.exists():
        write_secret_file(
            clear,
            msgspec.json.encode({"name": KEY_NAME, "secret": PLANTED_TOO}),
            what="key",
        )
        path = Paths(folder / "var").signer / "venues" / "kraken.json"
        write_secret_file(path, sealed, what="key")
    environment = {
        "MARKETS": "live",
        "SYNDICATE_SIGNER_SIGNS": "off",
        "SYNDICATE_SIGNER_CONTRACTS": "",
        "SYNDICATE_SIGNER_GAS_DAY": "",
        "SYNDICATE_OPERATOR_TOTP_SECRET": TOTP,
        "SYNDICATE_EXCHANGES_TRADES": "real",
        "SYNDICATE_EXCHANGES_VENUES": "binance,kraken",
        "SYNDICATE_EXCHANGES_KEY_FILES": f"binance={clear}",
        "SYNDICATE_EXCHANGES_EXPOSURE_USD": "binance=40000,kraken=40000",
        "SYNDICATE_EXCHANGES_NOTIONAL_DAY_USD": "100000",
        "SYNDICATE_EXCHANGES_VOUCHED": f"kraken={KEY_NAME}",
        "SYNDICATE_LOG_LEVEL": "debug",
    }
    with running(folder, b"{}", has_password=False, **environment | changes) as role:
        yield role


def keep_checked(role: Role, venue: str, **changes: Any) -> None:
    rights = UNTOLD if venue == "kraken" else KeyRights(
        may_read=True, may_trade=True, may_withdraw=False
    )  # fmt: skip
    now_ns = time.time_ns()
    fields: dict[str, Any] = {
        "key": KEY_NAME,
        "rights": rights,
        "tested_at_ns": now_ns,
        "reconciled_at_ns": now_ns,
    }
    checked_venues(role.paths.signer).keep(venue, VenueChecked(**fields | changes))


async def test_a_real_exchange_is_traded_at_once_every_step_was_taken_and_secrets_are_nowhere(
    tmp_path: Path, sealed: bytes
) -> None:
    with real(tmp_path, sealed) as role:
        report = await role.until_up()
        assert {one.name: one.key for one in report.venues} == {"binance": KEY_NAME, "kraken": ""}
        told: list[object] = [report]
        asked = VenueIntent(venue=VenueId("kraken"), ask=BalancesAsk())
        assert (await sign(role, asked)).kind is K.LOCKED
        with pytest.raises(BadValueError, match="the password is wrong") as caught:
            await role.ask(UnlockSigner(password="incorrect horse battery"))
        told.append(caught.value)
        told.append(await role.ask(UnlockSigner(password=PASSWORD)))
        told.append(await sign(role, asked))
        assert isinstance(told[-1], VenueSigned)

        async def says(code: str | None = None) -> str:
            with pytest.raises(BadValueError) as caught:
                await go_live(role, code)
            told.append(caught.value)
            return str(caught.value)

        assert "nobody asked binance what its key may do" in await says()
        keep_checked(role, "binance", tested_at_ns=0)
        assert "the self-test at binance is missing" in await says()
        keep_checked(role, "binance")
        keep_checked(role, "kraken", reconciled_at_ns=time.time_ns() - 90_000 * NS_PER_S)
        assert "a clean reconciliation at kraken was 25 hours ago" in await says()
        keep_checked(role, "kraken")
        assert "takes a one-time code" in await says()
        assert "the code is wrong" in await says("000000")
        await go_live(role, pyotp.TOTP(TOTP).now())
        plan = plan_now()
        told += [await place(role, plan), await place(role, plan, leg=1)]
        assert all(isinstance(one, VenueSigned) for one in told[-2:]), told[-2:]
        # What a venue says of its key counts at once.
        withdraws = KeyRights(may_read=True, may_trade=True, may_withdraw=True)
        keep_checked(role, "binance", rights=withdraws)
        reply = await place(role, plan_now(2))
        assert isinstance(reply, SignRefusal)
        assert "the key may withdraw" in reply.detail
        keep_checked(role, "binance", key="another")
        assert "was of another key" in (await place(role, plan_now(2))).detail
        told += [reply, await role.ask(GetWallets())]
        with pytest.raises(BadValueError, match="has no password here that would show") as caught:
            await role.ask(rotation(b"{}", venue="binance"))
        told.append(caught.value)
        assert psutil.Process(role.process.pid).memory_info().rss / 1_000_000 < MEMORY_MB_MAX + 10
        _is_nowhere(role, tmp_path, told)


def rotation(sealed: bytes, *, venue: str = "kraken") -> RotateVenueKey:
    """Return what has another key sign, of which the venue says that it only trades."""
    rights = KeyRights(may_read=True, may_trade=True, may_withdraw=False)
    return RotateVenueKey(venue=venue, sealed=sealed.decode(), password=PASSWORD, rights=rights)


@pytest.mark.campaign  # four keys are sealed and opened: seconds; the rules have tests of their own
async def test_the_confined_process_takes_another_key_and_says_nothing_of_its_secret(
    tmp_path: Path, sealed: bytes
) -> None:
    key = VenueKey(name="new", secret=PLANTED_LAST)
    new = seal_venue_key("kraken", key, PASSWORD.encode())
    with real(tmp_path, sealed) as role:
        await role.until_up()
        told: list[object] = [await role.ask(UnlockSigner(password=PASSWORD))]
        told.append(report := await role.ask(rotation(new)))
        assert {one.name: one.key for one in report.venues} == {
            "binance": KEY_NAME,
            "kraken": "new",
        }
        assert checked_venues(role.paths.signer).now()["kraken"].key == "new"
        asked = VenueIntent(venue=VenueId("kraken"), ask=BalancesAsk())
        told.append(signed := await sign(role, asked))
        assert signed.calls[0].headers["API-Key"] == "new"
        _is_nowhere(role, tmp_path, told)


def _is_nowhere(role: Role, folder: Path, told: list[object]) -> None:
    """Look for what was planted, wherever a process leaves anything."""
    pid = role.process.pid
    seen = [Path(f"/proc/{pid}/{name}").read_bytes() for name in ("environ", "cmdline")]
    role.process.send_signal(signal.SIGSEGV)
    role.process.wait()
    assert not [*Path.cwd().glob("core*"), *folder.rglob("core*")]
    seen += [repr(one).encode() + str(one).encode() for one in told]
    seen += [msgspec.msgpack.encode(one) for one in told if isinstance(one, msgspec.Struct)]
    files = [one for one in folder.rglob("*") if one.is_file() and one.name != "binance-key"]
    assert role.log in files
    assert any(one.name == "journal.sqlite3" for one in files)
    seen += [one.read_bytes() for one in files]
    for secret in (PLANTED, PLANTED_TOO, PLANTED_LAST, PASSWORD):
        assert not any(secret.encode() in one for one in seen), secret


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"planted and no json", "is no key of a venue: make one with python -m engine keys"),
        (b'{"name": "k", "secret": "planted: no base64"}', "is no base64"),
        (b'{"name": "", "secret": "cGxhbnRlZA=="}', "has no name of a key of kraken"),
        (b'{"name": "k"}', "has no secret of a key of kraken"),
        (None, "cannot be read"),
    ],
)
def test_a_key_that_cannot_be_used_ends_it_in_a_sentence_without_a_word_of_it(
    tmp_path: Path, content: bytes | None, says: str
) -> None:
    path = tmp_path / "kraken-key"
    if content is not None:
        write_secret_file(path, content, what="key")
    change = {"SYNDICATE_EXCHANGES_KEY_FILES": f"kraken={path}"}
    with real(tmp_path / "at", b"{}", SYNDICATE_EXCHANGES_VENUES="kraken", **change) as role:
        assert role.process.wait(PATIENCE_S) == exit_codes.BROKEN_SETTINGS
        said = role.log.read_text()
    assert says in said
    assert "Traceback" not in said
    assert "planted" not in said
    assert "cGxhbnRlZA" not in said


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"MARKETS": "sandbox"}, "orders go where the books come from"),
        ({"SYNDICATE_EXCHANGES_VENUES": ""}, "names no exchange"),
        ({"SYNDICATE_EXCHANGES_VENUES": "krakn"}, "the nearest venue where they can is kraken"),
    ],
)
def test_settings_that_do_not_hold_together_end_it_in_a_sentence(
    tmp_path: Path, sealed: bytes, change: dict[str, str], says: str
) -> None:
    with real(tmp_path, sealed, **change) as role:
        assert role.process.wait(PATIENCE_S) == exit_codes.BROKEN_SETTINGS
        assert says in role.log.read_text()
