"""Policies: who must have signed, in every shape C2SP gives; and everything that is no policy."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.checkpoint import log_key, witness_key
from events.errors import BadNote
from events.notes import Signature
from events.policy import MAX_EACH, MAX_POLICY, Policy
from tests.support.tree import ORIGIN, TIME, TestLog, entries, note_key

LOG = TestLog(entries(5))
NAMES = ("X1", "X2", "X3", "Y1", "Y2", "Y3")


def vkey(name: str) -> str:
    return witness_key(name, note_key(name)).text()


# The example of c2sp.org/tlog-policy, with keys where it leaves them out, tabs, comments and addresses.
EXAMPLE = f"""# The review of treaties
log {LOG.vkey} https://log.example/

witness X1 {vkey("X1")}
witness X2 {vkey("X2")}\thttps://x2.example/witness
  witness\tX3   {vkey("X3")}
group X-witnesses 2 X1 X2 X3

witness Y1 {vkey("Y1")}
witness Y2 {vkey("Y2")}
witness Y3 {vkey("Y3")}
group Y-witnesses any Y1 Y2 Y3
  # and now the quorum
group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""


def test_the_example_is_read() -> None:
    policy = Policy.parse(EXAMPLE)
    assert policy.text == EXAMPLE
    assert [log.key.name for log in policy.logs] == [ORIGIN]
    assert [witness.name for witness in policy.witnesses] == list(NAMES)
    assert policy.witnesses[1].url == "https://x2.example/witness"
    assert policy.in_words() == "2 of (2 of X1, X2, X3), (1 of Y1, Y2, Y3)"


@pytest.mark.parametrize(
    ("cosigned", "enough"),
    [
        (("X1", "X2", "Y1"), True),
        (("X1", "X3", "Y3"), True),
        (NAMES, True),
        ((), False),
        (("X1", "X2", "X3"), False),
        (("X1", "Y1", "Y2", "Y3"), False),
        (("X1", "stranger", "Y1"), False),
    ],
)
def test_the_quorum_of_the_example(cosigned: tuple[str, ...], enough: bool) -> None:
    policy, note = Policy.parse(EXAMPLE), LOG.note(5, *cosigned)
    assert policy.checkpoint(note).head == LOG.head(5)
    if enough:
        witnessed = policy.witnessed(note)
        assert {(one.witness, one.time) for one in witnessed.cosigned} == {(name, TIME) for name in cosigned}
        assert witnessed.head.size == 5
    else:
        with pytest.raises(BadNote, match="missing: ") as refused:
            policy.witnessed(note)
        assert all(name in str(refused.value) for name in set(NAMES) - set(cosigned))


def test_nothing_is_witnessed_that_the_log_did_not_sign() -> None:
    policy, note = Policy.parse(LOG.policy(1, "X1")), LOG.note(5, "X1")
    for signatures in (note.signatures[1:], (Signature(ORIGIN, log_key(ORIGIN, LOG.key).id, bytes(64)),)):
        with pytest.raises(BadNote):
            policy.witnessed(type(note)(note.text, signatures))


def test_a_bad_cosignature_of_a_known_witness_refuses_even_a_quorum() -> None:
    note = LOG.note(5, "X1")
    bad = Signature("X2", witness_key("X2", note_key("X2")).id, bytes(72))
    with pytest.raises(BadNote):
        Policy.parse(LOG.policy(1, "X1", "X2")).witnessed(note.signed(bad))
    # The same by somebody whom the policy does not know is no matter.
    assert Policy.parse(LOG.policy(1, "X1")).witnessed(note.signed(bad)).cosigned[0].witness == "X1"


def test_a_quorum_of_none_and_of_one() -> None:
    assert Policy.parse(LOG.policy(0)).witnessed(LOG.note(5)).cosigned == ()
    single = f"log {LOG.vkey}\nwitness X1 {vkey('X1')}\nquorum X1"
    with pytest.raises(BadNote, match="expected the cosignatures of X1; missing: X1"):
        Policy.parse(single).witnessed(LOG.note(5, "X2"))
    assert Policy.parse(single).deciding == {"X1"}
    assert Policy.parse("quorum none").logs == ()


W1, W2 = f"witness a {vkey('a')}\n", f"witness b {vkey('b')}\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing",
        "quorum a\n",
        W1,
        W1 + "quorum b\n",
        "quorum a\n" + W1,
        W1 + "quorum a\nquorum a\n",
        W1 + "quorum a b\n",
        W1 + W1 + "quorum a\n",
        W1 + W1.replace(" a ", " c ") + "quorum a\n",
        W1 + W2.replace(" b ", " a ") + "quorum a\n",
        W1.replace(" a ", " none ") + "quorum none\n",
        W1 + "group none any a\nquorum none\n",
        W1 + "group a any a\nquorum a\n",
        W1 + "group g any\nquorum g\n",
        W1 + "group g 0 a\nquorum g\n",
        W1 + "group g 2 a\nquorum g\n",
        W1 + "group g -1 a\nquorum g\n",
        W1 + "group g ١ a\nquorum g\n",
        W1 + "group g some a\nquorum g\n",
        W1 + "group g any g\nquorum g\n",
        W1 + "group g any a a\nquorum g\n",
        W1 + "group g any none\nquorum g\n",
        W1 + "group g any a\ngroup h any a\nquorum g\n",
        "group g any a\n" + W1 + "quorum g\n",
        W1.replace("+B", "+b") + "quorum a\n",
        f"witness a {LOG.vkey}\nquorum a\n",
        f"log {vkey('a')}\nquorum none\n",
        f"log {LOG.vkey}\nlog {LOG.vkey}\nquorum none\n",
        f"log {LOG.vkey} https://a https://b\nquorum none\n",
        "log\nquorum none\n",
        "witness a\nquorum none\n",
        "believe anything\nquorum none\n",
        "Quorum none\n",
        "quorum none\r\n",
        "quorum none\x00\n",
        "quorum none\x7f\n",
        "quorum\xa0none\n",
        "quorum none\n#" + "x" * MAX_POLICY,
    ],
)
def test_what_is_no_policy_is_refused(text: str) -> None:
    with pytest.raises(BadNote):
        Policy.parse(text)


def test_a_key_written_under_two_names_is_one_witness() -> None:
    twice = f"{W1}witness b {witness_key('other', note_key('a')).text()}\nquorum a\n"
    with pytest.raises(BadNote, match="line 2"):
        Policy.parse(twice)


def test_as_many_as_c2sp_asks_for_and_no_more() -> None:
    def witnesses(count: int) -> str:
        return "".join(f"witness w{n} {witness_key('w', note_key(str(n))).text()}\n" for n in range(count))

    logs = "".join(f"log {log_key('l', note_key(f'log {n}')).text()}\n" for n in range(32))
    groups = "".join(f"group g{n} any w{n}\n" for n in range(32))
    policy = Policy.parse(
        f"{logs}{witnesses(32)}{groups}group g all {' '.join(f'g{n}' for n in range(32))}\nquorum g\n"
    )
    assert (len(policy.logs), len(policy.witnesses), len(policy.groups)) == (32, 32, 33)
    assert len(policy.deciding) == 32
    with pytest.raises(BadNote):
        Policy.parse(f"{witnesses(MAX_EACH + 1)}quorum w0\n")


WORDS = st.sampled_from(["log", "witness", "group", "quorum", "none", "any", "all", "1", "2", "a", "b", "g", "#", "\n"])
WHOLE = st.lists(st.one_of(WORDS, st.sampled_from([LOG.vkey, vkey("a"), vkey("b")]), st.text(max_size=3)), max_size=20)


@given(st.one_of(st.text(max_size=100), WHOLE.map(" ".join)))
def test_whatever_comes_is_a_policy_or_refused(text: str) -> None:
    try:
        policy = Policy.parse(text)
    except BadNote:
        return
    assert policy.text == text
    assert Policy.parse(policy.text) == policy
    policy.in_words()
    assert policy.met(set(policy.deciding))


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ({}, None),
        ({"NRL": 100}, None),
        ({"NRL": 100, "TSR": 900}, 100),
        ({"NRL": 100, "TSR": 900, "VDA": 500}, 500),
        ({"NRL": 900, "TSR": 900, "VDA": 500}, 900),
        ({"NRL": 900, "stranger": 900}, None),
    ],
)
def test_a_quorum_is_as_old_as_the_oldest_of_the_witnesses_it_needs(
    times: dict[str, int], expected: int | None
) -> None:
    """One witness that is asked today beside another of last month does not make a history fresh."""
    assert Policy.parse(TestLog([]).policy(2, "NRL", "TSR", "VDA")).met_at(times) == expected
