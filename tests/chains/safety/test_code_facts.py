"""What code tells, and that no code of whatever kind breaks its reader."""

from hypothesis import given
from hypothesis import strategies as st

from engine.chains.safety.code_facts import facts_of
from engine.chains.safety.evm import _PUPPET
from engine.chains.safety.probe import _PAYER
from engine.chains.safety.words import number_word, text_of
from tests.chains.safety.compiled import probes

CLONE = "363d3d373d3d3d363d73" + "ab" * 20 + "5af43d82803e903d91602b57fd5bf3"


def test_functions_addresses_and_constants_are_read_and_data_of_a_push_is_no_instruction() -> None:
    code = bytes.fromhex("63a9059cbb" + "73" + "12" * 20 + "7f" + "48" * 32 + "61ff48" + "00")
    facts = facts_of(code)
    assert facts.selectors == (bytes.fromhex("a9059cbb"),)
    assert facts.addresses == ("0x" + "12" * 20,)
    assert facts.constants == (b"\x48" * 32,)
    assert not facts.destroys
    assert not facts.reads_base_fee


def test_what_ends_a_contract_counts_only_where_it_can_be_run() -> None:
    assert facts_of(bytes.fromhex("6000ff")).destroys
    assert facts_of(bytes.fromhex("00ff5bff")).destroys
    assert not facts_of(bytes.fromhex("00ff48")).destroys
    assert facts_of(bytes.fromhex("48")).reads_base_fee


def test_a_clone_and_an_account_that_lends_its_code_are_told() -> None:
    assert facts_of(bytes.fromhex(CLONE)).clone_of == "0x" + "ab" * 20
    assert facts_of(bytes.fromhex(CLONE + "00")).clone_of == "0x" + "ab" * 20
    assert facts_of(bytes.fromhex("60" + CLONE)).clone_of is None
    assert facts_of(bytes.fromhex("ef0100" + "12" * 20)).is_account


@given(st.binary(max_size=400))
def test_any_code_is_read(code: bytes) -> None:
    facts_of(code)


@given(st.binary(max_size=200))
def test_any_answer_is_a_text_or_none(answer: bytes) -> None:
    text = text_of(answer, bytes_max=32)
    assert text is None or len(text.encode()) <= 32


def test_texts_are_strings_or_words_and_no_longer_than_allowed() -> None:
    assert text_of(b"OLD".ljust(32, b"\0"), bytes_max=32) == "OLD"
    string = number_word(32) + number_word(3) + b"NEW".ljust(32, b"\0")
    assert text_of(string, bytes_max=32) == "NEW"
    assert text_of(number_word(32) + number_word(2**255) + b"x" * 64, bytes_max=32) is None
    assert text_of(number_word(32) + number_word(33) + b"x" * 64, bytes_max=32) is None


def test_the_codes_that_are_laid_into_the_evm_are_those_of_their_sources() -> None:
    assert probes() == {"Puppet": _PUPPET, "Payer": _PAYER.hex()}
