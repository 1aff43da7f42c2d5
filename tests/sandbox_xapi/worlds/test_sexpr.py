"""How a database writes values into attributes: what is written is read back, and what xapi reads is read."""

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.xapi.worlds import sexpr

XML_TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from("\t\n\r %\\'\"()._;"))
SEXPR = st.recursive(XML_TEXT, lambda inner: st.lists(inner, max_size=4), max_leaves=20)


@given(XML_TEXT)
def test_protected_text_survives_an_xml_attribute(text: str) -> None:
    element = ET.fromstring(ET.tostring(ET.Element("row", a=sexpr.protect(text))))
    assert sexpr.unprotect(element.attrib["a"]) == text
    assert not set(sexpr.protect(text)) & set(" \t\n\r")


@given(SEXPR)
def test_an_s_expression_is_read_back(value: sexpr.Sexpr) -> None:
    assert sexpr.parse(sexpr.write(value)) == value


@given(st.lists(XML_TEXT), st.dictionaries(XML_TEXT, XML_TEXT))
def test_sets_and_maps_are_read_back(members: list[str], pairs: dict[str, str]) -> None:
    assert sexpr.parse_set(sexpr.write(list(members))) == members
    assert sexpr.parse_map(sexpr.write([[k, v] for k, v in pairs.items()])) == list(pairs.items())


@given(st.text(st.sampled_from("()'\"\\ ab;\n"), max_size=12))
def test_any_text_is_an_s_expression_or_refused(text: str) -> None:
    try:
        parsed = sexpr.parse(text)
    except sexpr.SexprError:
        return
    assert sexpr.parse(sexpr.write(parsed)) == parsed


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("%.", " "),
        ("%t%n%r", "\t\n\r"),
        ("%%.", "%."),
        ("%%%.", "% "),
        ("CPU%_%_%_ X3450", "CPU       X3450"),
        ("50%", "50%"),
        ("%q%", "%q%"),
        ("a b", "a b"),
    ],
)
def test_old_and_stray_escapes(text: str, plain: str) -> None:
    assert sexpr.unprotect(text) == plain


@pytest.mark.parametrize(
    ("text", "members"),
    [
        ("()", []),
        ("( 'a'\n'b' )", ["a", "b"]),
        ("(a b)", ["a", "b"]),
        ("(\"double\" 'single')", ["double", "single"]),
        (r"('it\'s' 'C:\\x' '\"q\"' '\/\j')", ["it's", r"C:\x", '"q"', "/j"]),
        ("(')(' '; text')", [")(", "; text"]),
        ("('a' ; a comment\n 'b')", ["a", "b"]),
    ],
)
def test_what_xapi_reads(text: str, members: list[str]) -> None:
    assert sexpr.parse_set(text) == members


@pytest.mark.parametrize("text", ["", "(", ")", "('a'", "('a", r"('a\')", "('a') ('b')", "'a'", "(('a'))", "(() 'a')"])
def test_a_broken_set_is_refused_without_quoting_it(text: str) -> None:
    with pytest.raises(sexpr.SexprError) as refusal:
        sexpr.parse_set(text)
    assert "'a" not in str(refusal.value)


@pytest.mark.parametrize("text", ["('a' 'b')", "(('a'))", "(('a' 'b' 'c'))", "(('a' ('b')))", "'a'"])
def test_a_broken_map_is_refused(text: str) -> None:
    with pytest.raises(sexpr.SexprError):
        sexpr.parse_map(text)


def test_repeated_keys_are_kept_for_the_reader_to_judge() -> None:
    assert sexpr.parse_map("(('k' '1') ('k' '2'))") == [("k", "1"), ("k", "2")]
