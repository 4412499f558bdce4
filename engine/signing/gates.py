"""What has to be so before anything is signed for a network that is not the sandbox's.

Each gate is one function that says what is missing, and is asked twice: by the engine when a person
goes up, so that the chat can tell, and by the signer, which believes nobody. On a test network they
are three; on a main network each further one is a step that a person took on purpose.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from engine.domain.networks import Network
from engine.domain.units import NS_PER_S
from engine.signing.self_tested import SelfTested
from engine.signing.terms import SigningTerms

RECENT_S: Final = 24 * 3_600
"""A self-test that is older says too little of a main network: a day."""

FUNDS_GAS: Final = 1_000_000
"""A wallet is funded with what so much gas costs at the least: some routes, and the cancels that
clear their nonces."""

FUNDS_WEI_MIN: Final = 10**15
"""A thousandth of a coin, whatever gas costs now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How one network stands.

    Attributes:
        chain: its name.
        tested: what a self-test found there last; None if none passed.
        wallet: that signs; empty while nobody knows it.
        has_code: whether an authenticator is enrolled.
    """

    chain: str
    terms: SigningTerms
    tested: SelfTested | None
    wallet: str
    has_code: bool
    now_ns: int


def no_contract(at: Standing) -> str:
    """The operator named a contract of ours, and what its code has to be."""
    if at.terms.contracts.get(at.chain):
        return ""
    return f"no contract of ours is named on {at.chain}: make deploy CHAIN={at.chain}"


def no_verified_code(at: Standing) -> str:
    """A self-test saw that very code at that very address, on that very chain, for that wallet."""
    tested = at.tested
    if tested is None:
        return f"no self-test passed on {at.chain}: make self-test CHAIN={at.chain}"
    named = at.terms.contracts[at.chain]
    if named.get(tested.contract) != tested.code_hash:
        return (
            f"the code that the self-test saw on {at.chain} is not the one that is named: make"
            f" self-test CHAIN={at.chain}"
        )
    if tested.chain_id != at.terms.chain_ids.get(at.chain):
        return f"the self-test on {at.chain} was of chain id {tested.chain_id}"
    if at.wallet and tested.wallet != at.wallet:
        return f"the self-test on {at.chain} was of another wallet, {tested.wallet}"
    return ""


def no_gas_cap(at: Standing) -> str:
    """The operator said what a day's gas may cost there."""
    if at.terms.gas_day_wei.get(at.chain, 0) > 0:
        return ""
    return f"no cap of gas is set for {at.chain}: SYNDICATE_SIGNER_GAS_DAY={at.chain}=0.05"


def not_recent(at: Standing) -> str:
    """The self-test passed within a day."""
    assert at.tested is not None
    age_s = (at.now_ns - at.tested.at_ns) // NS_PER_S
    if 0 <= age_s <= RECENT_S:
        return ""
    return (
        f"the self-test on {at.chain} passed {age_s // 3_600} hours ago; it has to be within"
        f" {RECENT_S // 3_600}: make self-test CHAIN={at.chain}"
    )


def not_funded(at: Standing) -> str:
    """The wallet had something to pay gas with, as the self-test saw it."""
    assert at.tested is not None
    if at.tested.funds_wei >= FUNDS_WEI_MIN:
        return ""
    return f"the wallet has nothing to pay gas with on {at.chain}: send it some, and test again"


def no_usd_cap(at: Standing) -> str:
    """The operator said what a day may move: that of other networks does not count here."""
    if at.terms.notional_day_usd > 0:
        return ""
    return (
        "no cap in USD is set: SYNDICATE_SIGNER_NOTIONAL_DAY_USD, which has no default on a main"
        " network"
    )


def no_least_price(at: Standing) -> str:
    """The operator named what assets are worth at the least, so that the cap in USD holds."""
    if at.terms.usd_least:
        return ""
    return (
        "no least price is set: SYNDICATE_SIGNER_USD_LEAST=ETH=1500 names what plans are counted"
        " with, whatever they say"
    )


def no_authenticator(at: Standing) -> str:
    """An authenticator is enrolled, whose code going live takes."""
    return "" if at.has_code else "no authenticator is enrolled: make enroll"


Gate = Callable[[Standing], str]

OF_TEST: Final[tuple[Gate, ...]] = (no_contract, no_verified_code, no_gas_cap)
OF_MAIN: Final[tuple[Gate, ...]] = (
    *OF_TEST,
    not_recent,
    not_funded,
    no_usd_cap,
    no_least_price,
    no_authenticator,
)
GATES: Final[Mapping[Network, tuple[Gate, ...]]] = {
    Network.SANDBOX: (no_contract,),
    Network.TEST: OF_TEST,
    Network.MAIN: OF_MAIN,
}
STANDING: Final[tuple[Gate, ...]] = OF_TEST
"""Those that are asked of each transaction, too."""


def first_missing(at: Standing) -> str:
    """Say which gate is closed first; empty if none is."""
    return next((why for gate in GATES[at.terms.network] if (why := gate(at))), "")


def missing_to_sign(at: Standing) -> str:
    """Say why nothing is signed there now; empty if it may be."""
    if at.terms.network is Network.SANDBOX:
        return ""
    return next((why for gate in STANDING if (why := gate(at))), "")
