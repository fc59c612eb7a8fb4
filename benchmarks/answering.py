"""Servers that answer, each started on nothing for a measurement, with a next hop that is ours."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial

from benchmarks import ours
from benchmarks.peers.dovecot import vacation
from benchmarks.peers.processes import Server, UnavailableError
from benchmarks.stores import KINDS, stores

VACATION = "Postfix and Sieve vacation"
ONE_AT_A_TIME = f"{VACATION}, one at a time"
"""As slow as it has to be for the script's `:days` to hold."""

PEERS = (VACATION, ONE_AT_A_TIME)

Answering = Callable[[int], AbstractContextManager[Server]]
"""From the port of the next hop, a server that starts empty."""


@contextmanager
def answering(
    missing: dict[str, str], *, kinds: tuple[str, ...] = KINDS, peer: bool = True, words: Sequence[str] = ()
) -> Iterator[dict[str, Answering]]:
    """Ours on each store and the peer; why one cannot run is put into `missing`. `words` follow our `serve`."""
    with stores(missing, kinds) as urls:
        found: dict[str, Answering] = {
            f"ours on {kind}": partial(_ours, url, words=words) for kind, url in urls.items()
        }
        if peer and _starts(missing):
            found[VACATION] = vacation
            found[ONE_AT_A_TIME] = partial(vacation, one_at_a_time=True)
        yield found


def _ours(url: Callable[[], str], next_hop: int, *, words: Sequence[str]) -> AbstractContextManager[Server]:
    return ours.service(url(), next_hop, words=words)


def _starts(missing: dict[str, str]) -> bool:
    try:
        with vacation(9):
            return True
    except UnavailableError as error:
        missing[VACATION] = str(error)
        return False
