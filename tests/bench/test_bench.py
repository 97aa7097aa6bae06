"""The comparison with other trainers: what is run, what is left out, and the arithmetic of the report."""

import dataclasses
import json

import pytest

from documented import read_page
from w2v_cli.bench import comparison, running, trial
from w2v_cli.bench.comparison import Comparison, choose_trainers, compare
from w2v_cli.bench.report import note_lines, ratio_lines, summarise, table
from w2v_cli.bench.running import Run
from w2v_cli.bench.trial import Trainer, Trial
from w2v_cli.errors import ConfigError, W2vError

TRIAL = Trial("w2v", "x.txt", "cbow", 8, 5, 5, 1e-3, 1, 0.05, 1, 1)


def run(trainer, speed, score=0.5, *, model="cbow"):
    settings = dataclasses.replace(TRIAL, trainer=trainer, model=model)
    return Run(
        settings,
        speed,
        speed / 2,
        1.0,
        5_000_000,
        9_000_000,
        "1",
        {"simlex999": {"score": score, "asked": 9, "coverage": 0.9}},
    )


RUNS = [run("w2v", 300.0), run("gensim", 100.0, 0.4), run("w2v", 200.0, 0.6), run("gensim", 50.0, 0.4)]


def test_ratios_are_taken_within_a_turn():
    """Median, least and largest of 300/100 and 200/50, not of the medians."""
    ours, theirs = summarise(RUNS)

    assert ours["times_peer"] == {"gensim": {"median": 3.5, "min": 3.0, "max": 4.0}}
    assert theirs["times_peer"] == {}
    assert ours["words_per_second"] == {"median": 250.0, "min": 200.0, "max": 300.0}
    assert ours["scores"]["simlex999"]["mean"] == pytest.approx(0.55)
    assert ours["scores"]["simlex999"]["deviation"] == pytest.approx(0.0707, abs=1e-4)
    assert ratio_lines([ours]) == ["cbow: w2v is 3.50 times gensim (3.00 to 4.00)"]
    assert note_lines([ours]) == ["w2v: block algorithm, lock-free"]


def test_table_has_a_row_for_each_trainer():
    """Head and rows have as many cells; a set that could not be scored says so."""
    rows = table(summarise([*RUNS, run("w2v", 9.0, None, model="skipgram")]))

    assert [len(row) for row in rows] == [6] * 4
    assert rows[3][-1] == "none"
    assert json.loads(json.dumps(summarise(RUNS))) == summarise(RUNS)


def test_an_unknown_trainer_is_refused():
    """A mistyped name ends in exit 2 with the names that there are."""
    assert choose_trainers("w2v, gensim") == ("w2v", "gensim")
    with pytest.raises(ConfigError, match='trainers="glove": unknown trainer; choose from w2v'):
        choose_trainers("w2v,glove")


def test_a_trainer_that_is_named_twice_is_one():
    """Else its runs would be counted as those of other seeds."""
    assert choose_trainers("gensim,w2v,gensim") == ("gensim", "w2v")


def test_without_any_trainer_there_is_nothing_to_compare(tmp_path, monkeypatch):
    """The reasons are told."""
    absent = Trainer("absent", "never there", lambda: "it is not installed")
    monkeypatch.setattr(comparison, "TRAINERS", (absent,))
    settings = Comparison("x.txt", "words", 1, None, ("cbow",), ("absent",), 8, 1, 1, 1, 1)

    with pytest.raises(ConfigError, match=r"can run here\. absent: it is not installed"):
        compare(settings, tmp_path, lambda _: None)


def test_a_peer_that_fails_is_left_out_and_the_others_run_on(monkeypatch):
    """What it had done before it failed does not count either; ours is no peer."""
    fails = {"gensim": 1, "w2v": 9}

    def measure(trial, *_):
        if trial.seed >= fails[trial.trainer]:
            raise W2vError(f"the trial of {trial.trainer} failed: out of memory")
        return dataclasses.replace(run(trial.trainer, 9.0), trial=trial)

    monkeypatch.setattr(running, "_warm_up", lambda *_: None)
    monkeypatch.setattr(running, "_measure", measure)
    trials = [dataclasses.replace(TRIAL, trainer=name, seed=0) for name in ("w2v", "gensim")]

    runs, failed = running.run_in_turns(trials, 3, 10, {}, lambda _: None)

    assert failed == {"gensim": "the trial of gensim failed: out of memory"}
    assert [(kept.trial.trainer, kept.trial.seed) for kept in runs] == [("w2v", 0), ("w2v", 1), ("w2v", 2)]
    with pytest.raises(W2vError, match="the trial of w2v failed"):
        running.run_in_turns(trials[:1], 10, 10, {}, lambda _: None)


def test_a_comparison_runs_ours_and_names_what_is_left_out(tmp_path, monkeypatch):
    """Two turns of our trainer on a small text; a peer that is missing is in the report with its reason."""
    text = tmp_path / "text.txt"
    text.write_text("the sea and the sky and the sea again\n" * 300, encoding="utf-8")
    absent = Trainer("absent", "never there", lambda: "it is not installed")
    monkeypatch.setattr(comparison, "TRAINERS", (*trial.TRAINERS, absent))
    heard = []
    settings = Comparison(
        corpus=str(text),
        tokens="whitespace",
        min_count=1,
        most_words=900,
        models=("cbow",),
        trainers=("w2v-deterministic", "absent"),
        dim=8,
        epochs=1,
        threads=2,
        repeats=2,
        seed=7,
    )

    report = compare(settings, tmp_path / "data", heard.append)

    assert report["left_out"] == {"absent": "it is not installed"}
    assert report["corpus"]["words"] == 900
    assert [run.trial.seed for run in heard] == [7, 8]
    (result,) = report["results"]
    assert result["words_per_second"]["min"] > 0
    assert result["peak_resident_bytes"] > result["peak_anonymous_bytes"] > 1_000_000
    assert report["sets_left_out"] == ["wordsim353", "simlex999", "questions-words"]
    assert report["machine"]["sgemm_gigaflops_of_one_core"] > 0
    assert json.loads(json.dumps(report))["comparison"]["dim"] == 8
    read_page("json.md").check({"schema": 1, "command": "bench"} | report, "bench")


@pytest.mark.parametrize("name", [trainer.name for trainer in trial.TRAINERS])
def test_every_trainer_that_is_here_trains(tmp_path, name):
    """Each leaves vectors of the right size and a time; one that is not installed is NOT run."""
    missing = comparison.find_left_out([name])
    if missing:
        pytest.skip(f"{missing[name]}: NOT run")
    text = tmp_path / "text.txt"
    text.write_text("the sea and the sky and the sea again\n" * 2000, encoding="utf-8")
    settings = Comparison(str(text), "whitespace", 1, None, ("skipgram",), (name,), 8, 1, 1, 1, 1)

    (result,) = compare(settings, tmp_path / "data", lambda _: None)["results"]

    assert result["words_per_second"]["median"] > 0
