"""Which local chains a run has: those named, else those that agents learn about; or a sentence."""

from pathlib import Path
from typing import Literal

import pytest

from engine.agents.task_list import CHAINS_LEARNED
from engine.sandbox.world import packages
from engine.settings.schema import MarketsSettings, Settings
from engine.wiring.local_chains import local_chains, why_no_chains, with_usual_chains
from engine.wiring.paths import Paths
from engine.wiring.run import role_specs


def named(*chains: str, source: Literal["sandbox", "live"] = "sandbox") -> Settings:
    return Settings(markets=MarketsSettings(source=source, sandbox_chains=list(chains)))


def roles(settings: Settings, tmp_path: Path) -> list[str]:
    return [one.name for one in role_specs(settings, Paths(tmp_path), has_bot=False)]


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "PACKAGES", tmp_path)
    kind = packages.anvil_kind()
    (tmp_path / "@foundry-rs" / kind / "bin").mkdir(parents=True)
    (tmp_path / "@foundry-rs" / kind / "bin" / "anvil").touch()


@pytest.mark.usefixtures("installed")
def test_processes_follow_those_that_agents_learn_about_if_nobody_says(tmp_path: Path) -> None:
    assert local_chains(with_usual_chains(named())) == tuple(CHAINS_LEARNED)
    assert roles(named(), tmp_path) == ["sandbox", "ledger", "chains", "engine", "workers"]


@pytest.mark.usefixtures("installed")
def test_what_is_said_counts(tmp_path: Path) -> None:
    assert local_chains(with_usual_chains(named("bnb", "polygon"))) == ("bnb", "polygon")
    assert roles(named("none"), tmp_path) == ["sandbox", "ledger", "engine", "workers"]
    assert why_no_chains(named("none")) == ""


def test_one_process_has_no_local_chain_unless_it_is_named() -> None:
    assert local_chains(named()) == ()
    assert local_chains(named("base")) == ("base",)


@pytest.mark.usefixtures("installed")
def test_live_markets_have_no_local_chain() -> None:
    assert local_chains(with_usual_chains(named(source="live"))) == ()
    assert local_chains(named("base", source="live")) == ()
    assert why_no_chains(named(source="live")) == ""


def test_without_the_node_a_run_goes_on_and_a_sentence_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packages, "PACKAGES", tmp_path)
    assert roles(named(), tmp_path) == ["sandbox", "ledger", "engine", "workers"]
    assert "`make contracts` installs it" in why_no_chains(named())
