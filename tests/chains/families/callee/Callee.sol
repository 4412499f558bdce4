// SPDX-License-Identifier: UNLICENSED
pragma solidity ^0.8.20;

/// Stands in for whoever deals with pools in tests: calls them, pays what they ask of it by
/// whatever name of callback, deploys them, and answers what they ask of their factory.
contract Callee {
    mapping(bytes4 => bytes) private answers;

    /// Call each target in turn; return the last answer.
    function act(address[] calldata targets, bytes[] calldata data) external returns (bytes memory answer) {
        for (uint256 i = 0; i < targets.length; ++i) {
            bool isSuccess;
            (isSuccess, answer) = targets[i].call(data[i]);
            if (!isSuccess) assembly { revert(add(answer, 32), mload(answer)) }
        }
    }

    /// Answer a function without arguments, or whatever they are, from now on.
    function say(bytes4 selector, bytes calldata answer) external {
        answers[selector] = answer;
    }

    /// Deploy a contract, which may ask for what `say` was told.
    function make(bytes memory code) external returns (address made) {
        assembly { made := create(0, add(code, 32), mload(code)) }
        require(made != address(0));
    }

    /// What is known is answered; all else is a callback, which begins with what is owed of token 0
    /// and of token 1, negative if it was paid out.
    fallback(bytes calldata) external returns (bytes memory) {
        bytes memory answer = answers[msg.sig];
        if (answer.length > 0) return answer;
        (int256 owed0, int256 owed1) = abi.decode(msg.data[4:], (int256, int256));
        if (owed0 > 0) pay("token0()", uint256(owed0));
        if (owed1 > 0) pay("token1()", uint256(owed1));
        return "";
    }

    function pay(string memory which, uint256 amount) private {
        (bool isKnown, bytes memory token) = msg.sender.call(abi.encodeWithSignature(which));
        require(isKnown);
        (bool isPaid,) = abi.decode(token, (address)).call(
            abi.encodeWithSignature("transfer(address,uint256)", msg.sender, amount)
        );
        require(isPaid);
    }
}
