"""From what was written to what holds: every value checked alone, then all of them against each other."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, get_type_hints

from pydantic import SecretStr, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from responder.config.agreement import contradictions
from responder.config.places import SmtpHop, with_password
from responder.config.sections import SECTIONS, Config
from responder.config.showing import shown_value
from responder.config.values import quoted
from responder.config.written import FILE_VARIABLE, Written, written_in_environment, written_in_file
from responder.errors import ConfigError, Fault

# pydantic speaks of inputs and instances; an operator reads what the value is not.
_PROBLEMS = {
    "int": "is not a whole number",
    "float": "is not a number",
    "bool": "is neither true nor false",
    "greater": "is less than {ge:g}",
    "less": "is more than {le:g}",
    "literal": "is none of {expected}",
}


def load_config(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> Config:
    """The settings of the file (else $RESPONDER_CONFIG, else ./config.toml, else none) and the environment.

    A variable goes before the file. Raises ConfigError with every mistake there is in both.
    """
    file = path or _file_of(environ)
    in_file, faults_in_file = written_in_file(file) if file else ([], [])
    in_environment, faults_in_environment = written_in_environment(environ)
    faults = [*faults_in_file, *faults_in_environment]
    written = [*in_file, *in_environment]
    values: dict[str, Any] = {}
    for one in written:
        match _value_of(one):
            case Fault() as fault:
                faults.append(fault)
            case value:
                values[one.key] = value
    config = _config_of(values, written)
    faults += _disagreements(config, written, values)
    if faults:
        raise ConfigError(sorted(faults, key=lambda fault: (fault.file == "environment", fault.line or 0)))
    return _settled(config)


def _file_of(environ: Mapping[str, str]) -> Path | None:
    if named := environ.get(FILE_VARIABLE):
        return Path(named)
    usual = Path("config.toml")
    return usual if usual.exists() else None


def _value_of(written: Written) -> Any:
    adapter = _adapters()[written.key]
    try:
        if isinstance(written.value, str) and written.from_environment:
            return adapter.validate_strings(written.value)
        return adapter.validate_python(written.value, strict=True)
    except ValidationError as error:
        return written.fault(*_words_for(written, error.errors(include_url=False)[0]))


@cache
def _adapters() -> Mapping[str, TypeAdapter[Any]]:
    return {
        f"{section}.{name}": TypeAdapter(hint)
        for section, model in SECTIONS.items()
        for name, hint in get_type_hints(model, include_extras=True).items()
    }


def _words_for(written: Written, error: ErrorDetails) -> tuple[str, str]:
    context = error.get("ctx", {})
    if error["type"] == "unfit":
        return context["problem"], context["remedy"]
    default = _default_of(written.key)
    if isinstance(default, SecretStr):
        return "this is not text", "Put it in quotes"
    problem = _PROBLEMS.get(error["type"].partition("_")[0], error["msg"]).format(**context)
    shown_default = quoted(shown_value(written.key, default)) if isinstance(default, str) else default
    return f"{quoted(written.value)} {problem}", f"The default is {shown_default}"


def _default_of(key: str) -> Any:
    section, _, name = key.partition(".")
    return getattr(SECTIONS[section](), name)


def _config_of(values: Mapping[str, Any], written: Iterable[Written]) -> Config:
    sections = {
        section: model(
            **{key.partition(".")[2]: value for key, value in values.items() if key.startswith(f"{section}.")}
        )
        for section, model in SECTIONS.items()
    }
    return Config(**sections, origins={one.key: one.file for one in written})


def _disagreements(config: Config, written: Iterable[Written], values: Mapping[str, Any]) -> list[Fault]:
    places = {one.key: one for one in written}
    wrong = places.keys() - values.keys()
    faults = []
    for found in contradictions(config):
        # Where a value did not fit, its default stands in, which contradicts nobody.
        if wrong.isdisjoint(found.keys):
            place = next(places[key] for key in found.keys if key in places)
            faults.append(place.fault(found.problem, found.remedy))
    return faults


def _settled(config: Config) -> Config:
    courier, store, origins = config.courier, config.store, dict(config.origins)
    if isinstance(courier.next_hop, SmtpHop) and courier.next_hop.tls == "auto":
        courier = replace(courier, next_hop=replace(courier.next_hop, tls=courier.tls))
    if courier.password_file:
        courier = replace(courier, password=courier.password_file.secret)
        origins["courier.password"] = origins["courier.password_file"]
    if store.password_file:
        url = with_password(store.url, store.password_file.secret.get_secret_value())
        store = replace(store, url=url or store.url)
    return replace(config, courier=courier, store=store, origins=origins)
