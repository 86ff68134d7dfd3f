"""Settings: from the command line, then the environment, then the file; what is wrong is named."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from exchange.settings import SettingsError, load
from tests.support.process import COLLOQUY


def test_the_command_line_comes_before_the_environment_before_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "colloquy.toml"
    file.write_text('port = 1001\nhost = "file.example"\nmax_file = 2048\n')
    monkeypatch.setenv("COLLOQUY_PORT", "1002")
    monkeypatch.setenv("COLLOQUY_HOST", "environment.example")
    settings = load(file, {"port": 1003})
    assert (settings.port, settings.host, settings.max_file) == (1003, "environment.example", 2048)
    assert load(None, {}).host == "environment.example"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("prot = 1", "prot"),
        ('port = "x"', "port"),
        ("port = 99999", "port"),
        ("port = ", "cannot be read"),
        ('founder = "me"', "founder"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, named: str) -> None:
    file = tmp_path / "colloquy.toml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=named):
        load(file, {})
    done = subprocess.run([str(COLLOQUY), "serve", "--config", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert named in done.stderr
    assert "Traceback" not in done.stderr
