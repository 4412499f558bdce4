// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.30;

import {IRoles} from "./IRoles.sol";

/// @title A contract that trades along a route in one transaction, or not at all
/// @notice It trusts no pool, lender or token, and no executor with more than the gain of a route: what
/// it held before a transaction it holds afterwards, and what a route gains goes to one address. An
/// executor may trade a token of its own through it, and of nobody else's.
interface IFlashArbitrage is IRoles {
    error Reentered();
    error NotRunning(address sender);
    error Expired(uint256 deadline, uint256 now_);
    error WrongChain(uint256 wanted, uint256 actual);
    error ProfitTooLow(address asset, uint256 kept, uint256 profitMin);
    error SameToken(address token);
    error OutTooLow(address token, uint256 out, uint256 outMin);
    error HoldsLess(address token, uint256 holds, uint256 held);
    error TipTooHigh(uint256 tipBps);
    error NotTheCoin(address token);
    error RouteTooShort(uint256 length, uint256 needed);
    error RouteOpen(address token, address asset);
    error UnknownSource(uint256 source);
    error UnknownHop(uint256 kind);
    error GivesNotFirst(uint256 kind);
    error UnexpectedCallback(address sender);
    error CallbackMissing(address expected);
    error PartialFill(address pool, uint256 taken, uint256 offered);
    error LoanFeeTooHigh(address lender, uint256 fee, uint256 feeMax);
    error AllowanceLeft(address token, address spender, uint256 left);
    error ZeroAddress();

    event Withdrawn(address indexed token, uint256 amount);
    event Revoked(address indexed token, address indexed spender);

    /// @notice The chain's wrapped coin, in which a builder's tip is earned.
    function WRAPPED() external view returns (address);

    /// @notice Where every gain and everything that is withdrawn goes; it cannot be changed.
    function RECOVERY() external view returns (address);

    /// @notice Trades along a route that starts and ends in one token, and keeps the gain.
    /// @dev Gains are measured by this contract's balance of `asset`, after what was borrowed is
    /// repaid. It reverts as a whole if anything is not as the route says.
    /// @param asset token that the route starts and ends in
    /// @param amount what the first hop gives, in raw units
    /// @param profitMin the least that the recovery address gets, in raw units of `asset`
    /// @param deadline the last second (Unix time) in which a block may hold this
    /// @param tipBps share of the gain, in 1/10,000, that the block's builder gets in the coin; only if
    /// `asset` is the wrapped coin
    /// @param route chain, source of the amount, and hops, packed as docs/contract.md says
    /// @return gain what the route gained, in raw units of `asset`
    /// @return tip the part of it that the builder got
    function execute(
        address asset,
        uint256 amount,
        uint256 profitMin,
        uint256 deadline,
        uint256 tipBps,
        bytes calldata route
    ) external returns (uint256 gain, uint256 tip);

    /// @notice Trades a token of the caller's for another one, which the caller gets.
    /// @dev The caller has allowed this contract to take exactly `amountIn`: an allowance of which
    /// anything is left afterwards undoes it. What is traded is what is measured to have come. Nobody else's
    /// allowance is touched, and of neither token less is held afterwards than before.
    /// @param tokenIn token that the route starts in
    /// @param amountIn what is taken of the caller, in raw units
    /// @param tokenOut token that the route ends in; another one
    /// @param amountOutMin the least that the caller gets, in raw units of `tokenOut`
    /// @param deadline the last second (Unix time) in which a block may hold this
    /// @param route chain and hops, packed as docs/contract.md says
    /// @return amountOut by what the caller's balance of `tokenOut` grew
    function swap(
        address tokenIn,
        uint256 amountIn,
        address tokenOut,
        uint256 amountOutMin,
        uint256 deadline,
        bytes calldata route
    ) external returns (uint256 amountOut);

    /// @notice Sends all that this contract holds of a token, or of the coin if zero, to the recovery
    /// address. Any guardian may, and the owner, also while it is paused.
    function withdraw(address token) external;

    /// @notice Takes back whatever a spender may take of a token. Routes leave nothing to revoke; this is
    /// for a token that lies about it.
    function revoke(address token, address spender) external;
}
