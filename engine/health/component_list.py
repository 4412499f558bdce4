"""THE list of kinds of components: what each is called, depends on, and how much it matters.

A component is named by its kind and what it is of: ``feed/gemini``. A new kind is one entry here,
and a line in whatever role sees it (`wiring.health_looks`, `operate.place_sights`).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from engine.domain.health import MACHINE, NETWORK

VITAL_ROLES: Final = frozenset({"engine", "ledger", "signer", "sender", "trader"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind.

    Attributes:
        name: before the first slash.
        says: what it is, in words.
        needs: what a component of this kind and name cannot do without: components, kinds (which
            stand for all components whose names begin so) and what nobody sees by itself.
        is_vital: says whether money or records depend on the one of a name.
        has_own_notice: the operator is told of it alone by a notice of its own already.
    """

    name: str
    says: str
    needs: Callable[[str], tuple[str, ...]]
    is_vital: Callable[[str], bool] = lambda _name: False
    has_own_notice: bool = False


KINDS: Final[tuple[Kind, ...]] = (
    Kind(
        name="role",
        says="a process of the installation",
        needs=lambda _name: (MACHINE,),
        is_vital=lambda name: name in VITAL_ROLES,
        has_own_notice=True,
    ),
    Kind(
        name="database",
        says="what the ledger stores in",
        needs=lambda _name: ("disk", "role/ledger"),
        is_vital=lambda _name: True,
    ),
    Kind(
        name="disk",
        says="the disk with the data folder",
        needs=lambda _name: (MACHINE,),
        is_vital=lambda _name: True,
    ),
    Kind(
        name="recorder",
        says="the recording of the run",
        needs=lambda _name: ("disk", "role/engine"),
        has_own_notice=True,
    ),
    Kind(
        name="feed",
        says="a venue's books",
        needs=lambda _name: (NETWORK, "role/engine", "role/sandbox"),
        has_own_notice=True,
    ),
    Kind(
        name="chain",
        says="a chain's blocks and pools",
        needs=lambda name: (NETWORK, "role/chains", "role/sandbox", f"rpc/{name}/"),
        has_own_notice=True,
    ),
    Kind(
        name="rpc",
        says="a provider of a chain's nodes",
        needs=lambda _name: (NETWORK, "role/chains", "role/sandbox"),
    ),
    Kind(
        name="orders",
        says="real orders at an exchange",
        needs=lambda _name: (NETWORK, "role/trader", "role/signer"),
        is_vital=lambda _name: True,
        has_own_notice=True,
    ),
    Kind(
        name="wallet",
        says="whether the signer may sign",
        needs=lambda _name: ("role/signer",),
    ),
    Kind(
        name="telegram",
        says="the way to the operator's phone",
        needs=lambda _name: (NETWORK, "role/bot"),
        has_own_notice=True,
    ),
    Kind(
        name="redis",
        says="the server that carries the bus",
        needs=lambda _name: (NETWORK, MACHINE),
        is_vital=lambda _name: True,
    ),
)

_BY_NAME: Final = {kind.name: kind for kind in KINDS}
ORDER: Final = {kind.name: place for place, kind in enumerate(KINDS)}
"""In which components are shown."""


def kind_of(component: str) -> Kind:
    """Return the kind of a component.

    Raises:
        KeyError: no kind is called so.
    """
    return _BY_NAME[component.partition("/")[0]]


def is_known(component: str) -> bool:
    """Say whether a component is of a kind in the list."""
    return component.partition("/")[0] in _BY_NAME


def needs_of(component: str) -> tuple[str, ...]:
    """Return what a component needs, a name that ends in a slash for all that begin so."""
    kind = kind_of(component)
    return kind.needs(component.partition("/")[2])


def depends(component: str, on: str) -> bool:
    """Say whether a component needs another one, itself or by what it needs."""
    open_names, seen = [component], set[str]()
    while open_names:
        for need in needs_of(open_names.pop()):
            if need == on or (need.endswith("/") and on.startswith(need)):
                return True
            if need not in seen and not need.endswith("/") and is_known(need):
                seen.add(need)
                open_names.append(need)
    return False


def common_needs(components: Iterable[str]) -> tuple[str, ...]:
    """Return what all of them need at first hand, in the order of the first of them."""
    names = list(components)
    if not names:
        return ()
    shared = set.intersection(*(set(needs_of(name)) for name in names))
    return tuple(need for need in needs_of(names[0]) if need in shared)


def is_vital(component: str) -> bool:
    """Say whether money or records depend on a component."""
    return kind_of(component).is_vital(component.partition("/")[2])


def in_order(components: Iterable[str]) -> list[str]:
    """Return components as they are shown."""
    return sorted(components, key=lambda one: (ORDER.get(one.partition("/")[0], len(ORDER)), one))
