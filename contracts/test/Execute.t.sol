// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.30;

import {FlashArbitrage} from "../src/FlashArbitrage.sol";
import {IFlashArbitrage} from "../src/interfaces/IFlashArbitrage.sol";
import {IRoles} from "../src/interfaces/IRoles.sol";
import {Build} from "./support/Build.sol";
import {World} from "./support/World.sol";

interface IV3Factory {
    function createPool(address tokenA, address tokenB, uint24 fee) external returns (address);
}

interface IV3Pool {
    function initialize(uint160 sqrtPriceX96) external;
    function mint(address to, int24 low, int24 high, uint128 liquidity, bytes calldata data)
        external
        returns (uint256, uint256);
}

contract ExecuteTest is World {
    uint256 internal constant AMOUNT = 5 ether;

    function setUp() public override {
        super.setUp();
        makeDear();
    }

    // Every source of the amount

    function test_execute_onCreditOfAPair() public {
        _earns(Build.firstHop(), _homeByV3());
    }

    function test_execute_onCreditOfAConcentratedPool() public {
        give(weth, address(this), 200 ether);
        swapAtPair(pairV2, weth, usdc, 150 ether, 3_000);
        bytes memory route = bytes.concat(
            Build.firstHop(),
            Build.concentrated(poolV3, usdc),
            Build.pair(pairV2, address(0), 3_000)
        );
        _pays(execute(weth, AMOUNT, route));
    }

    function test_execute_onCreditOfV4() public {
        give(weth, address(this), 200 ether);
        swapAtPair(pairV2, weth, usdc, 150 ether, 3_000);
        bytes memory route = bytes.concat(
            Build.firstHop(),
            Build.v4(manager, usdc, 500, 10, 0x10),
            Build.v4(manager, usdt, 100, 1, 0),
            Build.concentrated(pool("uniswap_v3_usdc_usdt_100"), usdc),
            Build.pair(pairV2, address(0), 3_000)
        );
        _pays(execute(weth, AMOUNT, route));
    }

    function test_execute_onALoanOfAave() public {
        _earns(Build.aave(aave, uint128(AMOUNT * 5 / 10_000)), _homeByV3());
    }

    function test_execute_revertsIfAaveTakesMoreThanAllowed() public {
        _reverts(
            Build.aave(aave, uint128(AMOUNT * 5 / 10_000 - 1)),
            IFlashArbitrage.LoanFeeTooHigh.selector
        );
    }

    function test_execute_onALoanOfBalancer() public {
        _earns(Build.vault(vault, 0), _homeByV3());
    }

    function test_execute_onALoanOfAPair() public {
        uint128 fee = uint128(AMOUNT * 3 / 997 + 1);
        _earns(Build.pairLoan(pool("uniswap_v2_wbtc_weth_3000"), false, fee), _homeByV3());
    }

    function test_execute_onALoanOfAPairByItsFirstToken() public {
        address lender = pool("uniswap_v2_dai_usdc_3000");
        bytes memory route = bytes.concat(
            Build.pairLoan(lender, usdc < dai, 40e6),
            Build.concentrated(poolV3, weth),
            Build.pair(pairV2, address(0), 3_000)
        );
        _pays(execute(usdc, 10_000e6, route));
    }

    function test_execute_revertsIfAPairGetsTooLittle() public {
        uint128 fee = uint128(AMOUNT * 3 / 997 - 1);
        address lender = pool("uniswap_v2_wbtc_weth_3000");
        _revertsAnyhow(dearThen(Build.pairLoan(lender, false, fee), _homeByV3()));
    }

    function test_execute_onALoanOfV3() public {
        address lender = pool("uniswap_v3_wbtc_weth_3000");
        _earns(Build.flash(lender, false, uint128(AMOUNT * 3 / 1_000)), _homeByV3());
    }

    function test_execute_onALoanOfV3ByItsFirstToken() public {
        address lender = pool("uniswap_v3_dai_usdc_500");
        bytes memory route = bytes.concat(
            Build.flash(lender, usdc < dai, 5e6),
            Build.concentrated(poolV3, weth),
            Build.pair(pairV2, address(0), 3_000)
        );
        _pays(execute(usdc, 10_000e6, route));
    }

    function test_execute_onALoanOfV4() public {
        _earns(Build.manager(manager), _homeByV3());
    }

    function test_execute_onWhatItHolds() public {
        give(weth, address(bot), AMOUNT);

        uint256 gain = execute(weth, AMOUNT, dearThen(Build.own(), _homeByV3()));

        same(balance(weth, address(bot)), AMOUNT, "what it held");
        same(balance(weth, RECOVERY), gain, "gain");
        same(balance(usdc, address(bot)), 0, "dollars");
    }

    // Every kind of hop

    function test_execute_byAForkOfV2() public {
        _earns(Build.firstHop(), Build.pair(fork, address(0), 1_000));
    }

    function test_execute_byV4WithTheCoinItself() public {
        _earns(Build.firstHop(), Build.v4(manager, address(0), 500, 10, 0x20));
    }

    function test_execute_byV4OnItsOwnLoan() public {
        _earns(Build.manager(manager), Build.v4(manager, address(0), 500, 10, 0x20));
    }

    function test_execute_byBalancersWeightedPool() public {
        _earns(Build.firstHop(), Build.balancer(vault, address(0), weighted));
    }

    function test_execute_byEveryProtocolInARow() public {
        bytes memory home = bytes.concat(
            Build.balancer(vault, dai, stable),
            Build.concentrated(pool("uniswap_v3_dai_usdc_500"), usdc),
            Build.v4(manager, usdt, 100, 1, 0),
            Build.pair(pool("fork_v2_usdc_usdt_1000"), usdc, 1_000),
            Build.concentrated(poolV3, address(0))
        );
        _earns(Build.aave(aave, uint128(AMOUNT)), home);
    }

    function test_execute_byPairsWithAnotherFee() public {
        bytes memory home = bytes.concat(
            Build.v4(manager, usdt, 100, 1, 0),
            Build.pair(pool("pancakeswap_v1_usdt_weth_2000"), address(0), 2_000)
        );
        _earns(Build.firstHop(), home);
    }

    // What is earned, and who gets it

    function test_execute_givesTheBuilderItsShareInCoins() public {
        vm.coinbase(address(0xB11D));
        vm.prank(EXECUTOR);
        (uint256 gain, uint256 tip) = bot.execute(
            weth, AMOUNT, 1, block.timestamp, 9_000, dearThen(Build.firstHop(), _homeByV3())
        );

        same(tip, gain * 9_000 / 10_000, "tip");
        same(address(0xB11D).balance, tip, "coins of the builder");
        same(balance(weth, RECOVERY), gain - tip, "kept");
        nothingIsLeft();
    }

    function test_execute_revertsIfATipIsNotInTheCoin() public {
        bytes memory route = bytes.concat(
            Build.aave(aave, 10e6),
            Build.concentrated(poolV3, weth),
            Build.pair(pairV2, address(0), 3_000)
        );
        vm.expectRevert(abi.encodeWithSelector(IFlashArbitrage.NotTheCoin.selector, usdc));
        vm.prank(EXECUTOR);
        bot.execute(usdc, 10_000e6, 1, block.timestamp, 1, route);
    }

    function testFuzz_execute_earnsTheMinimumOrReverts(
        uint256 amount,
        uint256 profitMin,
        uint256 tipBps
    ) public {
        amount = bound(amount, 1e12, 200 ether);
        profitMin = bound(profitMin, 0, 3 ether);
        tipBps = bound(tipBps, 0, 10_000);
        vm.coinbase(address(0xB11D));
        bytes memory route = dearThen(Build.firstHop(), _homeByV3());
        vm.prank(EXECUTOR);
        try bot.execute(weth, amount, profitMin, block.timestamp, tipBps, route) returns (
            uint256 gain, uint256 tip
        ) {
            holds(balance(weth, RECOVERY) >= profitMin, "the minimum");
            same(balance(weth, RECOVERY) + tip, gain, "gain");
        } catch {
            same(balance(weth, RECOVERY), 0, "nothing");
        }
        nothingIsLeft();
    }

    /// Amounts and fees with which the formula of a pair wraps bring nobody anything of what is held.
    function testFuzz_execute_anyAmountKeepsWhatItHolds(uint256 amount, uint24 fee, bool isOwn)
        public
    {
        give(weth, address(bot), AMOUNT);
        bytes memory route = bytes.concat(
            isOwn ? Build.own() : Build.firstHop(), Build.pair(pairV2, usdc, fee), _homeByV3()
        );
        vm.prank(EXECUTOR);
        try bot.execute(weth, amount, 0, block.timestamp, 0, route) {
            holds(balance(weth, address(bot)) == AMOUNT, "not what it held");
        } catch {
            same(balance(weth, address(bot)), AMOUNT, "what it held");
        }
        same(balance(usdc, address(bot)), 0, "dollars");
    }

    function test_execute_takesAProfitOfExactlyTheMinimum() public {
        uint256 gain = _simulated();
        vm.prank(EXECUTOR);
        bot.execute(weth, AMOUNT, gain, block.timestamp, 0, dearThen(Build.firstHop(), _homeByV3()));
        same(balance(weth, RECOVERY), gain, "gain");
    }

    function test_execute_revertsIfTheProfitIsOneShort() public {
        uint256 gain = _simulated();
        vm.expectRevert(
            abi.encodeWithSelector(IFlashArbitrage.ProfitTooLow.selector, weth, gain, gain + 1)
        );
        vm.prank(EXECUTOR);
        bot.execute(
            weth, AMOUNT, gain + 1, block.timestamp, 0, dearThen(Build.firstHop(), _homeByV3())
        );
    }

    function test_execute_countsTheProfitAfterTheTip() public {
        uint256 gain = _simulated();
        vm.expectPartialRevert(IFlashArbitrage.ProfitTooLow.selector);
        vm.prank(EXECUTOR);
        bot.execute(weth, AMOUNT, gain, block.timestamp, 1, dearThen(Build.firstHop(), _homeByV3()));
    }

    function test_execute_revertsAtALossEvenWithoutAMinimum() public {
        give(weth, address(bot), AMOUNT);
        bytes memory route = bytes.concat(
            Build.own(), Build.concentrated(poolV3, usdc), Build.pair(pairV2, address(0), 3_000)
        );
        vm.expectPartialRevert(IFlashArbitrage.ProfitTooLow.selector);
        vm.prank(EXECUTOR);
        bot.execute(weth, AMOUNT, 0, block.timestamp, 0, route);
    }

    // What is refused

    function test_execute_revertsIfNotByAnExecutor() public {
        bytes memory route = dearThen(Build.firstHop(), _homeByV3());
        address[3] memory others = [OWNER, GUARDIAN, STRANGER];
        for (uint256 i; i < others.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IRoles.NotExecutor.selector, others[i]));
            vm.prank(others[i]);
            bot.execute(weth, AMOUNT, 1, block.timestamp, 0, route);
        }
    }

    function test_execute_revertsIfPaused() public {
        vm.prank(GUARDIAN);
        bot.pause();
        _reverts(Build.firstHop(), IRoles.IsPaused.selector);
        vm.prank(OWNER);
        bot.unpause();
        _earns(Build.firstHop(), _homeByV3());
    }

    function test_execute_revertsIfTooLate() public {
        bytes memory route = dearThen(Build.firstHop(), _homeByV3());
        vm.expectRevert(
            abi.encodeWithSelector(
                IFlashArbitrage.Expired.selector, block.timestamp - 1, block.timestamp
            )
        );
        vm.prank(EXECUTOR);
        bot.execute(weth, AMOUNT, 1, block.timestamp - 1, 0, route);
    }

    function test_execute_revertsOnAnotherChain() public {
        bytes memory route = dearThen(Build.firstHop(), _homeByV3());
        vm.chainId(8453);
        vm.expectRevert(abi.encodeWithSelector(IFlashArbitrage.WrongChain.selector, 1, 8453));
        vm.prank(EXECUTOR);
        bot.execute(weth, AMOUNT, 1, block.timestamp, 0, route);
    }

    function test_execute_revertsIfTheTipIsMoreThanAll() public {
        bytes memory route = dearThen(Build.firstHop(), _homeByV3());
        vm.expectRevert(abi.encodeWithSelector(IFlashArbitrage.TipTooHigh.selector, 10_001));
        vm.prank(EXECUTOR);
        bot.execute(weth, AMOUNT, 1, block.timestamp, 10_001, route);
    }

    function test_execute_revertsIfTheRouteDoesNotComeHome() public {
        bytes4 open = IFlashArbitrage.RouteOpen.selector;
        _revertsWith(bytes.concat(Build.aave(aave, 1 ether), Build.pair(pairV2, usdc, 3_000)), open);
        _revertsWith(bytes.concat(Build.firstHop(), Build.pair(pairV2, usdc, 3_000)), open);
        bytes memory astray = bytes.concat(
            Build.firstHop(), Build.pair(pairV2, usdc, 3_000), Build.v4(manager, usdt, 100, 1, 0)
        );
        _revertsWith(astray, open);
    }

    function test_execute_revertsIfWhoGivesFirstCannot() public {
        bytes memory route = bytes.concat(
            Build.firstHop(),
            Build.balancer(vault, usdc, weighted),
            Build.concentrated(poolV3, address(0))
        );
        _revertsWith(route, IFlashArbitrage.GivesNotFirst.selector);
    }

    function test_execute_revertsIfV4HasNoCoinForAToken() public {
        bytes memory out = bytes.concat(
            Build.v4(manager, usdt, 100, 1, 0x20), Build.concentrated(poolV3, address(0))
        );
        _revertsWith(dearThen(Build.firstHop(), out), IFlashArbitrage.NotTheCoin.selector);
        bytes memory in_ = bytes.concat(
            Build.v4(manager, usdt, 100, 1, 0x10), Build.concentrated(poolV3, address(0))
        );
        _revertsWith(dearThen(Build.firstHop(), in_), IFlashArbitrage.NotTheCoin.selector);
    }

    function test_execute_revertsIfAPoolTakesOnlyAPart() public {
        // A real pool whose only position is so narrow that its range ends under the swap.
        address factory = vm.parseJsonAddress(places, ".contracts.v3_factory");
        address narrow = IV3Factory(factory).createPool(weth, dai, 10_000);
        IV3Pool(narrow).initialize(2 ** 96);
        IV3Pool(narrow).mint(address(this), -200, 200, 1e18, "");
        bytes memory route = bytes.concat(
            Build.manager(manager),
            Build.concentrated(narrow, dai),
            Build.concentrated(narrow, address(0))
        );
        vm.expectPartialRevert(IFlashArbitrage.PartialFill.selector);
        vm.prank(EXECUTOR);
        bot.execute(weth, AMOUNT, 0, block.timestamp, 0, route);
    }

    function uniswapV3MintCallback(uint256 amount0, uint256 amount1, bytes calldata) external {
        (address token0, address token1) = weth < dai ? (weth, dai) : (dai, weth);
        give(token0, msg.sender, amount0);
        give(token1, msg.sender, amount1);
    }

    function test_execute_revertsIfThereIsNoPool() public {
        _revertsAnyhow(dearThen(Build.firstHop(), Build.concentrated(address(0xDEAD), address(0))));
    }

    function test_receive_revertsOutsideOfARoute() public {
        vm.deal(address(this), 1 ether);
        (bool ok,) = address(bot).call{value: 1}("");
        holds(!ok, "coins were taken");
    }

    // HELPERS

    /// Says what a route would gain, without a trace.
    function _simulated() private returns (uint256 gain) {
        uint256 before = vm.snapshotState();
        gain = execute(weth, AMOUNT, dearThen(Build.firstHop(), _homeByV3()));
        vm.revertToState(before);
    }

    function _homeByV3() private view returns (bytes memory) {
        return Build.concentrated(poolV3, address(0));
    }

    function _earns(bytes memory source, bytes memory home) private {
        _pays(execute(weth, AMOUNT, dearThen(source, home)));
    }

    function _pays(uint256 gain) private view {
        holds(gain > 0, "no gain");
        holds(
            balance(weth, RECOVERY) == gain || balance(usdc, RECOVERY) == gain,
            "not where it belongs"
        );
        nothingIsLeft();
    }

    function _reverts(bytes memory source, bytes4 why) private {
        _revertsWith(dearThen(source, _homeByV3()), why);
    }

    function _revertsWith(bytes memory route, bytes4 why) private {
        vm.expectPartialRevert(why);
        vm.prank(EXECUTOR);
        bot.execute(weth, AMOUNT, 1, block.timestamp, 0, route);
    }

    function _revertsAnyhow(bytes memory route) private {
        vm.expectRevert();
        vm.prank(EXECUTOR);
        bot.execute(weth, AMOUNT, 1, block.timestamp, 0, route);
    }
}
