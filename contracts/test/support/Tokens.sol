// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.30;

/// A token as it should be, from which hostile ones differ in one thing.
contract PlainToken {
    uint256 public totalSupply = 1e30;
    mapping(address => uint256) internal balances;
    mapping(address => mapping(address => uint256)) public allowance;

    event Transfer(address indexed from, address indexed to, uint256 value);

    constructor() {
        balances[msg.sender] = 1e30;
    }

    function balanceOf(address who) public view virtual returns (uint256) {
        return balances[who];
    }

    function transfer(address to, uint256 value) public virtual returns (bool) {
        _move(msg.sender, to, value);
        return true;
    }

    function approve(address spender, uint256 value) public virtual returns (bool) {
        allowance[msg.sender][spender] = value;
        return true;
    }

    function transferFrom(address from, address to, uint256 value) public virtual returns (bool) {
        allowance[from][msg.sender] -= value;
        _move(from, to, value);
        return true;
    }

    function _move(address from, address to, uint256 value) internal virtual {
        balances[from] -= value;
        balances[to] += value;
        emit Transfer(from, to, value);
    }
}

/// Takes a hundredth of every transfer.
contract TaxedToken is PlainToken {
    function _move(address from, address to, uint256 value) internal override {
        super._move(from, to, value - value / 100);
        super._move(from, address(this), value / 100);
    }
}

/// Moves a tenth and tells of all of it.
contract LyingToken is PlainToken {
    function _move(address from, address to, uint256 value) internal override {
        balances[from] -= value / 10;
        balances[to] += value / 10;
        emit Transfer(from, to, value);
    }
}

/// Counts everybody's balance down by a tenth whenever it is moved.
contract RebasingToken is PlainToken {
    uint256 public tenths = 1e18;

    function balanceOf(address who) public view override returns (uint256) {
        return balances[who] * tenths / 1e18;
    }

    function _move(address from, address to, uint256 value) internal override {
        super._move(from, to, value * 1e18 / tenths);
        tenths = tenths * 9 / 10;
    }
}

/// Can be paused, and shuts accounts out.
contract GuardedToken is PlainToken {
    bool public isPaused;
    mapping(address => bool) public isShutOut;

    function set(bool paused, address out) external {
        isPaused = paused;
        isShutOut[out] = true;
    }

    function _move(address from, address to, uint256 value) internal override {
        require(!isPaused && !isShutOut[from] && !isShutOut[to], "no");
        super._move(from, to, value);
    }
}

/// Answers a transfer with more bytes than anybody wants to read, once it is armed.
contract BombToken is PlainToken {
    bool public isArmed;
    bool public doesRevert;

    function arm(bool doesRevert_) external {
        (isArmed, doesRevert) = (true, doesRevert_);
    }

    function transfer(address to, uint256 value) public override returns (bool) {
        _move(msg.sender, to, value);
        if (!isArmed) return true;
        bool reverts = doesRevert;
        assembly {
            mstore(0, 1)
            if reverts { revert(0, 500000) }
            return(0, 500000)
        }
    }
}

/// Burns all gas that it is given.
contract GreedyToken is PlainToken {
    function _move(address, address, uint256) internal pure override {
        while (true) {}
    }
}

/// Calls somebody whenever it is moved.
contract CallingToken is PlainToken {
    address public called;
    bytes public words;

    function set(address called_, bytes calldata words_) external {
        called = called_;
        words = words_;
    }

    function _move(address from, address to, uint256 value) internal override {
        super._move(from, to, value);
        if (called == address(0)) return;
        (bool ok, bytes memory said) = called.call(words);
        if (ok) return;
        assembly {
            revert(add(said, 32), mload(said))
        }
    }
}

/// Says that nothing is allowed any more, whatever is.
contract ForgetfulToken is PlainToken {
    function transferFrom(address from, address to, uint256 value) public override returns (bool) {
        _move(from, to, value);
        return true;
    }
}

/// Answers nothing, as the oldest dollar does, and lets an allowance be changed from and to nothing alone.
contract SilentToken {
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    constructor() {
        balanceOf[msg.sender] = 1e30;
    }

    function transfer(address to, uint256 value) external {
        _move(msg.sender, to, value);
    }

    function transferFrom(address from, address to, uint256 value) external {
        allowance[from][msg.sender] -= value;
        _move(from, to, value);
    }

    function approve(address spender, uint256 value) external {
        require(value == 0 || allowance[msg.sender][spender] == 0, "not from what is allowed");
        allowance[msg.sender][spender] = value;
    }

    function _move(address from, address to, uint256 value) private {
        balanceOf[from] -= value;
        balanceOf[to] += value;
    }
}

/// Says no to one account instead of reverting, and moves nothing for it.
contract FalseToken is PlainToken {
    address public refused;

    function set(address refused_) external {
        refused = refused_;
    }

    function transfer(address to, uint256 value) public override returns (bool) {
        return msg.sender != refused && super.transfer(to, value);
    }

    /// Uses the allowance up all the same.
    function transferFrom(address from, address to, uint256 value) public override returns (bool) {
        if (msg.sender != refused) return super.transferFrom(from, to, value);
        allowance[from][msg.sender] -= value;
        return false;
    }
}

/// The balances of another token, under a second address.
contract TwinToken {
    TwinnedToken public immutable OTHER;

    constructor(TwinnedToken other) {
        OTHER = other;
    }

    function balanceOf(address who) external view returns (uint256) {
        return OTHER.balanceOf(who);
    }

    function allowance(address owner, address spender) external view returns (uint256) {
        return OTHER.allowance(owner, spender);
    }

    function transfer(address to, uint256 value) external returns (bool) {
        OTHER.moveFor(msg.sender, to, value);
        return true;
    }
}

/// A token that has a second address.
contract TwinnedToken is PlainToken {
    address public twin;

    function set(address twin_) external {
        twin = twin_;
    }

    function moveFor(address from, address to, uint256 value) external {
        require(msg.sender == twin, "not the twin");
        _move(from, to, value);
    }
}
