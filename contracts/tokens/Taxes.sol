// SPDX-License-Identifier: UNLICENSED
pragma solidity ^0.8.20;

import "./Traps.sol";

contract FixedTax is Trapped {
    uint256 private immutable buyBps;
    uint256 private immutable sendBps;
    uint256 private immutable sellBps;

    constructor(uint256 buy, uint256 send, uint256 sell) {
        (buyBps, sendBps, sellBps) = (buy, send, sell);
    }

    function _move(address from, address to, uint256 value) internal override {
        uint256 bps = from == pool ? buyBps : to == pool ? sellBps : sendBps;
        _moveTaxed(from, to, value, _isExempt(from, to) ? 0 : bps);
    }
}

contract SellTax10 is FixedTax(0, 0, 1_000) {}

contract BuyTax is FixedTax(300, 0, 0) {}

contract TransferTax is FixedTax(0, 123, 0) {}

contract AllTaxes is FixedTax(1, 250, 700) {}

/// Takes its tax on top of what is sent.
contract TaxOnTop is Trapped {
    function _move(address from, address to, uint256 value) internal override {
        super._move(from, to, value);
        if (!_isExempt(from, to) && from != pool) super._move(from, owner, value / 50);
    }
}

/// Taxes what is large.
contract TaxedBySize is Trapped {
    function _move(address from, address to, uint256 value) internal override {
        bool isLarge = value > totalSupply / 100 && !_isExempt(from, to);
        _moveTaxed(from, to, value, isLarge ? 2_000 : 0);
    }
}

/// Its tax is switched on later.
contract LaterTax is Trapped {
    uint256 public sellBps;

    function setSellTax(uint256 percent) external onlyOwner {
        require(percent <= 25);
        sellBps = percent * 100;
    }

    function _move(address from, address to, uint256 value) internal override {
        _moveTaxed(from, to, value, to == pool && !_isExempt(from, to) ? sellBps : 0);
    }
}

/// Its tax grows with time, and nobody has to do anything.
contract GrowingTax is Trapped {
    uint256 private immutable since = block.timestamp;

    function _move(address from, address to, uint256 value) internal override {
        uint256 bps = (block.timestamp - since) / 1 days * 100;
        _moveTaxed(from, to, value, to == pool && !_isExempt(from, to) ? bps : 0);
    }
}
