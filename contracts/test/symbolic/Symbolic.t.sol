// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.30;

import {FlashArbitrage} from "../../src/FlashArbitrage.sol";
import {IFlashArbitrage} from "../../src/interfaces/IFlashArbitrage.sol";
import {Build} from "../support/Build.sol";
import {Check} from "../support/Check.sol";
import {PlainToken} from "../support/Tokens.sol";

/// Gives what it was told, whatever it takes.
contract AnyPool {
    PlainToken public immutable TOKEN_IN;
    PlainToken public immutable TOKEN_OUT;
    uint256 public gives;

    constructor(PlainToken tokenIn, PlainToken tokenOut) {
        (TOKEN_IN, TOKEN_OUT) = (tokenIn, tokenOut);
    }

    function set(uint256 amount) external {
        gives = amount;
    }

    function exchange(int128, int128, uint256 amount, uint256) external {
        _exchange(amount);
    }

    function exchange(uint256, uint256, uint256 amount, uint256) external {
        _exchange(amount);
    }

    function _exchange(uint256 amount) private {
        TOKEN_IN.transferFrom(msg.sender, address(this), amount);
        TOKEN_OUT.transfer(msg.sender, gives);
    }
}

contract WrappedToken is PlainToken {
    function withdraw(uint256 amount) external {
        balances[msg.sender] -= amount;
        (bool ok,) = msg.sender.call{value: amount}("");
        require(ok);
    }

    receive() external payable {}
}

/// For all amounts at once (halmos): `make contracts PARTS=halmos`.
contract SymbolicTest is Check {
    address private constant EXECUTOR = address(0xE0EC);
    address private constant RECOVERY = address(0x4EC0);
    WrappedToken private asset;
    PlainToken private other;
    FlashArbitrage private bot;
    AnyPool private away;
    AnyPool private home;

    function setUp() public {
        asset = new WrappedToken();
        other = new PlainToken();
        bot = new FlashArbitrage(address(asset), RECOVERY, address(this));
        bot.setExecutor(EXECUTOR, true);
        away = new AnyPool(asset, other);
        home = new AnyPool(other, asset);
        asset.transfer(address(home), 1e29);
        other.transfer(address(away), 1e29);
        vm.deal(address(asset), 1e30);
    }

    /// 1, 4 and 5 of Invariants.md
    function check_execute_keepsWhatItHeldAndPaysTheMinimum(
        uint96 held,
        uint96 amount,
        uint96 middle,
        uint96 out,
        uint256 profitMin
    ) public {
        _check(held, amount, middle, out, profitMin, 0);
    }

    /// The same with a share for the builder.
    function check_execute_paysTheMinimumAfterTheTip(uint96 out, uint256 profitMin, uint256 tipBps)
        public
    {
        _check(10 ether, 1 ether, 1 ether, out, profitMin, tipBps);
    }

    /// 6 of Invariants.md: with nothing in flight no callback does anything, whoever calls with whatever.
    function check_callbacks_revertWithNothingInFlight(
        address caller,
        uint256 a,
        uint256 b,
        uint8 which,
        bytes32[6] calldata words
    ) public {
        asset.transfer(address(bot), 1 ether);
        bytes memory data = abi.encode(words);
        vm.prank(caller);
        (bool ok,) = address(bot).call(_call(caller, a, b, which, data));
        assert(!ok);
        assert(asset.balanceOf(address(bot)) == 1 ether);
    }

    /// 9 and 11 of Invariants.md: nobody but who may does anything that changes something.
    function check_strangers_changeNothing(address caller, address to, bool may, uint8 which)
        public
    {
        vm.assume(caller != address(this) && caller != EXECUTOR);
        asset.transfer(address(bot), 1 ether);
        bytes memory words;
        if (which == 0) {
            words = abi.encodeCall(bot.setExecutor, (to, may));
        } else if (which == 1) {
            words = abi.encodeCall(bot.setGuardian, (to, may));
        } else if (which == 2) {
            words = abi.encodeCall(bot.transferOwnership, (to));
        } else if (which == 3) {
            words = abi.encodeCall(bot.pause, ());
        } else if (which == 4) {
            words = abi.encodeCall(bot.unpause, ());
        } else if (which == 5) {
            words = abi.encodeCall(bot.withdraw, (to));
        } else if (which == 6) {
            words = abi.encodeCall(bot.revoke, (to, to));
        } else if (which == 7) {
            words = abi.encodeCall(
                bot.swap, (address(asset), 1, address(other), 0, block.timestamp, Build.chain())
            );
        } else {
            words = abi.encodeCall(
                bot.execute, (address(asset), 1, 0, block.timestamp, 0, Build.own())
            );
        }
        vm.prank(caller);
        (bool ok,) = address(bot).call(words);
        assert(!ok);
    }

    function _check(
        uint256 held,
        uint256 amount,
        uint256 middle,
        uint256 out,
        uint256 profitMin,
        uint256 tipBps
    ) private {
        asset.transfer(address(bot), held);
        away.set(middle);
        home.set(out);
        bytes memory route = bytes.concat(
            Build.own(),
            Build.curve(address(away), address(other), 0, 1, false),
            Build.curve(address(home), address(0), 1, 0, false)
        );
        vm.prank(EXECUTOR);
        (bool ok,) = address(bot)
            .call(
                abi.encodeCall(
                    IFlashArbitrage.execute,
                    (address(asset), amount, profitMin, block.timestamp, tipBps, route)
                )
            );
        uint256 kept = asset.balanceOf(RECOVERY);
        if (ok) {
            assert(out >= amount);
            assert(kept >= profitMin);
            assert(kept + block.coinbase.balance >= out - amount);
        } else {
            assert(kept == 0);
        }
        assert(asset.balanceOf(address(bot)) == held);
        assert(other.balanceOf(address(bot)) == 0);
    }

    function _call(address caller, uint256 a, uint256 b, uint8 which, bytes memory data)
        private
        view
        returns (bytes memory)
    {
        if (which == 0) return abi.encodeCall(bot.uniswapV2Call, (caller, a, b, data));
        if (which == 1) return abi.encodeCall(bot.pancakeCall, (caller, a, b, data));
        if (which == 2) return abi.encodeCall(bot.BiswapCall, (caller, a, b, data));
        if (which == 3) return abi.encodeCall(bot.hook, (caller, a, b, data));
        if (which == 4) {
            return abi.encodeCall(bot.uniswapV3SwapCallback, (int256(a), int256(b), data));
        }
        if (which == 5) {
            return abi.encodeCall(bot.pancakeV3SwapCallback, (int256(a), int256(b), data));
        }
        if (which == 6) {
            return abi.encodeCall(bot.algebraSwapCallback, (int256(a), int256(b), data));
        }
        if (which == 7) return abi.encodeCall(bot.uniswapV3FlashCallback, (a, b, data));
        if (which == 8) return abi.encodeCall(bot.pancakeV3FlashCallback, (a, b, data));
        if (which == 9) return abi.encodeCall(bot.algebraFlashCallback, (a, b, data));
        if (which == 10) {
            return abi.encodeCall(bot.executeOperation, (caller, a, b, address(bot), data));
        }
        if (which == 11) {
            return abi.encodeCall(
                bot.receiveFlashLoan, (new address[](1), new uint256[](1), new uint256[](1), data)
            );
        }
        return abi.encodeCall(bot.unlockCallback, (data));
    }
}
