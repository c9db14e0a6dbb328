import json
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from experiments.analysis import Analysis, analyse
from experiments.cli import main
from experiments.labels import LABELS, METHOD
from experiments.model import Model, post_rows
from experiments.phrases import CHECKS, PROBLEMS, REASONS, REMEDIES, STATEMENTS, VERDICTS
from experiments.registration import Registration, write
from experiments.report import rank_memes, write_report
from tests.experiments.builders import pairs, post
from tests.experiments.test_analysis import many

NOTICE = {"ru": "Аудитория смоделирована.", "en": "The audience is simulated."}
FULL = list(post_rows(Model(channels=2, effect=0.06), seed=4))
SUGGESTIONS = [
    {"submission_id": str(i), "partner": f"p{i % 3}", "members": 100 * (1 + i % 3),
     "arm": ("generated", "human")[i % 2], "accepted": ("1", "0", "")[i * 7 % 5 % 3]}
    for i in range(40)
]  # fmt: skip


PARTNER = {
    "partner": "@box",
    "route": "bot",
    "offered": 6,
    "accepted": 2,
    "rejected": 1,
    "censored": 1,
    "pending": 2,
    "last_answer": "a|b",
}


def full_report(folder: Path, analysis: Analysis, language: str = "ru") -> dict[str, Path]:
    picture = folder / "meme.png"
    picture.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (600, 400), (90, 140, 200)).save(picture)
    tall = folder / "tall.png"
    Image.new("RGB", (300, 900), (90, 200, 140)).save(tall)
    memes = [
        {"post_id": row["post_id"], "image_path": (folder / "lost.png", picture, tall)[i % 3],
         "arm": row["arm"], "channel": row["channel"], "likes": row["likes"],
         "dislikes": row["dislikes"], "views": row["views"], "caption": "<b>Кот & пёс</b>"}
        for i, row in enumerate(FULL[:12])
    ]  # fmt: skip
    snapshots = [
        {"post_id": row["post_id"], "arm": row["arm"], "age_h": age, "views": 1,
         "likes": int(row["likes"] * share), "dislikes": int(row["dislikes"] * share)}
        for row in FULL
        for age, share in ((1, 0.3), (6, 0.6), (24, 0.9), (48, 1.0))
    ]  # fmt: skip
    growth = [
        {"date": date(2026, 9, 7) + timedelta(days=day), "channel": f"channel{c}",
         "members": 1000 * c + 3 * day, "joined": 5, "left": 2}
        for day in range(56)
        for c in (1, 2)
    ]  # fmt: skip
    registered = Registration("autumn", "no worse", "2026-09-07", "ab" * 32)
    changed = Registration(
        "autumn", "no worse", "2026-09-07", "ab" * 32, margin=0.08, version=2, reason="new aim"
    )
    written = [write(item, folder / "registered") for item in (registered, changed)]
    return write_report(
        folder,
        analysis,
        week="2026-W44",
        language=language,
        notices=[NOTICE],
        memes=memes,
        snapshots=snapshots,
        growth=growth,
        partners=[PARTNER],
        data_quality=[{"name": {"ru": "замеры", "en": "snapshots"}, "value": "12", "status": "ok"}],
        registrations=written,
    )


def sound_page(path: Path) -> str:
    html = path.read_text()
    assert "<script" not in html and "javascript:" not in html
    assert not re.search(r'(?:src|href)="(?:https?:)?//', html)
    assert "nan" not in re.findall(r">\s*(nan|None|inf)\s*<", html)
    assert "undefined" not in html.lower()
    return html


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> dict[str, Path]:
    found = analyse(FULL, SUGGESTIONS, experiment="autumn", started=date(2026, 9, 7))
    return full_report(tmp_path_factory.mktemp("report"), found)


def test_all_files_are_there(report):
    names = {"report.html", "report.en.html", "report.md", "report.en.md", "report.json",
             "posts.csv", "suggestions.csv", "looks.json", "registration-v1.json",
             "registration-v2.json"}  # fmt: skip
    figures = {"effect", "shares", "ages", "channels", "metrics", "partners", "growth"}
    assert set(report) == names | {f"figures/{name}.png" for name in figures}
    for name in figures:
        with Image.open(report[f"figures/{name}.png"]) as image:
            assert image.width > 600


def test_both_languages_are_whole_and_linked(report):
    for name, language, link in (
        ("report.html", "ru", "report.en.html"),
        ("report.en.html", "en", "report.html"),
    ):
        html = sound_page(report[name])
        assert f'<html lang="{language}">' in html and f'href="{link}"' in html
        assert LABELS["quality"][language] in html and NOTICE[language] in html
    english = re.sub(
        r"<svg.*?</svg>|Кот|пёс|По-русски", "", report["report.en.html"].read_text(), flags=re.S
    )
    assert not re.search("[а-яё]", english, re.I)


def test_notice_stands_first_everywhere(report):
    html = report["report.html"].read_text()
    assert html.index(NOTICE["ru"]) < html.index("<h1")
    assert NOTICE["en"] in report["report.en.md"].read_text()[:600]
    assert json.loads(report["report.json"].read_text())["report"]["notices"] == [NOTICE]


def test_text_of_others_is_escaped(report):
    html = report["report.html"].read_text()
    assert "&lt;b&gt;Кот &amp; пёс&lt;/b&gt;" in html and "<b>Кот" not in html
    assert "a\\|b" in report["report.md"].read_text()


def test_registrations_and_changes_are_shown(report):
    for name in ("report.html", "report.md"):
        text = report[name].read_text()
        assert (
            "registration-v1.json" in text
            and "граница «не хуже» 0,05 → 0,08" in text
            and "new aim" in text
        )
        verdict = text.index("<h1" if name.endswith("html") else "\n- ")
        assert text.index("Регистрация изменена после начала") < verdict
        assert "п.\u00a0п.." not in text


def test_partners_have_a_rate_of_what_is_settled_with_its_interval(report):
    row = json.loads(report["report.json"].read_text())["report"]["partners"][0]
    assert row["rate"] == 0.5
    assert row["interval"] == pytest.approx([0.1500, 0.8500], abs=1e-4)
    for name in ("report.html", "report.md"):
        assert "50\u00a0% (15\u00a0%…85\u00a0%)" in report[name].read_text()


def test_every_number_can_be_recomputed_from_the_folder(report):
    facts = json.loads(report["report.json"].read_text())
    command = facts["report"]["recompute"].split()
    assert command[:4] == ["python", "-m", "experiments", "analyse"]
    folder = report["posts.csv"].parent
    arguments = [
        str(folder / part) if part.endswith((".csv", ".json")) else part for part in command[3:]
    ]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    again = json.loads(result.stdout)
    assert again == {name: value for name, value in facts.items() if name != "report"}


def test_figures_follow_the_scheme_of_the_page(report):
    html = report["report.html"].read_text()
    assert html.count("<svg") == 7 and "var(--generated)" in html
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    assert "prefers-color-scheme:dark" in html and "@media print" in html


def test_best_and_worst_share_no_meme():
    memes = [
        {"post_id": str(i), "likes": likes, "dislikes": dislikes}
        for i, (likes, dislikes) in enumerate([(3, 0), (90, 10), (50, 50), (0, 2), (1, 40), (0, 0)])
    ]
    best, worst = rank_memes(memes)
    assert [meme["post_id"] for meme in best] == ["1", "0", "2"]
    assert [meme["post_id"] for meme in worst] == ["4", "3"]


LATE = datetime(2026, 12, 1, tzinfo=UTC)
CASES = {
    "empty week": (lambda: analyse([]), "not_yet_clear"),
    "one post": (lambda: analyse([post(0, "human", 3, 1)]), "not_yet_clear"),
    "one pair": (lambda: analyse(pairs([((3, 1), (1, 3))])), "not_yet_clear"),
    "one channel": (lambda: analyse(many(0.0, 20)), None),
    "stopped early": (lambda: analyse(many(0.3, 80)), "better"),
    "past the plan": (lambda: analyse(many(0.0, 40, weeks=10), planned_weeks=4), None),
    "missing snapshots": (
        lambda: analyse(
            [row | {"likes": "", "dislikes": ""} if i % 5 == 0 else row
             for i, row in enumerate(many(0.0, 40))],
            as_of=LATE,
        ),
        None,
    ),
    "nothing measured": (
        lambda: analyse([post(p, arm, "", "") for p in range(4) for arm in ("human", "generated")]),
        "not_yet_clear",
    ),
    "only problems": (lambda: analyse([post(0, "robot", 1, 1)]), "not_yet_clear"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_unusual_weeks_have_sensible_reports(tmp_path, name):
    build, code = CASES[name]
    found = build()
    assert code is None or found.code == code
    paths = write_report(tmp_path, found, week="2026-W47")
    for language, page in (("ru", "report.html"), ("en", "report.en.html")):
        html = sound_page(paths[page])
        assert VERDICTS[found.code][language] in html
        if name == "stopped early":
            assert LABELS["always_valid"][language] in html
            assert LABELS["sign_flip"][language] not in html
    if name == "only problems":
        assert "robot" in html and "robot" in paths["report.md"].read_text()
    json.loads(paths["report.json"].read_text())


def test_odd_names_and_bare_rows_are_only_text(tmp_path):
    rows = [row | {"channel": "$\\frac{a}$ <i>|x|</i>"} for row in many(0.0, 12)]
    paths = write_report(
        tmp_path, analyse(rows), week="2026-W47",
        memes=[{"post_id": "1", "image_path": None, "likes": 3}],
        partners=[{"partner": "@a", "offered": 0}],
        growth=[{"date": "2026-11-16", "channel": "$x$", "members": 5}],
    )  # fmt: skip
    html = sound_page(paths["report.html"])
    assert "<i>|x|" not in html and "&lt;i&gt;|x|" in html
    assert "<td>0</td>" in html


def test_a_second_report_in_the_folder_leaves_no_old_figure(tmp_path):
    write_report(tmp_path, analyse(FULL), week="2026-W44")
    paths = write_report(tmp_path, analyse([]), week="2026-W45")
    assert not list((tmp_path / "figures").iterdir())
    assert not any(name.startswith("figures") for name in paths)


def test_an_unknown_language_is_refused(tmp_path):
    with pytest.raises(ValueError, match="languages"):
        write_report(tmp_path, analyse([]), week="2026-W44", language="de")


def test_every_phrase_exists_in_both_languages():
    tables = [CHECKS, LABELS, PROBLEMS, REASONS, REMEDIES, STATEMENTS, VERDICTS]
    fields = re.compile(r"\{(\w+)")
    for table in tables:
        for code, texts in table.items():
            assert set(texts) == {"ru", "en"} and all(texts.values()), code
            assert set(fields.findall(texts["ru"])) == set(fields.findall(texts["en"])), code
    assert PROBLEMS.keys() == REMEDIES.keys()
    assert len(METHOD["ru"]) == len(METHOD["en"])


def test_the_level_is_said_as_it_was_chosen(tmp_path):
    found = analyse(FULL, alpha=0.01, planned_weeks=6, experiment="my autumn")
    paths = write_report(tmp_path, found, week="2026-W44", language="en")
    for name in ("report.html", "report.md"):
        text = paths[name].read_text()
        assert "99% interval" in text and "threshold 100" in text
        assert "95%" not in text and "{" not in re.sub(r"<style.*?</style>", "", text, flags=re.S)
        assert "--experiment 'my autumn'" in text.replace("&#39;", "'")
    assert "**нет данных**" not in paths["report.ru.md"].read_text()


def test_nothing_measured_is_no_failure_of_the_pilot(tmp_path):
    paths = write_report(tmp_path, analyse([]), week="2026-W44", language="en")
    assert paths["report.md"].read_text().count("**no data**") == 2
    assert paths["report.html"].read_text().count(">no data<") == 2


def test_what_left_the_metrics_and_the_comparison_of_offers_is_listed(tmp_path):
    offers = [
        {"submission_id": number, "partner": "@mute", "members": "", "arm": "generated",
         "accepted": "", "chosen_by": "thompson"}
        for number in range(3)
    ]  # fmt: skip
    paths = write_report(tmp_path, analyse(many(0.0, 12), offers), week="2026-W47", language="en")
    for name in ("report.md", "report.html"):
        text = paths[name].read_text()
        partners = text[text.index("Partners") :]
        assert "No data yet." not in partners[: partners.index("Best memes")]
        assert re.search(r"arm was not drawn by a coin\D*3", text)
        assert "take a channel's posts as independent" in text.replace("&#39;", "'")
        assert re.search(r"WeightedAvgSug\W+generated\W+@mute\W+members unknown", text)


def test_a_week_is_written_so_that_any_number_may_stand_before_it(tmp_path):
    paths = write_report(tmp_path, analyse(pairs([((3, 1), (1, 3))])), week="2026-W47")
    assert "(≈ 341 нед.)" in paths["report.md"].read_text()
    assert "(≈ 341 wk)" in paths["report.en.md"].read_text()
