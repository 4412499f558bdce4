// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.30;

import {FlashArbitrage} from "../../src/FlashArbitrage.sol";
import {InFlight} from "../../src/InFlight.sol";
import {IFlashArbitrage} from "../../src/interfaces/IFlashArbitrage.sol";
import {Build} from "../support/Build.sol";
import {Deploy} from "../support/Deploy.sol";
import {PlainToken} from "../support/Tokens.sol";
import {FakePool} from "./Pools.sol";

/// Pools and lenders that cheat where they call back, against a contract that holds capital.
contract CallbacksTest is Deploy {
    address private constant EXECUTOR = address(0xE0EC);
    address private constant RECOVERY = address(0x4EC0);
    uint256 private constant HELD = 100 ether;
    PlainToken private asset;
    PlainToken private other;
    FlashArbitrage private bot;
    FakePool private away;
    FakePool private home;

    function setUp() public {
        asset = new PlainToken();
        other = new PlainToken();
        bot = makeFlashArbitrage(address(asset), RECOVERY, address(this));
        bot.setExecutor(EXECUTOR, true);
        asset.transfer(address(bot), HELD);
        other.transfer(address(bot), HELD);
        away = _pool(address(asset), address(other), 100);
        home = _pool(address(other), address(asset), 110);
    }

    // Calls that nobody awaits

    function testFuzz_callbacks_revertIfCalledByAStranger(
        address caller,
        bytes calldata data,
        uint256 a,
        uint256 b
    ) public {
        _allRevert(caller, data, a, b);
    }

    function testFuzz_callbacks_revertWithWordsOfOurOwnForm(address caller, uint256 amount) public {
        InFlight.Debt memory debt = InFlight.Debt({
            token: address(asset),
            amount: amount,
            received: address(other),
            held: 0,
            terms: type(uint256).max
        });
        _allRevert(caller, _words(debt), amount, 0);
    }

    function test_callbacks_revertAfterARouteHasEnded() public {
        _run(Build.firstHop(), Build.concentrated(address(away), address(other)), _homeByPair());
        InFlight.Debt memory debt =
            InFlight.Debt(address(asset), 1 ether, address(other), HELD, uint256(0x02) << 40);
        _allRevert(address(away), bytes.concat(_words(debt), _homeByPair()), 1 ether, 0);
        _keepsItsCapital();
    }

    // Pools that give first and cheat

    function test_concentratedPool_cannotCheatWhereItCallsBack() public {
        bytes memory route = bytes.concat(
            Build.firstHop(), Build.concentrated(address(away), address(other)), _homeByPair()
        );
        _cheats(away, FakePool.Cheat.NEVER_CALLS, route, IFlashArbitrage.CallbackMissing.selector);
        _cheats(
            away, FakePool.Cheat.CALLS_TWICE, route, IFlashArbitrage.UnexpectedCallback.selector
        );
        _cheats(
            away, FakePool.Cheat.OTHER_WORDS, route, IFlashArbitrage.UnexpectedCallback.selector
        );
        _cheats(away, FakePool.Cheat.OTHER_KIND, route, IFlashArbitrage.UnexpectedCallback.selector);
        _cheats(away, FakePool.Cheat.BY_ANOTHER, route, IFlashArbitrage.UnexpectedCallback.selector);
        _cheats(away, FakePool.Cheat.ASKS_MORE, route, IFlashArbitrage.PartialFill.selector);
        _cheats(away, FakePool.Cheat.ASKS_LESS, route, IFlashArbitrage.PartialFill.selector);
        _cheats(away, FakePool.Cheat.GIVES_NOTHING, route, IFlashArbitrage.ProfitTooLow.selector);
        _honestlyEarns(route);
    }

    function test_pair_cannotCheatWhereItCallsBack() public {
        bytes memory route = bytes.concat(
            Build.firstHop(), Build.pair(address(away), address(other), 0), _homeByPair()
        );
        _cheats(away, FakePool.Cheat.NEVER_CALLS, route, IFlashArbitrage.CallbackMissing.selector);
        _cheats(
            away, FakePool.Cheat.CALLS_TWICE, route, IFlashArbitrage.UnexpectedCallback.selector
        );
        _cheats(
            away, FakePool.Cheat.OTHER_WORDS, route, IFlashArbitrage.UnexpectedCallback.selector
        );
        _cheats(away, FakePool.Cheat.OTHER_KIND, route, IFlashArbitrage.UnexpectedCallback.selector);
        _cheats(away, FakePool.Cheat.BY_ANOTHER, route, IFlashArbitrage.UnexpectedCallback.selector);
        _cheats(away, FakePool.Cheat.GIVES_NOTHING, route, IFlashArbitrage.ProfitTooLow.selector);
        _honestlyEarns(route);
    }

    function test_manager_cannotCheatWhereItCallsBack() public {
        bytes memory first = bytes.concat(
            Build.firstHop(), Build.v4(address(away), address(other), 500, 10, 0), _homeByPair()
        );
        _cheats(away, FakePool.Cheat.NEVER_CALLS, first, IFlashArbitrage.CallbackMissing.selector);
        _cheats(away, FakePool.Cheat.ASKS_LESS, first, IFlashArbitrage.PartialFill.selector);
        _cheats(away, FakePool.Cheat.ASKS_MORE, first, IFlashArbitrage.PartialFill.selector);
        _cheats(away, FakePool.Cheat.GIVES_NOTHING, first, IFlashArbitrage.ProfitTooLow.selector);
        _honestlyEarns(first);

        bytes memory later = bytes.concat(
            Build.own(),
            Build.v4(address(away), address(other), 500, 10, 0),
            Build.v4(address(home), address(0), 500, 10, 0)
        );
        _cheats(home, FakePool.Cheat.NEVER_CALLS, later, IFlashArbitrage.CallbackMissing.selector);
        _cheats(home, FakePool.Cheat.ASKS_LESS, later, IFlashArbitrage.PartialFill.selector);
        _cheats(home, FakePool.Cheat.GIVES_NOTHING, later, IFlashArbitrage.ProfitTooLow.selector);
        _honestlyEarns(later);
    }

    function test_laterPool_cannotCheatEither() public {
        bytes memory route = bytes.concat(
            Build.own(),
            Build.solidly(address(away), address(other)),
            Build.concentrated(address(home), address(0))
        );
        _cheats(home, FakePool.Cheat.NEVER_CALLS, route, IFlashArbitrage.CallbackMissing.selector);
        _cheats(
            home, FakePool.Cheat.CALLS_TWICE, route, IFlashArbitrage.UnexpectedCallback.selector
        );
        _cheats(
            home, FakePool.Cheat.OTHER_WORDS, route, IFlashArbitrage.UnexpectedCallback.selector
        );
        _cheats(home, FakePool.Cheat.ASKS_MORE, route, IFlashArbitrage.PartialFill.selector);
        _cheats(home, FakePool.Cheat.GIVES_NOTHING, route, IFlashArbitrage.ProfitTooLow.selector);
        _cheats(away, FakePool.Cheat.GIVES_NOTHING, route, IFlashArbitrage.ProfitTooLow.selector);
        _honestlyEarns(route);
    }

    // Lenders that cheat

    function test_lender_cannotCheat() public {
        FakePool lender = _pool(address(asset), address(asset), 100);
        bytes memory flash = _loan(Build.flash(address(lender), true, 0));
        _cheats(lender, FakePool.Cheat.ASKS_MORE, flash, IFlashArbitrage.LoanFeeTooHigh.selector);
        _cheats(lender, FakePool.Cheat.NEVER_CALLS, flash, IFlashArbitrage.CallbackMissing.selector);
        _cheats(
            lender, FakePool.Cheat.CALLS_TWICE, flash, IFlashArbitrage.UnexpectedCallback.selector
        );
        _cheats(
            lender, FakePool.Cheat.OTHER_WORDS, flash, IFlashArbitrage.UnexpectedCallback.selector
        );
        _cheats(
            lender, FakePool.Cheat.OTHER_KIND, flash, IFlashArbitrage.UnexpectedCallback.selector
        );
        _cheats(lender, FakePool.Cheat.GIVES_NOTHING, flash, IFlashArbitrage.ProfitTooLow.selector);

        bytes memory aave = _loan(Build.aave(address(lender), 0));
        _cheats(
            lender, FakePool.Cheat.BY_ANOTHER, aave, IFlashArbitrage.UnexpectedCallback.selector
        );
        _cheats(
            lender, FakePool.Cheat.TAKES_NO_ALLOWANCE, aave, IFlashArbitrage.AllowanceLeft.selector
        );

        bytes memory vault = _loan(Build.vault(address(lender), 0));
        _cheats(lender, FakePool.Cheat.NEVER_CALLS, vault, IFlashArbitrage.CallbackMissing.selector);
        _cheats(lender, FakePool.Cheat.GIVES_NOTHING, vault, IFlashArbitrage.ProfitTooLow.selector);

        bytes memory manager = _loan(Build.manager(address(lender)));
        _cheats(
            lender, FakePool.Cheat.NEVER_CALLS, manager, IFlashArbitrage.CallbackMissing.selector
        );
        _cheats(
            lender, FakePool.Cheat.GIVES_NOTHING, manager, IFlashArbitrage.ProfitTooLow.selector
        );

        bytes memory pair = _loan(Build.pairLoan(address(lender), true, 0));
        _cheats(lender, FakePool.Cheat.GIVES_NOTHING, pair, IFlashArbitrage.ProfitTooLow.selector);

        lender.set(FakePool.Cheat.NONE, 0, home);
        bytes[5] memory routes = [flash, aave, vault, manager, pair];
        for (uint256 i; i < routes.length; ++i) {
            _honestlyEarns(routes[i]);
        }
    }

    // Pools that are paid by allowance

    function test_bait_thatUsedItsAllowanceInEarlyRoundsKeepsNoneOfALaterOne() public {
        bytes memory route = bytes.concat(
            Build.own(),
            Build.curve(address(away), address(other), 0, 1, false),
            Build.curve(address(home), address(0), 1, 0, true)
        );
        away.set(FakePool.Cheat.TAKES_NO_ALLOWANCE, 3, home);
        for (uint256 round; round < 3; ++round) {
            _honestlyEarns(route);
        }

        _reverts(route, IFlashArbitrage.AllowanceLeft.selector);

        same(asset.allowance(address(bot), address(away)), 0, "an allowance is left");
        vm.expectRevert();
        away.takeLater(address(asset), address(bot), 1);
        _keepsItsCapital();
    }

    function test_wrapper_getsNoRealAllowanceForAFakeToken() public {
        // A route through a token of the attacker's, whose "wrapper" is allowed the real one and takes
        // nothing of it, while it gives enough for the route to gain.
        PlainToken fake = new PlainToken();
        FakePool wrapper = _pool(address(asset), address(fake), 100);
        FakePool out = _pool(address(fake), address(asset), 200);
        fake.transfer(address(wrapper), 1e24);
        wrapper.set(FakePool.Cheat.TAKES_NO_ALLOWANCE, 0, out);
        _reverts(
            bytes.concat(
                Build.own(),
                Build.curve(address(wrapper), address(fake), 0, 1, false),
                Build.curve(address(out), address(0), 1, 0, false)
            ),
            IFlashArbitrage.AllowanceLeft.selector
        );
        same(asset.allowance(address(bot), address(wrapper)), 0, "an allowance is left");
    }

    // HELPERS

    /// As InFlight packs them.
    function _words(InFlight.Debt memory debt) private pure returns (bytes memory) {
        return abi.encodePacked(debt.token, debt.received, debt.amount, debt.held, debt.terms);
    }

    function _pool(address tokenIn, address tokenOut, uint256 percent)
        private
        returns (FakePool made)
    {
        made = new FakePool(tokenIn, tokenOut, percent);
        asset.transfer(address(made), 1e24);
        other.transfer(address(made), 1e24);
    }

    function _homeByPair() private view returns (bytes memory) {
        return Build.solidly(address(home), address(0));
    }

    function _loan(bytes memory source) private view returns (bytes memory) {
        return bytes.concat(source, Build.solidly(address(away), address(other)), _homeByPair());
    }

    function _run(bytes memory source, bytes memory first, bytes memory second) private {
        vm.prank(EXECUTOR);
        bot.execute(
            address(asset), 1 ether, 1, block.timestamp, 0, bytes.concat(source, first, second)
        );
    }

    function _honestlyEarns(bytes memory route) private {
        uint256 before = asset.balanceOf(RECOVERY);
        _run(route, "", "");
        holds(asset.balanceOf(RECOVERY) > before, "no gain");
        _keepsItsCapital();
    }

    function _cheats(FakePool who, FakePool.Cheat how, bytes memory route, bytes4 why) private {
        who.set(how, 0, who == home ? away : home);
        _reverts(route, why);
        who.set(FakePool.Cheat.NONE, 0, home);
    }

    function _reverts(bytes memory route, bytes4 why) private {
        vm.expectPartialRevert(why);
        vm.prank(EXECUTOR);
        bot.execute(address(asset), 1 ether, 1, block.timestamp, 0, route);
        _keepsItsCapital();
    }

    function _keepsItsCapital() private view {
        same(asset.balanceOf(address(bot)), HELD, "capital");
        same(other.balanceOf(address(bot)), HELD, "other capital");
    }

    function _allRevert(address caller, bytes memory data, uint256 a, uint256 b) private {
        bytes[13] memory calls = [
            abi.encodeCall(FlashArbitrage.uniswapV2Call, (caller, a, b, data)),
            abi.encodeCall(FlashArbitrage.pancakeCall, (caller, a, b, data)),
            abi.encodeCall(FlashArbitrage.BiswapCall, (caller, a, b, data)),
            abi.encodeCall(FlashArbitrage.hook, (address(bot), a, b, data)),
            abi.encodeCall(FlashArbitrage.uniswapV3SwapCallback, (int256(a), int256(b), data)),
            abi.encodeCall(FlashArbitrage.pancakeV3SwapCallback, (int256(a), int256(b), data)),
            abi.encodeCall(FlashArbitrage.algebraSwapCallback, (int256(a), int256(b), data)),
            abi.encodeCall(FlashArbitrage.uniswapV3FlashCallback, (0, 0, data)),
            abi.encodeCall(FlashArbitrage.pancakeV3FlashCallback, (0, 0, data)),
            abi.encodeCall(FlashArbitrage.algebraFlashCallback, (0, 0, data)),
            abi.encodeCall(FlashArbitrage.executeOperation, (caller, a, 0, address(bot), data)),
            abi.encodeCall(
                FlashArbitrage.receiveFlashLoan,
                (new address[](1), new uint256[](1), new uint256[](1), data)
            ),
            abi.encodeCall(FlashArbitrage.unlockCallback, (data))
        ];
        for (uint256 i; i < calls.length; ++i) {
            vm.prank(caller);
            (bool ok, bytes memory said) = address(bot).call(calls[i]);
            holds(!ok, "a stranger was let in");
            same(uint32(bytes4(said)), uint32(IFlashArbitrage.UnexpectedCallback.selector), "error");
        }
        same(asset.balanceOf(address(bot)), HELD, "capital");
    }
}
