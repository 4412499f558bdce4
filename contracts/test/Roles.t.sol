// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {FlashArbitrage} from "../src/FlashArbitrage.sol";
import {IFlashArbitrage} from "../src/interfaces/IFlashArbitrage.sol";
import {IRoles} from "../src/interfaces/IRoles.sol";
import {Deploy} from "./support/Deploy.sol";
import {PlainToken} from "./support/Tokens.sol";

contract RolesTest is Deploy {
    address private constant OWNER = address(0xA11CE);
    address private constant NEXT = address(0xB0B);
    address private constant GUARDIAN = address(0x60A4D);
    address private constant EXECUTOR = address(0xE0EC);
    address private constant RECOVERY = address(0x4EC0);
    FlashArbitrage private bot;
    PlainToken private token;

    function setUp() public {
        token = new PlainToken();
        bot = makeFlashArbitrage(address(token), RECOVERY, OWNER);
        vm.prank(OWNER);
        bot.setGuardian(GUARDIAN, true);
        vm.prank(OWNER);
        bot.setExecutor(EXECUTOR, true);
    }

    function test_constructor_revertsIfAnAddressIsMissing() public {
        vm.expectPartialRevert(IFlashArbitrage.ZeroAddress.selector);
        makeFlashArbitrage(address(0), RECOVERY, OWNER);
        vm.expectPartialRevert(IFlashArbitrage.ZeroAddress.selector);
        makeFlashArbitrage(address(token), address(0), OWNER);
    }

    function testFuzz_ownersActs_revertIfByAnybodyElse(address caller) public {
        vm.assume(caller != OWNER);
        bytes[4] memory calls = [
            abi.encodeCall(IRoles.transferOwnership, (caller)),
            abi.encodeCall(IRoles.setExecutor, (caller, true)),
            abi.encodeCall(IRoles.setGuardian, (caller, true)),
            abi.encodeCall(IRoles.unpause, ())
        ];
        for (uint256 i; i < calls.length; ++i) {
            vm.prank(caller);
            (bool ok, bytes memory said) = address(bot).call(calls[i]);
            holds(!ok, "somebody else acted");
            same(
                uint256(keccak256(said)),
                uint256(keccak256(abi.encodeWithSelector(IRoles.NotOwner.selector, caller))),
                "another error"
            );
        }
    }

    function testFuzz_guardiansActs_revertIfByAnybodyElse(address caller) public {
        vm.assume(caller != OWNER && caller != GUARDIAN);
        bytes[3] memory calls = [
            abi.encodeCall(IRoles.pause, ()),
            abi.encodeCall(IFlashArbitrage.withdraw, (address(token))),
            abi.encodeCall(IFlashArbitrage.revoke, (address(token), caller))
        ];
        for (uint256 i; i < calls.length; ++i) {
            vm.prank(caller);
            (bool ok, bytes memory said) = address(bot).call(calls[i]);
            holds(!ok, "somebody else acted");
            same(
                uint256(keccak256(said)),
                uint256(keccak256(abi.encodeWithSelector(IRoles.NotGuardian.selector, caller))),
                "another error"
            );
        }
    }

    function test_acceptOwnership_movesItInTwoSteps() public {
        vm.prank(OWNER);
        bot.transferOwnership(NEXT);
        same(bot.owner(), OWNER, "owner until it is accepted");
        same(bot.pendingOwner(), NEXT, "proposed");

        vm.prank(NEXT);
        bot.acceptOwnership();

        same(bot.owner(), NEXT, "owner");
        same(bot.pendingOwner(), address(0), "nobody is proposed");
        vm.expectRevert(abi.encodeWithSelector(IRoles.NotOwner.selector, OWNER));
        vm.prank(OWNER);
        bot.unpause();
    }

    function testFuzz_acceptOwnership_revertsIfNotProposed(address caller) public {
        vm.assume(caller != NEXT);
        vm.prank(OWNER);
        bot.transferOwnership(NEXT);
        vm.expectRevert(abi.encodeWithSelector(IRoles.NotPendingOwner.selector, caller));
        vm.prank(caller);
        bot.acceptOwnership();
    }

    function test_acceptOwnership_revertsIfTakenBack() public {
        vm.prank(OWNER);
        bot.transferOwnership(NEXT);
        vm.prank(OWNER);
        bot.transferOwnership(address(0));
        vm.expectRevert(abi.encodeWithSelector(IRoles.NotPendingOwner.selector, NEXT));
        vm.prank(NEXT);
        bot.acceptOwnership();
    }

    function test_setExecutor_takesTheRightAway() public {
        vm.prank(OWNER);
        bot.setExecutor(EXECUTOR, false);
        vm.expectRevert(abi.encodeWithSelector(IRoles.NotExecutor.selector, EXECUTOR));
        vm.prank(EXECUTOR);
        bot.execute(address(token), 1, 0, block.timestamp, 0, "");
    }

    /// The one appointed last is known by another slot than the others.
    function test_setExecutor_whoeverWasAppointedLast() public {
        vm.prank(OWNER);
        bot.setExecutor(NEXT, true);
        _mayExecute(EXECUTOR);
        _mayExecute(NEXT);

        vm.prank(OWNER);
        bot.setExecutor(EXECUTOR, false);
        _mayNotExecute(EXECUTOR);
        _mayExecute(NEXT);

        vm.prank(OWNER);
        bot.setExecutor(NEXT, false);
        _mayNotExecute(EXECUTOR);
        _mayNotExecute(NEXT);

        vm.prank(OWNER);
        bot.setExecutor(EXECUTOR, true);
        _mayExecute(EXECUTOR);
        _mayNotExecute(NEXT);
    }

    function _mayExecute(address who) private {
        holds(bot.isExecutor(who), "it is no executor");
        vm.expectPartialRevert(IFlashArbitrage.RouteTooShort.selector);
        vm.prank(who);
        bot.execute(address(token), 1, 0, block.timestamp, 0, "");
    }

    function _mayNotExecute(address who) private {
        holds(!bot.isExecutor(who), "it is an executor");
        vm.expectRevert(abi.encodeWithSelector(IRoles.NotExecutor.selector, who));
        vm.prank(who);
        bot.execute(address(token), 1, 0, block.timestamp, 0, "");
    }

    function test_setGuardian_takesTheRightAway() public {
        vm.prank(OWNER);
        bot.setGuardian(GUARDIAN, false);
        vm.expectRevert(abi.encodeWithSelector(IRoles.NotGuardian.selector, GUARDIAN));
        vm.prank(GUARDIAN);
        bot.pause();
    }

    function test_pause_byAnyGuardianEndsByTheOwnerAlone() public {
        vm.prank(GUARDIAN);
        bot.pause();
        holds(bot.isPaused(), "it is not paused");
        vm.expectRevert(abi.encodeWithSelector(IRoles.NotOwner.selector, GUARDIAN));
        vm.prank(GUARDIAN);
        bot.unpause();
        vm.prank(OWNER);
        bot.unpause();
        holds(!bot.isPaused(), "it is paused");
        vm.prank(OWNER);
        bot.pause();
        holds(bot.isPaused(), "the owner cannot pause");
    }

    function testFuzz_withdraw_sendsAllToTheRecoveryAddress(uint256 amount, uint256 coins) public {
        amount = bound(amount, 0, 1e27);
        token.transfer(address(bot), amount);
        vm.deal(address(bot), coins);
        vm.prank(GUARDIAN);
        bot.pause();

        vm.prank(GUARDIAN);
        bot.withdraw(address(token));
        vm.prank(OWNER);
        bot.withdraw(address(0));

        same(token.balanceOf(RECOVERY), amount, "tokens");
        same(RECOVERY.balance, coins, "coins");
        same(token.balanceOf(address(bot)) + address(bot).balance, 0, "left");
    }

    function test_revoke_takesAnAllowanceBack() public {
        vm.prank(address(bot));
        token.approve(address(7), 5);
        vm.prank(GUARDIAN);
        bot.revoke(address(token), address(7));
        same(token.allowance(address(bot), address(7)), 0, "allowance");
    }
}
