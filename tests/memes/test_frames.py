"""Frames: the files that ship, the format, filling."""

from random import Random

import pytest

from publisher.memes.frames import fill_frame, fill_frames, normal_texts
from publisher.memes.frames_file import LIMITS, FrameError, load_frames, parse_frames
from publisher.memes.frames_kinds import kinds_of_words
from publisher.memes.frames_topic import TopicPhrase, quoted, topic_phrase
from publisher.memes.templates import load_templates
from publisher.memes.types import Caption
from publisher.screen import screen_words

TOPICS = {
    "ru": ["ипотека", "мой кот и понедельник", "хочу спать", "Мэрия запретила самокаты", "жара"],
    "en": ["mortgage", "my cat", "why is it raining", "City bans e-scooters", "AI"],
}


def topic(text: str, language: str = "ru") -> TopicPhrase:
    found = topic_phrase(text, language)
    assert found is not None
    return found


def one(lines: str, text: str = "ипотека", **more: object) -> Caption:
    [frame] = parse_frames("[x] any\n" + lines, more.pop("template", "no_yes"), "ru")  # type: ignore[arg-type]
    caption = fill_frame(frame, topic(text), seed=1, **more)  # type: ignore[arg-type]
    assert caption is not None
    return caption


def test_a_name_that_begins_small_keeps_its_small_letter() -> None:
    caption = one("{Topic:nomn} в коробке\nЯ: {Topic:nomn}!", text="iPhone 17")
    assert caption.texts == ("iPhone 17 в коробке", "Я: iPhone 17!")


@pytest.mark.parametrize(("language", "least"), [("ru", 400), ("en", 150)])
def test_enough_frames_for_every_template(language: str, least: int) -> None:
    frames = load_frames(language)
    assert len(frames) >= least
    assert {frame.template for frame in frames} == set(LIMITS) == set(load_templates())


def test_boxes_are_those_of_the_templates() -> None:
    for name, template in load_templates().items():
        assert len(template.boxes) == len(LIMITS[name])


@pytest.mark.parametrize("language", ["ru", "en"])
def test_every_frame_fills_within_the_limits_of_its_template(language: str) -> None:
    limits = {
        name: tuple(box.max_chars for box in template.boxes)
        for name, template in load_templates().items()
    }
    sample = topic("дедлайн" if language == "ru" else "deadline", language)
    pair = topic("кот и дом" if language == "ru" else "cat and dog", language)
    quote = quoted("хочу спать" if language == "ru" else "so tired", language)
    for frame in load_frames(language):
        marks = frozenset().union(*frame.suits)
        subject = pair if "two" in marks else quote if "quote" in marks else sample
        caption = fill_frame(frame, subject, seed=1, limits=limits)
        assert caption is not None, f"{frame.id} is too long even for a short topic"
        assert all(text and not set(text) & set("{}|") for text in caption.texts), frame.id
        assert screen_words(caption.texts).ok, frame.id


@pytest.mark.parametrize("language", ["ru", "en"])
def test_every_frame_speaks_of_the_topic(language: str) -> None:
    """Most name it; the few that do not are cut for one role, whose subject they show."""
    for frame in load_frames(language):
        named = any(
            slot.kind not in ("text", "choice", "fill") for box in frame.boxes for slot in box
        )
        assert named or all("any" not in suit for suit in frame.suits), frame.id


@pytest.mark.parametrize("language", ["ru", "en"])
def test_no_two_frames_are_the_same(language: str) -> None:
    seen: dict[tuple[str, tuple[str, ...]], str] = {}
    for frame in load_frames(language):
        key = (frame.template, normal_texts(frame.source))
        assert key not in seen, f"{frame.id} repeats {seen.get(key)}"
        seen[key] = frame.id


@pytest.mark.parametrize("language", ["ru", "en"])
def test_every_role_that_frames_ask_for_has_words(language: str) -> None:
    known = frozenset().union(*kinds_of_words(language).values())
    asked = {mark.lstrip("!") for f in load_frames(language) for suit in f.suits for mark in suit}
    marks = {"any", "sg", "pl", "anim", "inan", "plain", "one", "two", "quote", "news"}
    assert asked - marks <= known


def test_case_agreement_and_prepositions() -> None:
    caption = one("думаю о {topic:loct}\n{Topic:nomn} {topic:был|была|было|были} с {topic:ablt}")
    assert caption.texts == ("Думаю об ипотеке", "Ипотека была с ипотекой")
    caption = one("о {topic:loct}\n{topic:его|её|его|их} {topic:ждёт|ждут}", "выходные")
    assert caption.texts == ("О выходных", "Их ждут")


def test_english_articles() -> None:
    [frame] = parse_frames("[x] any\nnot {the} again\na {topic}", "no_yes", "en")
    caption = fill_frame(frame, topic("exam", "en"), seed=1)
    assert caption is not None and caption.texts == ("Not the exam again", "An exam")
    caption = fill_frame(frame, topic("homework", "en"), seed=1)
    assert caption is not None and caption.texts[0] == "Not homework again"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Monday meeting", "We have a Monday meeting"),
        ("exam", "We have an exam"),
        ("SMS code", "We have an SMS code"),
        ("used car", "We have a used car"),
        ("homework", "We have homework"),
        ("emails", "We have emails"),
        ("the deadline", "We have the deadline"),
    ],
)
def test_english_indefinite_article_where_a_noun_takes_one(text: str, expected: str) -> None:
    [frame] = parse_frames("[x] any\nwe have {a}\n{A}", "no_yes", "en")
    caption = fill_frame(frame, topic(text, "en"), seed=1)
    assert caption is not None and caption.texts[0] == expected


def test_quotes_and_pairs() -> None:
    [frame] = parse_frames("[x] quote\n{quote}\nи что", "no_yes", "ru")
    caption = fill_frame(frame, quoted("хочу спать.", "ru"), seed=1)
    assert caption is not None and caption.texts == ("«Хочу спать»", "И что")
    [frame] = parse_frames("[x] two\n{first:gent}\n{second:ablt}", "no_yes", "ru")
    caption = fill_frame(frame, topic("мой кот и понедельник"), seed=1)
    assert caption is not None and caption.texts == ("Моего кота", "Понедельником")
    assert frame.fit(topic("мой кот")) == 0


def test_a_frame_suits_kinds() -> None:
    [frame] = parse_frames("[x] loan bad+!money\n{topic}\nа", "no_yes", "ru")
    assert frame.fit(topic("ипотека")) > 1
    assert frame.fit(topic("дедлайн")) > 1
    assert frame.fit(topic("инфляция")) == 0
    assert frame.fit(topic("кот")) == 0
    assert frame.fit(quoted("хочу спать", "ru")) == 0


def test_a_model_ranks_choices_and_the_prompt_is_kept() -> None:
    asked: list[tuple[str, list[str]]] = []

    def rank(prompt: str, continuations: list[str]) -> list[float]:
        asked.append((prompt, continuations))
        return [0.0 if "чай" in text else -100.0 for text in continuations]

    caption = one("{topic}\nпить {choice: воду / чай / кефир} сразу", rank=rank, model="m")
    assert caption.texts[1] == "Пить чай сразу"
    assert asked == [
        ("Тема: ипотека\nИпотека\nпить", [" воду сразу", " чай сразу", " кефир сразу"])
    ]
    assert caption.model == "m" and caption.prompt == asked[0][0]


def test_fills_must_be_short_russian_noun_phrases() -> None:
    def fill(prompt: str, neutral: str, words: int) -> list[str]:
        assert "ипотека:" in prompt and "ипотека" not in neutral
        return ["синий чайник", "бежать", "ыыы", "три больших дома подряд", "Чай!"]

    def rank(prompt: str, continuations: list[str]) -> list[float]:
        return [0.0 if "чайник" in text else -500.0 for text in continuations]

    line = '{topic}\n{fill:noun max=2 hint="near" list="сон|обед"}'
    assert one(line, fill=fill, rank=rank).texts[1] == "Синий чайник"
    assert one(line, fill=fill).texts[1] in {"Синий чайник", "Сон", "Обед"}
    assert one(line).texts[1] in {"Сон", "Обед"}


def test_a_text_over_its_limit_gives_no_caption() -> None:
    [frame] = parse_frames("[x] any\n{topic}\n" + "о" * 61, "no_yes", "ru")
    assert fill_frame(frame, topic("ипотека"), seed=1) is None


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[x] any\nодин", "1 lines, but no_yes has 2 boxes"),
        ("x any\nа\nб", "expected"),
        ("[x] чужое\nа\nб", "unknown kinds"),
        ("[x] any\n{topic:dativ}\nб", "unknown case"),
        ("[x] any\n{topic:а|б|в}\nб", "agreement needs 2 or 4"),
        ("[x] any\n{choice: один}\nб", "a choice needs two"),
        ("[x] any\n{fill:noun max=2}\nб", "a fill needs list"),
        ("[x] any\n{что}\nб", "unknown slot"),
        ("[x] any\n{topic\nб", "unpaired brace"),
    ],
)
def test_a_faulty_frame_is_named(text: str, fault: str) -> None:
    with pytest.raises(FrameError, match=fault):
        parse_frames(text, "no_yes", "ru")


def test_an_unknown_template_is_named() -> None:
    with pytest.raises(FrameError, match="there is no such template"):
        parse_frames("", "nowhere", "ru")


@pytest.mark.parametrize("language", ["ru", "en"])
def test_filling_is_repeatable_and_without_repeats(language: str) -> None:
    for text in TOPICS[language]:
        first = fill_frames(text, language, count=20, seed=7)
        assert first == fill_frames(text, language, count=20, seed=7)
        assert len({caption.source for caption in first}) == len(first) >= 8
        assert all(caption.method == "frame" and caption.seed == 7 for caption in first)
        assert first != fill_frames(text, language, count=20, seed=8)


def test_templates_take_turns() -> None:
    captions = fill_frames("ипотека", "ru", count=12, seed=1)
    assert len({caption.template for caption in captions}) >= 10


def test_only_the_templates_asked_for() -> None:
    captions = fill_frames("ипотека", "ru", count=5, seed=1, templates=["moon", "coffee"])
    assert {caption.template for caption in captions} == {"moon", "coffee"}


def test_what_was_posted_is_not_made_again_and_its_frames_wait() -> None:
    posted = fill_frames("ипотека", "ru", count=10, seed=1)
    avoid = [(caption.template, caption.texts) for caption in posted]
    again = fill_frames("ипотека", "ru", count=10, seed=1, avoid=avoid)
    assert not {normal_texts(c.texts) for c in again} & {normal_texts(c.texts) for c in posted}
    other = fill_frames("дедлайн", "ru", count=10, seed=1, avoid=avoid)
    assert not {c.source for c in other} & {c.source for c in posted}


def test_kinds_from_outside_open_frames() -> None:
    known = fill_frames("шмурдяк", "ru", count=30, seed=1, kinds=["pet"])
    plain = fill_frames("шмурдяк", "ru", count=30, seed=1)
    assert any("pet" in c.source for c in known) and not any("pet" in c.source for c in plain)


def test_topics_of_every_known_word_give_captions() -> None:
    words = sorted(kinds_of_words("ru"))
    for word in Random(1).sample(words, 60):
        captions = fill_frames(word.replace("_", " "), "ru", count=3, seed=1)
        assert len(captions) == 3, word
