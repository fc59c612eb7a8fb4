"""Hostile clients at the running service, in small; `make hostile` does it in full size."""

from pathlib import Path

import pytest

from tests.hostile_clients import ATTACKS, MIB, Attack, Sizes, service, suffered

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="memory is read from /proc"),
]

SMALL = Sizes(data=24 * MIB, connections=120, hoarders=20, hoard=3 * MIB)
SETTINGS = {
    "RESPONDER_LISTENER__MAX_MESSAGE_BYTES": "4MiB",
    "RESPONDER_LISTENER__MEMORY": "8MiB",
    "RESPONDER_LISTENER__DATA_TIMEOUT": "1s",
    "RESPONDER_LISTENER__SESSION_TIMEOUT": "2s",
}
LAST_WORDS = {
    "endless_line": "554 5.6.0",
    "endless_command": "421 4.7.0",
    "empty_lines": "221",
    "many_connections": "50 let in, 70 heard 421",
    "hoarders": "",
    "slow_data": "421 4.4.2",
    "noop_for_ever": "421 4.4.2",
}


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
async def test_a_hostile_client_costs_little_and_holds_nobody_up(tmp_path: Path, attack: Attack) -> None:
    async with service(tmp_path, **SETTINGS) as started:
        cost = await suffered(started, attack, SMALL)
    assert cost.words.startswith(LAST_WORDS[attack.__name__])
    # One mail of 4 MiB, or 8 MiB of all of them, and as much again in copies and what Python does not give back.
    assert cost.peak - cost.before < 40 * MIB
    assert cost.mail_seconds < 10
