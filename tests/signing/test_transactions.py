"""Bytes of transactions and signatures, beside eth-account's."""

import pytest
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.signing import UnsignedTransaction
from engine.signing import curve
from engine.signing.curve import CURVE_ORDER, LocalKey, Signature, signer_of
from engine.signing.transactions import Unsigned, hash_of
from engine.signing.wallet import KeyTroubleError, LocalWallet, checked
from tests.signing.others import as_others_write

KEYS = st.integers(1, CURVE_ORDER - 1).map(lambda number: number.to_bytes(32))
ADDRESSES = st.binary(min_size=20, max_size=20).map(lambda content: "0x" + content.hex())
TRANSACTIONS = st.builds(
    UnsignedTransaction,
    chain_id=st.integers(1, 2**40),
    nonce=st.integers(0, 2**63 - 1),
    to=ADDRESSES,
    value_wei=st.integers(0, 2**128),
    gas_limit=st.integers(21_000, 30_000_000),
    max_fee_per_gas_wei=st.integers(0, 10**15),
    max_priority_fee_per_gas_wei=st.integers(0, 10**15),
    data=st.one_of(st.binary(max_size=3), st.binary(min_size=50, max_size=400)),
)


@pytest.fixture(params=[True, False], ids=["libsecp256k1", "python"])
def either_curve(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param and not curve.HAS_FAST_CURVE:
        pytest.skip("coincurve is not installed")
    monkeypatch.setattr(curve, "HAS_FAST_CURVE", request.param)


@pytest.mark.usefixtures("either_curve")
class TestOfEitherCurve:
    @given(secret=KEYS, transaction=TRANSACTIONS)
    def test_a_signed_transaction_is_the_same_bytes_as_eth_account_makes(
        self, secret: bytes, transaction: UnsignedTransaction
    ) -> None:
        key = LocalKey(secret)
        unsigned = Unsigned(transaction)
        raw = unsigned.signed(key.sign(unsigned.digest()))
        others = Account.sign_transaction(as_others_write(transaction), secret)
        assert raw == bytes(others.raw_transaction)
        assert hash_of(raw) == "0x" + bytes(others.hash).hex()
        assert key.address == Account.from_key(secret).address.lower()

    @given(secret=KEYS, digest=st.binary(min_size=32, max_size=32))
    def test_who_signed_is_told_by_the_signature_and_by_no_other(
        self, secret: bytes, digest: bytes
    ) -> None:
        key = LocalKey(secret)
        signature = key.sign(digest)
        assert signature.s <= CURVE_ORDER // 2
        assert signer_of(digest, signature) == key.address
        # A digest counts modulo the curve's order.
        is_zero = int.from_bytes(digest) % CURVE_ORDER == 0
        assert (signer_of(bytes(32), signature) == key.address) == is_zero
        parity, r, s = signature
        assert signer_of(digest, Signature(parity ^ 1, r, s)) != key.address

    @pytest.mark.parametrize(
        "signature",
        [(2, 1, 1), (0, 0, 1), (0, 1, 0), (0, CURVE_ORDER, 1), (0, 1, CURVE_ORDER), (0, 5, 1)],
    )
    def test_what_is_no_signature_is_nobodys(self, signature: tuple[int, int, int]) -> None:
        assert signer_of(b"\x01" * 32, Signature(*signature)) is None

    def test_a_signature_with_the_higher_s_is_refused(self) -> None:
        key = LocalKey(b"\x07" * 32)
        one = UnsignedTransaction(
            chain_id=8_453,
            nonce=1,
            to=key.address,
            value_wei=0,
            gas_limit=21_000,
            max_fee_per_gas_wei=2,
            max_priority_fee_per_gas_wei=1,
            data=b"",
        )
        parity, r, s = key.sign(Unsigned(one).digest())
        high = Signature(parity ^ 1, r, CURVE_ORDER - s)
        assert signer_of(Unsigned(one).digest(), high) == key.address
        with pytest.raises(KeyTroubleError, match="higher s"):
            checked(one, high, key.address)
        assert checked(one, Signature.normal(*high), key.address)
        with pytest.raises(KeyTroubleError, match="not by 0x11"):
            checked(one, Signature(parity, r, s), "0x" + "11" * 20)


def test_a_wallet_shows_its_address_and_never_its_key() -> None:
    key = LocalKey(b"\x07" * 32)
    for shown in (repr(key), str(key), repr(LocalWallet(key)), str(vars(LocalWallet(key)))):
        assert "07" * 16 not in shown
        assert "\\x07" not in shown
