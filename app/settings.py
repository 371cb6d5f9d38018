"""Every setting of the service, read from the environment once and validated together."""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.domain.faces import ENROLLMENT_LIMITS
from app.domain.policy import PromiseFor
from app.domain.runtime import Runtime
from app.machine.cpus import usable_cpus

PREFIX = "FACEGATE_"
#: Variables of the name that others read: compose, the training commands.
ELSEWHERE = frozenset(
    PREFIX + name for name in ("PUBLISH_ADDRESS", "PUBLISH_PORT", "TRAINING_DATA")
)
#: What Kubernetes sets for a service of this name.
_SERVICE_LINK = re.compile(PREFIX + r"(SERVICE_(HOST|PORT.*)|PORT_.*)")
_CLOSE = 0.85  # of difflib's ratio, prefix left out: one or two letters of a longer name

#: Each may also stand in a file, as container platforms hand secrets over: NAME_FILE says where.
SECRETS = ("api_key", "database_url", "database_password")
_MAX_SECRET_BYTES = 64 * 1024

PROJECT_ROOT = Path(__file__).resolve().parent.parent


#: The first segments of the service's own paths: a prefix among them could not be distinguished
#: from those.
_OWN_SEGMENTS = frozenset({"v1", "docs", "redoc", "metrics", "healthz", "readyz"})
_PREFIX_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)+")
_DEFAULT_PORTS = {"http": 80, "https": 443}


class MetricsAccess(StrEnum):
    """Who may read the metrics."""

    OPEN = "open"
    KEY = "key"
    OFF = "off"


class Settings(BaseSettings):
    """Settings; each is the environment variable of its name with the prefix ``FACEGATE_``."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", env_ignore_empty=True
    )

    data_dir: Path = Field(Path("data"), description="Where the embedded database lives.")
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=1, le=65535, description="Port to listen on.")
    database_url: SecretStr | None = Field(
        None, description="SQLAlchemy URL of a PostgreSQL; SQLite in the data directory if unset."
    )
    database_url_file: Path | None = Field(None, description="A file that holds the URL.")
    database_password: SecretStr | None = Field(
        None, description="Password for the database, where the URL holds none."
    )
    database_password_file: Path | None = Field(
        None, description="A file that holds the database's password."
    )
    api_key: SecretStr | None = Field(
        None, description="Key that callers send as x-api-key or as a bearer token."
    )
    api_key_file: Path | None = Field(None, description="A file that holds the key.")
    root_path: str = Field(
        "", description="Path prefix under which a proxy serves it, as /facegate."
    )
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Other sites whose pages may call, separated by commas (CORS)."
    )
    docs: bool = Field(True, description="Serve /docs, /redoc and /openapi.json.")
    metrics: MetricsAccess = Field(
        MetricsAccess.OPEN, description="Serve /metrics to all, to holders of the key, or not."
    )
    allow_anonymous: bool = Field(
        False, description="Serve without a key on an address others can reach."
    )
    model_dir: Path = Field(
        PROJECT_ROOT / "models" / "embedder" / "2.2.0", description="Folder of the embedder."
    )
    runtime: Runtime = Field(
        Runtime.AUTO,
        description="What runs the embedder; auto takes bfloat16 where the CPU has it.",
    )
    detector_path: Path | None = Field(
        None, description="Another YuNet file than the one of the pinned wheel."
    )
    target_fpir: float = Field(
        0.01,
        gt=0,
        lt=0.5,
        description="Share of strangers at the door who may be taken for somebody, 1:N.",
    )
    target_fmr: float = Field(
        0.001, gt=0, lt=0.5, description="Share of false claims that may be accepted, 1:1."
    )
    promise_for: PromiseFor = Field(
        PromiseFor.WORST_GROUP,
        description="Who both hold for: the worst group, or strangers of all groups mixed.",
    )
    min_similarity: float | None = Field(
        None, gt=-1, lt=1, description="Tightens the thresholds; it never loosens them."
    )
    prior_unknown: float = Field(
        0.5, gt=0, lt=1, description="Assumed share of strangers among the faces shown."
    )
    prior_same: float = Field(
        0.5, gt=0, lt=1, description="Assumed share of true claims in 1:1 verification."
    )
    liveness: Literal["off", "challenge"] = Field(
        "off", description="How to tell a head from a picture of one: active challenges, or not."
    )
    require_liveness: bool = Field(
        False, description="Decide nothing without a passed liveness check."
    )
    min_face_pixels: float = Field(
        ENROLLMENT_LIMITS.min_size_pixels, gt=0, description="Smallest face to enroll, in pixels."
    )
    max_upload_bytes: int = Field(10_000_000, gt=0, description="Largest photo file.")
    max_request_bytes: int = Field(64_000_000, gt=0, description="Largest request body.")
    max_photo_pixels: int = Field(40_000_000, gt=0, description="Most pixels of one photo.")
    max_photos_per_employee: int = Field(100, ge=1, description="Most photos of one employee.")
    workers: int = Field(
        default_factory=usable_cpus,
        ge=1,
        description="Recognitions that run at the same time, one thread each.",
    )
    waiting_limit: int = Field(32, ge=0, description="Recognitions that may wait for a permit.")
    busy_timeout_seconds: float = Field(10.0, gt=0, description="Longest wait for a permit.")

    @property
    def database(self) -> Path | str:
        """The database to use: the file in the data directory, or what the URL says."""
        if self.database_url is not None and self.database_url.get_secret_value():
            return self.database_url.get_secret_value()
        return self.data_dir.resolve() / "facegate.sqlite3"

    @property
    def required_api_key(self) -> str | None:
        """The key callers must send, or none."""
        key = self.api_key.get_secret_value() if self.api_key else ""
        return key or None

    @field_validator("root_path")
    @classmethod
    def _one_form_of_prefix(cls, value: str) -> str:
        prefix = value.strip().rstrip("/")
        if not prefix:
            return ""
        segments = prefix.split("/")
        if not _PREFIX_PATH.fullmatch(prefix) or {".", ".."} & set(segments):
            raise ValueError("a path such as /facegate is wanted")
        if segments[1] in _OWN_SEGMENTS:
            raise ValueError(f"/{segments[1]} is a path of the service itself")
        return prefix

    @field_validator("allowed_origins", mode="before")
    @classmethod
    def _split_origins(cls, value: object) -> object:
        parts = value.split(",") if isinstance(value, str) else value
        if not isinstance(parts, list | tuple):
            return value
        return tuple(_origin(str(part).strip()) for part in parts if str(part).strip())

    @model_validator(mode="before")
    @classmethod
    def _read_secret_files(cls, given: dict[str, object]) -> dict[str, object]:
        """Take secrets from the files that hold them; raises ``ValueError`` naming the setting."""
        found = dict(given)
        for name in SECRETS:
            file = found.get(f"{name}_file")
            if file is None or file == "":
                continue
            if found.get(name):
                raise ValueError(f"{_variable(name)} and {_variable(name)}_FILE: give one of them")
            found[name] = _secret_in(Path(str(file)), f"{_variable(name)}_FILE")
        return found

    @field_validator(*SECRETS)
    @classmethod
    def _trim(cls, secret: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        """Leave out white space at either end: a line's end in a file, a copied blank."""
        if secret is None or not secret.get_secret_value():
            return None
        trimmed = secret.get_secret_value().strip()
        if not trimmed:
            # Not the same as unset: that would open the doors.
            raise ValueError("it holds white space only")
        if info.field_name == "api_key" and not all("!" <= letter <= "~" for letter in trimmed):
            raise ValueError(
                "a key has printable ASCII characters only, and no blank: it is sent in a header"
            )
        return SecretStr(trimmed)

    @field_validator("data_dir", "model_dir", "detector_path")
    @classmethod
    def _expand_home(cls, path: Path | None) -> Path | None:
        """Read ``~/`` as the home folder, as a shell would have: a .env file is read by none."""
        return path.expanduser() if path is not None and path.parts[:1] == ("~",) else path

    @model_validator(mode="after")
    def _refuse_open_doors(self) -> Self:
        key = self.required_api_key
        if key is not None and len(key) < 16:
            raise ValueError("FACEGATE_API_KEY needs at least 16 characters")
        if key is None and self.metrics is MetricsAccess.KEY:
            raise ValueError("FACEGATE_METRICS=key needs FACEGATE_API_KEY")
        if key is None and not self.allow_anonymous and not _is_loopback(self.host):
            raise ValueError(
                f"listening on {self.host} without FACEGATE_API_KEY lets anyone enroll; set a key, "
                "or FACEGATE_ALLOW_ANONYMOUS=true behind a gateway that checks callers"
            )
        return self


def misspelt_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Return variables that look like a setting and are none, each with the setting meant.

    A stated risk that nobody reads is worse than one that stops the start. Variables that resemble
    no setting are left alone.
    """
    settings = sorted(name.upper() for name in Settings.model_fields)
    known = {PREFIX + name for name in settings} | ELSEWHERE
    meant = {
        name: difflib.get_close_matches(name.upper().removeprefix(PREFIX), settings, 1, _CLOSE)
        for name in environment
        if name.upper().startswith(PREFIX)
        and name.upper() not in known
        and not _SERVICE_LINK.fullmatch(name.upper())
    }
    return {name: PREFIX + close[0] for name, close in meant.items() if close}


def _origin(text: str) -> str:
    """Return an origin as browsers send it; raises ``ValueError`` for what is none."""
    info = f"{text!r} is not an origin such as https://doors.example"
    parts = urlsplit(text)
    try:
        port = parts.port
        host = (parts.hostname or "").encode("idna").decode()
    except ValueError:
        raise ValueError(info) from None
    extra = parts.path.strip("/") or parts.query or parts.fragment or parts.username
    if parts.scheme not in _DEFAULT_PORTS or not host or "*" in host or extra:
        raise ValueError(info)
    host = f"[{host}]" if ":" in host else host
    shown = "" if port in {None, _DEFAULT_PORTS[parts.scheme]} else f":{port}"
    return f"{parts.scheme}://{host}{shown}"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _variable(name: str) -> str:
    return PREFIX + name.upper()


def _secret_in(file: Path, variable: str) -> str:
    """Return what the file holds; raises ``ValueError``, which quotes nothing of it."""
    try:
        with file.open("rb") as opened:
            content = opened.read(_MAX_SECRET_BYTES + 1)
    except OSError as error:
        raise ValueError(f"{variable}: {file}: {error.strerror}") from None
    if len(content) > _MAX_SECRET_BYTES:
        raise ValueError(f"{variable}: {file} is too long to be a secret")
    try:
        secret = content.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError(f"{variable}: {file} is no text") from None
    if not secret.strip():
        raise ValueError(f"{variable}: {file} is empty")
    return secret
