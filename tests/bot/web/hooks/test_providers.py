"""How providers sign and what their bodies say: vectors, hostile bodies, each form of a number."""

import gzip
import json
from typing import Any

import msgspec
import pytest

from bot.web.hooks.alchemy import Alchemy
from bot.web.hooks.moralis import Moralis
from bot.web.hooks.provider import (
    BODY_BYTES_MAX,
    EVENTS_MAX,
    Provider,
    Sent,
    TooLargeError,
    UnreadableError,
)
from bot.web.hooks.quicknode import QuickNode
from engine.bus.hooked import Level
from tests.bot.web.hooks import bodies

# The body, the secret and the digests are those of the sheet on webhook providers.
BODY = b'{"confirmed":true,"chainId":"0x1","block":{"number":"1","hash":"0x00","timestamp":"1"}}'
SECRET = b"test-secret"
MORALIS = "0xa3470adbb5cac240386eff5de870e0bdf77eb47f9adbfc858b6350d9c36f6b19"
ALCHEMY = "a7da4dec696524cca81351a0c932ad5b2b775bfb5e7d9547a17b3e9e85dfa72b"
QUICKNODE = "b4255697006144a70d43144d9120b21a1e1e742b89c90960447e5371a6d721b9"
VECTORS = [
    (Moralis(), {"x-signature": MORALIS}),
    (Alchemy(), {"X-Alchemy-Signature": ALCHEMY}),
    (
        QuickNode(),
        {"X-QN-Signature": QUICKNODE, "X-QN-Nonce": "nonce-1", "X-QN-Timestamp": "1700000000"},
    ),
]


def is_signed(provider: Provider, headers: dict[str, str], body: bytes, secret: bytes) -> bool:
    sent = Sent(headers=headers, raw=body)
    return provider.is_signed(sent, provider.text(sent), secret)


@pytest.mark.parametrize(("provider", "headers"), VECTORS)
def test_the_vector_of_each_provider_is_right_and_nothing_near_it_is(
    provider: Provider, headers: dict[str, str]
) -> None:
    assert is_signed(provider, headers, BODY, SECRET)

    again = json.dumps(json.loads(BODY)).encode()
    assert again != BODY
    assert not is_signed(provider, headers, again, SECRET)
    assert not is_signed(provider, headers, BODY, b"test-secret2")
    assert not is_signed(provider, {}, BODY, SECRET)
    for name, value in headers.items():
        for wrong in ("", value[:-1], value + "0", value.upper() + "é", "0" * len(value)):
            assert not is_signed(provider, headers | {name: wrong}, BODY, SECRET)
        assert not is_signed(
            provider, {n: v for n, v in headers.items() if n != name}, BODY, SECRET
        )


def test_keccak_is_not_the_sha3_of_the_standard() -> None:
    assert not is_signed(Moralis(), {"x-signature": "0x8b68ef93" + "0" * 56}, BODY, SECRET)


def read(provider: Provider, body: bytes, headers: dict[str, str] | None = None) -> Any:
    return provider.read(Sent(headers=headers or {}, raw=body), body)


def test_a_body_of_moralis_says_its_events_in_their_order_with_numbers_as_text() -> None:
    told = json.loads(bodies.moralis_body(7, logs=3, chain="0X2105", confirmed=True))
    told["logs"].reverse()
    told["logs"][0]["topic1"] = bodies.TOPIC

    found = read(Moralis(), json.dumps(told).encode())

    assert found.chain_id == 8_453
    assert [log.log_index for log in found.logs] == [0, 1, 2]
    assert [len(log.topics) for log in found.logs] == [1, 1, 2]
    assert {log.level for log in found.logs} == {Level.CONFIRMED}
    assert found.logs[2].block_hash == bodies.hash_of(7)
    assert found.said_at_s == bodies.AT_S


def test_alchemy_says_events_of_both_its_kinds_and_which_were_undone() -> None:
    found = read(Alchemy(), bodies.alchemy_body(9, logs=2))
    assert (found.chain_id, found.said_at_s) == (8_453, bodies.AT_S)
    assert [log.block_number for log in found.logs] == [9, 9]

    activity = {
        "createdAt": "2023-11-14T22:13:20Z",
        "type": "ADDRESS_ACTIVITY",
        "event": {
            "network": "ETH_MAINNET",
            "activity": [
                {"category": "external", "hash": "0x1"},
                {"log": bodies.node_log(9, 4) | {"removed": True}},
            ],
        },
    }
    found = read(Alchemy(), msgspec.json.encode(activity))
    (log,) = found.logs
    assert (found.chain_id, log.level, log.log_index) == (1, Level.REMOVED, 4)


def test_quicknode_says_for_which_blocks_it_is_whole_in_each_form_of_a_body() -> None:
    body = bodies.quicknode_body(5, 7, logs=2)
    headers = bodies.quicknode_headers(body)
    found = read(QuickNode(), body, headers)
    assert (found.span, len(found.logs), found.said_at_s) == ((5, 7), 6, bodies.AT_S)

    bare = msgspec.json.encode([[bodies.node_log(5, 0)], [], None])
    assert len(read(QuickNode(), bare, headers).logs) == 1
    receipts = msgspec.json.encode(
        {"data": [{"receipts": [{"logs": [bodies.node_log(5, 0)]}, {}]}]}
    )
    assert len(read(QuickNode(), receipts, headers).logs) == 1


def test_what_is_signed_of_a_compressed_body_is_the_text_within() -> None:
    body = bodies.quicknode_body()
    raw, headers = bodies.zipped(body)
    signed = bodies.quicknode_headers(body)
    assert is_signed(QuickNode(), headers | signed, raw, SECRET)
    of_raw = bodies.quicknode_headers(raw)
    assert not is_signed(QuickNode(), headers | of_raw, raw, SECRET)


@pytest.mark.parametrize("damage", ["cut", "behind", "none"])
def test_compressed_bodies_that_are_damaged_are_none(damage: str) -> None:
    raw, headers = bodies.zipped(b"[]")
    raw = {"cut": raw[:-3], "behind": raw + b"x", "none": b"[]"}[damage]
    with pytest.raises(UnreadableError):
        QuickNode().text(Sent(headers=headers, raw=raw))
    with pytest.raises(UnreadableError):
        Moralis().text(Sent(headers=headers, raw=raw))


def test_a_small_body_that_holds_more_than_any_may_is_not_opened_further() -> None:
    bomb = gzip.compress(b" " * (BODY_BYTES_MAX + 1))
    with pytest.raises(TooLargeError):
        QuickNode().text(Sent(headers={"Content-Encoding": "gzip"}, raw=bomb))


def test_a_time_to_which_some_of_the_nonce_was_moved_is_refused() -> None:
    body = bodies.quicknode_body()
    right = bodies.quicknode_headers(body, nonce="nonce-19", at_s="1700000000")
    for cut in (1, 2):
        moved = right | {
            "X-QN-Nonce": "nonce-19"[:-cut],
            "X-QN-Timestamp": "19"[-cut:] + "1700000000",
        }
        assert is_signed(QuickNode(), moved, body, SECRET)
        with pytest.raises(UnreadableError, match="ten digits"):
            read(QuickNode(), body, moved)


def test_test_bodies_tell_nothing() -> None:
    assert read(Moralis(), bodies.MORALIS_TEST).is_test
    assert read(Alchemy(), b'{"createdAt":"2023-11-14T22:13:20Z","event":{}}').is_test
    assert read(QuickNode(), b"{}", bodies.quicknode_headers(b"{}")).is_test


def with_log(**changes: Any) -> bytes:
    told = json.loads(bodies.moralis_body())
    told["logs"][0].update(changes)
    return json.dumps(told).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff\xfe",
        b"[" * 1_000_000,
        b'{"block":' * 200_000,
        b'{"confirmed":true,"chainId":"0x1","block":' + b'{"number":' * 100_000,
        with_log(logIndex="-1"),
        with_log(logIndex="1e3"),
        with_log(logIndex=1),
        with_log(logIndex="9" * 5_000),
        with_log(logIndex="\u0661"),
        with_log(transactionHash="0x12"),
        with_log(transactionHash=None),
        with_log(address="0x" + "g" * 40),
        with_log(address="0x" + "a" * 39),
        with_log(data="0x123"),
        with_log(data="xx"),
        with_log(topic0="0x00"),
        with_log(topic0=None, topic1=bodies.TOPIC),
        bodies.moralis_body(chain="base"),
        bodies.moralis_body(at_s=-1),
        bodies.moralis_body(at_s=10**40),
        json.dumps({"confirmed": "yes", "chainId": "0x1"}).encode(),
    ],
)
def test_what_is_no_body_is_said_to_be_none(body: bytes) -> None:
    with pytest.raises(UnreadableError):
        read(Moralis(), body)


def test_more_events_than_a_body_has_are_none() -> None:
    body = json.loads(bodies.moralis_body())
    body["logs"] *= EVENTS_MAX + 1
    with pytest.raises(UnreadableError, match="more than"):
        read(Moralis(), json.dumps(body).encode())
