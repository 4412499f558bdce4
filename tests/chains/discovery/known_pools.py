"""Pools of live chains, by which rows of the tables are proven: a hash of 20 bytes meets none by
chance. The addresses are public: explorers name them, as do the DEXs' own pages.
"""

from typing import NamedTuple

from engine.chains.discovery.dex_list import DEXES
from engine.chains.discovery.found import FoundPool
from engine.domain.dexes import Dex

ETHEREUM = {
    "WETH": "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2",
    "USDC": "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48",
    "USDT": "0xdAC17F958D2ee523a2206206994597C13D831ec7",
    "WBTC": "0x2260FAC5E5542a773Aa44fBCfeDf7C193bc2C599",
    "DAI": "0x6B175474E89094C44Da98b954EedeAC495271d0F",
    "UNI": "0x1f9840a85d5aF5bf1D1762F925BDADdC4201F984",
    "LINK": "0x514910771AF9Ca656af840dff83E8264EcF986CA",
    "AAVE": "0x7Fc66500c84A76Ad7e9c93437bFc5Ac33E2DDaE9",
    "PEPE": "0x6982508145454Ce325dDbE47a25d4ec3d2311933",
    "SHIB": "0x95aD61b0a150d79219dCF64E1E6Cc01f0B64C4cE",
}
BASE = {
    "WETH": "0x4200000000000000000000000000000000000006",
    "USDC": "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913",
    "USDbC": "0xd9aAEc86B65D86f6A7B5B1b0c42FFA531710b6CA",
    "AERO": "0x940181a94A35A4569E4529A3CDfB74e38FD98631",
}
ARBITRUM = {
    "WETH": "0x82aF49447D8a07e3bd95BD0d56f35241523fBab1",
    "USDC": "0xaf88d065e77c8cC2239327C5EDb3A432268e5831",
    "USDC.e": "0xFF970A61A04b1cA14834A43f5dE4533eBDDB5CC8",
    "ARB": "0x912CE59144191C1204E64559FE8253a0e49E6548",
}
OPTIMISM = {
    "WETH": "0x4200000000000000000000000000000000000006",
    "USDC": "0x0b2C639c533813f4Aa9D7837CAf62653d097Ff85",
    "USDC.e": "0x7F5c764cBc14f9669B88837ca1490cCa17c31607",
    "OP": "0x4200000000000000000000000000000000000042",
}
BNB = {
    "WBNB": "0xbb4CdB9CBd36B01bD1cBaEBF2De08d9173bc095c",
    "USDT": "0x55d398326f99059fF775485246999027B3197955",
    "BUSD": "0xe9e7CEA3DedcA5984780Bafc599bD69ADd087D56",
    "CAKE": "0x0E09FaBB73Bd3Ade0a17ECC321fD13a19e81cE82",
    "THE": "0xF4C8E32EaDEC4BFe97E0F595AdD0f4450a863a11",
}
POLYGON = {
    "WPOL": "0x0d500B1d8E8eF31E21C99d1Db9A6444d3ADf1270",
    "USDC": "0x3c499c542cEF5E3811e1192ce70d8cC03d5c3359",
    "USDC.e": "0x2791Bca1f2de4661ED88A30C99A7a9449Aa84174",
    "WETH": "0x7ceB23fD6bC0adD59E62ac25578270cFf1b9f619",
}
TOKENS = {
    "ethereum": ETHEREUM,
    "base": BASE,
    "arbitrum": ARBITRUM,
    "optimism": OPTIMISM,
    "bnb": BNB,
    "polygon": POLYGON,
}


class KnownPool(NamedTuple):
    chain: str
    dex: str
    tokens: tuple[str, str]
    number: int
    address: str

    @property
    def row(self) -> Dex:
        (row,) = (row for row in DEXES[self.chain] if row.name == self.dex)
        return row

    def found(self) -> FoundPool:
        """As its factory would tell of it."""
        low, high = sorted(TOKENS[self.chain][token].lower() for token in self.tokens)
        return FoundPool(
            dex=self.row,
            address=self.address.lower(),
            tokens=(low, high),
            fee_pips=self.number,
            number=self.number,
            block=1,
        )


KNOWN = (
    ("ethereum", "Uniswap V2", ("USDC", "WETH"), 0, "0xB4e16d0168e52d35CaCD2c6185b44281Ec28C9Dc"),
    ("ethereum", "Uniswap V2", ("WETH", "USDT"), 0, "0x0d4a11d5EEaaC28EC3F61d100daF4d40471f1852"),
    ("ethereum", "Uniswap V2", ("DAI", "WETH"), 0, "0xA478c2975Ab1Ea89e8196811F51A7B7Ade33eB11"),
    ("ethereum", "Uniswap V2", ("UNI", "WETH"), 0, "0xd3d2E2692501A5c9Ca623199D38826e513033a17"),
    ("ethereum", "Uniswap V2", ("LINK", "WETH"), 0, "0xa2107FA5B38d9bbd2C461D6EDf11B11A50F6b974"),
    ("ethereum", "Uniswap V2", ("PEPE", "WETH"), 0, "0xA43fe16908251ee70EF74718545e4FE6C5cCEc9f"),
    ("ethereum", "Uniswap V2", ("SHIB", "WETH"), 0, "0x811beEd0119b4AfCE20D2583EB608C6F7AF1954f"),
    ("ethereum", "Uniswap V3", ("USDC", "WETH"), 500, "0x88e6A0c2dDD26FEEb64F039a2c41296FcB3f5640"),
    (
        "ethereum",
        "Uniswap V3",
        ("WBTC", "USDC"),
        3000,
        "0x99ac8cA7087fA4A2A1FB6357269965A2014ABc35",
    ),
    ("ethereum", "SushiSwap V2", ("USDC", "WETH"), 0, "0x397FF1542f962076d0BFE58eA045FfA2d347ACa0"),
    ("ethereum", "SushiSwap V2", ("AAVE", "WETH"), 0, "0xD75EA151a61d06868E31F8988D28DFE5E9df57B4"),
    (
        "ethereum",
        "SushiSwap V3",
        ("USDC", "WETH"),
        500,
        "0x35644Fb61aFBc458bf92B15AdD6ABc1996Be5014",
    ),
    (
        "ethereum",
        "PancakeSwap V2",
        ("USDC", "WETH"),
        0,
        "0x2E8135bE71230c6B1B4045696d41C09Db0414226",
    ),
    (
        "ethereum",
        "PancakeSwap V3",
        ("WETH", "USDT"),
        500,
        "0x6CA298D2983aB03Aa1dA7679389D955A4eFEE15C",
    ),
    ("base", "Uniswap V2", ("WETH", "USDC"), 0, "0x88A43bbDF9D098eEC7bCEda4e2494615dfD9bB9C"),
    ("base", "Uniswap V3", ("WETH", "USDC"), 500, "0xd0b53D9277642d899DF5C87A3966A349A798F224"),
    ("base", "SushiSwap V3", ("WETH", "USDC"), 500, "0x57713F7716e0b0F65ec116912F834E49805480d2"),
    ("base", "PancakeSwap V3", ("WETH", "USDC"), 100, "0x72AB388E2E2F6FaceF59E3C3FA2C4E29011c2D38"),
    ("base", "Aerodrome", ("WETH", "USDC"), 0, "0xcDAC0d6c6C59727a65F871236188350531885C43"),
    ("base", "Aerodrome", ("USDC", "AERO"), 0, "0x6cDcb1C4A4D1C3C6d054b27AC5B77e89eAFb971d"),
    (
        "base",
        "Aerodrome Slipstream",
        ("WETH", "USDC"),
        100,
        "0xb2cc224c1c9feE385f8ad6a55b4d94E92359DC59",
    ),
    ("base", "BaseSwap", ("WETH", "USDbC"), 0, "0x41d160033C222E6f3722EC97379867324567d883"),
    ("arbitrum", "Uniswap V2", ("WETH", "USDC"), 0, "0xF64Dfe17C8b87F012FCf50FbDA1D62bfA148366a"),
    ("arbitrum", "Uniswap V3", ("WETH", "USDC"), 500, "0xC6962004f452bE9203591991D15f6b388e09E8D0"),
    ("arbitrum", "Uniswap V3", ("WETH", "ARB"), 500, "0xC6F780497A95e246EB9449f5e4770916DCd6396A"),
    (
        "arbitrum",
        "SushiSwap V2",
        ("WETH", "USDC.e"),
        0,
        "0x905dfCD5649217c42684f23958568e533C711Aa3",
    ),
    (
        "arbitrum",
        "SushiSwap V3",
        ("WETH", "USDC"),
        500,
        "0xf3Eb87C1F6020982173C908E7eB31aA66c1f0296",
    ),
    (
        "arbitrum",
        "PancakeSwap V3",
        ("WETH", "USDC"),
        100,
        "0x7fCDC35463E3770c2fB992716Cd070B63540b947",
    ),
    ("arbitrum", "Camelot V2", ("WETH", "USDC.e"), 0, "0x84652bb2539513BAf36e225c930Fdd8eaa63CE27"),
    ("arbitrum", "Camelot V3", ("WETH", "USDC"), 0, "0xB1026b8e7276e7AC75410F1fcbbe21796e8f7526"),
    ("optimism", "Uniswap V3", ("WETH", "USDC"), 500, "0x1fb3cf6e48F1E7B10213E7b6d87D4c073C7Fdb7b"),
    ("optimism", "Uniswap V3", ("WETH", "OP"), 3000, "0x68F5C0A2DE713a54991E01858Fd27a3832401849"),
    ("optimism", "Velodrome", ("WETH", "USDC.e"), 0, "0x0493Bf8b6DBB159Ce2Db2E0E8403E753Abd1235b"),
    (
        "optimism",
        "Velodrome Slipstream",
        ("WETH", "USDC"),
        100,
        "0x478946BcD4a5a22b316470F5486fAfb928C0bA25",
    ),
    ("bnb", "Uniswap V2", ("WBNB", "USDT"), 0, "0x8a1Ed8e124fdFBD534bF48baF732E26db9Cc0Cf4"),
    ("bnb", "Uniswap V3", ("WBNB", "USDT"), 500, "0x6fe9E9de56356F7eDBfcBB29FAB7cd69471a4869"),
    ("bnb", "PancakeSwap V2", ("WBNB", "BUSD"), 0, "0x58F876857a02D6762E0101bb5C46A8c1ED44Dc16"),
    ("bnb", "PancakeSwap V2", ("WBNB", "CAKE"), 0, "0x0eD7e52944161450477ee417DE9Cd3a859b14fD0"),
    ("bnb", "PancakeSwap V3", ("WBNB", "USDT"), 500, "0x36696169C63e42cd08ce11f5deeBbCeBae652050"),
    ("bnb", "Biswap", ("WBNB", "USDT"), 0, "0x8840C6252e2e86e545deFb6da98B2a0E26d8C1BA"),
    ("bnb", "THENA", ("WBNB", "THE"), 0, "0x63Db6ba9E512186C2FAaDaCEF342FB4A40dc577c"),
    ("bnb", "THENA Fusion", ("WBNB", "USDT"), 0, "0xD405b976Ac01023C9064024880999fC450A8668b"),
    ("polygon", "Uniswap V3", ("WPOL", "USDC"), 500, "0xB6e57ed85c4c9dbfEF2a68711e9d6f36c56e0FcB"),
    ("polygon", "SushiSwap V2", ("WPOL", "WETH"), 0, "0xc4e595acDD7d12feC385E5dA5D43160e8A0bAC0E"),
    (
        "polygon",
        "QuickSwap V2",
        ("WPOL", "USDC.e"),
        0,
        "0x6e7a5FAFcec6BB1e78bAE2A1F0B612012BF14827",
    ),
    (
        "polygon",
        "QuickSwap V3",
        ("WPOL", "USDC.e"),
        0,
        "0xAE81FAc689A1b4b1e06e7ef4a2ab4CD8aC0A087D",
    ),
)
POOLS = tuple(KnownPool(*known) for known in KNOWN)
