"""The ledger's tables. Instants are int64 nanoseconds; money is exact; estimates are floats.

The rows of `executions`, `orders`, `fills`, `deposits`, `operator_state` and `audit` are never
changed or deleted: the migrated schema has triggers that refuse it.
"""
