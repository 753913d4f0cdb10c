import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from core.text.content_hash import content_hash, unit_interval
from core.text.normalisation import normalise


def test_case_width_ligatures_and_white_space_do_not_make_another_text() -> None:
    assert normalise("  Ｈello\t\n ﬁne STRASSE ") == normalise("hello fine straße") == "hello fine strasse"


def test_composed_and_decomposed_accents_are_the_same_text() -> None:
    assert content_hash("caf\u00e9") == content_hash("cafe\u0301")


def test_words_and_punctuation_make_another_text() -> None:
    assert content_hash("refund me") != content_hash("refund me!")


def test_a_text_with_an_image_is_not_the_text_alone_nor_the_address_as_text() -> None:
    address = "https://files.example/A.png"
    hashes = {content_hash("x"), content_hash("x", address), content_hash(address), content_hash("", address)}
    assert len(hashes) == 4
    assert content_hash("", address) != content_hash("", address.lower())


def test_nothing_is_the_same_as_empty() -> None:
    assert content_hash(None, None) == content_hash("", "") == content_hash("  ")


def test_stored_hashes_and_shares_keep_their_values() -> None:
    hello = "c254c19ab8d3ddce93598ddc782b4b14d4950577c86dab4d96b6f89ab3fe5275"
    assert content_hash("Hello") == hello
    assert unit_interval(hello, "blind") == 0.7045004080665892


@given(st.text())
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(st.text(st.characters(codec=None)) | st.text("aB \t\x1f\x7f"))
def test_the_form_is_the_one_of_the_standard_which_begins_with_nfd(text: str) -> None:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFD", text)).casefold()
    assert normalise(text) == " ".join(unicodedata.normalize("NFKC", folded).split())


@given(st.text(st.characters(codec=None)), st.text())
def test_the_unit_interval_is_half_open_and_repeatable(text: str, purpose: str) -> None:
    value = unit_interval(content_hash(text), "p" + ascii(purpose))
    assert 0 <= value < 1
    assert value == unit_interval(content_hash(text), "p" + ascii(purpose))


def test_shares_are_kept_and_purposes_are_independent() -> None:
    hashes = [content_hash(f"ticket {number}") for number in range(4000)]
    blind = [unit_interval(one, "blind") < 1 / 3 for one in hashes]
    golden = [unit_interval(one, "golden") < 0.1 for one in hashes]
    both = sum(b and g for b, g in zip(blind, golden, strict=True))
    assert 1240 < sum(blind) < 1430  # 4000/3 and three standard deviations
    assert 340 < sum(golden) < 460
    assert 100 < both < 168  # 4000/30


def test_the_short_way_for_ascii_gives_what_the_long_way_gives() -> None:
    every = "".join(map(chr, range(128)))
    long_way = normalise(every + "ä").removesuffix("ä")
    assert normalise(every) == long_way
