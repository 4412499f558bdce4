// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IConcentratedPool, IPair} from "../../src/interfaces/IProtocols.sol";

/// The least that two swaps and their transfers can cost: amounts and tokens are given, nobody is
/// checked, nothing is measured. What the contract costs is compared with it.
contract Bare {
    uint160 private constant LEAST = 4_295_128_740;
    uint160 private constant MOST =
        1_461_446_703_485_210_103_287_273_052_203_988_822_378_723_970_341;

    struct Terms {
        address home;
        address away;
        address first;
        address second;
        uint256 amount;
        uint256 out;
        uint256 back;
        address to;
    }

    /// A pair on credit, then a concentrated pool or a pair.
    function byPair(Terms calldata terms, bool isSecondPair) external {
        (uint256 out0, uint256 out1) =
            terms.home < terms.away ? (uint256(0), terms.out) : (terms.out, uint256(0));
        IPair(terms.first).swap(out0, out1, address(this), abi.encode(terms, isSecondPair));
        _sweep(terms);
    }

    /// A concentrated pool on credit, then a pair.
    function byPool(Terms calldata terms) external {
        bool isUp = terms.home < terms.away;
        IConcentratedPool(terms.first)
            .swap(
                address(this),
                isUp,
                int256(terms.amount),
                isUp ? LEAST : MOST,
                abi.encode(terms, true)
            );
        _sweep(terms);
    }

    /// A pair that is paid by its caller, who gets what comes.
    function swap(address tokenIn, address tokenOut, address pair, uint256 amount, uint256 out)
        external
    {
        IERC20(tokenIn).transferFrom(msg.sender, pair, amount);
        bool isUp = tokenIn < tokenOut;
        IPair(pair).swap(isUp ? 0 : out, isUp ? out : 0, msg.sender, "");
    }

    function uniswapV2Call(address, uint256, uint256, bytes calldata data) external {
        _rest(data);
    }

    function uniswapV3SwapCallback(int256, int256, bytes calldata data) external {
        if (data.length == 64) {
            (address token, uint256 amount) = abi.decode(data, (address, uint256));
            IERC20(token).transfer(msg.sender, amount);
        } else {
            _rest(data);
        }
    }

    function _rest(bytes calldata data) private {
        (Terms memory terms, bool isPair) = abi.decode(data, (Terms, bool));
        bool isUp = terms.away < terms.home;
        if (isPair) {
            IERC20(terms.away).transfer(terms.second, terms.out);
            IPair(terms.second)
                .swap(isUp ? 0 : terms.back, isUp ? terms.back : 0, address(this), "");
        } else {
            IConcentratedPool(terms.second)
                .swap(
                    address(this),
                    isUp,
                    int256(terms.out),
                    isUp ? LEAST : MOST,
                    abi.encode(terms.away, terms.out)
                );
        }
        IERC20(terms.home).transfer(msg.sender, terms.amount);
    }

    function _sweep(Terms calldata terms) private {
        IERC20(terms.home).transfer(terms.to, IERC20(terms.home).balanceOf(address(this)));
    }
}
