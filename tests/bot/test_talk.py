"""What messages are taken to want."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.bot import buttons, memes
from publisher.bot.console import chunks
from publisher.bot.talk import Said, language_of, read_message


@pytest.mark.parametrize(
    ("text", "private", "to_us", "said"),
    [
        ("ипотека", True, False, Said("", "ипотека")),
        ("/meme  кот и  сыр", True, False, Said("meme", "кот и  сыр")),
        ("/meme@Meme_Bot кот", False, False, Said("meme", "кот")),
        ("/meme@other_bot кот", False, False, None),
        ("кот", False, False, None),
        ("кот", False, True, Said("", "кот")),
        ("@meme_bot кот", False, False, Said("", "кот")),
        ("смотри, @meme_bot_fan", False, False, None),
        ("/start inline", True, False, Said("start", "inline")),
        ("/", True, False, Said("", "/")),
        ("Привет!", True, False, Said("start", "Привет!")),
        ("@meme_bot, hello", False, False, Said("start", ", hello")),
        ("thank you so much!!", True, False, Said("thanks", "thank you so much!!")),
        ("что ты умеешь?", True, False, Said("help", "что ты умеешь?")),
        ("привет из отпуска", True, False, Said("", "привет из отпуска")),
        ("/meme привет", True, False, Said("meme", "привет")),
    ],
)
def test_reading(text: str, private: bool, to_us: bool, said: Said | None) -> None:
    assert read_message(text, "meme_bot", private=private, to_us=to_us) == said


@given(st.text(max_size=300), st.booleans(), st.booleans())
def test_any_text_is_read(text: str, private: bool, to_us: bool) -> None:
    said = read_message(text, "meme_bot", private=private, to_us=to_us)
    assert said is not None or not private or text.strip().startswith("/")
    assert memes.topic_key(text, "ru") == memes.topic_key(text.lower(), "ru")


@pytest.mark.parametrize(
    ("code", "text", "language"),
    [
        ("ru", "cat", "ru"),
        ("en-US", "кот", "en"),
        ("de", "", "en"),
        (None, "кот", "ru"),
        (None, "/meme cat", "en"),
        (None, "/start", "ru"),
    ],
)
def test_languages(code: str | None, text: str, language: str) -> None:
    assert language_of(code, text, "ru") == language


@given(st.binary(max_size=64))
def test_only_our_buttons_are_understood(raw: bytes) -> None:
    found = buttons.parse(raw)
    assert found is None or buttons.data(found[0], *found[1]).count(b":") == raw.count(b":")


def test_the_same_topic_in_other_clothes() -> None:
    assert memes.topic_key("Ёлка, и кот!", "ru") == memes.topic_key("елка и  КОТ", "ru")
    assert memes.topic_key("кот", "ru") != memes.topic_key("кот", "en")


@given(st.text(alphabet=st.characters(exclude_characters="\r"), max_size=12_000))
def test_long_texts_are_cut_and_nothing_is_lost(text: str) -> None:
    parts = chunks(text)
    assert all(0 < len(part) <= 3501 for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())
