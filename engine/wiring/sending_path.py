"""By which node, rule and policy a chain's transactions are sent: the sandbox's, or a network's."""

from dataclasses import dataclass, field, replace

from engine.chains.gas.rules import LOCAL_RULE, GasRule, gas_rule_of
from engine.domain.chains import ChainFacts, GasModel
from engine.domain.errors import BadValueError, SettingsError
from engine.domain.modes import SENT_ON, Basis
from engine.sending.policies import SendPolicy, network_policy_of, policy_of
from engine.settings.schema import Settings, environment_name
from engine.wiring.chain_nodes import ChainNodes
from engine.wiring.markets import basis_of


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingPath:
    """How a chain's transactions are sent.

    Attributes:
        url: of the node on whose state they are carried out before.
        facts: as its gas is read.
    """

    url: str = field(repr=False)
    facts: ChainFacts
    rule: GasRule
    policy: SendPolicy


def path_of(nodes: ChainNodes, *, has_relay: bool) -> SendingPath:
    """Return how a chain's transactions are sent.

    Raises:
        SettingsError: none of its nodes is asked by HTTP, or its path is not there.
    """
    name = nodes.facts.name
    url = next((one.http_url for one in nodes.accesses if one.http_url is not None), None)
    if url is None:
        setting = environment_name("chains", "providers")
        raise SettingsError(f"no node of {name} is asked by HTTP: {setting}={name}=https://...")
    if nodes.is_local:
        return SendingPath(
            url=url,
            facts=replace(nodes.facts, gas_model=GasModel.BASE_FEE),
            rule=LOCAL_RULE,
            policy=policy_of(name, is_local=True, has_relay=has_relay),
        )
    try:
        policy = network_policy_of(name)
    except BadValueError as error:
        raise SettingsError(str(error)) from error
    return SendingPath(url=url, facts=nodes.facts, rule=gas_rule_of(name), policy=policy)


def sent_basis(settings: Settings) -> Basis:
    """Return what figures of sent transactions are here."""
    return SENT_ON[basis_of(settings)]
