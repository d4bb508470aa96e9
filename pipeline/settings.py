"""Every setting, in one frozen object, read once: flags over environment over file; unknown keys refused."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from pipeline.errors import UsageRefused
from pipeline.permissions import Role

SETTINGS_FILE = "sealine.toml"
_PREFIX = "SEALINE_"
_NOT_SETTINGS = frozenset({"SEALINE_PIN"})
"""Read where they are needed and kept nowhere."""


class Settings(BaseSettings):
    """What a run of Sealine needs to know.

    Attributes:
        home: the folder that holds all state.
        records_url: SQLAlchemy URL; empty = SQLite in the home.
        store_url: `file:///folder`, `s3://host:port/bucket` (https) or `s3+http://host:port/bucket`;
            empty = a folder in the home.
        broker_url: `sqlite:///path` or `amqp://…`; empty = SQLite in the home.
        key: URI of the signing key (`file:/path/key.p12`); empty = the try-out key.
        tsa_urls: time-stamping authorities, asked in this order; empty = the try-out one, in this process.
        trust: PEM file of the roots that verification believes, beside the try-out root.
        crls: revocation lists (PEM or DER) that verification looks into; nothing is fetched.
        roles: what the local user may do.
    """

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, extra="forbid", frozen=True, env_nested_delimiter=None, env_ignore_empty=True
    )

    home: Path = Field(default_factory=lambda: Path.home() / ".sealine")
    records_url: str = ""
    store_url: str = ""
    s3_access_key: str = ""
    s3_secret_key: SecretStr = SecretStr("")
    broker_url: str = ""
    key: str = ""
    tsa_urls: Annotated[tuple[str, ...], NoDecode] = ()
    tsa_timeout_s: float = Field(default=5.0, gt=0, le=120)
    tsa_retry_s: float = Field(default=60.0, gt=0)
    tsa_max_per_minute: int | None = Field(default=None, ge=1, le=100_000)
    trust: Path | None = None
    crls: Annotated[tuple[Path, ...], NoDecode] = ()
    reason: str = ""
    location: str = ""
    user: str = "local"
    roles: Annotated[frozenset[Role], NoDecode] = frozenset(Role)
    workers: int = Field(default=2, ge=1, le=64)

    @field_validator("tsa_urls", "crls", "roles", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return (
            [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value
        )

    @field_validator("tsa_urls")
    @classmethod
    def _http(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for url in value:
            parts = urlsplit(url)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError("a time-stamping authority is an http:// or https:// address")
        return value

    @field_validator("home", "trust")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return None if value is None else value.expanduser().absolute()

    @field_validator("crls")
    @classmethod
    def _all_absolute(cls, value: tuple[Path, ...]) -> tuple[Path, ...]:
        return tuple(path.expanduser().absolute() for path in value)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags and file come merged as init values; then the environment (flags win, see read_settings)."""
        return (init_settings, env_settings)

    @property
    def records_at(self) -> str:
        """The URL of the records."""
        return self.records_url or f"sqlite:///{self.home / 'records.sqlite'}"

    @property
    def broker_at(self) -> str:
        """The URL of the broker."""
        return self.broker_url or f"sqlite:///{self.home / 'queue.sqlite'}"

    @property
    def store_at(self) -> str:
        """The URL of the object store."""
        return self.store_url or f"file://{self.home / 'objects'}"

    @property
    def pki_folder(self) -> Path:
        """Where the try-out authority lives."""
        return self.home / "pki"

    @property
    def scratch_folder(self) -> Path:
        """Where steps work; anything in it may be deleted when nothing runs."""
        return self.home / "scratch"

    @property
    def is_embedded(self) -> bool:
        """Whether the queue is this machine's own file, so that workers run in the asking process."""
        return self.broker_at.startswith("sqlite:")


def read_settings(flags: Mapping[str, Any]) -> Settings:
    """Return the settings: flags (those not None) over SEALINE_* variables over the home's `sealine.toml`.

    Raises:
        UsageRefused: an unknown key or an impossible value, and where it stands.
    """
    environment = os.environ
    given = {name: value for name, value in flags.items() if value is not None}
    known = {_PREFIX + name.upper() for name in Settings.model_fields} | _NOT_SETTINGS
    unknown = sorted(name for name in environment if name.startswith(_PREFIX) and name not in known)
    if unknown:
        raise UsageRefused(
            f"unknown environment variable {unknown[0]}; known are {', '.join(sorted(known))}",
            zh=f"未知的环境变量 {unknown[0]}",
        )
    home = Path(given.get("home") or environment.get("SEALINE_HOME") or Path.home() / ".sealine")
    from_file = _read_file(home.expanduser() / SETTINGS_FILE)
    shadowed = {name for name in from_file if environment.get(_PREFIX + name.upper())}
    merged = {name: value for name, value in from_file.items() if name not in shadowed} | given
    try:
        return Settings(**merged)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise UsageRefused(
            f"setting {key!r}: {first['msg']}", zh=f"设置项 {key!r} 有误：{first['msg']}"
        ) from error


def _read_file(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageRefused(f"{path}: not TOML: {error}", zh=f"{path} 不是有效的 TOML：{error}") from error
    except OSError as error:
        raise UsageRefused(
            f"{path} cannot be read ({error.strerror}); check the home folder and its permissions",
            zh=f"无法读取 {path}，请检查 --home 文件夹及其权限",
        ) from error
