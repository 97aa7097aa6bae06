"""How long it takes to join phrases: `w2v phrases`, gensim's Phrases and word2phrase.c on the same text.

    python benchmarks/phrases.py novels.txt [--repeats 3]
    python benchmarks/phrases.py novels.txt --stages [--threads 2]

The text is words between spaces, a sentence a line. Each run is a process of its own that reads the text and writes the
joined one, in turns; its time is that from its start to its end, its memory the largest that the system says it had.
Needs the extra "bench"; word2phrase comes with the package word2vec. gensim's threshold is set so that all three ask
for the same score. Printed as JSON, with the differences in what was joined.

--stages: how long each stage of w2v takes, in one process, after a first time that is not counted: medians of seconds
by the clock and of seconds of the processor, and megabytes of the text a second by the clock.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

from w2v_cli.config.schema import CorpusSettings
from w2v_cli.corpus.phrases import phrases
from w2v_cli.corpus.scan import scan_corpus
from w2v_cli.system.compression import compressed_write
from w2v_cli.system.machine import available_cores

MIN_COUNT, THRESHOLD = 5, 100.0
GENSIM = """
import sys
from gensim.models.phrases import Phrases
from gensim.models.word2vec import LineSentence
text, output, threshold = sys.argv[1], sys.argv[2], float(sys.argv[3])
phrases = Phrases(LineSentence(text), min_count=5, threshold=threshold)
phrases.threshold = threshold * len(phrases.vocab) / phrases.corpus_word_count
frozen = phrases.freeze()
with open(output, "w", encoding="utf-8") as file:
    for sentence in frozen[LineSentence(text)]:
        file.write(" ".join(sentence) + "\\n")
"""


def main() -> None:
    """Run each in turns, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path, help="Words between spaces, a sentence a line.")
    parser.add_argument("--repeats", type=int, default=3, metavar="N", help="Runs of each. [3]")
    parser.add_argument("--stages", action="store_true", help="Time the stages of w2v.")
    parser.add_argument("--threads", type=int, default=available_cores(), help="Of the stages. [all]")
    arguments = parser.parse_args()
    if arguments.stages:
        print(json.dumps(time_stages(arguments.text, arguments.threads, arguments.repeats), indent=1))
        return
    with tempfile.TemporaryDirectory() as folder:
        outputs = {name: Path(folder) / f"{name}.txt" for name in ("w2v", "gensim", "word2phrase")}
        runs: dict[str, list[tuple[float, int]]] = {name: [] for name in outputs}
        for _ in range(arguments.repeats):
            for name, output in outputs.items():
                runs[name].append(run(command_of(name, arguments.text, output)))
        lines = {name: joined_words(output) for name, output in outputs.items()}
    report = {name: summary(runs[name]) | {"joined_words": len(lines[name])} for name in runs}
    for name in ("gensim", "word2phrase"):
        report[name]["joined_words_not_w2v_s"] = len(lines[name] - lines["w2v"])
        report[name]["joined_words_of_w2v_only"] = len(lines["w2v"] - lines[name])
    print(json.dumps(report, indent=1))


def time_stages(text: Path, threads: int, repeats: int) -> dict[str, dict[str, float]]:
    """Return the figures of each stage."""
    runs: dict[str, list[tuple[float, float]]] = {}
    for _ in range(repeats + 1):
        with tempfile.TemporaryDirectory() as folder:
            run_stages(text, Path(folder) / "joined.txt", threads, runs)
    report = {}
    for stage, timed in runs.items():
        seconds, cpu_seconds = (statistics.median(values) for values in zip(*timed[1:], strict=True))
        report[stage] = {
            "seconds": round(seconds, 3),
            "cpu_seconds": round(cpu_seconds, 3),
            "megabytes_per_second": round(text.stat().st_size / 1e6 / seconds),
        }
    return report


def run_stages(text: Path, output: Path, threads: int, runs: dict[str, list[tuple[float, float]]]) -> None:
    """Do what `w2v phrases` does, adding to `runs` how long each stage took."""

    def timed(stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **options: Any) -> Any:
            begun, begun_cpu = time.perf_counter(), time.process_time()
            result = function(*given, **options)
            runs.setdefault(stage, []).append((time.perf_counter() - begun, time.process_time() - begun_cpu))
            return result

        return call

    def write(joined: phrases.JoinedText) -> None:
        with compressed_write(output, overwrite=True) as file:
            for block in joined.iterate_blocks(threads=threads):
                file.write(block)

    settings = phrases.corpus_settings(CorpusSettings(tokens="whitespace"))
    rules = phrases.PhraseRules("word2phrase", THRESHOLD, MIN_COUNT)
    corpus = timed("scan", scan_corpus)(text, settings, threads=threads, beside=output)
    with (
        mock.patch.object(phrases, "choose_pairs", timed("count", phrases.choose_pairs)),
        mock.patch.object(phrases, "join_pairs", timed("join", phrases.join_pairs)),
    ):
        joined = timed("count, join and list", phrases.join_phrases)(corpus, rules, threads=threads)
    timed("write", write)(joined)


def command_of(name: str, text: Path, output: Path) -> list[str]:
    """Return the command line that joins `text` into `output`."""
    if name == "gensim":
        return [sys.executable, "-c", GENSIM, str(text), str(output), str(THRESHOLD)]
    if name == "word2phrase":
        program = shutil.which("word2phrase", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
        if program is None:
            sys.exit('word2phrase is not installed: pip install "w2v-cli[bench]"')
        options = ["-min-count", str(MIN_COUNT), "-threshold", str(THRESHOLD), "-debug", "0"]
        return [program, "-train", str(text), "-output", str(output), *options]
    options = ["--min-count", str(MIN_COUNT), "--threshold", str(THRESHOLD), "--set", "corpus.tokens=whitespace"]
    return [sys.executable, "-m", "w2v_cli", "phrases", str(text), "-o", str(output), "--overwrite", *options]


def run(command: list[str]) -> tuple[float, int]:
    """Return the seconds that a command takes, and its largest resident memory in kilobytes."""
    begun = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:  # noqa: S603
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}")
    return time.perf_counter() - begun, usage.ru_maxrss


def joined_words(output: Path) -> set[str]:
    """Return the words of a joined text that hold the delimiter."""
    with output.open(encoding="utf-8") as file:
        return {word for line in file for word in line.split() if "_" in word}


def summary(runs: list[tuple[float, int]]) -> dict[str, Any]:
    """Return the median and the extremes of the runs' times, and the largest memory."""
    seconds = [run[0] for run in runs]
    return {
        "seconds": [round(value, 2) for value in (statistics.median(seconds), min(seconds), max(seconds))],
        "megabytes": round(max(run[1] for run in runs) / 1000),
    }


if __name__ == "__main__":
    main()
