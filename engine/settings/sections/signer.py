"""Settings of the wallet's key and of what may be signed with it."""

from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from engine.settings.sections.section import Section, exact


class SignerSettings(Section, frozen=True, kw_only=True):
    """The wallet's key, and what may be signed with it; see docs/signer.md."""

    signs: Annotated[
        Literal["off", "sandbox", "test", "main"],
        Meta(description="off: nothing can be signed, no role holds a key; sandbox: transactions "
             "of the sandbox's local chains, with a key of their own; test: of test networks, "
             "likewise; main: of main networks, with real money"),
    ] = "off"  # fmt: skip
    keystore: Annotated[
        str | None,
        Meta(description="file with the encrypted key, mode 600 (make it with python -m engine "
             "keys make); else signer/key.json in the data directory"),
    ] = None  # fmt: skip
    password_file: Annotated[
        str | None,
        Meta(description="file with its password, mode 600; without it the signer waits, at each "
             "start, for python -m engine keys unlock"),
    ] = None  # fmt: skip
    remote_url: Annotated[
        str | None,
        Meta(description="signer that holds the key in place of a keystore, asked by "
             "eth_signTransaction: https://..., or http:// on this machine"),
    ] = None  # fmt: skip
    remote_address: Annotated[
        Annotated[str, Meta(pattern=r"^0x[0-9a-fA-F]{40}$")] | None,
        Meta(description="which of its wallets is ours"),
    ] = None
    hsm_module: Annotated[
        str | None,
        Meta(description="PKCS#11 library of a token that holds the key in place of a keystore, as "
             "/usr/lib/softhsm/libsofthsm2.so; its PIN is given as a keystore's password is"),
    ] = None  # fmt: skip
    hsm_folder: Annotated[
        str | None,
        Meta(description="folder in which a token that is software keeps its keys; the signer "
             "reaches no other"),
    ] = None  # fmt: skip
    hsm_label: Annotated[str, Meta(min_length=1, description="label of the token")] = "syndicate"
    hsm_key: Annotated[
        str, Meta(min_length=1, description="label of the pair of keys on it (secp256k1)")
    ] = "wallet"
    contracts: Annotated[
        dict[str, str],
        Meta(description="contracts that may be called, as base:0xADDRESS=0xHASH with keccak of "
             "the code that is there; none unless set"),
    ] = msgspec.field(default_factory=dict)  # fmt: skip
    gas_day: Annotated[
        dict[str, Decimal],
        Meta(
            extra={"unit": "the chain's own asset", "ge": 0, "le": 1_000_000},
            description="the most that what is signed in a UTC day may pay for gas, by chain, as "
            "base=0.05; where nothing is said nothing is signed",
        ),
    ] = msgspec.field(default_factory=dict)
    notional_day_usd: Annotated[
        Decimal | None,
        exact(
            "the most that plans signed in a UTC day may move; unless it is set 100,000, and on "
            "main networks nothing",
            unit="USD",
            at_least=0,
            at_most=1_000_000_000,
        ),
    ] = None
    usd_least: Annotated[
        dict[str, Decimal],
        Meta(
            extra={"unit": "USD", "ge": 0, "le": 1_000_000_000},
            description="what one of an asset is reckoned with at the least, whatever a plan says, "
            "as ETH=1500,WBTC=30000",
        ),
    ] = msgspec.field(default_factory=dict)
    signatures_day: Annotated[
        int,
        Meta(ge=1, le=1_000_000, extra={"unit": "signatures"},
             description="most signatures in a UTC day; as many again for what only protects"),
    ] = 5_000  # fmt: skip
    tip_bps_max: Annotated[
        int,
        Meta(ge=0, le=9_999, extra={"unit": "bps"},
             description="largest share of a gain that the builder of a block may get"),
    ] = 9_000  # fmt: skip
