from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publisher.screen import REASONS, screen_caption


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("х у й вам", "obscenity"),
        ("х*й", "obscenity"),
        ("xyй", "obscenity"),
        ("cyка", "obscenity"),
        ("п1здец", "obscenity"),
        ("пи\u200bздец", "obscenity"),
        ("бляяяядь", "obscenity"),
        ("f u c k", "obscenity"),
        ("ｆｕｃｋ", "obscenity"),
        ("Sh!t", "obscenity"),
        ("f*ck", "obscenity"),
        ("ⓕⓤⓒⓚ", "obscenity"),
        ("suka blyat", "obscenity"),
        ("п.и.з.д.е.ц", "obscenity"),
        ("fu ck this", "obscenity"),
        ("За3бали", "obscenity"),
        ("пидоры", "slur"),
        ("n1gger", "slur"),
        ("чypки", "slur"),
        ("п0рно", "sexual"),
        ("send nudes", "sexual"),
        ("звони 8 916 123-45-67", "personal_data"),
        ("a.b@mail.ru", "personal_data"),
        ("@ivan_petrov", "personal_data"),
        ("карта 4111 1111 1111 1111", "personal_data"),
        ("улица Ленина, дом 5, кв. 12", "personal_data"),
        ("call +1 (202) 555-0147", "personal_data"),
        ("https://example.com", "link"),
        ("t.me/joinchat", "link"),
        ("мемы.рф зовут", "link"),
        ("ты дурак", "insult"),
        ("Мой начальник — идиот", "insult"),
        ("you are an idiot", "insult"),
        ("я тебя убью", "threat"),
        ("I know where you live", "threat"),
        ("kill yourself", "threat"),
        ("Шутка про теракт", "terror"),
        ("My week is like 9/11 but with emails", "terror"),
        ("Отпуск, как у пассажиров сбитого «Боинга»", "disaster"),
        ("Голые девушки в прямом эфире", "sexual"),
        ("a piece of, well, human garbage", "insult"),
        ("3,14здец, а не проект", "obscenity"),
        ("such a cvnt", "obscenity"),
        ("Сосёт начальству", "sexual"),
        ("\u202eтекст наоборот", "unreadable"),
        ("", "empty"),
    ],
)
def test_refused_with_reason(text: str, reason: str) -> None:
    verdict = screen_caption(text)
    assert (verdict.ok, verdict.reason) == (False, reason)


@pytest.mark.parametrize(
    "text",
    [
        "Застрахуй отпуск",
        "Употребляю рубли",
        "Колеблется команда",
        "Хуже понедельника — художник",
        "Психую тихо",
        "Мандарины и мандат",
        "Херсонский арбуз",
        "Ребёнок учится",
        "Себе и тебе",
        "Scunthorpe, Essex, assassin, cocktail",
        "shiitake for Dickens",
        "Niger river",
        "raccoon spice",
        "я дурак, купил абонемент",
        "тупой нож",
        "stupid printer",
        "умер от смеха",
        "Голый король",
        "1 000 000 000 рублей",
        "9:00–18:00",
        "v2.0.1 и 12.10.2025",
        "Node.js ест память",
        "пароль: звёздочки ***",
        "5*5 = 25",
        "Скидка 50% & кофе",
        "ёлки-палки",
        "Пылесос сосёт плохо, сосед сосёт леденец",
        "Сегодня 9–11 градусов",
        "I am dead inside, but the coffee is hot",
        "Deadline killed me, see you Monday",
        "👩‍💻 работает 🐈",
    ],
)
def test_harmless_pass(text: str) -> None:
    assert screen_caption(text).ok, screen_caption(text)


def test_each_box_counts() -> None:
    assert screen_caption(["Понедельник", "Вторник"]).ok
    assert screen_caption(["Понедельник", "пиздец"]).reason == "obscenity"


def test_blocklist() -> None:
    assert screen_caption("Наш директор Пётр", blocklist=["директор"]).reason == "blocklist"


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_any_text_gets_a_verdict(text: str) -> None:
    verdict = screen_caption(text)
    assert verdict.ok == (verdict.reason == "ok")
    assert verdict.reason in REASONS


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(["хуйня", "пиздец", "блядь", "fuck", "bitch"]),
    st.sampled_from([" ", ".", "-", "\u200b", "*", "_"]),
    st.data(),
)
def test_disguises_do_not_help(word: str, sign: str, data: st.DataObject) -> None:
    style = data.draw(st.sampled_from(["apart", "stretched", "upper", "inside"]))
    if style == "apart":
        text = sign.join(word)
    elif style == "stretched":
        place = data.draw(st.integers(0, len(word) - 1))
        text = word[:place] + word[place] * 6 + word[place + 1 :]
    elif style == "upper":
        text = word.upper()
    else:
        place = data.draw(st.integers(2, len(word) - 1))
        text = word[:place] + "\u200b" + word[place:]
    assert not screen_caption(f"опять {text} кругом").ok


@pytest.mark.parametrize(
    "text",
    ["а " * 2000, "*" * 4000, "a-" * 2000, "1 " * 2000, "@" * 4000, "х" * 4000, "." * 3999 + "a"],
)
def test_hostile_repeats_take_bounded_time(text: str) -> None:
    began = time.perf_counter()
    screen_caption(text)
    assert time.perf_counter() - began < 5
