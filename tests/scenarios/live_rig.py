"""An installation that is live on local chains from its start: the steps of the guide at once."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engine.sandbox.world.building import built
from engine.signing.curve import address_of_secret
from engine.signing.keystore import seal_key
from engine.signing.secret_files import write_secret_file
from engine.wiring.local_deploying import Deployment, plan_deployment
from engine.wiring.local_deployments import keep_deployment
from engine.wiring.paths import prepare

SECRET = bytes.fromhex("5d2a559490d3c1b6aa4be2fd9b0f3c9bd2d0f3b2d8c5ae63a9a65c0b6bd4a1e7")
PASSWORD = b"zephyr quilt mahogany 41"
WALLET = address_of_secret(SECRET)
GAS_DAY = "100"


def live_environment(data_dir: Path, chains: Sequence[str]) -> dict[str, Any]:
    """Return what an installation is told; its sandbox then deploys our contract on its chains."""
    key, password = data_dir.parent / "key.json", data_dir.parent / "password"
    write_secret_file(key, seal_key(SECRET, PASSWORD, use="sandbox"), what="keystore")
    write_secret_file(password, PASSWORD, what="password file")
    paths = prepare(str(data_dir))
    contracts = []
    for chain in chains:
        deployment = Deployment(chain=chain, wallet=WALLET)
        plan = plan_deployment(deployment, wrapped=built(chain).made.contracts["wrapped"])
        keep_deployment(paths, deployment)
        contracts.append(f"{chain}:{plan.contract}={plan.code_hash}")
    return {
        "SYNDICATE_MARKETS_SANDBOX_CHAINS": ",".join(chains),
        "SYNDICATE_SIGNER_SIGNS": "sandbox",
        "SYNDICATE_SIGNER_KEYSTORE": str(key),
        "SYNDICATE_SIGNER_PASSWORD_FILE": str(password),
        "SYNDICATE_SIGNER_CONTRACTS": ",".join(contracts),
        "SYNDICATE_SIGNER_GAS_DAY": ",".join(f"{chain}={GAS_DAY}" for chain in chains),
        "SYNDICATE_SIGNER_NOTIONAL_DAY_USD": "1000000000",
    }
