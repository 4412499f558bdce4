"""What is owned, owed and under way of one kind of money: paper and live have an account each."""

from dataclasses import dataclass, field

from engine.decide.under_way import PlansUnderWay
from engine.portfolio.chores import Chores
from engine.portfolio.come_through import ComeThrough
from engine.portfolio.inventory import Inventory
from engine.portfolio.positions import Positions
from engine.portfolio.wallets import Wallets


@dataclass(slots=True, kw_only=True)
class Account:
    """The books of one kind of money, and how often what was sent with it came through."""

    positions: Positions = field(default_factory=Positions)
    inventory: Inventory = field(default_factory=Inventory)
    under_way: PlansUnderWay = field(default_factory=PlansUnderWay)
    come_through: ComeThrough = field(default_factory=ComeThrough)


@dataclass(slots=True, kw_only=True)
class LiveAccount(Account):
    """What live money has beside: the chains' word on what is there, and costs of no plan."""

    wallets: Wallets = field(init=False)
    chores: Chores = field(default_factory=Chores)

    def __post_init__(self) -> None:
        self.wallets = Wallets(self.inventory)
