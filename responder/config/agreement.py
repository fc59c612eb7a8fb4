"""Settings that are right alone and wrong together."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations, pairwise

from responder.config.places import HostPort, SmtpHop, has_password, with_password
from responder.config.sections import Config, Courier, Guard, Listener, Store
from responder.config.values import duration_text
from responder.mail.address import correspondent_of, domain_of, normalised


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
    yield from _of_retention(config)
    yield from _of_signature(config)
    yield from _of_envelope_sender(config)
    yield from _of_notices(config)
    yield from _of_provider(config)


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


def _of_signature(config: Config) -> Iterator[Contradiction]:
    dkim, ours = config.dkim, domain_of(config.service.address)
    if dkim.key_file and not dkim.selector:
        keys = ("dkim.key_file", "dkim.selector")
        yield Contradiction(keys, "there is no selector to the key", 'Set dkim.selector, like "answers2026"')
    for key, value in (("domain", dkim.domain), ("selector", dkim.selector)):
        if value and not dkim.key_file:
            keys = (f"dkim.{key}", "dkim.key_file")
            yield Contradiction(keys, "nothing is signed without a key", "Set dkim.key_file")
    # DMARC (RFC 7489 §3.1.1) takes a signature for the author's only where the two belong to one organisation.
    if dkim.domain and not (_is_within(dkim.domain, ours) or _is_within(ours, dkim.domain)):
        keys = ("dkim.domain", "service.address")
        yield Contradiction(keys, f"{dkim.domain} does not sign for mail from {ours}", f"Write {ours}, or leave it out")


def _of_envelope_sender(config: Config) -> Iterator[Contradiction]:
    ours = {normalised(address) for address in (config.service.address, *config.service.also_known_as)}
    if normalised(config.courier.envelope_sender) in ours:
        keys = ("courier.envelope_sender", "service.address", "service.also_known_as")
        problem = "contractors write to this address, and what comes to the envelope sender is never answered"
        yield Contradiction(keys, problem, "Give it an address of its own, like bounces@example.jp")


def _of_notices(config: Config) -> Iterator[Contradiction]:
    ours = (config.service.address, *config.service.also_known_as, config.courier.envelope_sender)
    known = {correspondent_of(address) for address in ours if address}
    for address in config.notify.to:
        if correspondent_of(address) in known:
            keys = ("notify.to", "service.address", "service.also_known_as", "courier.envelope_sender")
            yield Contradiction(
                keys, f"{address} is our own, and we would write to ourselves", "Name a mailbox of staff"
            )


def _of_provider(config: Config) -> Iterator[Contradiction]:
    oidc = config.oidc
    if oidc.issuer and not oidc.client_id:
        keys = ("oidc.issuer", "oidc.client_id")
        yield Contradiction(keys, "there is no client_id to it", "Register the desk there, and set oidc.client_id")
    for key in ("client_id", "client_secret_file", "make_accounts", "trust_email", "roles_claim"):
        if getattr(oidc, key) and not oidc.issuer:
            keys = (f"oidc.{key}", "oidc.issuer")
            yield Contradiction(keys, "there is no issuer to it", "Set oidc.issuer, or leave it out")
    for key in ("editors", "administrators"):
        if getattr(oidc, key) and not oidc.roles_claim:
            keys = (f"oidc.{key}", "oidc.roles_claim")
            yield Contradiction(keys, "no claim settles roles", "Set oidc.roles_claim, or leave it out")


def _is_within(name: str, parent: str) -> bool:
    return f".{name}".endswith(f".{parent}")


def _of_schedule(courier: Courier) -> Iterator[Contradiction]:
    pairs = (*pairwise(("retry_first", "retry_most", "expire_after")), ("timeout", "final_timeout"))
    for shorter, longer in pairs:
        less, more = getattr(courier, shorter), getattr(courier, longer)
        if less > more:
            problem = f"{duration_text(less)} is more than {longer}, {duration_text(more)}"
            remedy = f"Make {shorter} shorter or {longer} longer"
            yield Contradiction((f"courier.{shorter}", f"courier.{longer}"), problem, remedy)


_BUDGETS = ("automatic_per_sender_per_hour", "automatic_per_organisation_per_hour", "breaker_per_hour")


def _of_retention(config: Config) -> Iterator[Contradiction]:
    days, lately = config.retention.answered_days, config.guard.same_answer_after
    if days and timedelta(days=days) < lately:
        problem = f"after {days} days nobody knows any more who had an answer within {duration_text(lately)}"
        remedy = "Make answered_days larger or same_answer_after smaller"
        yield Contradiction(("retention.answered_days", "guard.same_answer_after"), problem, remedy)


def _of_budgets(guard: Guard) -> Iterator[Contradiction]:
    pairs = [*pairwise(_BUDGETS), ("automatic_per_sender_per_hour", "automatic_per_sender_per_day")]
    for smaller, larger in pairs:
        less, more = getattr(guard, smaller), getattr(guard, larger)
        if less > more:
            remedy = f"Make {smaller} smaller or {larger} larger"
            yield Contradiction(
                (f"guard.{smaller}", f"guard.{larger}"), f"{less} is more than {larger}, {more}", remedy
            )
