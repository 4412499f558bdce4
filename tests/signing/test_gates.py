"""What has to be so before anything is signed for a network with money: each gate by itself."""

import dataclasses
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pyotp
import pytest

from engine.domain.networks import Network
from engine.domain.signing import Purpose, RefusalKind
from engine.domain.units import NS_PER_S
from engine.domain.words import LetRun, WentLive
from engine.signing.caps import DailyCaps
from engine.signing.curve import LocalKey
from engine.signing.desk import SigningDesk, caps_of
from engine.signing.gates import (
    FUNDS_WEI_MIN,
    GATES,
    OF_MAIN,
    OF_TEST,
    RECENT_S,
    Standing,
    first_missing,
    missing_to_sign,
)
from engine.signing.journal import Journal
from engine.signing.self_tested import SelfTested, keep_self_test, read_self_tests
from engine.signing.terms import SigningTerms
from engine.signing.wallet import LocalWallet
from engine.wiring.paths import Paths
from engine.wiring.signer_gates import SignerGates
from tests.signing.intents import (
    CODE_HASH,
    CONTRACT,
    NOW_NS,
    Word,
    kind_of,
    make_intent,
    make_plan,
    make_protective,
    make_route,
)

KEY = LocalKey(b"\x07" * 32)
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
TERMS = SigningTerms(
    chain_ids={"ethereum": 1},
    network=Network.MAIN,
    contracts={"ethereum": {CONTRACT: CODE_HASH}},
    gas_day_wei={"ethereum": 10**17},
    notional_day_usd=Decimal(100_000),
    signatures_day=100,
    usd_least={"ETH": Decimal(1_500)},
)
TESTED = SelfTested(
    chain_id=1,
    contract=CONTRACT,
    code_hash=CODE_HASH,
    wallet=KEY.address,
    funds_wei=FUNDS_WEI_MIN,
    at_ns=NOW_NS - RECENT_S * NS_PER_S,
)
READY = Standing(
    chain="ethereum",
    terms=TERMS,
    tested=TESTED,
    wallet=KEY.address,
    has_code=True,
    now_ns=NOW_NS,
)
OTHER_CODE = "0x" + "cd" * 32


def with_terms(**changes: Any) -> Standing:
    return dataclasses.replace(READY, terms=dataclasses.replace(TERMS, **changes))


def with_test(**changes: Any) -> Standing:
    return dataclasses.replace(READY, tested=msgspec.structs.replace(TESTED, **changes))


LEFT_OUT = {
    "no contract is named": (with_terms(contracts={}), "make deploy CHAIN=ethereum"),
    "no self-test passed": (dataclasses.replace(READY, tested=None), "no self-test passed"),
    "it saw other code": (with_test(code_hash=OTHER_CODE), "is not the one that is named"),
    "it saw another contract": (with_test(contract="0x" + "dd" * 20), "not the one that is named"),
    "other code is named now": (
        with_terms(contracts={"ethereum": {CONTRACT: OTHER_CODE}}),
        "is not the one that is named",
    ),
    "it was of another chain": (with_test(chain_id=5), "was of chain id 5"),
    "it was of another wallet": (with_test(wallet="0x" + "ee" * 20), "was of another wallet"),
    "it is a second too old": (
        with_test(at_ns=TESTED.at_ns - NS_PER_S),
        "it has to be within 24",
    ),
    "it is of tomorrow": (with_test(at_ns=NOW_NS + NS_PER_S), "it has to be within 24"),
    "the wallet is a wei short": (
        with_test(funds_wei=FUNDS_WEI_MIN - 1),
        "nothing to pay gas with",
    ),
    "no cap of gas": (with_terms(gas_day_wei={}), "no cap of gas is set for ethereum"),
    "no cap in USD": (with_terms(notional_day_usd=Decimal(0)), "no cap in USD is set"),
    "no least price": (with_terms(usd_least={}), "no least price is set"),
    "no authenticator": (dataclasses.replace(READY, has_code=False), "make enroll"),
}


def test_with_every_step_done_nothing_is_missing() -> None:
    assert first_missing(READY) == ""
    assert missing_to_sign(READY) == ""


@pytest.mark.parametrize("what", LEFT_OUT)
def test_each_step_that_is_left_out_closes_a_main_network_in_a_sentence(what: str) -> None:
    standing, says = LEFT_OUT[what]
    assert says in first_missing(standing)


def test_each_gate_is_the_one_that_some_step_left_out_is_stopped_by() -> None:
    stopped = {
        next(gate for gate in OF_MAIN if gate(standing)).__name__
        for standing, _ in LEFT_OUT.values()
    }
    assert stopped == {gate.__name__ for gate in OF_MAIN}
    assert set(GATES) == set(Network)
    assert set(OF_TEST) < set(OF_MAIN)


class Signer:
    """A signer of a main network, its file of self-tests, and its clock."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        self.paths = Paths(folder)
        self.now_ns = NOW_NS
        self.folder = self.paths.signer
        keep_self_test(self.folder, "ethereum", TESTED)
        self.terms = dataclasses.replace(TERMS, **changes)
        self.gates = SignerGates(
            self.terms,
            self.paths,
            SECRET,
            wallet=lambda: KEY.address,
            clock=lambda: self.now_ns,
        )

    def says(self, code: str | None) -> str:
        return self.gates.why_not_live(
            WentLive(engine="main", by="ann", at_ns=self.now_ns, code=code)
        )

    @property
    def code(self) -> str:
        return pyotp.TOTP(SECRET).at(self.now_ns // NS_PER_S)


def test_going_live_on_a_main_network_takes_a_code_that_the_signer_checks_once(
    tmp_path: Path,
) -> None:
    signer = Signer(tmp_path)
    assert "takes a one-time code" in signer.says(None)
    assert "the code is wrong" in signer.says("000000")
    code = signer.code
    assert signer.says(code) == ""
    assert "was used before" in signer.says(code)


def test_letting_a_contract_run_again_on_a_main_network_takes_a_code_too(tmp_path: Path) -> None:
    signer = Signer(tmp_path)

    def says(code: str | None, chain: str = "ethereum") -> str:
        return signer.gates.why_not_let_run(
            LetRun(engine="main", by="ann", at_ns=NOW_NS, chain=chain, command_id="c1", code=code)
        )

    assert "takes a one-time code" in says(None)
    assert "the code is wrong" in says("000000")
    assert "no contract of ours is named on base" in says(signer.code, "base")
    code = signer.code
    assert says(code) == ""
    assert "was used before" in says(code)


def test_where_no_contract_is_named_nobody_goes_live(tmp_path: Path) -> None:
    signer = Signer(tmp_path, contracts={})
    assert "no contract of ours is named" in signer.says(signer.code)


def test_on_a_test_network_no_code_is_asked_for_but_a_self_test_is(tmp_path: Path) -> None:
    signer = Signer(
        tmp_path,
        network=Network.TEST,
        chain_ids={"sepolia": 11_155_111},
        contracts={"sepolia": {CONTRACT: CODE_HASH}},
        gas_day_wei={"sepolia": 10**17},
        usd_least={},
    )
    assert "no self-test passed on sepolia" in signer.says(None)
    passed = msgspec.structs.replace(TESTED, chain_id=11_155_111, funds_wei=0, at_ns=0)
    keep_self_test(signer.folder, "sepolia", passed)
    assert signer.says(None) == ""


async def test_what_a_self_test_finds_counts_for_the_next_transaction(tmp_path: Path) -> None:
    signer = Signer(tmp_path)
    journal = Journal(Path(":memory:"))
    caps = DailyCaps(journal, caps_of(signer.terms), boot="b", now_ns=NOW_NS)
    desk = SigningDesk(
        terms=signer.terms,
        journal=journal,
        caps=caps,
        leave=Word(),
        clock=lambda: NOW_NS,
        missing=signer.gates.missing,
    )
    desk.wallet = LocalWallet(KEY)

    def asked(nonce: int) -> Any:
        plan = make_plan(nonce, chain="ethereum")
        weth = "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2"
        usdc = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
        route = make_route(chain_id=1)
        hops = (
            msgspec.structs.replace(route.hops[0], token_in=weth, token_out=usdc),
            msgspec.structs.replace(route.hops[1], token_in=usdc, token_out=weth),
        )
        source = msgspec.structs.replace(route.source, token=weth)
        route = msgspec.structs.replace(route, hops=hops, source=source)
        return make_intent(plan, route, chain_id=1, nonce=nonce)

    assert kind_of(await desk.sign(asked(1))) is None
    keep_self_test(signer.folder, "ethereum", None)  # the next one failed
    reply = await desk.sign(asked(2))
    assert kind_of(reply) is RefusalKind.CODE_HASH
    assert "no self-test passed on ethereum" in str(reply)
    pause = make_protective(Purpose.PAUSE, chain_id=1, nonce=3)
    assert kind_of(await desk.sign(pause)) is None, "what protects is signed all the same"
    journal.close()


def test_what_was_kept_of_self_tests_is_read_again_and_nothing_else_is(tmp_path: Path) -> None:
    assert read_self_tests(tmp_path) == {}
    keep_self_test(tmp_path, "ethereum", TESTED)
    keep_self_test(tmp_path, "sepolia", TESTED)
    keep_self_test(tmp_path, "sepolia", None)
    assert read_self_tests(tmp_path) == {"ethereum": TESTED}
    (path,) = tmp_path.iterdir()
    assert path.stat().st_mode & 0o077 == 0
