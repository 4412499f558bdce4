"""Whatever is no bid is refused in a sentence, counted, and leaves the others as they are."""

import json
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest

from engine.domain.errors import BadValueError
from engine.sandbox.relay.book import OF_SIGNER_MAX, WAITING_MAX, BundleBook
from engine.sandbox.relay.bundles import Bundle, parse_bundle
from engine.sandbox.relay.door import RelayDoor
from engine.sandbox.relay.signatures import signer_of
from engine.sandbox.relay.transactions import parse_transaction
from engine.sending.relay import Relay
from tests.sandbox.relay.searcher import Searcher

ONE = Searcher(1)
OTHER = "0x" + "12" * 20
RAW = ONE.signed(OTHER)
HEAD = 10
GOOD: dict[str, Any] = {"txs": [RAW], "blockNumber": hex(HEAD + 1), "replacementUuid": "mine"}
LEGACY = (
    "0x"
    + bytes(
        ONE.account.sign_transaction(
            {
                "to": "0x" + "12" * 20,
                "value": 0,
                "gas": 21_000,
                "gasPrice": 1,
                "nonce": 0,
                "chainId": 1,
            }
        ).raw_transaction
    ).hex()
)
WITH_ACCESSES = ONE.signed(
    OTHER, accessList=[{"address": "0x" + "12" * 20, "storageKeys": []}], gas=100_000
)


@pytest.fixture
def door() -> Iterator[RelayDoor]:
    book = BundleBook()
    book.begin_at(HEAD)
    made = RelayDoor(book, chain_id=1)
    yield made
    made.close()


async def test_the_signature_that_we_send_is_the_one_that_is_asked_for() -> None:
    async with aiohttp.ClientSession() as session:
        relay = Relay("http://127.0.0.1:9", b"\x07" * 32, session)
        header = relay.signature_of(b"{}")

    assert signer_of(b"{}", header) == header.partition(":")[0].lower()


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ("", "no address, a colon"),
        (ONE.header(b"{}").replace("0x", "", 1), "no address, a colon"),
        (ONE.header(b"{ }"), "not 0x"),
        (ONE.header(b"{}").replace(ONE.name, Searcher(2).name), "not 0x"),
        (f"{ONE.name}:0x{'ff' * 65}", "has no signature"),
        (f"{ONE.name}:0x{'00' * 65}", "has no signature"),
    ],
)
def test_a_request_that_its_signer_did_not_sign_is_refused(header: str, why: str) -> None:
    with pytest.raises(BadValueError, match=why):
        signer_of(b"{}", header)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"txs": []}, "one at least"),
        ({"txs": "0x"}, "one at least"),
        ({"txs": ["0x2"]}, "0x and digits"),
        ({"txs": [RAW, RAW]}, "twice"),
        ({"txs": [RAW] * 21}, "21 transactions"),
        ({"txs": ["0x" + "02" * 300_001]}, "300000 bytes"),
        ({"txs": ["0x02c0"]}, "12 fields"),
        ({"txs": ["0x02" + "c1" * 3_000 + "c0"]}, "no signed transaction"),
        ({"txs": [RAW[:-2]]}, "no signed transaction"),
        ({"txs": [LEGACY]}, "type 2"),
        ({"txs": [WITH_ACCESSES]}, "list of accesses"),
        ({"txs": [Searcher(1, chain_id=5).signed(OTHER)]}, "for chain 5, not for 1"),
        ({"txs": [ONE.signed(OTHER, gas=18_000_001)]}, "18000001 gas"),
        ({"blockNumber": HEAD + 1}, "blockNumber is 0x"),
        ({"blockNumber": hex(HEAD)}, "block 10 is not one of the next, 11 to 35"),
        ({"blockNumber": hex(HEAD + 26)}, "block 36 is not one of the next"),
        ({"minTimestamp": 5, "maxTimestamp": 4}, "minTimestamp 5 is after"),
        ({"maxTimestamp": "5"}, "whole number of seconds"),
        ({"maxTimestamp": True}, "whole number of seconds"),
        ({"minTimestamp": -1}, "whole number of seconds"),
        ({"revertingTxHashes": ["0x12"]}, "no transaction of the bundle"),
        ({"revertingTxHashes": 4}, "no transaction of the bundle"),
        ({"replacementUuid": ""}, "1 to 64"),
        ({"replacementUuid": ["x"]}, "1 to 64"),
        ({"tips": 4}, "a bundle has no tips here"),
    ],
)
def test_a_bid_that_cannot_be_is_refused_with_why(change: dict[str, Any], why: str) -> None:
    with pytest.raises(BadValueError, match=why):
        parse_bundle(GOOD | change, signer=ONE.name, chain_id=1, head=HEAD)


def test_who_sends_a_transaction_is_read_from_its_signature() -> None:
    found = parse_transaction(bytes.fromhex(RAW[2:]))

    assert (found.sender, found.to, found.nonce, found.gas) == (ONE.address, OTHER, 0, 100_000)


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"method": "eth_sendRawTransaction", "params": [RAW]}, "is not answered here"),
        ({"method": 4, "params": [GOOD]}, "is not answered here"),
        ({"method": "eth_sendBundle", "params": []}, "takes one parameter"),
        ({"method": "eth_sendBundle", "params": GOOD}, "takes one parameter"),
        ({"method": "eth_sendBundle", "params": [4]}, "a bundle is an object"),
        ({"method": "eth_callBundle", "params": [4]}, "a bundle is an object"),
        ({"method": "eth_callBundle", "params": [GOOD]}, "stateBlockNumber is latest"),
        ({"method": "eth_cancelBundle", "params": [4]}, "1 to 64"),
        ({"method": "eth_cancelBundle", "params": [GOOD]}, "no bundle mine of yours waits"),
        ({"method": "sandbox_bundlesOfBlock", "params": ["0xb"]}, "nothing is known"),
        ([], "a request is an object"),
    ],
)
def test_a_bad_request_is_refused_and_counted(door: RelayDoor, asked: Any, why: str) -> None:
    body = json.dumps(asked).encode()

    answer = json.loads(door.answer(body, ONE.header(body)))

    assert why in answer["error"]["message"]
    assert door.refused == 1


def test_what_is_no_json_is_refused(door: RelayDoor) -> None:
    for body in (b"", b"{", b"[" * 100_000, b"\xff"):
        assert "no JSON" in json.loads(door.answer(body, ONE.header(body)))["error"]["message"]


def test_nobody_fills_the_book_alone_and_all_together_not_beyond_its_end() -> None:
    book = BundleBook()
    transactions = (parse_transaction(bytes.fromhex(RAW[2:])),)

    def bid(signer: int, name: int) -> Bundle:
        return Bundle(signer=f"{signer}", name=f"{name}", transactions=transactions, block=1)

    for name in range(OF_SIGNER_MAX):
        book.put(bid(0, name))
    with pytest.raises(BadValueError, match="of yours wait"):
        book.put(bid(0, OF_SIGNER_MAX))
    book.put(bid(0, 0))
    for number in range(OF_SIGNER_MAX, WAITING_MAX):
        book.put(bid(number, 0))
    with pytest.raises(BadValueError, match="bundles wait already"):
        book.put(bid(WAITING_MAX, 0))
    assert len(book) == WAITING_MAX
    assert len(book.take(1)) == WAITING_MAX
    with pytest.raises(BadValueError, match="is made by now"):
        book.put(bid(0, 0))
