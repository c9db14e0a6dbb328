import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments import words
from experiments.data import LOST, PENDING, STATUSES, read_posts, read_suggestions
from experiments.phrases import REASONS
from experiments.tables import BadInput
from tests.experiments.builders import pairs, post, write_csv

GOOD = pairs([((8, 2), (5, 5)), ((6, 4), (3, 7)), ((9, 1), (4, 6))])


def codes(found) -> list[tuple[str, tuple[int, ...]]]:
    return [(problem.code, problem.rows) for problem in found.problems]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"likes": "-3"}, "negative_count"),
        ({"likes": "many"}, "not_a_count"),
        ({"dislikes": "2.5"}, "not_a_count"),
        ({"likes": "nan"}, "not_a_count"),
        ({"views": "5"}, "likes_above_views"),
        ({"arm": "robot"}, "unknown_arm"),
        ({"status": "lost"}, "unknown_status"),
        ({"slot_utc": "yesterday"}, "bad_time"),
        ({"window_h": "-1"}, "bad_window"),
        ({"post_id": " "}, "empty_cell"),
        ({"week": "", "slot_utc": ""}, "no_week"),
    ],
)
def test_a_faulty_row_is_named_and_set_aside(tmp_path, changes, code):
    rows = [dict(row) for row in GOOD]
    rows[2] |= changes
    found = read_posts(write_csv(tmp_path / "posts.csv", rows))
    assert codes(found) == [(code, (4,))]
    assert len(found.rows) == len(rows) - 1
    for language in words.LANGUAGES:
        text = words.problem_text(words.problem_facts(found.problems[0]), language)
        assert "4" in text and len(text) > 20


@pytest.mark.parametrize("status", sorted(LOST))
def test_a_lost_post_is_read_and_its_loss_has_words(status):
    """`dropped` among them: what an owner took out is lost, never unknown."""
    rows = [dict(row) for row in GOOD]
    rows[2] |= {"status": status, "likes": "", "dislikes": "", "views": "", "window_h": ""}
    found = read_posts(rows)
    assert not found.problems and found.rows[2].status == status
    assert set(REASONS[status]) == set(words.LANGUAGES)


def test_every_state_of_a_post_in_the_ledger_is_known():
    ended = {"published", "expired", "failed", "missed", "dropped"}
    assert ended | {"planned", "claimed", "sending"} <= STATUSES
    assert not ended & PENDING


def test_all_faults_are_told_at_once(tmp_path):
    rows = [dict(row) for row in GOOD]
    rows[0] |= {"likes": "-1", "arm": "x", "window_h": "soon"}
    rows[5] |= {"dislikes": "?"}
    found = read_posts(write_csv(tmp_path / "posts.csv", rows))
    assert codes(found) == [
        ("bad_window", (2,)),
        ("negative_count", (2,)),
        ("unknown_arm", (2,)),
        ("not_a_count", (7,)),
    ]


def test_a_missing_column_stops_with_every_missing_one(tmp_path):
    path = tmp_path / "posts.csv"
    path.write_text("post_id,channel,members\n1,a,2\n")
    with pytest.raises(BadInput) as caught:
        read_posts(path)
    missing = [problem.params["column"] for problem in caught.value.problems]
    assert "arm" in missing and "likes" in missing and "channel" not in missing


@pytest.mark.parametrize(("text", "code"), [("", "empty_file"), ("\n\n", "empty_file")])
def test_an_empty_file_is_said_to_be_empty(tmp_path, text, code):
    path = tmp_path / "posts.csv"
    path.write_text(text)
    with pytest.raises(BadInput) as caught:
        read_posts(path)
    assert [problem.code for problem in caught.value.problems] == [code]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(BadInput, match=r"none\.csv"):
        read_posts(tmp_path / "none.csv")


def test_identical_duplicates_keep_the_first():
    found = read_posts([*GOOD, dict(GOOD[0])])
    assert codes(found) == [("duplicate_same", (2, 8))]
    assert [row.row for row in found.rows] == [2, 3, 4, 5, 6, 7]


def test_contradicting_duplicates_are_all_set_aside():
    found = read_posts([*GOOD, GOOD[0] | {"likes": 1}])
    assert codes(found) == [("duplicate_differs", (2, 8))]
    assert [row.row for row in found.rows] == [3, 4, 5, 6, 7]


@pytest.mark.parametrize(
    ("extra", "code", "rows"),
    [
        (post(0, "human", 4, 4, post_id="third"), "pair_too_many", (2, 3, 8)),
        (post(7, "human", 4, 4), "pair_one_arm", (8, 9)),
    ],
)
def test_pairs_that_are_no_pairs_are_set_aside_whole(extra, code, rows):
    more = [extra] if code == "pair_too_many" else [extra, extra | {"post_id": "again"}]
    found = read_posts([*GOOD, *more])
    assert codes(found) == [(code, rows)]
    assert not {row.row for row in found.rows} & set(rows)


def test_a_pair_over_two_channels_is_set_aside():
    found = read_posts([*GOOD[:5], GOOD[5] | {"channel": "dogs"}])
    assert codes(found) == [("pair_two_channels", (6, 7))]


def test_mixed_windows_are_told_from_the_one_that_counts():
    rows = [*GOOD[:5], GOOD[5] | {"window_h": 24}]
    assert codes(read_posts(rows)) == [("mixed_window", (7,))]
    other = read_posts(rows, window_h=24)
    assert codes(other) == [("mixed_window", (2, 3, 4, 5, 6))]


@pytest.mark.parametrize(
    ("separator", "encoding", "notes"),
    [
        (",", "utf-8", []),
        (",", "utf-8-sig", ["bom"]),
        (";", "utf-8-sig", ["bom", "separator"]),
        ("\t", "utf-16", ["encoding", "separator"]),
        (";", "cp1251", ["encoding", "separator"]),
    ],
)
def test_spreadsheets_habits_are_read_and_noted(tmp_path, separator, encoding, notes):
    rows = [row | {"channel": "коты"} for row in GOOD]
    path = write_csv(tmp_path / "posts.csv", rows, separator=separator, encoding=encoding)
    found = read_posts(path)
    assert sorted(problem.code for problem in found.problems) == notes
    assert all(problem.severity == "note" for problem in found.problems)
    assert [row.share for row in found.rows] == [row.share for row in read_posts(rows).rows]
    assert {row.channel for row in found.rows} == {"коты"}


def test_views_never_counted_are_unknown_and_the_reactions_kept():
    found = read_posts([GOOD[0] | {"views": 0}, *GOOD[1:]])
    assert codes(found) == [("views_not_counted", (2,))]
    assert found.rows[0].views is None and found.rows[0].share == 0.8


def test_a_ragged_row_is_named(tmp_path):
    path = write_csv(tmp_path / "posts.csv", GOOD)
    path.write_text(path.read_text() + "1,2,3\n")
    assert codes(read_posts(path)) == [("ragged_row", (8,))]


def test_extra_columns_are_kept():
    found = read_posts([row | {"topic": "weather", "forwards": "3"} for row in GOOD])
    assert found.rows[0].extra["topic"] == "weather"
    assert found.rows[0].number("forwards") == 3


@given(st.binary(max_size=400))
def test_no_bytes_break_the_reader(tmp_path_factory, noise):
    path = tmp_path_factory.mktemp("noise") / "posts.csv"
    path.write_bytes(noise)
    with pytest.raises(BadInput):
        read_posts(path)


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "likes": st.sampled_from(["1", "", "-2", "x", "9" * 30, "1e3", "0"]),
                "arm": st.sampled_from(["generated", "human", "", "Human"]),
                "status": st.sampled_from(["published", "expired", "planned", "?"]),
                "pair_id": st.sampled_from(["a", "b", ""]),
                "window_h": st.sampled_from(["48", "24", "", "x"]),
                "views": st.sampled_from(["0", "10", ""]),
            }
        ),
        max_size=12,
    )
)
def test_every_row_is_either_read_or_named(changes):
    rows = [
        post(number, "human", 1, 1, post_id=str(number)) | change
        for number, change in enumerate(changes)
    ]
    found = read_posts(rows)
    named = {row for problem in found.problems for row in problem.rows}
    assert named | {row.row for row in found.rows} == set(range(2, len(rows) + 2))
    for problem in found.problems:
        for language in words.LANGUAGES:
            assert words.problem_text(words.problem_facts(problem), language)


def test_suggestions_are_read_and_silence_is_neither_yes_nor_no(tmp_path):
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["submission_id", "partner", "members", "arm", "accepted"])
    writer.writerows(
        [
            ["1", "a", 10, "human", "1"],
            ["2", "a", 10, "human", "0"],
            ["3", "a", "", "generated", ""],
            ["4", "a", 10, "human", "maybe"],
            ["5", "", 10, "human", "1"],
            ["1", "a", 10, "human", "0"],
        ]
    )
    path = tmp_path / "s.csv"
    path.write_text(text.getvalue())
    found = read_suggestions(path)
    assert [(row.submission_id, row.accepted) for row in found.rows] == [("2", False), ("3", None)]
    assert codes(found) == [
        ("duplicate_differs", (2, 7)), ("bad_accepted", (5,)), ("empty_cell", (6,)),
    ]  # fmt: skip


def kinds(found) -> set[tuple[str, str]]:
    return {(problem.code, problem.severity) for problem in found.problems}


def test_counts_that_no_channel_has_are_named(tmp_path):
    for cell, code in (
        ("1_000", "not_a_count"),
        ("1e300", "count_too_large"),
        ("٣", "not_a_count"),
    ):
        rows = [*pairs([((5, 5), (5, 5))]), post(3, "human", cell, 2, views="")]
        found = read_posts(write_csv(tmp_path / "p.csv", rows))
        assert kinds(found) == {(code, "error")} and len(found.rows) == 2
    assert read_posts([post(3, "human", "1e9", "4.0", views="")]).rows[0].likes == 1e9


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00"])
def test_times_outside_this_century_are_named(time):
    found = read_posts([post(0, "human", 1, 1, slot_utc=time, week="")])
    assert kinds(found) == {("bad_time", "error")} and found.rows == []


def test_weeks_that_are_not_are_named():
    found = read_posts([post(0, "human", 1, 1, week="2026-W60")])
    assert kinds(found) == {("bad_week", "error")} and found.rows == []
    rows = pairs([((5, 5), (5, 5))] * 3, ("2026-W37", "soon", "2026-W38"))
    assert kinds(read_posts(rows)) == {("week_label", "note")}
    far = [post(0, "human", 1, 1, week="2062-W37"), post(0, "generated", 1, 1, week="2026-w37")]
    found = read_posts(far)
    assert kinds(found) == {("week_disagrees", "note")}
    assert found.problems[0].rows == (2,) and found.rows[1].week == "2026-W37"


def test_a_snapshot_of_unknown_age_is_taken_and_said():
    rows = [*pairs([((5, 5), (5, 5))]), post(3, "human", 4, 2, window_h="")]
    found = read_posts(rows)
    assert kinds(found) == {("window_unknown", "note")} and len(found.rows) == 3
    assert found.problems[0].rows == (4,)


def test_of_posts_listed_at_several_ages_the_registered_one_is_read():
    rows = [
        post(pair, arm, 5 + age // 24, 5, window_h=age)
        for pair in range(3)
        for arm in ("generated", "human")
        for age in (24, 48)
    ]
    for window in (None, 48.0, 24.0):
        found = read_posts(rows, window_h=window)
        assert len(found.rows) == 6
        assert {item.window_h for item in found.rows} == {window or 48.0}
        assert kinds(found) == {("mixed_window", "error")}


def test_excels_separator_line_and_blank_lines_before_the_header(tmp_path):
    path = write_csv(tmp_path / "p.csv", pairs([((5, 5), (4, 6))]), separator=";")
    body = path.read_bytes()
    path.write_bytes(b"sep=;\r\n" + body)
    assert len(read_posts(path).rows) == 2
    path.write_bytes(b"\r\n\r\n" + body.replace(b"published", b"sent", 1))
    found = read_posts(path)
    assert len(found.rows) == 1
    assert [problem.rows for problem in found.problems if problem.severity == "error"] == [(4,)]


def test_an_open_quote_does_not_swallow_rows_silently(tmp_path):
    rows = [{**row, "note": ""} for row in pairs([((5, 5), (4, 6))] * 3)]
    rows[3]["note"] = "MARK"
    path = write_csv(tmp_path / "p.csv", rows)
    path.write_text(path.read_text().replace("MARK", '"never closed'))
    found = read_posts(path)
    assert kinds(found) == {("open_quote", "error")}
    assert found.problems[0].rows == (5,) and len(found.rows) == 3


def test_a_file_that_is_no_text_is_refused_as_such(tmp_path):
    path = write_csv(tmp_path / "p.csv", pairs([((5, 5), (4, 6))]), encoding="utf-16-le")
    with pytest.raises(BadInput) as refused:
        read_posts(path)
    assert [problem.code for problem in refused.value.problems] == ["no_table"]


def test_a_header_alone_is_said(tmp_path):
    found = read_posts(write_csv(tmp_path / "p.csv", []))
    assert kinds(found) == {("no_rows", "note")} and found.rows == []


def test_a_file_put_together_of_two_encodings_is_read_line_by_line_and_said(tmp_path):
    rows = [row | {"channel": "коты"} for row in GOOD]
    path = write_csv(tmp_path / "p.csv", rows)
    lines = path.read_text().splitlines(keepends=True)
    path.write_bytes(
        b"".join(
            line.encode("cp1251" if at in (3, 4) else "utf-8") for at, line in enumerate(lines)
        )
    )
    found = read_posts(path)
    assert kinds(found) == {("mixed_encoding", "note")} and found.problems[0].rows == (4, 5)
    assert {row.channel for row in found.rows} == {"коты"} and len(found.rows) == 6


@pytest.mark.parametrize("shut", [True, False])
def test_rows_swallowed_by_quotes_in_the_wrong_place_are_named(tmp_path, shut):
    """Two loose quotes make one row of two, with as many cells as the header has, or fewer."""
    path = write_csv(tmp_path / "p.csv", [row | {"channel": "cats"} for row in GOOD])
    lines = path.read_text().splitlines()
    lines[3] = lines[3].replace("cats", '"cats')
    lines[4] = f'{lines[4]}"' if shut else lines[4].replace("cats", '"cats')
    path.write_text("\n".join(lines))
    found = read_posts(path)
    assert kinds(found) == {("loose_quote", "error")}
    assert found.problems[0].rows == (4,) and found.problems[0].params["lines"] == 1
    assert len(found.rows) == 4


def test_a_line_break_inside_a_quoted_text_is_only_text(tmp_path):
    rows = [row | {"caption": 'two\nlines, a "quote"'} for row in GOOD]
    found = read_posts(write_csv(tmp_path / "p.csv", rows))
    assert not found.problems and len(found.rows) == 6


def test_a_header_repeated_is_no_row_of_data(tmp_path):
    path = write_csv(tmp_path / "p.csv", GOOD)
    path.write_text(path.read_text() + path.read_text().splitlines()[0] + "\n")
    found = read_posts(path)
    assert codes(found) == [("header_again", (8,))] and kinds(found) == {("header_again", "note")}
    assert found.pair_ids == {"p0", "p1", "p2"}


@pytest.mark.parametrize("cell", ["\0", "x" * 200_000])
def test_a_cell_that_makes_the_file_no_table_is_told_by_its_row(tmp_path, cell):
    path = write_csv(tmp_path / "p.csv", GOOD)
    path.write_text(path.read_text().replace("0h,cats", f"0h,{cell}"))
    with pytest.raises(BadInput) as refused:
        read_posts(path)
    assert [problem.rows for problem in refused.value.problems] == [(3,)]
    assert "why" not in refused.value.problems[0].params


@pytest.mark.parametrize(
    ("column", "cell"),
    [("forwards", "-5"), ("forwards", "many"), ("forwards", "1e400"), ("look", "2.5")],
)
def test_a_further_column_that_is_used_is_checked_as_the_others(column, cell):
    rows = [*GOOD[:5], GOOD[5] | {column: cell}]
    found = read_posts([row | {column: row.get(column, "")} for row in rows])
    assert kinds(found) == {("cell_unread", "note")} and found.problems[0].rows == (7,)
    assert len(found.rows) == 6 and found.rows[5].number(column) is None
