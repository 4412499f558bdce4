// Lays itself over a contract in the in-process EVM, never on a chain: whatever our own account
// says is done as if the contract did it; for everybody else it is the contract as before, whose
// code was set aside at another address. Both addresses are filled in when it is used.
object "Puppet" {
    code { datacopy(0, dataoffset("runtime"), datasize("runtime")) return(0, datasize("runtime")) }
    object "runtime" {
        code {
            let done
            switch caller()
            case 0x1111111111111111111111111111111111111111 {
                let size := sub(calldatasize(), 32)
                calldatacopy(0, 32, size)
                done := call(gas(), calldataload(0), callvalue(), 0, size, 0, 0)
            }
            default {
                calldatacopy(0, 0, calldatasize())
                done := delegatecall(
                    gas(), 0x2222222222222222222222222222222222222222, 0, calldatasize(), 0, 0
                )
            }
            returndatacopy(0, 0, returndatasize())
            if iszero(done) { revert(0, returndatasize()) }
            return(0, returndatasize())
        }
    }
}
