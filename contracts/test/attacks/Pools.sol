// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {FlashArbitrage} from "../../src/FlashArbitrage.sol";
import {PoolKey, SwapParams} from "../../src/interfaces/IProtocols.sol";

/// Gives one token for another at a fixed price, as each protocol would, and cheats as it is told.
/// It is a pool, a lender and a manager at once, so that each way into the contract can be tried.
contract FakePool {
    using SafeERC20 for IERC20;

    enum Cheat {
        NONE,
        NEVER_CALLS,
        CALLS_TWICE,
        OTHER_WORDS,
        OTHER_KIND,
        ASKS_MORE,
        ASKS_LESS,
        GIVES_NOTHING,
        BY_ANOTHER,
        TAKES_NO_ALLOWANCE
    }

    address public immutable TOKEN_IN;
    address public immutable TOKEN_OUT;
    FakePool public accomplice;
    uint256 public immutable PRICE_PERCENT;
    Cheat public cheat;
    uint256 public rounds;
    uint256 public honestRounds;

    constructor(address tokenIn, address tokenOut, uint256 pricePercent) {
        TOKEN_IN = tokenIn;
        TOKEN_OUT = tokenOut;
        PRICE_PERCENT = pricePercent;
    }

    function set(Cheat cheat_, uint256 honestRounds_, FakePool accomplice_) external {
        (cheat, honestRounds, accomplice) = (cheat_, honestRounds_, accomplice_);
    }

    // As a pair of Uniswap V2, and of Solidly

    function getReserves() external view returns (uint112, uint112, uint32) {
        uint112 much = 1e30;
        return TOKEN_IN < TOKEN_OUT
            ? (much, uint112(much * PRICE_PERCENT / 100), 0)
            : (uint112(much * PRICE_PERCENT / 100), much, 0);
    }

    function getAmountOut(uint256 amount, address) external view returns (uint256) {
        return amount * PRICE_PERCENT / 100;
    }

    function swap(uint256 out0, uint256 out1, address to, bytes calldata data) external {
        _give(to, out0 + out1);
        if (data.length > 0) {
            _call(data, abi.encodeCall(FlashArbitrage.hook, (to, out0, out1, data)), _hook);
        }
    }

    // As a concentrated pool

    function swap(address to, bool zeroForOne, int256 amount, uint160, bytes calldata data)
        external
        returns (int256, int256)
    {
        _give(to, uint256(amount) * PRICE_PERCENT / 100);
        if (cheat == Cheat.ASKS_MORE) amount += 1;
        if (cheat == Cheat.ASKS_LESS) amount -= 1;
        (int256 a0, int256 a1) = zeroForOne ? (amount, -amount) : (-amount, amount);
        _call(data, abi.encodeCall(FlashArbitrage.uniswapV3SwapCallback, (a0, a1, data)), _swapped);
        return (a0, a1);
    }

    // As lenders

    function flash(address to, uint256 a0, uint256 a1, bytes calldata data) external {
        _give(to, a0 + a1);
        uint256 fee = cheat == Cheat.ASKS_MORE ? 1 ether : 0;
        _call(data, abi.encodeCall(FlashArbitrage.uniswapV3FlashCallback, (fee, 0, data)), _flashed);
    }

    function flashLoanSimple(address to, address asset, uint256 amount, bytes calldata data, uint16)
        external
    {
        _give(to, amount);
        address initiator = cheat == Cheat.BY_ANOTHER ? address(this) : to;
        FlashArbitrage(payable(to)).executeOperation(asset, amount, 0, initiator, data);
        if (cheat != Cheat.TAKES_NO_ALLOWANCE) {
            IERC20(asset).transferFrom(to, address(this), amount);
        }
    }

    function flashLoan(
        address to,
        address[] calldata,
        uint256[] calldata amounts,
        bytes calldata data
    ) external {
        _give(to, amounts[0]);
        if (cheat != Cheat.NEVER_CALLS) {
            FlashArbitrage(payable(to))
                .receiveFlashLoan(new address[](1), amounts, new uint256[](1), data);
        }
    }

    function unlock(bytes calldata data) external returns (bytes memory) {
        if (cheat != Cheat.NEVER_CALLS) FlashArbitrage(payable(msg.sender)).unlockCallback(data);
        return "";
    }

    /// As the manager of Uniswap V4; the currencies of the key are not looked at.
    function swap(PoolKey calldata, SwapParams calldata params, bytes calldata)
        external
        view
        returns (int256)
    {
        int256 amount = params.amountSpecified;
        int256 out = -amount * int256(PRICE_PERCENT) / 100;
        if (cheat == Cheat.ASKS_LESS) amount += 1;
        if (cheat == Cheat.ASKS_MORE) amount -= 1;
        (int256 first, int256 second) = params.zeroForOne ? (amount, out) : (out, amount);
        return first << 128 | int256(uint256(uint128(int128(second))));
    }

    function take(address token, address to, uint256 amount) external {
        if (cheat != Cheat.GIVES_NOTHING) IERC20(token).transfer(to, amount);
    }

    function sync(address) external {}

    function settle() external payable returns (uint256) {
        return 0;
    }

    // As pools that are paid by allowance

    function exchange(int128, int128, uint256 amount, uint256) external {
        _exchange(amount);
    }

    function exchange(uint256, uint256, uint256 amount, uint256) external {
        _exchange(amount);
    }

    /// Takes what it was allowed to take, whenever it likes.
    function takeLater(address token, address from, uint256 amount) external {
        IERC20(token).transferFrom(from, address(this), amount);
    }

    function callFor(address bot, bytes calldata words) external {
        _must(bot, words);
    }

    function _exchange(uint256 amount) private {
        rounds += 1;
        if (rounds <= honestRounds || cheat != Cheat.TAKES_NO_ALLOWANCE) {
            IERC20(TOKEN_IN).safeTransferFrom(msg.sender, address(this), amount);
        }
        _give(msg.sender, amount * PRICE_PERCENT / 100);
    }

    function _give(address to, uint256 amount) private {
        if (cheat != Cheat.GIVES_NOTHING) IERC20(TOKEN_OUT).safeTransfer(to, amount);
    }

    function _call(
        bytes calldata data,
        bytes memory honest,
        function(bytes memory) pure returns (bytes memory) make
    ) private {
        if (cheat == Cheat.NEVER_CALLS) return;
        if (cheat == Cheat.BY_ANOTHER) return accomplice.callFor(msg.sender, honest);
        if (cheat == Cheat.OTHER_KIND) {
            return _must(msg.sender, abi.encodeCall(FlashArbitrage.unlockCallback, (data)));
        }
        if (cheat == Cheat.OTHER_WORDS) {
            bytes memory other = data;
            // Another amount than what is owed.
            other[32 + 31] = bytes1(uint8(other[32 + 31]) ^ 1);
            return _must(msg.sender, make(other));
        }
        _must(msg.sender, honest);
        if (cheat == Cheat.CALLS_TWICE) _must(msg.sender, honest);
    }

    function _hook(bytes memory data) private pure returns (bytes memory) {
        return abi.encodeCall(FlashArbitrage.hook, (address(0), 0, 0, data));
    }

    function _swapped(bytes memory data) private pure returns (bytes memory) {
        return abi.encodeCall(FlashArbitrage.uniswapV3SwapCallback, (1, 0, data));
    }

    function _flashed(bytes memory data) private pure returns (bytes memory) {
        return abi.encodeCall(FlashArbitrage.uniswapV3FlashCallback, (0, 0, data));
    }

    function _must(address bot, bytes memory words) private {
        (bool ok, bytes memory said) = bot.call(words);
        if (ok) return;
        assembly {
            revert(add(said, 32), mload(said))
        }
    }
}
