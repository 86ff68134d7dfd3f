"""The key file: opens with its passphrase and its exact bytes, never with less work than the floor (rule 24)."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys import keyfile
from keys.errors import DamagedKeyFile, KeyFileError, WeakKeyFile, WrongPassphrase
from keys.identity import Identity

ME = Identity(bytes(range(32)), bytes(range(32, 64)))


@pytest.fixture(scope="module")
def text() -> str:
    return keyfile.protect(ME, "correct horse")


def test_round_trip(text: str) -> None:
    assert keyfile.unlock(text, "correct horse") == ME
    assert keyfile.device_of(text) == ME.fingerprint


def test_the_file_shows_no_secret(text: str) -> None:
    assert ME.signing_seed.hex() not in text
    assert ME.sealing_seed.hex() not in text


def test_a_wrong_passphrase_says_so(text: str) -> None:
    with pytest.raises(WrongPassphrase):
        keyfile.unlock(text, "correct horsf")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (f"argon2id {256 * 1024 * 1024} 3", "argon2id 8192 3"),
        (f"argon2id {256 * 1024 * 1024} 3", f"argon2id {256 * 1024 * 1024} 1"),
        (f"argon2id {256 * 1024 * 1024} 3", f"argon2id {256 * 1024 * 1024 - 1} 3"),
    ],
)
def test_less_work_is_refused_before_the_passphrase_is_used(text: str, old: str, new: str) -> None:
    with pytest.raises(WeakKeyFile):
        keyfile.unlock(text.replace(old, new), "correct horse")


@pytest.mark.parametrize("new", [f"argon2id {64 * 2**30} 3", f"argon2id {256 * 2**20} 1000000"])
def test_absurd_work_is_refused(text: str, new: str) -> None:
    with pytest.raises(DamagedKeyFile):
        keyfile.unlock(text.replace(f"argon2id {256 * 2**20} 3", new), "correct horse")


def test_another_device_in_the_header_is_found(text: str) -> None:
    other = Identity.generate().fingerprint.hex()
    with pytest.raises(KeyFileError):
        keyfile.unlock(text.replace(ME.fingerprint.hex(), other), "correct horse")


def test_an_edited_ciphertext_is_found(text: str) -> None:
    lines = text.split("\n")
    lines[4] = ("0" if lines[4][0] != "0" else "1") + lines[4][1:]
    with pytest.raises(DamagedKeyFile):
        keyfile.unlock("\n".join(lines), "correct horse")


@pytest.mark.parametrize("cut", [0, 1, 20, 100, -1])
def test_a_truncated_file_is_found(text: str, cut: int) -> None:
    with pytest.raises(DamagedKeyFile):
        keyfile.device_of(text[:cut])


def test_another_version_is_refused(text: str) -> None:
    with pytest.raises(DamagedKeyFile):
        keyfile.device_of(text.replace("/v1", "/v2"))


@given(st.text(max_size=400))
def test_any_text_is_refused_cleanly(junk: str) -> None:
    with pytest.raises(KeyFileError):
        keyfile.device_of(junk)


@given(st.data())
def test_any_edited_line_is_refused_cleanly(text: str, data: st.DataObject) -> None:
    lines = text.split("\n")
    line = data.draw(st.integers(0, 5))
    lines[line] = data.draw(st.text(max_size=80).filter(lambda new: new != lines[line]))
    with contextlib.suppress(KeyFileError):
        keyfile.device_of("\n".join(lines))
