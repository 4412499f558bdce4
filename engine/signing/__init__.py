"""The signer: every secret of an installation, and its own rules on what is signed with it.

Keys of wallets live here; secrets of venues will have a file beside `keystore.py` and answer
requests of their own, by the same desk, latch and journal.
"""
