// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.30;

import {FlashArbitrage} from "../../src/FlashArbitrage.sol";
import {IFlashArbitrage} from "../../src/interfaces/IFlashArbitrage.sol";
import {IRoles} from "../../src/interfaces/IRoles.sol";
import {Build} from "../support/Build.sol";
import {CallingToken, PlainToken} from "../support/Tokens.sol";
import {FakePool} from "./Pools.sol";
import {SwapSetting} from "./SwapSetting.sol";

/// Pools and callers that mean no good, where a token of the caller's is traded.
contract SwapAttacksTest is SwapSetting {
    // Pools

    function test_pools_cannotCheatWhereTheyAreTradedAt() public {
        bytes4 missing = IFlashArbitrage.CallbackMissing.selector;
        bytes4 unexpected = IFlashArbitrage.UnexpectedCallback.selector;
        bytes4 low = IFlashArbitrage.OutTooLow.selector;
        bytes memory concentrated = _at(Build.concentrated(address(away), address(0)));
        _cheats(FakePool.Cheat.NEVER_CALLS, concentrated, missing);
        _cheats(FakePool.Cheat.CALLS_TWICE, concentrated, unexpected);
        _cheats(FakePool.Cheat.OTHER_WORDS, concentrated, unexpected);
        _cheats(FakePool.Cheat.OTHER_KIND, concentrated, unexpected);
        _cheats(FakePool.Cheat.BY_ANOTHER, concentrated, unexpected);
        _cheats(FakePool.Cheat.ASKS_MORE, concentrated, IFlashArbitrage.PartialFill.selector);
        _cheats(FakePool.Cheat.ASKS_LESS, concentrated, IFlashArbitrage.PartialFill.selector);
        _cheats(FakePool.Cheat.GIVES_NOTHING, concentrated, low);
        bytes memory four = _at(Build.v4(address(away), address(0), 500, 10, 0));
        _cheats(FakePool.Cheat.NEVER_CALLS, four, missing);
        _cheats(FakePool.Cheat.ASKS_MORE, four, IFlashArbitrage.PartialFill.selector);
        _cheats(FakePool.Cheat.ASKS_LESS, four, IFlashArbitrage.PartialFill.selector);
        _cheats(FakePool.Cheat.GIVES_NOTHING, four, low);
        bytes memory pair = _at(Build.pair(address(away), address(0), 0));
        _cheats(FakePool.Cheat.GIVES_NOTHING, pair, low);
        bytes memory solidly = _at(Build.solidly(address(away), address(0)));
        _cheats(FakePool.Cheat.GIVES_NOTHING, solidly, low);
        bytes memory curve = _at(Build.curve(address(away), address(0), 0, 1, false));
        bytes4 left = IFlashArbitrage.AllowanceLeft.selector;
        _cheats(FakePool.Cheat.TAKES_NO_ALLOWANCE, curve, left);
        _cheats(FakePool.Cheat.GIVES_NOTHING, curve, low);
        bytes memory vault = _at(Build.balancer(address(away), address(0), bytes32(0)));
        _reverts(give, get, vault, bytes4(0));
        bytes[5] memory honest = [concentrated, four, pair, solidly, curve];
        for (uint256 i; i < honest.length; ++i) {
            // A pair gives less by its formula, by what is traded of all that it holds.
            holds(_swap(give, get, honest[i]) > 0.999 ether, "what came");
        }
    }

    function test_laterPool_spendsOnlyWhatTheOneBeforeGave() public {
        FakePool back = _pool(get, give, 100);
        PlainToken third = new PlainToken();
        FakePool last = _pool(give, third, 100);
        bytes memory route = _at(
            bytes.concat(
                Build.solidly(address(away), address(get)),
                Build.solidly(address(back), address(give)),
                Build.solidly(address(last), address(0))
            )
        );
        same(_swap(give, third, route), 1 ether, "through both again");
        // Nothing comes of the first, so that what the contract holds would have to pay the second.
        away.set(FakePool.Cheat.GIVES_NOTHING, 0, accomplice);
        _reverts(give, third, route, IFlashArbitrage.OutTooLow.selector);
    }

    function test_bait_whoseLaterRoundsLeaveTheirAllowanceReverts() public {
        bytes memory route = _at(Build.curve(address(away), address(0), 0, 1, false));
        away.set(FakePool.Cheat.TAKES_NO_ALLOWANCE, 2, accomplice);
        _swap(give, get, route);
        _swap(give, get, route);
        _reverts(give, get, route, IFlashArbitrage.AllowanceLeft.selector);
        vm.expectRevert();
        away.takeLater(address(give), address(bot), 1);
    }

    function test_callbacks_ofStrangersRevertMeanwhileAndAfterwards() public {
        CallingToken calling = new CallingToken();
        calling.transfer(EXECUTOR, HELD);
        FakePool through = _pool(calling, get, 100);
        bytes memory route = _at(Build.solidly(address(through), address(0)));
        bytes memory words = abi.encodePacked(
            address(get), address(give), uint256(1 ether), uint256(0), type(uint256).max
        );
        bytes[4] memory calls = [
            abi.encodeCall(FlashArbitrage.uniswapV2Call, (address(0), 0, 0, words)),
            abi.encodeCall(FlashArbitrage.uniswapV3SwapCallback, (1 ether, 0, words)),
            abi.encodeCall(FlashArbitrage.uniswapV3FlashCallback, (0, 0, words)),
            abi.encodeCall(FlashArbitrage.unlockCallback, (words))
        ];
        for (uint256 i; i < calls.length; ++i) {
            calling.set(address(bot), calls[i]);
            _reverts(calling, get, route, IFlashArbitrage.UnexpectedCallback.selector);
            calling.set(address(0), "");
            _swap(calling, get, route);
            vm.expectPartialRevert(IFlashArbitrage.UnexpectedCallback.selector);
            through.callFor(address(bot), calls[i]);
        }
    }

    // Reentrance

    function test_reentrance_intoEitherCallReverts() public {
        CallingToken calling = new CallingToken();
        calling.transfer(EXECUTOR, HELD);
        bot.setExecutor(address(calling), true);
        bytes memory route = _at(Build.solidly(address(_pool(calling, get, 100)), address(0)));
        bytes memory inner = _at(Build.solidly(address(away), address(0)));
        calling.set(
            address(bot),
            abi.encodeCall(
                IFlashArbitrage.swap, (address(give), 1, address(get), 0, block.timestamp, inner)
            )
        );
        _reverts(calling, get, route, IFlashArbitrage.Reentered.selector);
        calling.set(
            address(bot),
            abi.encodeCall(
                IFlashArbitrage.execute, (address(give), 1, 0, block.timestamp, 0, Build.own())
            )
        );
        _reverts(calling, get, route, IFlashArbitrage.Reentered.selector);
        calling.set(address(bot), abi.encodeCall(IFlashArbitrage.withdraw, (address(get))));
        _reverts(calling, get, route, IRoles.NotGuardian.selector);
    }

    function test_reentrance_ofASwapIntoARoundReverts() public {
        CallingToken calling = new CallingToken();
        FakePool there = _pool(give, calling, 100);
        FakePool home = _pool(calling, give, 120);
        bot.setExecutor(address(calling), true);
        calling.set(
            address(bot),
            abi.encodeCall(
                IFlashArbitrage.swap,
                (address(give), 1, address(get), 0, block.timestamp, Build.chain())
            )
        );
        vm.expectPartialRevert(IFlashArbitrage.Reentered.selector);
        vm.prank(EXECUTOR);
        bot.execute(
            address(give),
            1 ether,
            1,
            block.timestamp,
            0,
            bytes.concat(
                Build.own(),
                Build.solidly(address(there), address(calling)),
                Build.solidly(address(home), address(0))
            )
        );
    }

    // Callers

    function testFuzz_stolenKey_getsNothingOfWhatIsNotItsOwn(
        uint256 amount,
        uint256 allowed,
        uint8 cheat,
        uint8 kind
    ) public {
        // Another account that may send routes has allowed the contract all that it has.
        vm.prank(OTHER);
        give.approve(address(bot), HELD);
        away.set(FakePool.Cheat(cheat % 10), 0, accomplice);
        bytes[5] memory hops = [
            Build.pair(address(away), address(0), 0),
            Build.concentrated(address(away), address(0)),
            Build.solidly(address(away), address(0)),
            Build.v4(address(away), address(0), 500, 10, 0),
            Build.curve(address(away), address(0), 0, 1, false)
        ];
        _allow(give, bound(allowed, 0, 2 * HELD));
        bytes memory route = _at(hops[kind % 5]);
        vm.prank(EXECUTOR);
        try bot.swap(
            address(give), bound(amount, 0, 2 * HELD), address(get), 0, block.timestamp, route
        ) {}
            catch {}
        same(give.balanceOf(OTHER), HELD, "another's money");
        same(give.allowance(OTHER, address(bot)), HELD, "another's allowance");
        _keepsItsCapital();
    }

    function test_allowance_cannotBeDrainedByAnotherExecutorOrAStranger() public {
        _allow(give, 1 ether);
        bytes memory route = _at(Build.solidly(address(away), address(0)));
        vm.expectRevert();
        vm.prank(OTHER);
        bot.swap(address(give), 1 ether, address(get), 0, block.timestamp, route);
        vm.expectPartialRevert(IRoles.NotExecutor.selector);
        away.callFor(
            address(bot),
            abi.encodeCall(
                IFlashArbitrage.swap,
                (address(give), 1 ether, address(get), 0, block.timestamp, route)
            )
        );
        same(give.balanceOf(EXECUTOR), HELD, "nothing was taken");
    }
}
