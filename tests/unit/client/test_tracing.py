"""Where a text came from: told through formats, excerpts and six languages; nothing claimed of what is unlike."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from exchange.client.marks import marked
from exchange.client.tracing import Fingerprint, Match, compare, normalised, ranked
from tests.support.files import docx, pdf

DATA = Path(__file__).parents[2] / "data"
UDHR = {path.name[:2]: path.read_text() for path in sorted((DATA / "udhr").glob("*.txt"))}
PAPERS = {path.name: path.read_text() for path in sorted((DATA / "papers").iterdir())}
LANGUAGES = sorted(UDHR)


def of(text: str, name: str = "") -> Fingerprint:
    return Fingerprint.of(text.encode(), name)


def paragraphs(language: str) -> list[str]:
    return [line for line in UDHR[language].split("\n") if line.strip()]


def test_the_very_file_is_exact() -> None:
    for data, name in ((pdf(["A line of words in a file."]), "a.pdf"), (bytes(1000), "zeros.bin"), (b"x", "a.txt")):
        match = compare(Fingerprint.of(data, name), Fingerprint.of(data, "other"))
        assert match.how == "exact"
        assert "byte for byte" in match.odds


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_text_in_another_format_is_the_same_text(language: str) -> None:
    text = UDHR[language]
    lines = text.split("\n")
    page = "<html><body>" + "".join(f"<p>{line}</p>" for line in lines) + "</body></html>"
    copies = [
        docx(lines),
        page.encode(),
        text.encode("utf-16"),
        text.upper().encode() if text.upper() != text else text.encode("utf-8-sig"),
        "\r\n".join(f"  {' '.join(line.split())} " for line in lines).encode(),
        marked(text.encode(), "a.txt", bytes(8)).data,
        marked(docx(lines), "a.docx", bytes(8)).data,
    ]
    for data in copies:
        assert compare(Fingerprint.of(data), of(text)).how == "same text"


def test_a_pdf_of_the_text_is_found() -> None:
    words = [line.replace("\u2010", "-") for line in paragraphs("en")[:30]]
    lines = [line[i : i + 90] for line in words for i in range(0, len(line), 90)]
    match = compare(Fingerprint.of(pdf(lines)), of("\n".join(lines)))
    assert match.how == "same text"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("start", [3, 20, 40])
def test_a_few_paragraphs_are_an_excerpt_and_of_no_other_language(language: str, start: int) -> None:
    few = of("\n".join(paragraphs(language)[start : start + 4]))
    assert compare(few, of(UDHR[language])).how == "excerpt"
    assert [other for other in LANGUAGES if compare(few, of(UDHR[other]))] == [language]


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_excerpt_survives_a_frame_of_other_words_and_new_line_breaks(language: str) -> None:
    passage = " ".join(paragraphs(language)[10:18])
    wrapped = "\n".join(passage[i : i + 37] for i in range(0, len(passage), 37))
    leak = of(f"{PAPERS['call.txt']}\n{wrapped}\n{PAPERS['closing-1.txt']}")
    assert compare(leak, of(UDHR[language])) is not None


def test_unlike_papers_are_not_said_to_be_alike() -> None:
    """Papers of one review share names and phrases; none is taken for another, but for those that are versions."""
    versions = ({"answer-1.txt", "answer-1b.txt"}, {"response.txt", "response-2.txt"})
    alike = set()
    for one in PAPERS:
        for other in PAPERS:
            match = compare(of(PAPERS[one]), of(PAPERS[other]))
            if one < other and match and match.leak_in_document >= 0.5:
                alike.add((one, other))
    related = [set(pair) for pair in alike]
    assert all(pair in versions or _one_stem(pair) for pair in related), related
    for language in LANGUAGES:
        assert not [name for name in PAPERS if compare(of(PAPERS[name]), of(UDHR[language]))]


def _one_stem(pair: set[str]) -> bool:
    """Revisions of the report and the like: the same name with another number."""
    return len({name.rstrip(".txt0123456789b").rstrip("-").split("-fr")[0] for name in pair}) == 1


def test_a_version_is_told_from_another_and_equals_are_said_to_be_equal() -> None:
    first = UDHR["en"]
    second = first.replace("Everyone has the right to life", "Each and every person owns a right to life")
    leak = of(first)
    known = [("second", of(second)), ("first", of(first)), ("again", of(first + " "))]
    found = ranked((key, match) for key, fingerprint in known if (match := compare(leak, fingerprint)))
    assert [key for key, _ in found][:1] == ["first"]
    assert [match.how for _, match in found] == ["exact", "same text", "similar"]
    few = of("\n".join(paragraphs("en")[20:24]))
    found = ranked((key, match) for key, fingerprint in known if (match := compare(few, fingerprint)))
    assert {match.alike for _, match in found} == {2}
    assert "do not tell them apart" in found[0][1].odds


@settings(deadline=None)
@given(st.text(max_size=60))
def test_too_few_words_lead_nowhere(text: str) -> None:
    assume(len(normalised(text).encode()) < 30)
    for language in LANGUAGES:
        assert compare(of(text), of(UDHR[language])) is None


@settings(deadline=None)
@given(st.integers(0, 10_000), st.integers(400, 2000), st.sampled_from(LANGUAGES), st.integers(0, 2**32))
def test_any_passage_of_some_length_is_found_whatever_spaces_it_has(
    start: int, length: int, language: str, seed: int
) -> None:
    text = UDHR[language]
    start %= len(text) - 400
    passage = text[start : start + length]
    chance = random.Random(seed)
    spaced = "".join(char + " \n"[chance.random() < 0.2] if chance.random() < 0.1 else char for char in passage)
    match = compare(of(spaced), of(text))
    assert match is not None
    assert match.leak_in_document > 0.5


@given(st.text())
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalised(normalised(text)) == normalised(text)


@pytest.mark.parametrize(
    ("how", "leak", "document", "shared", "phrase"),
    [
        ("excerpt", 0.95, 0.1, 400, "supports strongly"),
        ("excerpt", 0.95, 0.1, 60, "supports moderately"),
        ("excerpt", 0.6, 0.1, 400, "supports moderately"),
        ("similar", 0.1, 0.06, 400, "supports weakly"),
        ("same text", 1.0, 1.0, 400, "does not say through whom"),
    ],
)
def test_odds_are_words_and_never_certain(how, leak, document, shared, phrase) -> None:  # type: ignore[no-untyped-def]
    odds = Match(how, leak, document, shared).odds
    assert phrase in odds
    for certain in ("certain", "proves", "proof", "definitely", "without doubt"):
        assert certain not in odds


@pytest.mark.parametrize("char", ["a", "é", "\u0300", "ﷺ", "字", "\x00", "<", "&"])
def test_long_hostile_texts_take_bounded_time(char: str) -> None:
    began = time.monotonic()
    Fingerprint.of((char * 8_000_000).encode()[:40_000_000])
    assert time.monotonic() - began < 30
