from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

from publisher.llm import Model, ModelError, embedded_model_path, open_model
from publisher.llm.sampling import Sampling, draw, log_softmax_at

PROMPT = (
    "Тема: зарплата\nПодпись: зарплата пришла и сразу ушла по своим делам\n"
    "Тема: кот\nПодпись: кот встал в пять утра, чтобы проверить миску\n"
    "Тема: ипотека\nПодпись:"
)


def test_embedded_model_is_a_base_model(model: Model) -> None:
    assert (model.kind, model.architecture) == ("base", "gemma3")
    assert embedded_model_path().stat().st_size == model.size
    with pytest.raises(ModelError, match="base model"):
        model.chat([{"role": "user", "content": "привет"}])


def test_same_seeds_same_texts(model: Model) -> None:
    first = model.complete(PROMPT, n=6, seeds=[5, 6, 7, 8, 9, 5], max_tokens=12, stop=["\n"])
    assert first == model.complete(
        PROMPT, n=6, seeds=[5, 6, 7, 8, 9, 5], max_tokens=12, stop=["\n"]
    )
    assert len({c.text for c in first}) > 1
    assert first[0].text == first[5].text
    assert all("\n" not in c.text and c.tokens <= 12 and c.logprob < 0 for c in first)


def test_more_texts_than_slots_all_come_in_order(model: Model) -> None:
    done = model.complete(PROMPT, n=20, seeds=range(100, 120), max_tokens=3)
    assert [c.seed for c in done] == list(range(100, 120))
    assert all(c.text for c in done)


def test_grammar_is_kept_to(model: Model) -> None:
    grammar = 'root ::= " " ("да" | "нет") ", " [а-я]{3,8} "\\n"'
    for done in model.complete(PROMPT, n=8, max_tokens=24, grammar=grammar, temperature=1.5):
        assert done.finish == "stop" or done.tokens == 24
        assert re.fullmatch(r" (да|нет), [а-я]{3,8}\n", done.text)


def test_choice_that_the_model_would_never_make_is_still_written(model: Model) -> None:
    (done,) = model.complete(PROMPT, n=1, max_tokens=24, grammar='root ::= "☂☃⚡" "Ω"', min_p=0.9)
    assert done.text == "☂☃⚡Ω"


def test_bad_grammar_is_a_model_error(model: Model) -> None:
    with pytest.raises(ModelError, match="grammar does not parse"):
        model.complete(PROMPT, n=2, grammar="root ::= (")
    assert model.complete(PROMPT, n=1, max_tokens=2)[0].tokens == 2


def test_budget_ends_texts_where_they_are(model: Model) -> None:
    began = time.monotonic()
    done = model.complete(PROMPT, n=16, max_tokens=100, budget_s=0.5)
    assert time.monotonic() - began < 5
    assert {c.finish for c in done} <= {"budget", "stop"}
    assert any(c.finish == "budget" for c in done)


def test_no_budget_at_all_gives_empty_texts(model: Model) -> None:
    done = model.complete(PROMPT, n=3, max_tokens=5, budget_s=0)
    assert [(c.text, c.finish) for c in done] == [("", "budget")] * 3


def test_cancellation_is_noticed_while_writing(model: Model) -> None:
    asked = []

    def cancelled() -> bool:
        asked.append(time.monotonic())
        return len(asked) > 5

    done = model.complete(PROMPT, n=16, max_tokens=200, cancelled=cancelled)
    assert any(c.finish == "cancelled" for c in done)
    assert len(asked) == 6


@pytest.mark.parametrize(
    "work",
    [
        lambda model: model.complete(PROMPT, n=16, max_tokens=400),
        lambda model: model.loglikelihood(PROMPT * 10, [f" кот {i}" * 9 for i in range(300)]),
    ],
)
def test_ctrl_c_ends_what_computes(model: Model, work: Callable[[Model], object]) -> None:
    began = time.monotonic()
    press = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    press.start()
    with pytest.raises(KeyboardInterrupt):
        work(model)
    press.join()
    assert time.monotonic() - began < 2
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert model.complete(PROMPT, n=1, max_tokens=2)[0].tokens == 2


def test_another_handler_of_ctrl_c_stays_in_force(model: Model) -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: heard.append(number))
    try:
        press = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
        press.start()
        assert model.complete(PROMPT, n=1, max_tokens=12)[0].tokens
        press.join()
    finally:
        signal.signal(signal.SIGINT, before)
    assert heard == [signal.SIGINT]


def test_likelihood_prefers_the_sensible(model: Model) -> None:
    sensible, odd, empty = model.loglikelihood(PROMPT, [" ипотека на тридцать лет", " ☂ xzqj", ""])
    assert sensible[0] / sensible[1] > odd[0] / odd[1]
    assert empty == (0.0, 0)
    assert model.loglikelihood(PROMPT, []) == []


def test_likelihood_agrees_with_what_writing_said(model: Model) -> None:
    for done in model.complete(PROMPT, n=4, max_tokens=6, temperature=0.5):
        if done.finish == "length":
            ((total, tokens),) = model.loglikelihood(PROMPT, [done.text])
            assert tokens == done.tokens
            assert total == pytest.approx(done.logprob, rel=0.1, abs=0.5)


def test_more_continuations_than_slots(model: Model) -> None:
    texts = [f" кот номер {i}" for i in range(40)]
    many = model.loglikelihood(PROMPT, texts)
    ((one, tokens),) = model.loglikelihood(PROMPT, texts[-1:])
    assert many[-1][0] == pytest.approx(one, rel=0.05)
    assert many[-1][1] == tokens


def test_likelihood_of_nothing_before(model: Model) -> None:
    ((total, tokens),) = model.loglikelihood("", ["кот"])
    assert total < 0 < tokens


def test_weighing_ends_with_its_budget(model: Model) -> None:
    with pytest.raises(ModelError, match="time to weigh texts is over"):
        model.loglikelihood(PROMPT, [" кот"], budget_s=0)
    assert model.loglikelihood(PROMPT, [" кот"], budget_s=60)[0][1] > 0


def test_what_does_not_fit_is_said(model: Model) -> None:
    with pytest.raises(ModelError, match="do not fit a context of"):
        model.complete("слово " * 5000, n=1)
    with pytest.raises(ModelError, match="do not fit a context of"):
        model.loglikelihood(PROMPT, ["слово " * 5000])


@pytest.mark.parametrize(
    "wrong", [{"n": 0}, {"n": 2, "seeds": [1]}, {"max_tokens": 0}, {"temperature": -1.0}]
)
def test_wrong_arguments(model: Model, wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        model.complete(PROMPT, **wrong)  # type: ignore[arg-type]


def test_the_fallback_writes_the_same(model: Model) -> None:
    plain = open_model(n_ctx=512, batched=False)
    assert plain.n_seq == 1
    a = plain.complete(PROMPT, n=2, max_tokens=6, stop=["\n"], temperature=0)
    b = model.complete(PROMPT, n=2, max_tokens=6, stop=["\n"], temperature=0)
    assert [c.text for c in a] == [c.text for c in b]
    ((one, _),) = plain.loglikelihood(PROMPT, [" ипотека на тридцать лет"])
    ((two, _),) = model.loglikelihood(PROMPT, [" ипотека на тридцать лет"])
    assert one == pytest.approx(two, rel=0.05)
    assert plain.complete(PROMPT, n=2, max_tokens=50, budget_s=0.0)[1].finish == "budget"


@pytest.mark.parametrize("spoilt", [np.nan, np.inf])
def test_a_damaged_model_is_told(spoilt: float) -> None:
    logits = np.array([0.0, spoilt, 1.0], np.float32)
    with pytest.raises(ModelError, match="the file is damaged"):
        draw(logits, (1, 0), Sampling(temperature=1.0), np.array([], np.int64))
    with pytest.raises(ModelError, match="the file is damaged"):
        log_softmax_at(logits, 0)


def test_draws_follow_the_distribution() -> None:
    logits = np.log(np.array([0.5, 0.3, 0.15, 0.05], np.float32))
    sampling = Sampling(temperature=1.0, min_p=0.01)
    drawn = [draw(logits, (seed, 3), sampling, np.array([], np.int64)) for seed in range(4000)]
    shares = np.bincount(np.array(drawn), minlength=4) / 4000
    assert np.abs(shares - [0.5, 0.3, 0.15, 0.05]).max() < 0.03


def test_draw_cuts_the_tail() -> None:
    logits = np.log(np.array([0.5, 0.3, 0.15, 0.05], np.float32))
    for limits, kept in (({"min_p": 0.4}, {0, 1}), ({"min_p": 0.001, "top_p": 0.6}, {0, 1})):
        sampling = Sampling(temperature=1.0, **limits)
        drawn = {draw(logits, (s, 0), sampling, np.array([], np.int64)) for s in range(300)}
        assert drawn == kept
