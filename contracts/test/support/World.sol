// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {FlashArbitrage} from "../../src/FlashArbitrage.sol";
import {IPair, IWrappedCoin} from "../../src/interfaces/IProtocols.sol";
import {Build} from "./Build.sol";
import {Deploy} from "./Deploy.sol";

interface IMintable {
    function mint(address to, uint256 amount) external returns (bool);
}

/// The sandbox's world (tests/contracts/forge_world.py), with the contract in it.
abstract contract World is Deploy {
    address internal constant OWNER = address(0xA11CE);
    address internal constant EXECUTOR = address(0xE0EC);
    address internal constant GUARDIAN = address(0x60A4D);
    address internal constant RECOVERY = address(0x4EC0);
    address internal constant STRANGER = address(0x57A);
    uint256 internal constant MORE_COINS = 1_000_000 ether;

    string internal places;
    address internal weth;
    address internal usdc;
    address internal usdt;
    address internal dai;
    address internal wbtc;
    address internal pairV2;
    address internal fork;
    address internal poolV3;
    address internal manager;
    address internal vault;
    address internal aave;
    bytes32 internal weighted;
    bytes32 internal stable;
    FlashArbitrage internal bot;

    function setUp() public virtual {
        vm.loadAllocs("cache/world.json");
        places = vm.readFile("cache/places.json");
        vm.warp(vm.parseJsonUint(places, ".timestamp") + 12);
        weth = token("weth");
        usdc = token("usdc");
        usdt = token("usdt");
        dai = token("dai");
        wbtc = token("wbtc");
        pairV2 = pool("uniswap_v2_usdc_weth_3000");
        fork = pool("fork_v2_usdc_weth_1000");
        poolV3 = pool("uniswap_v3_usdc_weth_500");
        manager = vm.parseJsonAddress(places, ".contracts.v4_manager");
        vault = vm.parseJsonAddress(places, ".contracts.balancer_vault");
        aave = vm.parseJsonAddress(places, ".contracts.aave_pool");
        weighted = vm.parseJsonBytes32(places, ".ids.balancer_v2_weighted_usdc_weth_3000");
        stable = vm.parseJsonBytes32(places, ".ids.balancer_v2_stable_dai_usdc_usdt_100");
        bot = makeBot();
    }

    function makeBot() internal virtual returns (FlashArbitrage made) {
        made = makeFlashArbitrage(weth, RECOVERY, OWNER);
        vm.prank(OWNER);
        made.setExecutor(EXECUTOR, true);
        vm.prank(OWNER);
        made.setGuardian(GUARDIAN, true);
    }

    // A market out of balance: the coin is dear at the pair of Uniswap V2, by a fifth.

    function makeDear() internal {
        give(usdc, address(this), 200_000e6);
        swapAtPair(pairV2, usdc, weth, 200_000e6, 3_000);
    }

    function swapAtPair(address at, address from, address to, uint256 amount, uint256 feePips)
        internal
    {
        uint256 out = outOfPair(at, from, to, amount, feePips);
        IERC20(from).transfer(at, amount);
        IPair(at).swap(from < to ? 0 : out, from < to ? out : 0, address(this), "");
    }

    function outOfPair(address at, address from, address to, uint256 amount, uint256 feePips)
        internal
        view
        returns (uint256)
    {
        (uint256 reserveIn, uint256 reserveOut,) = IPair(at).getReserves();
        if (from > to) (reserveIn, reserveOut) = (reserveOut, reserveIn);
        uint256 after_ = amount * (1_000_000 - feePips);
        return after_ * reserveOut / (reserveIn * 1_000_000 + after_);
    }

    /// Coin to dollars at the pair where it is dear; then a hop home.
    function dearThen(bytes memory source, bytes memory home) internal view returns (bytes memory) {
        return bytes.concat(source, Build.pair(pairV2, usdc, 3_000), home);
    }

    function execute(address asset, uint256 amount, bytes memory route)
        internal
        returns (uint256 gain)
    {
        vm.prank(EXECUTOR);
        (gain,) = bot.execute(asset, amount, 1, block.timestamp, 0, route);
    }

    function give(address what, address to, uint256 amount) internal {
        if (what != weth) {
            IMintable(what).mint(to, amount);
            return;
        }
        vm.deal(address(this), amount);
        IWrappedCoin(weth).deposit{value: amount}();
        IERC20(weth).transfer(to, amount);
    }

    function token(string memory name) internal view returns (address) {
        return vm.parseJsonAddress(places, string.concat(".tokens.", name));
    }

    function pool(string memory name) internal view returns (address) {
        return vm.parseJsonAddress(places, string.concat(".pools.", name));
    }

    function balance(address what, address who) internal view returns (uint256) {
        return IERC20(what).balanceOf(who);
    }

    /// Checks that nothing is left: no token, no coin, no allowance.
    function nothingIsLeft() internal view {
        address[5] memory tokens = [weth, usdc, usdt, dai, wbtc];
        address[6] memory spenders = [vault, aave, manager, pairV2, poolV3, fork];
        for (uint256 i; i < tokens.length; ++i) {
            same(balance(tokens[i], address(bot)), 0, "a token is left");
            for (uint256 j; j < spenders.length; ++j) {
                same(
                    IERC20(tokens[i]).allowance(address(bot), spenders[j]),
                    0,
                    "an allowance is left"
                );
            }
        }
        same(address(bot).balance, 0, "coins are left");
    }
}
