"""Every call of `codat-accounting` that Tallystick answers, inside the client's environment."""

import json
import sys

from tests.clients import accounting_reads, accounting_writes
from tests.clients.accounting_scene import Scene, connect
from tests.clients.drive import Step, methods, placeholders, run
from tests.clients.scope import ACCOUNTING, REFUSALS


def what_is_not_served_is_refused_in_the_same_words(scene: Scene) -> None:
    """Never a server error, which the clients would try again for an hour."""
    other = {"company_id": scene.other_company_id, "connection_id": scene.other_connection_id}
    for name, method in methods(scene.drive.client).items():
        if name in ACCOUNTING:
            continue
        scene.drive.declined(name, statuses=REFUSALS, **placeholders(method, other))


STEPS: list[Step] = [
    *accounting_reads.STEPS,
    *accounting_writes.STEPS,
    what_is_not_served_is_refused_in_the_same_words,
]


def main() -> None:
    given = json.loads(sys.argv[1])
    drive = connect(given["base_url"], given["key"])
    run(STEPS, Scene(drive, **given), drive)


if __name__ == "__main__":
    main()
