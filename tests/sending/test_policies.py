"""Each chain that is known says how its transactions are sent."""

import pytest

from engine.domain.chains import CHAINS, CONFIRM_BLOCKS_MAX
from engine.domain.errors import BadValueError
from engine.sending.life import LifeRules
from engine.sending.policies import LOCAL, LOCAL_PRIVATE, POLICIES, Path, policy_of


def test_each_chain_has_a_policy_and_no_other_has() -> None:
    assert set(POLICIES) == set(CHAINS)
    with pytest.raises(BadValueError, match="nobody says"):
        policy_of("dogechain", is_local=False)


def test_what_waits_for_a_transaction_may_be_signed_once_that_is_told_on_any_chain() -> None:
    waits = [one.rules.confirm_blocks for one in (LOCAL, LOCAL_PRIVATE, *POLICIES.values())]
    assert max(waits) == CONFIRM_BLOCKS_MAX


def test_a_local_node_is_sent_to_as_that_whatever_it_poses_as() -> None:
    assert all(policy_of(chain, is_local=True) is LOCAL for chain in CHAINS)


def test_where_a_local_chain_has_a_relay_nothing_goes_into_its_public_queue() -> None:
    assert policy_of("ethereum", is_local=True, has_relay=True) is LOCAL_PRIVATE
    assert LOCAL_PRIVATE.path is Path.PRIVATE


@pytest.mark.parametrize(("confirm", "stuck"), [(0, 1), (1, 0)])
def test_patience_is_a_block_at_the_least(confirm: int, stuck: int) -> None:
    with pytest.raises(BadValueError, match="1 or more"):
        LifeRules(confirm_blocks=confirm, stuck_blocks=stuck)
