"""What the tables say of DEXs: proven by pools that are known, whole, and of known chains."""

import msgspec
import pytest

from engine.chains.discovery.addresses import derived_address
from engine.chains.discovery.announcements import ANNOUNCED
from engine.chains.discovery.dex_list import DEXES
from engine.domain.chains import CHAINS, NATIVE_ASSETS
from engine.domain.dexes import Dex
from engine.domain.tokens import CURATED
from tests.chains.discovery.known_pools import POOLS, TOKENS, KnownPool
from tests.reference.create2 import checksummed

ROWS = [dex for rows in DEXES.values() for dex in rows]


@pytest.mark.parametrize("known", POOLS, ids=lambda known: f"{known.dex} on {known.chain}")
def test_address_of_a_known_pool_follows_from_its_row(known: KnownPool) -> None:
    assert derived_address(known.found()) == known.address.lower()


def test_a_row_is_called_proven_if_and_only_if_a_known_pool_follows_from_it() -> None:
    proven = {(dex.chain, dex.name) for dex in ROWS if dex.is_proven}

    assert proven == {(known.chain, known.dex) for known in POOLS}


@pytest.mark.parametrize("known", POOLS, ids=lambda known: f"{known.dex} on {known.chain}")
def test_no_address_follows_from_another_token(known: KnownPool) -> None:
    found = known.found()
    other = found.tokens[0][:-1] + ("1" if found.tokens[0][-1] == "0" else "0")

    assert derived_address(msgspec.structs.replace(found, tokens=(other, found.tokens[1]))) != (
        known.address.lower()
    )


def test_addresses_of_known_tokens_are_spelt_by_their_checksums() -> None:
    for tokens in TOKENS.values():
        assert [checksummed(address) for address in tokens.values()] == list(tokens.values())


def test_every_chain_has_dexs_and_every_dex_stands_at_its_chain() -> None:
    assert DEXES.keys() == CHAINS.keys()
    for chain, rows in DEXES.items():
        assert {dex.chain for dex in rows} == {chain}


def test_ten_dexs_and_more_are_named() -> None:
    assert len({dex.name for dex in ROWS}) >= 10


def test_no_dex_stands_twice_at_a_chain() -> None:
    keys = [(dex.chain, dex.protocol, dex.factory) for dex in ROWS]
    names = [(dex.chain, dex.name) for dex in ROWS]

    assert len(set(keys)) == len(keys)
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("dex", ROWS, ids=lambda dex: f"{dex.name} on {dex.chain}")
def test_addresses_and_hashes_of_a_row_are_whole_and_in_lower_case(dex: Dex) -> None:
    for address in (dex.factory, dex.deployer, dex.implementation):
        assert not address or (
            len(address) == 42 and int(address, 16) and address == address.lower()
        )
    assert not dex.init_code_hash or len(dex.init_code_hash) == 66
    assert dex.init_code_hash == dex.init_code_hash.lower()


def test_of_each_make_in_the_tables_it_is_known_how_it_tells_of_a_pool() -> None:
    assert {dex.protocol for dex in ROWS} <= ANNOUNCED.keys()


def test_wrapped_native_of_each_chain_is_the_asset_that_it_is_paid_in() -> None:
    for chain, facts in CHAINS.items():
        curated = {address.lower(): code for address, (code, _) in CURATED[chain].items()}
        assert curated[facts.wrapped_native] == NATIVE_ASSETS[chain] == facts.native


def test_chains_have_numbers_of_their_own() -> None:
    assert len({facts.chain_id for facts in CHAINS.values()}) == len(CHAINS)
