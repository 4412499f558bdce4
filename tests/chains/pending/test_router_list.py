"""The list of routers: each address proves itself by its checksum, none stands twice."""

from collections import Counter

from engine.chains.pending.router_list import DEPLOYED, FUNCTIONS, Kind
from engine.domain.chains import CHAINS
from tests.reference.create2 import checksummed


def test_the_addresses_have_their_checksums() -> None:
    wrong = [row for row in DEPLOYED if checksummed(row.address) != row.address]

    assert wrong == []


def test_no_router_of_a_chain_stands_twice() -> None:
    chains = Counter((row.chain, row.address) for row in DEPLOYED)

    assert [row for row, count in chains.items() if count > 1] == []


def test_every_chain_has_a_universal_router_and_every_kind_its_functions() -> None:
    for chain in CHAINS:
        assert any(row.chain == chain and row.kind is Kind.UNIVERSAL for row in DEPLOYED)
    assert set(FUNCTIONS) == set(Kind)
