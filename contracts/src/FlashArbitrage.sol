// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {Roles} from "./Roles.sol";
import {Swaps} from "./Swaps.sol";
import {IFlashArbitrage} from "./interfaces/IFlashArbitrage.sol";
import {
    IAavePool,
    IConcentratedPool,
    IPair,
    IVault,
    IWrappedCoin
} from "./interfaces/IProtocols.sol";
import {Route} from "./libraries/Route.sol";

/// @title See IFlashArbitrage
/// @dev Deployed by itself this is all there is; behind a proxy it is UpgradeableFlashArbitrage.
contract FlashArbitrage is Roles, Swaps {
    using Route for bytes;
    using SafeERC20 for IERC20;

    // CONSTANTS

    uint256 private constant BPS = 10_000;

    /// @inheritdoc IFlashArbitrage
    address public immutable RECOVERY;

    // STORAGE

    bool private transient _isRunning;

    // CONSTRUCTOR

    constructor(address wrapped, address recovery, address owner_) Swaps(wrapped) {
        if (recovery == address(0)) revert ZeroAddress();
        RECOVERY = recovery;
        _setOwner(owner_);
    }

    /// @dev Takes the coin only from a route under way: unwrapped, or out of a pool.
    receive() external payable {
        if (!_isRunning) revert NotRunning(msg.sender);
    }

    // EXECUTION

    // Whoever is called meanwhile gets in by the one awaited callback alone; this function is shut.
    // slither-disable-start reentrancy-eth,reentrancy-balance
    /// @inheritdoc IFlashArbitrage
    function execute(
        address asset,
        uint256 amount,
        uint256 profitMin,
        uint256 deadline,
        uint256 tipBps,
        bytes calldata route
    ) external onlyExecutor returns (uint256 gain, uint256 tip) {
        if (_isRunning) revert Reentered();
        if (block.timestamp > deadline) revert Expired(deadline, block.timestamp);
        if (tipBps > BPS) revert TipTooHigh(tipBps);
        _isRunning = true;
        uint256 held = _balanceOf(asset);
        _borrowAndRun(asset, amount, held, route);
        uint256 holds = _balanceOf(asset);
        gain = holds > held ? holds - held : 0;
        if (tipBps > 0) tip = gain * tipBps / BPS;
        uint256 kept = gain - tip;
        if (holds < held || kept < profitMin) revert ProfitTooLow(asset, kept, profitMin);
        if (tip > 0) {
            if (asset != WRAPPED) revert NotTheCoin(asset);
            IWrappedCoin(WRAPPED).withdraw(tip);
            Address.sendValue(block.coinbase, tip);
        }
        if (kept > 0) IERC20(asset).safeTransfer(RECOVERY, kept);
        _isRunning = false;
    }

    /// @inheritdoc IFlashArbitrage
    function swap(
        address tokenIn,
        uint256 amountIn,
        address tokenOut,
        uint256 amountOutMin,
        uint256 deadline,
        bytes calldata route
    ) external onlyExecutor returns (uint256 amountOut) {
        if (_isRunning) revert Reentered();
        if (block.timestamp > deadline) revert Expired(deadline, block.timestamp);
        if (tokenIn == tokenOut) revert SameToken(tokenIn);
        _isRunning = true;
        uint256 held = _balanceOf(tokenOut);
        _takeAndRun(tokenIn, amountIn, tokenOut, route);
        amountOut = _give(tokenOut, _balanceOf(tokenOut) - held);
        if (amountOut < amountOutMin) revert OutTooLow(tokenOut, amountOut, amountOutMin);
        _mustHold(tokenOut, held);
        _isRunning = false;
    }

    // slither-disable-end reentrancy-eth,reentrancy-balance

    // CALLBACKS: each is let in only by _taken, from the pool in flight and once

    /// @dev Uniswap V2, SushiSwap, QuickSwap, Camelot.
    function uniswapV2Call(address, uint256, uint256, bytes calldata data) external {
        _onPair(data);
    }

    /// @dev PancakeSwap V2.
    function pancakeCall(address, uint256, uint256, bytes calldata data) external {
        _onPair(data);
    }

    /// @dev Biswap.
    function BiswapCall(address, uint256, uint256, bytes calldata data) external {
        _onPair(data);
    }

    /// @dev Solidly, Aerodrome, Velodrome, Thena V1.
    function hook(address, uint256, uint256, bytes calldata data) external {
        _onPair(data);
    }

    /// @dev Uniswap V3, SushiSwap V3, Slipstream.
    function uniswapV3SwapCallback(int256 amount0, int256 amount1, bytes calldata data) external {
        _onSwap(amount0, amount1, data);
    }

    /// @dev PancakeSwap V3.
    function pancakeV3SwapCallback(int256 amount0, int256 amount1, bytes calldata data) external {
        _onSwap(amount0, amount1, data);
    }

    /// @dev Algebra: QuickSwap V3, Camelot V3, Thena Fusion.
    function algebraSwapCallback(int256 amount0, int256 amount1, bytes calldata data) external {
        _onSwap(amount0, amount1, data);
    }

    /// @dev Uniswap V3, SushiSwap V3, Slipstream.
    function uniswapV3FlashCallback(uint256 fee0, uint256 fee1, bytes calldata data) external {
        _onFlash(fee0 + fee1, data);
    }

    /// @dev PancakeSwap V3.
    function pancakeV3FlashCallback(uint256 fee0, uint256 fee1, bytes calldata data) external {
        _onFlash(fee0 + fee1, data);
    }

    /// @dev Algebra.
    function algebraFlashCallback(uint256 fee0, uint256 fee1, bytes calldata data) external {
        _onFlash(fee0 + fee1, data);
    }

    /// @dev Aave V3.
    function executeOperation(
        address,
        uint256,
        uint256 premium,
        address initiator,
        bytes calldata params
    ) external returns (bool) {
        if (initiator != address(this)) revert UnexpectedCallback(msg.sender);
        (Debt memory debt, bytes calldata rest) = _taken(Callback.AAVE, params);
        uint256 owed = _runOnLoan(debt, rest, premium);
        IERC20(debt.token).forceApprove(msg.sender, owed);
        return true;
    }

    /// @dev Balancer V2.
    function receiveFlashLoan(
        address[] calldata,
        uint256[] calldata,
        uint256[] calldata fees,
        bytes calldata data
    ) external {
        (Debt memory debt, bytes calldata rest) = _taken(Callback.VAULT, data);
        IERC20(debt.token).safeTransfer(msg.sender, _runOnLoan(debt, rest, fees[0]));
    }

    /// @dev Uniswap V4.
    function unlockCallback(bytes calldata data) external returns (bytes memory) {
        (Debt memory debt, bytes calldata rest) = _taken(Callback.UNLOCK, data);
        _onUnlocked(debt, rest);
        return "";
    }

    // OWNER AND GUARDIANS

    /// @inheritdoc IFlashArbitrage
    function withdraw(address token) external onlyGuardian {
        uint256 amount = token == address(0) ? address(this).balance : _balanceOf(token);
        if (token == address(0)) Address.sendValue(payable(RECOVERY), amount);
        else IERC20(token).safeTransfer(RECOVERY, amount);
        emit Withdrawn(token, amount);
    }

    /// @inheritdoc IFlashArbitrage
    function revoke(address token, address spender) external onlyGuardian {
        IERC20(token).forceApprove(spender, 0);
        emit Revoked(token, spender);
    }

    // INTERNAL

    function _borrowAndRun(address asset, uint256 amount, uint256 held, bytes calldata route)
        private
    {
        (Route.Start memory start, bytes calldata hops) = route.start();
        if (start.chainId != block.chainid) revert WrongChain(start.chainId, block.chainid);
        if (start.source == Route.Source.OWN) return _run(hops, asset, asset, amount);
        if (start.source == Route.Source.FIRST_HOP) return _runOnCredit(hops, asset, amount);
        Debt memory debt = Debt(asset, amount, asset, held, start.fee);
        address lender = start.lender;
        if (start.source == Route.Source.AAVE_V3) {
            bytes memory data = _await(lender, Callback.AAVE, debt, hops);
            IAavePool(lender).flashLoanSimple(address(this), asset, amount, data, 0);
            _mustBeUsedUp(asset, address(this), lender);
        } else if (start.source == Route.Source.BALANCER_V2) {
            _borrowFromVault(lender, debt, hops);
        } else if (start.source == Route.Source.UNISWAP_V4) {
            _unlock(lender, debt, hops);
        } else {
            (uint256 out0, uint256 out1) =
                start.isToken0 ? (amount, uint256(0)) : (uint256(0), amount);
            if (start.source == Route.Source.UNISWAP_V3) {
                bytes memory data = _await(lender, Callback.FLASH, debt, hops);
                IConcentratedPool(lender).flash(address(this), out0, out1, data);
            } else {
                debt.amount = amount + start.fee;
                bytes memory data = _await(lender, Callback.PAIR, debt, hops);
                IPair(lender).swap(out0, out1, address(this), data);
            }
        }
        _mustHaveCome(lender);
    }

    /// @dev Takes a token of the caller, all that it was allowed to take, and trades what came.
    function _takeAndRun(address token, uint256 amount, address home, bytes calldata route)
        private
    {
        (uint256 chainId, bytes calldata hops) = route.chain();
        if (chainId != block.chainid) revert WrongChain(chainId, block.chainid);
        uint256 held = _balanceOf(token);
        IERC20(token).safeTransferFrom(msg.sender, address(this), amount);
        _mustBeUsedUp(token, msg.sender, address(this));
        _run(hops, home, token, _balanceOf(token) - held);
        _mustHold(token, held);
    }

    /// @dev Gives the caller of a token; returns what it is measured to have got.
    function _give(address token, uint256 amount) private returns (uint256) {
        uint256 had = IERC20(token).balanceOf(msg.sender);
        IERC20(token).safeTransfer(msg.sender, amount);
        return IERC20(token).balanceOf(msg.sender) - had;
    }

    function _mustHold(address token, uint256 held) private view {
        uint256 holds = _balanceOf(token);
        if (holds < held) revert HoldsLess(token, holds, held);
    }

    function _borrowFromVault(address vault, Debt memory debt, bytes calldata hops) private {
        address[] memory tokens = new address[](1);
        uint256[] memory amounts = new uint256[](1);
        (tokens[0], amounts[0]) = (debt.token, debt.amount);
        bytes memory data = _await(vault, Callback.VAULT, debt, hops);
        IVault(vault).flashLoan(address(this), tokens, amounts, data);
    }

    /// @dev Runs a route on what was lent; returns what is to be paid back.
    function _runOnLoan(Debt memory debt, bytes calldata rest, uint256 fee)
        private
        returns (uint256)
    {
        if (fee > debt.terms) revert LoanFeeTooHigh(msg.sender, fee, debt.terms);
        _run(rest, debt.token, debt.token, debt.amount);
        return debt.amount + fee;
    }

    /// @dev A pair that gave first, or lent.
    function _onPair(bytes calldata data) private {
        (Debt memory debt, bytes calldata rest) = _taken(Callback.PAIR, data);
        _run(rest, debt.token, debt.received, _balanceOf(debt.received) - debt.held);
        IERC20(debt.token).safeTransfer(msg.sender, debt.amount);
    }

    /// @dev A concentrated pool that gave.
    function _onSwap(int256 amount0, int256 amount1, bytes calldata data) private {
        (Debt memory debt, bytes calldata rest) = _taken(Callback.SWAP, data);
        uint256 taken = uint256(amount0 > 0 ? amount0 : amount1);
        if (taken != debt.amount) revert PartialFill(msg.sender, taken, debt.amount);
        if (rest.length > 0) {
            _run(rest, debt.token, debt.received, _balanceOf(debt.received) - debt.held);
        }
        IERC20(debt.token).safeTransfer(msg.sender, debt.amount);
    }

    /// @dev A concentrated pool that lent.
    function _onFlash(uint256 fee, bytes calldata data) private {
        (Debt memory debt, bytes calldata rest) = _taken(Callback.FLASH, data);
        IERC20(debt.token).safeTransfer(msg.sender, _runOnLoan(debt, rest, fee));
    }
}
