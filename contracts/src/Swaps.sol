// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {InFlight} from "./InFlight.sol";
import {
    IConcentratedPool,
    ICurveCryptoPool,
    ICurvePool,
    IPair,
    IPoolManager,
    IQuotingPair,
    IVault,
    IWrappedCoin,
    PoolKey,
    SwapParams
} from "./interfaces/IProtocols.sol";
import {Route} from "./libraries/Route.sol";

/// @title A swap at each kind of pool
/// @dev A hop spends exactly what the one before is measured to have given, so nothing that was here before
/// can be spent, whatever a pool says. Tokens are in the order of their addresses in every pool whose
/// swap has a direction.
abstract contract Swaps is InFlight {
    using Route for bytes;
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    // CONSTANTS

    uint256 private constant PIPS = 1_000_000;
    /// The last prices that a concentrated pool can reach, one short of its own bounds.
    uint160 private constant SQRT_PRICE_LEAST_X96 = 4_295_128_740;
    uint160 private constant SQRT_PRICE_MOST_X96 =
        1_461_446_703_485_210_103_287_273_052_203_988_822_378_723_970_341;
    uint8 private constant GIVEN_IN = 0;

    address public immutable override WRAPPED;

    // STORAGE

    /// The manager of Uniswap V4 that is open for this contract; zero if none is.
    address private transient _unlocked;

    // CONSTRUCTOR

    constructor(address wrapped) {
        if (wrapped == address(0)) revert ZeroAddress();
        WRAPPED = wrapped;
    }

    // INTERNAL

    // What may get in between is the awaited callback alone, which spends nothing of what is measured.
    // slither-disable-start reentrancy-balance
    /// @dev Runs hops one after the other, each with all that came of the one before, until `home`.
    function _run(bytes calldata hops, address home, address token, uint256 amount) internal {
        while (hops.length > 0) {
            Route.Hop memory hop;
            (hop, hops) = hops.next(home);
            // What the last one gives is measured with the whole route.
            amount = _swap(hop, token, amount, hops[:0], hops.length > 0);
            token = hop.tokenOut;
        }
        if (token != home) revert RouteOpen(token, home);
    }

    // slither-disable-end reentrancy-balance

    /// @dev Runs hops of which the first one's pool gives first and is paid when the rest is done.
    function _runOnCredit(bytes calldata hops, address home, uint256 amount) internal {
        (Route.Hop memory hop, bytes calldata rest) = hops.next(home);
        if (rest.length == 0) revert RouteOpen(hop.tokenOut, home);
        _swap(hop, home, amount, rest, true);
    }

    /// @dev Swaps; with a rest, the pool is paid after that has run, from what it brought.
    /// @return what is measured to have come, if it is to be; zero with a rest, which has spent it.
    function _swap(
        Route.Hop memory hop,
        address token,
        uint256 amount,
        bytes calldata rest,
        bool isMeasured
    ) private returns (uint256) {
        Debt memory debt = Debt({
            token: token,
            amount: amount,
            received: hop.tokenOut,
            held: isMeasured ? _balanceOf(hop.tokenOut) : 0,
            terms: uint256(hop.flags) << 40 | hop.terms
        });
        uint256 kind = hop.kind;
        if (kind == Route.PAIR) {
            _swapPair(hop.pool, _pairGives(hop, token, amount), debt, rest);
        } else if (kind == Route.CONCENTRATED) {
            _swapConcentrated(hop.pool, debt, rest);
        } else if (kind == Route.SOLIDLY) {
            _swapPair(hop.pool, IQuotingPair(hop.pool).getAmountOut(amount, token), debt, rest);
        } else if (kind == Route.V4) {
            if (hop.pool == _unlocked) _swapUnlocked(hop.pool, debt, rest);
            else _unlock(hop.pool, debt, rest);
        } else {
            if (rest.length > 0) revert GivesNotFirst(kind);
            _swapByAllowance(hop, debt);
        }
        if (!isMeasured || rest.length > 0) return 0;
        return _balanceOf(hop.tokenOut) - debt.held;
    }

    function _swapPair(address pool, uint256 out, Debt memory debt, bytes calldata rest) private {
        bytes memory data;
        if (rest.length > 0) data = _await(pool, Callback.PAIR, debt, rest);
        else IERC20(debt.token).safeTransfer(pool, debt.amount);
        bool zeroForOne = debt.token < debt.received;
        IPair(pool).swap(zeroForOne ? 0 : out, zeroForOne ? out : 0, address(this), data);
        _mustHaveCome(pool);
    }

    function _swapConcentrated(address pool, Debt memory debt, bytes calldata rest) private {
        bytes memory data = _await(pool, Callback.SWAP, debt, rest);
        bool zeroForOne = debt.token < debt.received;
        IConcentratedPool(pool)
            .swap(address(this), zeroForOne, debt.amount.toInt256(), _limit(zeroForOne), data);
        _mustHaveCome(pool);
    }

    function _unlock(address manager, Debt memory debt, bytes calldata rest) internal {
        IPoolManager(manager).unlock(_await(manager, Callback.UNLOCK, debt, rest));
        _mustHaveCome(manager);
    }

    // As above.
    // slither-disable-start reentrancy-eth
    /// @dev Does what the manager was unlocked for: lends, or swaps.
    function _onUnlocked(Debt memory debt, bytes calldata rest) internal {
        _unlocked = msg.sender;
        if (debt.received == debt.token) {
            IPoolManager(msg.sender).take(debt.token, address(this), debt.amount);
            _run(rest, debt.token, debt.token, debt.amount);
            _settle(msg.sender, debt.token, debt.amount, false);
        } else {
            _swapUnlocked(msg.sender, debt, rest);
        }
        _unlocked = address(0);
    }

    // slither-disable-end reentrancy-eth

    function _swapUnlocked(address manager, Debt memory debt, bytes calldata rest) private {
        (address currencyIn, address currencyOut) = _currencies(debt);
        _take(manager, currencyOut, _swapCurrencies(manager, currencyIn, currencyOut, debt));
        if (rest.length > 0) {
            _run(rest, debt.token, debt.received, _balanceOf(debt.received) - debt.held);
        }
        _settle(manager, debt.token, debt.amount, currencyIn == address(0));
    }

    /// @dev Returns what the pool has in the place of the hop's two tokens: zero is the coin itself.
    function _currencies(Debt memory debt)
        private
        view
        returns (address currencyIn, address currencyOut)
    {
        uint256 flags = debt.terms >> 40;
        (currencyIn, currencyOut) = (debt.token, debt.received);
        if (flags & Route.COIN_IN != 0) {
            if (currencyIn != WRAPPED) revert NotTheCoin(currencyIn);
            currencyIn = address(0);
        }
        if (flags & Route.COIN_OUT != 0) {
            if (currencyOut != WRAPPED) revert NotTheCoin(currencyOut);
            currencyOut = address(0);
        }
    }

    // Coins go out only as far as they came in or were unwrapped by this very hop.
    // slither-disable-start arbitrary-send-eth
    function _take(address manager, address currency, uint256 amount) private {
        uint256 coins = address(this).balance;
        IPoolManager(manager).take(currency, address(this), amount);
        if (currency == address(0)) {
            IWrappedCoin(WRAPPED).deposit{value: address(this).balance - coins}();
        }
    }

    // slither-disable-end arbitrary-send-eth

    /// @dev Returns what the manager then owes of the currency that comes out.
    function _swapCurrencies(
        address manager,
        address currencyIn,
        address currencyOut,
        Debt memory debt
    ) private returns (uint256) {
        bool zeroForOne = currencyIn < currencyOut;
        (address currency0, address currency1) =
            zeroForOne ? (currencyIn, currencyOut) : (currencyOut, currencyIn);
        PoolKey memory key = PoolKey({
            currency0: currency0,
            currency1: currency1,
            fee: uint24(debt.terms >> 16),
            tickSpacing: int24(uint24(uint16(debt.terms))),
            hooks: address(0)
        });
        int256 delta = IPoolManager(manager)
            .swap(key, SwapParams(zeroForOne, -debt.amount.toInt256(), _limit(zeroForOne)), "");
        (int256 deltaIn, int256 deltaOut) = (delta >> 128, int256(int128(delta)));
        if (!zeroForOne) (deltaIn, deltaOut) = (deltaOut, deltaIn);
        if (deltaIn != -debt.amount.toInt256()) {
            revert PartialFill(manager, uint256(-deltaIn), debt.amount);
        }
        return SafeCast.toUint256(deltaOut);
    }

    // As above.
    // slither-disable-start arbitrary-send-eth
    function _settle(address manager, address token, uint256 amount, bool isCoin) private {
        if (isCoin) {
            IWrappedCoin(token).withdraw(amount);
            IPoolManager(manager).settle{value: amount}();
        } else {
            IPoolManager(manager).sync(token);
            IERC20(token).safeTransfer(manager, amount);
            IPoolManager(manager).settle();
        }
    }
    // slither-disable-end arbitrary-send-eth

    function _swapByAllowance(Route.Hop memory hop, Debt memory debt) private {
        IERC20(debt.token).forceApprove(hop.pool, debt.amount);
        if (hop.kind == Route.VAULT) {
            IVault(hop.pool)
                .swap(
                    IVault.SingleSwap({
                    poolId: bytes32(hop.terms),
                    kind: GIVEN_IN,
                    assetIn: debt.token,
                    assetOut: debt.received,
                    amount: debt.amount,
                    userData: ""
                }),
                    IVault.FundManagement(address(this), false, payable(address(this)), false),
                    0,
                    block.timestamp
                );
        } else if (hop.flags & Route.UNSIGNED != 0) {
            ICurveCryptoPool(hop.pool).exchange(hop.terms >> 4, hop.terms & 0x0f, debt.amount, 0);
        } else {
            ICurvePool(hop.pool)
                .exchange(
                    int128(uint128(hop.terms >> 4)),
                    int128(uint128(hop.terms & 0x0f)),
                    debt.amount,
                    0
                );
        }
        _mustBeUsedUp(debt.token, address(this), hop.pool);
    }

    /// @dev Checks that a spender took all that it was allowed to: one that did not is not what it was
    /// taken for, and would take it later.
    function _mustBeUsedUp(address token, address holder, address spender) internal view {
        uint256 left = IERC20(token).allowance(holder, spender);
        if (left != 0) revert AllowanceLeft(token, spender, left);
    }

    /// @dev The formula of Uniswap V2, rounded down as the pair checks it. A pair holds less than 2**112 of each token:
    /// only what nobody can pay wraps, and what comes of that the pair refuses, or the least profit does.
    function _pairGives(Route.Hop memory hop, address token, uint256 amount)
        private
        view
        returns (uint256)
    {
        (uint256 reserveIn, uint256 reserveOut,) = IPair(hop.pool).getReserves();
        if (token > hop.tokenOut) (reserveIn, reserveOut) = (reserveOut, reserveIn);
        uint256 pipsKept = PIPS - hop.terms;
        unchecked {
            uint256 amountAfterFee = amount * pipsKept;
            return amountAfterFee * reserveOut / (reserveIn * PIPS + amountAfterFee);
        }
    }

    function _limit(bool zeroForOne) private pure returns (uint160) {
        return zeroForOne ? SQRT_PRICE_LEAST_X96 : SQRT_PRICE_MOST_X96;
    }

    function _balanceOf(address token) internal view returns (uint256) {
        return IERC20(token).balanceOf(address(this));
    }
}
