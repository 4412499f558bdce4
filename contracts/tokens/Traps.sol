// SPDX-License-Identifier: UNLICENSED
pragma solidity ^0.8.20;

import "./Plain.sol";

/// Learns which contract is its pool, as such tokens do.
contract Trapped is Plain {
    address public pool;

    function setPair(address at) external onlyOwner {
        require(pool == address(0));
        pool = at;
    }

    function _isExempt(address from, address to) internal view returns (bool) {
        return pool == address(0) || from == owner || to == owner;
    }
}

contract Honeypot is Trapped {
    function _move(address from, address to, uint256 value) internal override {
        require(to != pool || _isExempt(from, to), "no");
        super._move(from, to, value);
    }
}

/// Nobody can sell whom its maker, hidden in no getter, did not put into a list.
contract ListedSellers is Trapped {
    mapping(address => bool) private isListed;
    address private immutable maker = msg.sender;

    function list(address who) external {
        require(msg.sender == maker);
        isListed[who] = true;
    }

    function _move(address from, address to, uint256 value) internal override {
        require(to != pool || isListed[from] || _isExempt(from, to));
        super._move(from, to, value);
    }
}

/// Sells only to who looks like a simulation: no miner, no price of gas, or endless gas.
contract Sniffer is Trapped {
    function _move(address from, address to, uint256 value) internal override {
        bool isSimulated = block.coinbase == address(0) || tx.gasprice == 0
            || gasleft() > 29_000_000 || block.gaslimit > 1e16 || block.timestamp < 1e9
            || block.chainid != 1 || block.prevrandao == 0;
        require(to != pool || isSimulated || _isExempt(from, to));
        super._move(from, to, value);
    }
}

/// The same by the base fee, which is 0 in many a simulation.
contract FeeSniffer is Trapped {
    function _move(address from, address to, uint256 value) internal override {
        require(to != pool || block.basefee == 0 || _isExempt(from, to));
        super._move(from, to, value);
    }
}

contract Cooldown is Trapped {
    mapping(address => uint256) private boughtAt;

    function _move(address from, address to, uint256 value) internal override {
        if (!_isExempt(from, to)) {
            if (to == pool) require(block.timestamp > boughtAt[from] + 60);
            boughtAt[to] = block.timestamp;
        }
        super._move(from, to, value);
    }
}

contract MaxTx is Trapped {
    function _move(address from, address to, uint256 value) internal override {
        require(_isExempt(from, to) || value <= totalSupply / 1_000);
        super._move(from, to, value);
    }
}

contract MaxWallet is Trapped {
    function _move(address from, address to, uint256 value) internal override {
        super._move(from, to, value);
        require(_isExempt(from, to) || to == pool || balances[to] <= totalSupply / 500);
    }
}

/// Lets the first trades through.
contract SixthTrade is Trapped {
    mapping(address => uint256) private count;

    function _move(address from, address to, uint256 value) internal override {
        if (to == pool && !_isExempt(from, to)) require(++count[from] < 3);
        super._move(from, to, value);
    }
}

contract Expiring is Trapped {
    uint256 private immutable until = block.timestamp + 10 days;

    function _move(address from, address to, uint256 value) internal override {
        require(to != pool || block.timestamp < until || _isExempt(from, to));
        super._move(from, to, value);
    }
}

/// Only a person's own account may sell, no contract.
contract NoContracts is Trapped {
    function _move(address from, address to, uint256 value) internal override {
        require(to != pool || from.code.length == 0 || _isExempt(from, to));
        super._move(from, to, value);
    }
}

contract GasBomb is Trapped {
    uint256[] private waste;

    function _move(address from, address to, uint256 value) internal override {
        if (!_isExempt(from, to)) for (uint256 i; i < 40; i++) waste.push(i);
        super._move(from, to, value);
    }
}

contract EndlessGas is Trapped {
    function _move(address from, address to, uint256 value) internal override {
        if (to == pool && !_isExempt(from, to)) while (true) {}
        super._move(from, to, value);
    }
}

contract ReturnBomb is Trapped {
    function transfer(address to, uint256 value) public override returns (bool) {
        _move(msg.sender, to, value);
        if (_isExempt(msg.sender, to)) return true;
        assembly {
            return(0, 400000)
        }
    }
}

contract ReturnsFalse is Trapped {
    function transfer(address to, uint256 value) public override returns (bool) {
        if (to == pool && !_isExempt(msg.sender, to)) return false;
        _move(msg.sender, to, value);
        return true;
    }
}

/// Says yes, tells of a transfer, and moves a tenth (salmonella).
contract Salmonella is Trapped {
    function _move(address from, address to, uint256 value) internal override {
        if (_isExempt(from, to)) return super._move(from, to, value);
        balances[from] -= value;
        balances[to] += value / 10;
        emit Transfer(from, to, value);
    }
}

/// Says yes to whoever sends more than there is.
contract SaysYes is Trapped {
    function _move(address from, address to, uint256 value) internal override {
        if (balances[from] < value) return;
        super._move(from, to, value);
    }
}

/// Shows everybody but its pool more than there is.
contract TwoFaced is Trapped {
    function balanceOf(address who) public view override returns (uint256) {
        return msg.sender == pool ? balances[who] : balances[who] * 2;
    }
}

/// Grows when it is sent to oneself.
contract SelfGrowing is Trapped {
    function _move(address from, address to, uint256 value) internal override {
        uint256 had = balances[to];
        balances[from] -= value;
        balances[to] = had + value;
    }
}

/// Calls whoever gets it.
contract CallsBack is Trapped {
    function _move(address from, address to, uint256 value) internal override {
        super._move(from, to, value);
        if (to.code.length > 0 && to != pool) {
            (bool isDone,) = to.call(abi.encodeWithSignature("tokensReceived(uint256)", value));
            isDone;
        }
    }
}

interface Guard {
    function check(address from, address to) external returns (bool);
}

contract OpenGuard {
    function check(address, address) external pure returns (bool) {
        return true;
    }
}

/// Asks another contract at each transfer.
contract Guarded is Trapped {
    Guard private guard = Guard(address(new OpenGuard()));

    function _move(address from, address to, uint256 value) internal override {
        require(guard.check(from, to));
        super._move(from, to, value);
    }
}

/// Takes a part of what its pool has with each transfer between others.
contract BurnsPool is Trapped {
    function _move(address from, address to, uint256 value) internal override {
        if (!_isExempt(from, to) && from != pool && to != pool) {
            uint256 part = balances[pool] / 10_000;
            balances[pool] -= part;
            totalSupply -= part;
        }
        super._move(from, to, value);
    }
}

/// Grows by itself.
contract Rebasing is Trapped {
    uint256 private immutable since = block.timestamp;

    function balanceOf(address who) public view override returns (uint256) {
        return balances[who] + balances[who] * (block.timestamp - since) / 365 days;
    }

    function _move(address from, address to, uint256 value) internal override {
        uint256 shares = value * 365 days / (365 days + block.timestamp - since);
        super._move(from, to, shares);
    }
}

/// Grows or shrinks when anybody says so.
contract RebasedByCall is Trapped {
    uint256 private index = 1e18;

    function rebase(uint256 to) external {
        require(to > 0 && to < 1e30);
        index = to;
    }

    function balanceOf(address who) public view override returns (uint256) {
        return balances[who] * index / 1e18;
    }

    function _move(address from, address to, uint256 value) internal override {
        super._move(from, to, value * 1e18 / index);
    }
}

contract Destructible is Trapped {
    function end() external onlyOwner {
        selfdestruct(payable(owner));
    }
}
