"""The server's settings: typed, from the command line, the environment (COLLOQUY_…) and a TOML file, in this order."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Literal

import pydantic
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

GIB = 1024**3


class SettingsError(Exception):
    """The settings cannot be used; says which one and why."""


class ServerSettings(BaseSettings):
    """What an operator can set."""

    model_config = SettingsConfigDict(env_prefix="COLLOQUY_", extra="forbid", frozen=True)

    data: Path = Path("colloquy-data")
    host: str = "127.0.0.1"
    port: int = pydantic.Field(default=8470, ge=0, le=65535)
    founder: str = pydantic.Field(default="", pattern=r"^([0-9a-f]{64})?$")
    max_file: int = pydantic.Field(default=8 * GIB, ge=1024, le=64 * GIB)
    max_reviews_in_memory: int = pydantic.Field(default=500, ge=1)
    log_format: Literal["console", "json"] = "console"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_origin: str = pydantic.Field(default="", pattern=r"^[^\s+]*$", max_length=200)
    exercise_clock: Path | None = None
    tls_certificate: Path | None = None
    tls_key: Path | None = None


def load(file: Path | None, given: dict[str, Any]) -> ServerSettings:
    """Read the settings; raises SettingsError naming what is wrong."""

    class FromFile(ServerSettings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
            file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            if file is None:
                return init_settings, env_settings
            return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, file)

    try:
        return FromFile(**given)
    except (tomllib.TOMLDecodeError, OSError) as error:
        raise SettingsError(f"{file} cannot be read: {error}") from None
    except pydantic.ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise SettingsError(wrong) from None
