"""Signed notes, checkpoints and cosignatures: against what C2SP, Go and a real log with real witnesses published."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from events.checkpoint import Checkpoint, Head, cosign, cosigned_at, log_key, witness_key
from events.errors import BadNote
from events.merkle import EMPTY_ROOT
from events.notes import MAX_NOTE, MAX_SIGNATURES, KeyType, Note, Signature, Vkey, read_signatures
from keys.notes import NoteKey
from tests.support.tree import TIME, TestLog, entries, note_key

# c2sp.org/signed-note, the poem; c2sp.org/tlog-cosignature.
POEM = """Ognuno sta solo sul cuor della terra
trafitto da un raggio di sole:

ed è subito sera.

— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=
"""
SOFA = """example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
"""
# c2sp.org/signed-note and golang.org/x/mod, sumdb/note/note_test.go: keys with what they signed.
SIGNED = [
    (
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n",
    ),
    (
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        (
            "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
            "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
            "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
        ),
    ),
]
# A certificate log of transparency.dev, cosigned by the witnesses of several operators on 24 May 2026; signatures of
# types that are not known here are among them.
REAL = """arche2025h1.staging.ct.transparency.dev
1432088532
U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=

— arche2025h1.staging.ct.transparency.dev zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbdQ3urbllzalApkptQIgIpwtEroeW2BXaHAI4kJXFbon5Ch9MNL5zRNZ55lvGt0=
— arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=
— transparency.dev/DEV:witness-little-garden 2AQqhwAAAABqEiEgzgFIqqhbUoDwjMWE6UP8nd8/KYTzwZ2rhIgcqoXHAwVkjZr4AscylP3v7sEodkRAErumC2q44vdgJY096st5BQ==
— witness1.smartit.nu/witness1 pIyCDwAAAABqEiEghIp82KWebrw7/oHQwlTAm3g2RKS4+eebl8eO0WH+/iEcxZ75W3u5hNI7TOQtmJbqmNWVuE0tgh0XwzdZsDsUAQ==
— remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==
— witness.stagemole.eu Z/euoAAAAABqEiEgw0i+7g2ENfDAWHmtRzCfKTHSDwYDJA2NmKeGi9Y8FtEyOUvVr+AJmIY/2TUFucgKi7lI7cUiOvKFYe/TmN9DAg==
"""
REAL_LOG = "arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f"
REAL_WITNESSES = [
    "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2",
    "witness.stagemole.eu+67f7aea0+BEqSG3yu9YrmcM3BHvQYTxwFj3uSWakQepafafpUqklv",
    "witness1.smartit.nu/witness1+a48c820f+BPSFWg9G6KPiO7QPryYO5Xq4oYJJ+kAvLKLSimDhoxMO",
    "transparency.dev/DEV:witness-little-garden+d8042a87+BCtusOxINQNUTN5Oj8HObRkh2yHf/MwYaGX4CPdiVEPM",
]
LOG = TestLog(entries(7))


# -- what was published


@pytest.mark.parametrize("text", [POEM, SOFA, REAL, *(note for _, note in SIGNED)])
def test_published_notes_are_read_and_written(text: str) -> None:
    note = Note.parse(text.encode())
    assert note.encode() == text.encode()
    assert text.startswith(note.text)
    assert len(note.signatures) == text.count("\n— ")


def test_the_text_ends_at_the_last_empty_line() -> None:
    assert Note.parse(POEM.encode()).text.endswith("\n\ned è subito sera.\n")
    assert Note.parse(b"a\n\n\n\xe2\x80\x94 b AAAAAAA=\n").text == "a\n\n"


@pytest.mark.parametrize(("vkey", "text"), SIGNED)
def test_published_signatures_hold_and_no_changed_one(vkey: str, text: str) -> None:
    key, note = Vkey.parse(vkey), Note.parse(text.encode())
    assert key.text() == vkey
    (value,) = note.by(key)
    key.verifier.verify(note.text.encode(), value)


def test_a_real_checkpoint_with_real_cosignatures() -> None:
    note = Note.parse(REAL.encode())
    checkpoint = Checkpoint.verify(note, [Vkey.parse(REAL_LOG)])
    assert checkpoint.head.size == 1_432_088_532
    for vkey in REAL_WITNESSES:
        assert cosigned_at(note, Vkey.parse(vkey)) == 0x6A122120
    clobbered = dataclasses.replace(note, text=note.text.replace("1432088532", "42"))
    with pytest.raises(BadNote):
        Checkpoint.verify(clobbered, [Vkey.parse(REAL_LOG)])
    for vkey in REAL_WITNESSES:
        with pytest.raises(BadNote):
            cosigned_at(clobbered, Vkey.parse(vkey))


def test_the_example_of_cosignatures_says_its_time() -> None:
    witness = Note.parse(SOFA.encode()).signatures[1]
    assert int.from_bytes(witness.value[:8], "big") == 1_679_315_147
    assert len(witness.value) == 72


# -- keys


def test_a_key_cut_off_or_changed_in_any_place_is_refused() -> None:
    """As Go's tests mangle it; a changed name would have another id."""
    vkey = SIGNED[1][0]
    for start in range(len(vkey)):
        for end in range(start + 1, len(vkey) + 1):
            if (start, end) != (0, len(vkey)):
                with pytest.raises(BadNote):
                    Vkey.parse(vkey[start:end])
    for at in range(len(vkey)):
        with pytest.raises(BadNote):
            Vkey.parse(vkey[:at] + chr(ord(vkey[at]) + 1) + vkey[at + 1 :])
    for bad in (
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        vkey.upper(),
        "x" * 10_000 + vkey,
        "\ud800+00000000+AAAA",
    ):
        with pytest.raises(BadNote):
            Vkey.parse(bad)


def test_one_key_of_two_types_has_two_ids() -> None:
    log, witness = log_key("a", LOG.key), witness_key("a", LOG.key)
    assert (log.type, witness.type) == (KeyType.ED25519, KeyType.COSIGNATURE)
    assert log.id != witness.id
    assert Vkey.parse(witness.text()) == witness


# -- what hostile notes get

GOOD = LOG.note(7, "w").encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"text\n",
        b"text\n\n",
        GOOD[:-1],
        GOOD + b"more\n",
        GOOD.replace(b"\n\n", b"\n"),
        b"\x01" + GOOD,
        b"\xff" + GOOD,
        b"a\rb\n" + GOOD,
        GOOD.replace(b"\xe2\x80\x94 ", b"- "),
        GOOD.replace(b"\xe2\x80\x94 w", b"\xe2\x80\x94 w w"),
        GOOD.replace(b"\xe2\x80\x94 w", b"\xe2\x80\x94 w+"),
        GOOD.replace(b"\xe2\x80\x94 w", b"\xe2\x80\x94 w\xc2\xa0"),
        GOOD.replace(b"\xe2\x80\x94 w", b"\xe2\x80\x94 "),
        b"a\n\n\xe2\x80\x94 b AAAA\n",
        b"a\n\n\xe2\x80\x94 b AAAAAAB=\n",
        b"a\n\n\xe2\x80\x94 b AAAAAA==\n",
        b"a\n\n\xe2\x80\x94 b AAAA AAA=\n",
        b"a\n\n\xe2\x80\x94 b AAAAAAA\n",
        b"a" * MAX_NOTE + b"\n\n\xe2\x80\x94 b AAAAAAA=\n",
        b"a\n\n" + b"\xe2\x80\x94 b AAAAAAA=\n" * (MAX_SIGNATURES + 1),
    ],
)
def test_what_is_no_note_is_refused(data: bytes) -> None:
    with pytest.raises(BadNote):
        Note.parse(data)


def test_sixteen_signatures_and_many_unknown_ones_are_taken() -> None:
    lines = [Signature(f"unknown/{number}", bytes(4), bytes(2420)) for number in range(16)]
    note = LOG.note(7).signed(*lines)
    assert Checkpoint.verify(Note.parse(note.encode()), [log_key(LOG.origin, LOG.key)]).head == LOG.head(7)
    with pytest.raises(BadNote):
        note.signed(*(Signature(f"more/{number}", bytes(4), b"x") for number in range(MAX_SIGNATURES)))


def test_a_log_is_known_by_name_and_key_and_nothing_less() -> None:
    note, key = LOG.note(7), log_key(LOG.origin, LOG.key)
    assert Checkpoint.verify(note, [key]).log == key
    other = log_key(LOG.origin, NoteKey.generate())
    for logs in ([], [other], [log_key("log.example/another", LOG.key)], [witness_key(LOG.origin, LOG.key)]):
        with pytest.raises(BadNote):
            Checkpoint.verify(note, logs)
    # A key that signs another log's origin.
    elsewhere = TestLog(entries(7), "log.example/elsewhere")
    forged = Note(elsewhere.head(7).text(), LOG.note(7).signatures)
    with pytest.raises(BadNote):
        Checkpoint.verify(forged, [key, log_key(elsewhere.origin, elsewhere.key)])


def test_one_bad_signature_of_a_known_key_refuses_the_whole_note() -> None:
    note, key = LOG.note(7), log_key(LOG.origin, LOG.key)
    bad = Signature(key.name, key.id, bytes(64))
    for signatures in ((*note.signatures, bad), (bad, *note.signatures)):
        with pytest.raises(BadNote):
            Checkpoint.verify(Note(note.text, signatures), [key])
    witness = witness_key("w", note_key("w"))
    cosigned = LOG.note(7, "w")
    for value in (bytes(72), bytes(71), b"", b"\xff" * 8 + cosigned.signatures[1].value[8:]):
        with pytest.raises(BadNote):
            cosigned_at(cosigned.signed(Signature("w", witness.id, value)), witness)


def test_a_cosignature_binds_its_time_and_the_whole_text() -> None:
    note, witness = LOG.note(7, "w"), witness_key("w", note_key("w"))
    assert cosigned_at(note, witness) == TIME
    later = (TIME + 1).to_bytes(8, "big") + note.signatures[1].value[8:]
    extended = f"{note.text}extension\n"
    for forged in (
        Note(note.text, (Signature("w", witness.id, later),)),
        Note(extended, note.signatures),
        # The log's kind of signature by the witness's key is no cosignature, and the other way round.
        Note(note.text, (Signature("w", witness.id, bytes(8) + note_key("w").sign(note.text.encode())),)),
    ):
        with pytest.raises(BadNote):
            cosigned_at(forged, witness)
    again = note.signed(cosign("w", note_key("w"), note.text, TIME + 60))
    assert cosigned_at(again, witness) == TIME + 60
    assert cosigned_at(note, witness_key("v", note_key("v"))) is None


def test_extension_lines_are_kept_and_signed() -> None:
    head = Head(LOG.origin, 7, LOG.root(7), ("more", "and more"))
    note = head.signed(LOG.key)
    assert Checkpoint.verify(Note.parse(note.encode()), [log_key(LOG.origin, LOG.key)]).head == head


@pytest.mark.parametrize(
    "text",
    [
        "",
        "o\n",
        "o\n1\n",
        "\n1\n" + "A" * 43 + "=\n",
        "o\n01\n" + "A" * 43 + "=\n",
        "o\n-1\n" + "A" * 43 + "=\n",
        "o\n+1\n" + "A" * 43 + "=\n",
        "o\n1 \n" + "A" * 43 + "=\n",
        "o\n١\n" + "A" * 43 + "=\n",
        "o\n\n" + "A" * 43 + "=\n",
        "o\n9223372036854775807\n" + "A" * 43 + "=\n",
        "o\n1" + "0" * 5000 + "\n" + "A" * 43 + "=\n",
        "o\n0\n" + "A" * 43 + "=\n",
        "o\n1\nAAAA\n",
        "o\n1\n" + "A" * 43 + "=\n\n",
        "o\n1\n" + "A" * 43 + "=",
    ],
)
def test_what_is_no_head_is_refused(text: str) -> None:
    with pytest.raises(BadNote):
        Head.parse(text)


def test_an_empty_tree_has_a_head() -> None:
    head = Head(LOG.origin, 0, EMPTY_ROOT)
    assert Head.parse(head.text()) == head


# -- from bytes

LINES = st.lists(st.sampled_from([*SOFA.split("\n"), "", "— x AAAAAAA=", "0", "— ", "é"]), max_size=8).map("\n".join)


@given(st.one_of(st.binary(max_size=300), LINES.map(str.encode), st.text(max_size=200).map(str.encode)))
@example(SOFA.encode())
def test_whatever_comes_is_read_and_written_back_or_refused(data: bytes) -> None:
    try:
        note = Note.parse(data)
    except BadNote:
        return
    assert note.encode() == data
    try:
        head = Head.parse(note.text)
    except BadNote:
        return
    assert head.text() == note.text


@given(st.one_of(st.text(max_size=120), st.sampled_from(REAL_WITNESSES)), st.integers(0, 100), st.text(max_size=2))
def test_whatever_is_said_to_be_a_key(text: str, at: int, put: str) -> None:
    changed = text[:at] + put + text[at + 1 :]
    try:
        key = Vkey.parse(changed)
    except BadNote:
        return
    assert key.text() == changed


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255))
def test_no_changed_byte_of_a_checkpoint_is_believed(at: int, byte: int) -> None:
    changed = GOOD[:at] + bytes([byte]) + GOOD[at + 1 :]
    try:
        note = Note.parse(changed)
        Checkpoint.verify(note, [log_key(LOG.origin, LOG.key)])
        time = cosigned_at(note, witness_key("w", note_key("w")))
    except BadNote:
        return
    assert note.text == LOG.head(7).text()
    assert time in (None, TIME)


def test_a_witness_answers_lines() -> None:
    line = LOG.note(7, "w").signatures[1]
    assert read_signatures(line.line().encode() * 2) == (line, line)
    for bad in (b"", b"\n", line.line().encode()[:-1], line.line().encode() + b"\n"):
        with pytest.raises(BadNote):
            read_signatures(bad)
