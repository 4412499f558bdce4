"""The role `chains` lets in what is safe and keeps out what is not, on a real node."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.domain.token_safety import Finding, Standing, Trait
from engine.requests.token import GetToken
from engine.wiring.chain_answers import ChainAnswers
from engine.wiring.one_chain import OneChain
from tests.chains.following.role import announced, chains_role, until
from tests.chains.local_world import LocalWorld
from tests.chains.safety.listed import list_token


def followed(one: OneChain) -> set[str]:
    return {token for of in one.machine.pools.of.values() for token in of.pool.token_addresses}


async def standing_of(answers: ChainAnswers, token: str) -> Standing | None:
    report = await answers.answer(GetToken(name=token))
    verdict = report.found[0].verdict if report.found else None
    return verdict.standing if verdict is not None else None


@pytest.mark.slow
async def test_pools_of_a_safe_token_are_followed_and_those_of_a_honeypot_are_not(
    world: LocalWorld, tmp_path: Path
) -> None:
    good, bad = list_token(world, "Renounced"), list_token(world, "Honeypot")

    async with chains_role(announced(tmp_path / "var", world)) as (answers, _):
        one = answers.of["ethereum"]
        await until(lambda: bool(one.tokens.verdict_of(bad.token)))
        await until(lambda: good.token in followed(one))

        assert await standing_of(answers, good.token) is Standing.SAFE
        assert await standing_of(answers, bad.token) is Standing.REFUSED
        assert bad.token not in followed(one)
        assert one.choice is not None


@pytest.mark.slow
async def test_a_token_that_turns_bad_leaves_with_its_next_verdict(
    world: LocalWorld, tmp_path: Path
) -> None:
    good = list_token(world, "Renounced")

    async with chains_role(announced(tmp_path / "var", world)) as (answers, _):
        one = answers.of["ethereum"]
        await until(lambda: good.token in followed(one))
        verdict = one.tokens.verdict_of(good.token)
        assert verdict is not None
        refused = replace(
            verdict,
            standing=Standing.REFUSED,
            reasons=(Finding(Trait.SELL_FAILS, "cannot be sold"),),
        )

        one.tokens._verdicts[good.token] = refused
        one._on_verdict(refused)

        assert good.token not in followed(one)
