"""A provider of SMS or WhatsApp as a store's owner describes it: how it is called, how its answer is read, how it
reports.

Texts are Liquid with the fields of `FIELDS`; where something is looked for in JSON, JMESPath says where. Secrets are
named here and kept elsewhere (`storage.secrets`). docs/adding-a-channel.md has two worked examples.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

import jmespath
from jmespath.exceptions import JMESPathError
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

FIELDS = frozenset(
    ("to", "from", "name", "text", "message_id", "template", "language", "variables", "report_url", "secret")
)
_DEEPEST, _MOST_LEAVES = 8, 100
# What HTTP itself says of a request (RFC 9110 §7.2, §8.6; RFC 9112): not the owner's to write.
_NOT_HEADERS = frozenset(("host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer"))
# Of JMESPath: what picks. What makes new lists and texts can double them at each step, until a function that all stores
# share has no memory left ("[@, @][]", forty times).
_MAKING = frozenset(("multi_select_list", "multi_select_dict"))
_FUNCTIONS = frozenset(
    ("contains", "ends_with", "keys", "length", "max", "min", "not_null", "starts_with", "to_number", "type", "values")
)
_OUTPUT = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_TRIMMED = re.compile(r"(-?)(.*?)(-?)", re.DOTALL)  # Liquid's signs that take spaces away


def _liquid(source: str) -> str:
    # Here, for it brings Liquid along, and the API's function declares these forms wherever it starts.
    from chalicelib.messages.phrase import PhraseError, bare_phrase, unknown_filters

    try:
        parsed = bare_phrase(source)
        paths = parsed.paths()
    except PhraseError as wrong:
        raise ValueError(str(wrong)) from None
    if unknown := {path[0] for path in paths} - FIELDS:
        raise ValueError(f"unknown field {sorted(unknown)[0]}: expected one of {', '.join(sorted(FIELDS))}")
    if wrong_filters := unknown_filters(parsed):
        raise ValueError(f"unknown filter {wrong_filters[0]}")
    if any(path[0] == "secret" and len(path) != 2 for path in paths):
        raise ValueError("a secret has a name: secret.token")
    return source


def _path(source: str) -> str:
    try:
        parts = list(_parts(jmespath.compile(source).parsed))
    except (JMESPathError, RecursionError):
        raise ValueError("expected a JMESPath expression") from None
    if any(part["type"] in _MAKING for part in parts):
        raise ValueError("expected a JMESPath expression that picks, without lists and objects of its own")
    called = {str(part["value"]) for part in parts if part["type"] == "function_expression"}
    if unknown := sorted(called - _FUNCTIONS):
        raise ValueError(f"unknown function {unknown[0]}: expected one of {', '.join(sorted(_FUNCTIONS))}")
    return source


def _parts(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield node
    for inner in node.get("children", ()):
        if isinstance(inner, dict):
            yield from _parts(inner)


def _address(source: str) -> str:
    """Its host stands still, and what is filled in stays inside its own part of the address."""
    try:
        parts = urlsplit(source.partition("{")[0])
        good = parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0
    except ValueError:
        good = False
    if not good or ("{" in source and not (parts.path or parts.query)) or re.search(r"\s", _OUTPUT.sub("", source)):
        raise ValueError("expected an https address whose host is written out")
    return _liquid(source)


def _header_name(name: str) -> str:
    if name.lower() in _NOT_HEADERS:
        raise ValueError("HTTP sets this header itself")
    return name


Template = Annotated[str, Field(max_length=4000), AfterValidator(_liquid)]
Address = Annotated[str, Field(min_length=9, max_length=2000), AfterValidator(_address)]
Path = Annotated[str, Field(min_length=1, max_length=300), AfterValidator(_path)]
HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,60}$"), AfterValidator(_header_name)]
SecretName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Status = Annotated[int, Field(ge=200, le=599)]
Meaning = Literal["delivered", "delayed", "failed", "bounced", "complained", "opened", "opted_out"]


class _Form(BaseModel):
    """Built when first used, so that importing it stays cheap."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, defer_build=True)


class RequestBody(_Form):
    """One of these: JSON whose texts are Liquid (one that is `{{ variables }}` alone becomes the list), the fields of
    a form, or text."""

    as_json: Annotated[Any, Field(alias="json")] = None
    form: (
        Annotated[dict[Annotated[str, Field(min_length=1, max_length=100)], Template], Field(max_length=50)] | None
    ) = None
    text: Template | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(one is not None for one in (self.as_json, self.form, self.text)) != 1:
            raise ValueError("expected json, form or text, and one of them only")
        for leaf in leaves(self.as_json):
            _liquid(leaf)
        return self


class AnswerForm(_Form):
    """`id`: where the provider's own id is. `error`: where it says why it did not take the message; anything there but
    null, false, zero and emptiness is a refusal, whatever the status. `busy_statuses`: not now, ask again."""

    ok_statuses: Annotated[tuple[Status, ...], Field(min_length=1, max_length=20)] = (200, 201, 202)
    busy_statuses: Annotated[tuple[Status, ...], Field(max_length=20)] = (429, 503)
    id: Path | None = None
    error: Path | None = None


class ReportForm(_Form):
    """Looked for in {body, query}, or with `each` in each that it finds there. `message` is where our message id is,
    which the provider was given as a reference or with `report_url`. `statuses`: what theirs mean; others are passed
    over. `at`: RFC 3339 or Unix time (seconds or milliseconds); without it, when we are told. `detail`: a code."""

    each: Path | None = None
    message: Path
    status: Path
    statuses: Annotated[dict[Annotated[str, Field(min_length=1, max_length=100)], Meaning], Field(max_length=100)]
    at: Path | None = None
    detail: Path | None = None


class InboundForm(_Form):
    """What people write back, looked for as reports are. `id` is the provider's own of that message."""

    each: Path | None = None
    sender: Annotated[Path, Field(alias="from")]
    text: Path
    at: Path | None = None
    id: Path | None = None


class SignatureForm(_Form):
    """The header that holds an HMAC of the body as it came, with `prefix` before it, by the secret of this name."""

    header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,60}$")]
    algorithm: Literal["sha1", "sha256", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: Annotated[str, Field(max_length=40)] = ""
    secret: SecretName


class Gateway(_Form):
    """`from` is the number, name or account that messages come from; without it an SMS has the store's own
    (`settings.sender.sms`)."""

    url: Address
    method: Literal["POST", "PUT", "GET"] = "POST"
    headers: Annotated[dict[HeaderName, Template], Field(max_length=20)] = {}
    body: RequestBody | None = None
    sender: Annotated[str | None, Field(alias="from", min_length=1, max_length=100)] = None
    answer: AnswerForm = AnswerForm()
    report: ReportForm | None = None
    inbound: InboundForm | None = None
    signature: SignatureForm | None = None

    @property
    def host(self) -> str:
        """With its port, if it is not the usual one."""
        return urlsplit(self.url.partition("{")[0]).netloc.lower()

    @property
    def secret_names(self) -> set[str]:
        """Every secret that it needs."""
        from chalicelib.messages.phrase import bare_phrase

        named = {path[1] for source in self._templates() for path in bare_phrase(source).paths() if path[0] == "secret"}
        return named | ({self.signature.secret} if self.signature else set())

    def _templates(self) -> Iterator[str]:
        yield self.url
        yield from self.headers.values()
        if self.body is not None:
            yield from (self.body.form or {}).values()
            yield from leaves(self.body.as_json)
            yield self.body.text or ""


def leaves(value: Any, depth: int = 0) -> list[str]:
    """The texts in a JSON value. Raises ValueError for one that is too deep or too large."""
    if depth > _DEEPEST:
        raise ValueError(f"nested deeper than {_DEEPEST} levels")
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    found = [value] if isinstance(value, str) else [leaf for one in inner for leaf in leaves(one, depth + 1)]
    if len(found) > _MOST_LEAVES or any(len(leaf) > 4000 for leaf in found):
        raise ValueError(f"more than {_MOST_LEAVES} texts, or one of more than 4,000 letters")
    return found


def encoded_address(source: str) -> str:
    """The address's Liquid, each value in it percent-encoded."""

    def encode(found: re.Match[str]) -> str:
        if "url_encode" in found[1]:
            return found[0]
        before, inner, after = _TRIMMED.fullmatch(found[1]).groups()  # type: ignore[union-attr]  # anything matches
        return f"{{{{{before}{inner} | url_encode {after}}}}}"

    return _OUTPUT.sub(encode, source)
