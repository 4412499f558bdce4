"""A process that sends one message out by other ways than the chat, and ends.

It is one of its own because the library and its services cost 35 MB and wait where they like. What
it is told comes on standard input, so that no list of processes shows an address.
"""

import json
import logging
import sys

import apprise


def main() -> int:
    """Send what standard input says; print which addresses took it, one truth value each."""
    logging.disable(logging.CRITICAL)  # the library's own words hold parts of the addresses
    told = json.load(sys.stdin)
    kind = apprise.NotifyType.SUCCESS if told["is_over"] else apprise.NotifyType.FAILURE
    done = []
    for url in told["urls"]:
        service = apprise.Apprise()
        is_known = service.add(url)
        done.append(
            bool(
                is_known
                and service.notify(body=told["body"], title=told["title"], notify_type=kind)
            )
        )
    json.dump(done, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
