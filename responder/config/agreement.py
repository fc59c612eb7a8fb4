"""Settings that are right alone and wrong together."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise

from responder.config.places import HostPort, SmtpHop, has_password, with_password
from responder.config.sections import Config, Courier, Guard, Listener, Store
from responder.config.values import duration_text


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Dotted keys that cannot stand together; it is shown at the first of them that somebody wrote."""

    keys: tuple[str, ...]
    problem: str
    remedy: str


def contradictions(config: Config) -> Iterator[Contradiction]:
    """Every pair of settings that contradict each other."""
    yield from _of_addresses(config)
    yield from _of_certificate(config.listener)
    yield from _of_password_of(config.store)
    yield from _of_login(config.courier)
    yield from _of_tls(config.courier)
    yield from _of_schedule(config.courier)
    yield from _of_budgets(config.guard)


def _of_addresses(config: Config) -> Iterator[Contradiction]:
    places = {
        "listener.smtp": config.listener.smtp,
        "listener.lmtp": config.listener.lmtp,
        "desk.listen": config.desk.listen,
    }
    for (one, its), (other, others) in combinations(places.items(), 2):
        if its is not None and its == others and not (isinstance(its, HostPort) and its.port == 0):
            yield Contradiction((other, one), f"{its} is taken by {one}", "Give each its own port")


def _of_certificate(listener: Listener) -> Iterator[Contradiction]:
    if listener.tls != "none" and listener.tls_certificate is None:
        keys = ("listener.tls", "listener.tls_certificate")
        yield Contradiction(keys, "there is no certificate to it", "Name its file in listener.tls_certificate")
    if listener.tls_key is not None and listener.tls_certificate is None:
        keys = ("listener.tls_key", "listener.tls_certificate")
        yield Contradiction(keys, "there is no certificate to it", "Name its file in listener.tls_certificate")


def _of_password_of(store: Store) -> Iterator[Contradiction]:
    keys = ("store.password_file", "store.url")
    if store.password_file is None:
        return
    if has_password(store.url):
        yield Contradiction(keys, "store.url has a password already", "Leave one of the two out")
    elif store.url.startswith("sqlite"):
        yield Contradiction(keys, "SQLite has no password", "Leave it out")
    elif with_password(store.url, "") is None:
        yield Contradiction(keys, "store.url names no user", "Write postgresql://user@host/database")


def _of_login(courier: Courier) -> Iterator[Contradiction]:
    if courier.password.get_secret_value() and courier.password_file:
        both = ("courier.password", "courier.password_file")
        yield Contradiction(both, "there is a password_file too", "Leave one of the two out")
    if courier.auth == "xoauth2":
        for key, value in (("username", courier.username), ("token_command", courier.token_command)):
            if not value:
                yield Contradiction(("courier.auth", f"courier.{key}"), f"xoauth2 needs a {key}", f"Set courier.{key}")
    elif _has_secret(courier) and not courier.username:
        those = ("courier.password", "courier.password_file", "courier.token_command", "courier.username")
        yield Contradiction(those, "there is no username to it", "Set courier.username")


def _has_secret(courier: Courier) -> bool:
    return bool(courier.password.get_secret_value() or courier.password_file or courier.token_command)


def _of_tls(courier: Courier) -> Iterator[Contradiction]:
    if isinstance(courier.next_hop, SmtpHop) and courier.next_hop.tls == "tls" and courier.tls != "auto":
        keys = ("courier.tls", "courier.next_hop")
        yield Contradiction(keys, "smtps:// is TLS from the first byte", "Leave tls out, or write smtp:// in next_hop")


def _of_schedule(courier: Courier) -> Iterator[Contradiction]:
    for shorter, longer in pairwise(("retry_first", "retry_most", "expire_after")):
        less, more = getattr(courier, shorter), getattr(courier, longer)
        if less > more:
            problem = f"{duration_text(less)} is more than {longer}, {duration_text(more)}"
            remedy = f"Make {shorter} shorter or {longer} longer"
            yield Contradiction((f"courier.{shorter}", f"courier.{longer}"), problem, remedy)


_BUDGETS = ("automatic_per_sender_per_hour", "automatic_per_organisation_per_hour", "breaker_per_hour")


def _of_budgets(guard: Guard) -> Iterator[Contradiction]:
    pairs = [*pairwise(_BUDGETS), ("automatic_per_sender_per_hour", "automatic_per_sender_per_day")]
    for smaller, larger in pairs:
        less, more = getattr(guard, smaller), getattr(guard, larger)
        if less > more:
            remedy = f"Make {smaller} smaller or {larger} larger"
            yield Contradiction(
                (f"guard.{smaller}", f"guard.{larger}"), f"{less} is more than {larger}, {more}", remedy
            )
