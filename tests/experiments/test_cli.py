import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from experiments.cli import main
from experiments.registration import Registration, write
from tests.experiments.builders import pairs, post, write_csv

ROWS = pairs([((8, 2), (5, 5))] * 4 + [((6, 4), (7, 3))] * 4, ("1", "2"))


def run(*arguments: object, code: int = 0):
    result = CliRunner().invoke(main, [str(a) for a in arguments])
    assert result.exit_code == code, result.output
    return result


def test_analyse_prints_json_with_the_verdict(tmp_path):
    facts = json.loads(run("analyse", write_csv(tmp_path / "p.csv", ROWS), "--json").stdout)
    assert facts["pairs"]["complete"] == 8
    assert facts["effect"] == pytest.approx(0.1)


@pytest.mark.parametrize("language", ["ru", "en"])
def test_analyse_speaks_both_languages(tmp_path, language):
    path = write_csv(tmp_path / "p.csv", [*ROWS, post(30, "human", "", "", status="missed")])
    text = run("analyse", path, "--language", language).stdout
    assert {"ru": "Пока не ясно", "en": "Not yet clear"}[language] in text
    assert {"ru": "слот пропущен", "en": "slot missed"}[language] in text


def test_bad_rows_are_named_on_stderr_and_the_rest_is_analysed(tmp_path):
    rows = [*ROWS, post(9, "human", -4, 2)]
    result = run("analyse", write_csv(tmp_path / "p.csv", rows), "--json", code=1)
    assert "row 18: likes is negative: -4." in result.stderr
    facts = json.loads(result.stdout)
    assert facts["pairs"]["complete"] == 8
    assert facts["problems"][0]["rows"] == [18]


def test_a_file_without_columns_is_refused_with_all_of_them(tmp_path):
    (tmp_path / "p.csv").write_text("post_id;likes\n1;2\n")
    result = run("analyse", tmp_path / "p.csv", code=2)
    assert "the column arm is missing" in result.stderr
    assert "the column window_h is missing" in result.stderr


def test_a_missing_file_is_named(tmp_path):
    result = run("analyse", tmp_path / "absent.csv", code=2)
    assert "absent.csv" in result.stderr and "cannot be read" in result.stderr


def test_the_state_is_written_and_taken_up(tmp_path):
    path, state = write_csv(tmp_path / "p.csv", ROWS), tmp_path / "looks.json"
    first = json.loads(run("analyse", path, "--state", state, "--json").stdout)
    assert json.loads(state.read_text())["planned"] == 8
    assert json.loads(run("analyse", path, "--state", state, "--json").stdout) == first
    refused = run("analyse", path, "--state", state, "--seed", 2, code=2)
    assert "seed is 1 there and 2 here" in refused.stderr


def test_a_registration_gives_the_options(tmp_path):
    registered = Registration(
        "autumn", "not worse", "2026-09-07", "00", looks=4, planned_pairs=40, margin=0.1, seed=7
    )
    path = write(registered, tmp_path).path
    posts = write_csv(tmp_path / "p.csv", ROWS)
    facts = json.loads(run("analyse", posts, "--registration", path, "--json").stdout)
    assert (facts["planned_looks"], facts["margin"], facts["seed"]) == (4, 0.1, 7)
    assert facts["pairs"]["registered"] == 40
    over = json.loads(
        run("analyse", posts, "--registration", path, "--margin", 0.2, "--json").stdout
    )
    assert over["margin"] == 0.2


def test_blocks_of_any_size(tmp_path):
    rows = [*ROWS, post(0, "human", 2, 8, post_id="third")]
    facts = json.loads(run("blocks", write_csv(tmp_path / "p.csv", rows), "--vectors", 199).stdout)
    assert facts["blocks"] == 8 and facts["posts"] == 17


def test_simulate_draws_its_figure_and_prints_json(tmp_path):
    arguments = ["simulate", "--runs", 40, "--vectors", 99, "--channels", 1, "--weeks", 2]
    result = run(*arguments, "--out", tmp_path, "--json")
    facts = json.loads(result.stdout[result.stdout.index("{") :])
    assert set(facts) == {"null", "effect"}
    assert (tmp_path / "simulation.png").read_bytes()[:4] == b"\x89PNG"
    assert "pooled chi-square" in run(*arguments).stdout


def test_power_says_pairs_and_weeks():
    text = run("power", "--effect", 0.08, "--sigma", 0.3, "--pairs-per-week", 14).stdout
    assert "pairs: 111" in text and "weeks: 8" in text
    assert json.loads(run("power", "--json").stdout)["pairs"] == 342
    assert "effect" in run("power", "--effect", 0, code=2).stderr


@pytest.mark.parametrize(
    "option",
    [("--planned-pairs", -5), ("--planned-pairs", 0), ("--window-h", "nan"), ("--window-h", -1),
     ("--as-of", "0001-01-01T00:00:00+05:00"), ("--planned-weeks", 0), ("--margin", "nan")],
)  # fmt: skip
def test_impossible_options_are_refused_and_nothing_is_printed(tmp_path, option):
    result = run("analyse", write_csv(tmp_path / "p.csv", ROWS), *option, "--json", code=2)
    assert result.stdout == "" and "Error" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [("simulate", "--vectors", 20), ("simulate", "--seed", -1), ("simulate", "--rho", "nan"),
     ("power", "--effect", 1e-300), ("power", "--pairs-per-week", "nan"), ("power", "--sigma", 0)],
)  # fmt: skip
def test_impossible_plans_are_refused(arguments):
    result = run(*arguments, code=2)
    assert "Error" in result.stderr and "Traceback" not in result.output


def test_simulation_and_planning_speak_russian(tmp_path):
    text = run("simulate", "--runs", 20, "--vectors", 99, "--weeks", 2, "--language", "ru")
    assert "взгляды по плану" in text.stdout and "effect" not in text.stdout
    assert "мощность" in run("power", "--language", "ru").stdout


def test_it_runs_as_a_module(tmp_path):
    import subprocess
    import sys

    path = write_csv(tmp_path / "p.csv", ROWS)
    done = subprocess.run(
        [sys.executable, "-m", "experiments", "analyse", str(path), "--json"],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert json.loads(done.stdout)["pairs"]["planned"] == 8


@pytest.mark.parametrize(
    "looks", [None, "x", [{"look": 1}], [{"look": 1, "pairs": ["p0"], "retired": [10**6]}]]
)
def test_a_spoiled_state_is_refused_in_words(tmp_path, looks):
    path, state = write_csv(tmp_path / "p.csv", ROWS), tmp_path / "looks.json"
    run("analyse", path, "--state", state)
    facts = json.loads(state.read_text())
    facts.pop("looks")
    state.write_text(json.dumps(facts | ({} if looks is None else {"looks": looks})))
    refused = run("analyse", path, "--state", state, code=2)
    assert "no saved state of looks" in refused.stderr and refused.stdout == ""


@pytest.mark.parametrize(
    ("field", "value"),
    [("started", 5), ("started", "soon"), ("vectors", "y"), ("seed", [1]), ("age_hours", "x")],
)
def test_a_registration_of_wrong_values_is_refused_in_words(tmp_path, field, value):
    registered = write(Registration("autumn", "not worse", "2026-09-07", "00"), tmp_path).path
    registered.write_text(json.dumps(json.loads(registered.read_text()) | {field: value}))
    posts = write_csv(tmp_path / "p.csv", ROWS)
    refused = run("analyse", posts, "--registration", registered, code=2)
    assert field in refused.stderr and "registration-v1.json" in refused.stderr


@pytest.mark.parametrize("option", [("--alpha", "nan"), ("--alpha", 2), ("--vectors", 0),
                                    ("--vectors", -5), ("--seed", -1)])  # fmt: skip
def test_impossible_options_of_blocks_are_refused(tmp_path, option):
    result = run("blocks", write_csv(tmp_path / "p.csv", ROWS), *option, code=2)
    assert option[0].strip("-") in result.stderr.replace("sign ", "")


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "out").write_text("")
    few = ["simulate", "--runs", 5, "--vectors", 99, "--weeks", 1]
    assert "out" in run(*few, "--out", tmp_path / "out", code=2).stderr
