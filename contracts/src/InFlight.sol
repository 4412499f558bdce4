// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.30;

import {IFlashArbitrage} from "./interfaces/IFlashArbitrage.sol";
import {Words} from "./libraries/Words.sol";

/// @title Lets in the one callback that is awaited, once
/// @dev Transient storage: every chain that this is deployed to has it (EIP-1153), it costs a fiftieth of a
/// slot, and no transaction can inherit what another left there.
abstract contract InFlight is IFlashArbitrage {
    using Words for bytes;

    /// By what kind of call a pool or lender answers.
    enum Callback {
        PAIR,
        SWAP,
        FLASH,
        AAVE,
        VAULT,
        UNLOCK
    }

    /// What a callback has to do: run the rest of a route with what came in, then pay.
    struct Debt {
        /// token that is owed
        address token;
        /// how much of it, without a lender's fee
        uint256 amount;
        /// token that the pool or lender gave; `token` itself if it was lent
        address received;
        /// how much this contract held of that before
        uint256 held;
        /// of a lender the most that it may take as a fee; of a pool of Uniswap V4 its key
        uint256 terms;
    }

    uint256 private constant DEBT_LENGTH = 2 * 20 + 3 * 32;

    // STORAGE

    /// Hash of the callback that is awaited: whose, of what kind, with which words; zero if none is.
    bytes32 private transient _awaited;

    // INTERNAL

    /// @dev Awaits a callback; returns the words that have to come back with it.
    function _await(address from, Callback kind, Debt memory debt, bytes calldata rest)
        internal
        returns (bytes memory data)
    {
        data = abi.encodePacked(debt.token, debt.received, debt.amount, debt.held, debt.terms, rest);
        _awaited = keccak256(abi.encode(from, kind, keccak256(data)));
    }

    /// @dev Checks that a callback is the awaited one, which no later one is any more.
    function _taken(Callback kind, bytes calldata data)
        internal
        returns (Debt memory debt, bytes calldata rest)
    {
        bytes32 actual = keccak256(abi.encode(msg.sender, kind, keccak256(data)));
        if (actual != _awaited) revert UnexpectedCallback(msg.sender);
        _awaited = 0;
        // They are ours to the last byte, so all of it is there.
        debt.token = data.addressAt(0);
        debt.received = data.addressAt(20);
        debt.amount = data.wordAt(40);
        debt.held = data.wordAt(72);
        debt.terms = data.wordAt(104);
        rest = data[DEBT_LENGTH:];
    }

    /// @dev Checks that whoever was called did call back.
    function _mustHaveCome(address from) internal view {
        if (_awaited != 0) revert CallbackMissing(from);
    }
}
