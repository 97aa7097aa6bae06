"""`w2v train --cluster`: the same vectors on any number of workers, and which clusters are trusted."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

pytest.importorskip("distributed", reason="the extra distributed is not installed: clusters are NOT tested")

from cli.running import make_program, the_error
from documented import check_lines, read_page
from faults.cluster_runs import (
    SETTINGS,
    External,
    events,
    finish,
    free_port,
    has_trained,
    wait_for,
    workers_of,
    write_text,
)
from w2v_cli.vectors import keyed_vectors

pytestmark = pytest.mark.cluster

VECTORS = "w2v.safetensors"


@pytest.fixture
def w2v(tmp_path):
    """Return the Program with a text in its folder."""
    program = make_program(tmp_path)
    write_text(program.folder / "text.txt", words=18_000)
    return program


def train(program, *arguments, exit_code=0):
    """Train to the end; return what is written to stderr."""
    with program.started("train", "text.txt", *SETTINGS, *arguments) as process:
        return finish(process, exit_code)


def test_the_number_of_workers_changes_nothing(w2v):
    """1, 2 and 3 workers give the same bytes, with held-out loss; the file says the shards, not the cluster."""
    for workers in (1, 2, 3):
        told = train(w2v, "--cluster", f"local:{workers}", "--validation", "0.05", "--output", f"{workers}.safetensors")
        assert f"Cluster: local:{workers}, {workers} worker" in told

    files = [(w2v.folder / f"{workers}.safetensors").read_bytes() for workers in (1, 2, 3)]
    assert files[0] == files[1] == files[2]
    metadata = keyed_vectors.load(w2v.folder / "1.safetensors").metadata
    assert metadata["reproducible"] is True
    assert metadata["config"]["cluster"] == {
        "shards": 3,
        "sync_words": 3000,
        "combine": "adasum",
        "delta_format": "float32",
    }
    assert len(metadata["validation_losses"]) == 2


def test_a_signal_is_heeded_at_the_end_of_a_round(w2v):
    """Ctrl-C saves vectors and snapshot, and the training goes on from there to the same end."""
    train(w2v, "--cluster", "local:2", "--output", "whole.safetensors")
    with w2v.started("train", "text.txt", *SETTINGS, "--cluster", "local:2", "--log", "run.jsonl") as process:
        wait_for(lambda: has_trained(w2v.folder, 1), process)
        process.send_signal(signal.SIGINT)
        told = finish(process, exit_code=130)
    assert "To continue: `w2v train" in told
    assert {"round", "rounds", "workers"} <= next(
        event for event in events(w2v.folder) if event["event"] == "progress"
    ).keys()

    with w2v.started("train", "text.txt", "--resume") as process:
        finish(process)
    assert (w2v.folder / VECTORS).read_bytes() == (w2v.folder / "whole.safetensors").read_bytes()


def test_what_is_measured_after_each_epoch(w2v):
    """--evaluate, --validation, --patience, --log, --json: scores, losses and the epoch that is kept, as documented."""
    rated = [f"w{a}\tw{b}\t{(3 * a + 5 * b) % 10}" for a in range(1, 12) for b in range(1, a)]
    w2v.write("pairs.txt", "\n".join(rated))
    more = ("--evaluate", "pairs.txt", "--validation", "0.1", "--patience", "1", "--learning-rate", "0.1")
    arguments = (*SETTINGS, *more, "--epochs", "12", "--cluster", "local:2", "--log", "run.jsonl", "--json")

    with w2v.started("train", "text.txt", *arguments) as process:
        answer, told = process.communicate(timeout=240)
    assert process.returncode == 0, told

    content, lines = json.loads(answer), (w2v.folder / "run.jsonl").read_text(encoding="utf-8")
    read_page("json.md").check(content, "train")
    assert content["corpus"]["sentences"] is None
    ends = [event for event in check_lines(lines) if event["event"] == "epoch"]
    losses = [event["validation_loss"] for event in ends]
    assert losses == content["validation_losses"]
    assert content["epoch"] == losses.index(min(losses)) + 1 == len(losses) - 1 < 11
    assert content["evaluation"]["scores"] == ends[content["epoch"] - 1]["scores"]
    assert [event["scores"] for event in ends] == [of_epoch["scores"] for of_epoch in content["epoch_evaluations"]]
    assert f"Kept the vectors of epoch {content['epoch']}, which has the lowest held-out loss" in told

    done = w2v.run("evaluate", VECTORS, "--on", "pairs.txt", "--json")
    (of_set,) = json.loads(done.stdout)["scores"]
    kept = content["evaluation"]["scores"]["pairs.txt"]["correlation"]
    assert of_set["files"][0]["score"] == pytest.approx(kept, abs=0.01)  # float16


def test_a_dry_run_measures_a_cluster(w2v):
    """A plan as documented, with the workers' speed, and nothing is written."""
    before = set(w2v.files())

    with w2v.started("train", "text.txt", *SETTINGS, "--cluster", "local:2", "--dry-run", "--json") as process:
        answer, told = process.communicate(timeout=240)

    assert process.returncode == 0, told
    plan = json.loads(answer)
    read_page("json.md").check(plan, "train dry run")
    assert (plan["threads"], plan["is_reproducible"], plan["corpus"]["sentences"]) == (2, True, None)
    assert 1000 < plan["words_per_second"] < 10_000_000
    assert set(w2v.files()) == before


def test_a_signal_while_workers_start_is_told_in_one_line(w2v):
    """Dask says nothing of its own on the way out."""
    with w2v.started("train", "text.txt", *SETTINGS, "--cluster", "local:2") as process:
        wait_for(lambda: workers_of(process), process)
        process.send_signal(signal.SIGTERM)
        told = finish(process, exit_code=143)

    assert "error: stopped by SIGTERM." in told
    assert "warning: " not in told


@pytest.mark.skipif(os.name == "nt", reason="there are no process groups: signals to all processes are NOT tested")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_all_processes_is_the_drivers(w2v, number):
    """As a terminal sends Ctrl-C: while workers start nothing but the reason is told, and in a round none is lost."""
    with w2v.started("train", "text.txt", *SETTINGS, "--cluster", "local:2", start_new_session=True) as process:
        wait_for(lambda: [sum(worker.cpu_times()[:2]) > 0.2 for worker in workers_of(process)] == [True] * 2, process)
        os.killpg(process.pid, number)
        told = finish(process, exit_code=128 + number)
    *before, last = told.splitlines()
    assert last == f"error: stopped by {number.name}."
    assert {line.partition(":")[0] for line in before} <= {"Cluster", "Corpus"}  # where they were faster

    training = ("train", "text.txt", *SETTINGS, "--cluster", "local:2", "--log", "run.jsonl")
    with w2v.started(*training, start_new_session=True) as process:
        wait_for(lambda: has_trained(w2v.folder, 1), process)
        os.killpg(process.pid, number)
        told = finish(process, exit_code=128 + number)
    assert "To continue: `w2v train" in told
    assert not {line.partition(":")[0] for line in told.splitlines()} & {"warning", "Traceback (most recent call last)"}
    assert not [event for event in events(w2v.folder) if event["event"] == "worker_lost"]


@pytest.mark.skipif(os.name == "nt", reason="what is killed leaves nothing there")
def test_a_killed_driver_is_quiet_and_its_folder_is_removed_by_the_next(w2v):
    """Neither semaphores nor a folder of workers' files are the user's affair."""
    w2v.environment["TMPDIR"] = str(w2v.folder / "tmp")
    (w2v.folder / "tmp").mkdir()
    with w2v.started("train", "text.txt", *SETTINGS, "--cluster", "local:1", "--log", "run.jsonl") as process:
        wait_for(lambda: has_trained(w2v.folder, 1), process)
        workers = workers_of(process)
        process.kill()
        told = finish(process, exit_code=-signal.SIGKILL)
    wait_for(lambda: not any(worker.is_running() and worker.status() != "zombie" for worker in workers))
    left = list((w2v.folder / "tmp").glob("w2v-cluster*"))

    train(w2v, "--cluster", "local:1", "--overwrite")

    assert "leaked" not in told
    assert len(left) == 1
    assert not list((w2v.folder / "tmp").glob("*w2v-*"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--cluster", "tcp://10.0.0.1:8786"), "is on the network without encryption"),
        (("--cluster", "tls://10.0.0.1:8786"), "needs all of --tls-ca, --tls-cert and --tls-key"),
        (("--cluster", "local:2", "--tls-ca", "ca.pem"), "stays on this machine: leave out --tls-ca"),
        (("--cluster", "tcp://127.0.0.1:8786", "--tls-ca", "ca.pem"), "is not encrypted"),
        (("--cluster", "far.json"), "far.json: tcp://10.0.0.1:8786 is on the network without encryption"),
        (("--cluster", "none.json"), "none.json: No such file"),
        (("--cluster", "text.json"), "text.json is not a scheduler file"),
        (("--cluster", "list.json"), "list.json is not a scheduler file"),
        (
            ("--cluster", "tls://h:1", "--tls-ca", "no", "--tls-cert", "no", "--tls-key", "no"),
            "--tls-ca no: No such file",
        ),
        (("--cluster", "local:2", "--algorithm", "minibatch"), "supports the block algorithm only, not --algorithm"),
        (("--cluster", "local:2", "--set", "training.optimizer=adam"), "training.optimizer: adam"),
        (("--cluster", "8786"), "must be local:N (workers here)"),
    ],
)
def test_what_cannot_be_trusted_or_done_is_refused(w2v, arguments, said):
    """Before anything is started: exit 2 and one line; nothing is written."""
    w2v.write("far.json", json.dumps({"address": "tcp://10.0.0.1:8786"}))
    w2v.write("text.json", "no JSON")
    w2v.write("list.json", "[1]")
    before = set(w2v.files())

    assert said in the_error(w2v.run("train", "text.txt", *arguments), 2)
    assert set(w2v.files()) == before


@pytest.mark.parametrize(
    ("arguments", "exit_code", "said"),
    [
        (("txet.txt",), 3, "no file and no corpus (demo, ptb) is called 'txet.txt'"),
        (("-",), 2, "cannot read stdin"),
        (("empty.txt",), 3, "the corpus holds no words"),
        (("text.txt", "--evaluate", "no-such-set"), 3, "no-such-set"),
        (("text.txt", "--output", "text.txt", "--overwrite"), 2, "text.txt"),
    ],
)
def test_mistakes_are_told_before_a_cluster_is_waited_for(w2v, arguments, exit_code, said):
    """Whoever misspells a name does not wait for workers that are never needed."""
    w2v.write("empty.txt", b"")
    no_cluster = "import w2v_cli.pipeline.prepare as b; b.open_cluster = lambda *_: 1 / 0"

    assert said in the_error(w2v.run("train", *arguments, "--cluster", "local:1", first=no_cluster), exit_code)


def test_a_script_without_a_guard_is_told_in_one_line(w2v):
    """Each worker runs it again: the error names the guard, and the workers are silent."""
    script = w2v.write("script.py", "import w2v_cli\nw2v_cli.train('text.txt', dim=4, cluster='local:2')\n")
    command = [sys.executable, str(script)]
    done = subprocess.run(
        command, cwd=w2v.folder, env=w2v.environment, check=False, capture_output=True, text=True, timeout=60
    )

    assert done.stderr.count("Traceback") == 1  # the script's own
    assert "ConfigError: each worker runs the script that starts it" in done.stderr.splitlines()[-1]
    assert "if __name__ == '__main__':" in done.stderr.splitlines()[-1]


def test_a_scheduler_that_is_not_there_is_told(w2v):
    """Exit 6 after the time that the user grants, and one line."""
    url = f"tcp://127.0.0.1:{free_port()}"
    done = w2v.run("train", "text.txt", "--cluster", url, "--set", "cluster.worker_timeout=2s")

    assert f"cannot reach a scheduler at {url} within 2 s" in the_error(done, 6)


def test_a_cluster_without_workers_is_told(w2v):
    """It is waited for as long as the user grants."""
    with External(w2v, workers=0) as cluster:
        done = w2v.run("train", "text.txt", "--cluster", cluster.url, "--set", "cluster.worker_timeout=2s")

    assert f"the cluster {cluster.url} has had no worker for 2 s" in the_error(done, 6)


def test_a_worker_that_cannot_be_connected_to_is_told(w2v):
    """The scheduler sees it, the driver does not: exit 6 with its address within the time that the user grants."""
    unseen = ("--listen-address", f"tcp://127.0.0.1:{free_port()}", "--contact-address", "tcp://127.0.0.1:9")
    with External(w2v, workers=1, of_workers=(*unseen, "--no-nanny")) as cluster:
        started = time.monotonic()
        done = w2v.run("train", "text.txt", "--cluster", cluster.url, "--set", "cluster.worker_timeout=5s")

    error = the_error(done, 6)
    assert "cannot connect to the worker at tcp://127.0.0.1:9 from here within 5 s: " in error
    assert "refused" in error or "no answer" in error  # on a machine that is too busy to be told
    assert "its port to this machine" in error
    assert time.monotonic() - started < 40


def test_a_scheduler_on_the_network_without_encryption_is_refused(w2v):
    """Also where it answers on loopback: exit 2, before the text is read."""
    with External(w2v, workers=1, host="0.0.0.0") as cluster:  # noqa: S104  what is to be refused
        refused = the_error(w2v.run("train", "text.txt", "--cluster", cluster.url), 2)

    assert refused.startswith("the scheduler at tcp://127.0.0.1:")
    assert "on the network without encryption: start it with --host 127.0.0.1" in refused


def test_a_worker_on_the_network_without_encryption_is_refused(w2v):
    """Also where it has told the scheduler an address on loopback."""
    port = free_port()
    everywhere, here = f"tcp://0.0.0.0:{port}", f"tcp://127.0.0.1:{port}"
    options = ("--listen-address", everywhere, "--contact-address", here, "--no-nanny")
    with External(w2v, workers=1, of_workers=options) as cluster:
        refused = the_error(w2v.run("train", "text.txt", "--cluster", cluster.url), 2)

    assert refused.startswith(f"the worker at {here} listens at {everywhere}")
    assert "on the network without encryption: start it with --host 127.0.0.1" in refused


@pytest.mark.parametrize(
    ("first", "found"),
    [
        ("import sys; sys.modules['w2v_cli'] = None", "no w2v-cli (ModuleNotFoundError: "),
        ("import w2v_cli; w2v_cli.__version__ = '0.0.1'", "w2v-cli 0.0.1"),
    ],
)
def test_a_worker_with_another_w2v_is_named(w2v, first, found):
    """Before it is given anything that it could not unpickle: exit 9, its address, and what to install there."""
    with External(w2v, workers=1, first=first, of_workers=("--no-nanny",)) as cluster:
        done = w2v.run("train", "text.txt", "--cluster", cluster.url, "--set", "cluster.worker_timeout=30s")

    error = the_error(done, 9)
    assert error.startswith("the worker at tcp://127.0.0.1:")
    assert f"has {found}" in error
    assert "on all machines of the cluster" in error


def test_dask_that_is_missing_is_named(w2v):
    """With the command that installs it."""
    done = w2v.run("train", "text.txt", "--cluster", "local:2", first="import sys; sys.modules['distributed'] = None")

    assert 'pip install "w2v-cli[distributed]"' in the_error(done, 9)


def test_one_machine_does_not_go_on_with_a_cluster(w2v):
    """Nor the other way round: what is learnt depends on the rounds."""
    train(w2v, "--time-limit", "1h")
    with w2v.started("train", "text.txt", "--resume", "--cluster", "local:1") as process:
        told = finish(process, exit_code=2)

    assert 'cluster.cluster: null → "local:1"' in told


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """Return a folder with a CA, and a certificate that it has signed, as docs/how-to/cluster.md makes them."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed: TLS is NOT tested")
    folder = tmp_path_factory.mktemp("tls")
    for name in ("ours", "theirs"):
        (folder / name).mkdir()
        made = make_certificates(folder / name)
        assert (made.returncode, made.stdout, made.stderr) == (0, b"", b"")
    return folder


def make_certificates(folder):
    """Run the script of the documentation; return what subprocess.run returns."""
    from pathlib import Path  # noqa: PLC0415

    script = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "cluster" / "certificates.sh"
    return subprocess.run(["sh", str(script), "127.0.0.1"], cwd=folder, check=False, capture_output=True)  # noqa: S607


def test_certificates_are_made_in_silence_and_once(certificates):
    """They pass openssl's strictest check, which Python 3.13 asks for; those that are there are not written over."""
    check = ["openssl", "verify", "-x509_strict", "-CAfile", "ca.pem", "cert.pem"]
    verified = subprocess.run(check, cwd=certificates / "ours", check=False, capture_output=True)
    before = (certificates / "ours" / "ca.pem").read_bytes()
    again = make_certificates(certificates / "ours")

    assert verified.returncode == 0, verified.stderr
    assert again.returncode == 1
    assert b"ca.pem is here already" in again.stderr
    assert (certificates / "ours" / "ca.pem").read_bytes() == before


def options_of(names, files):
    """Return the arguments that give each option its file."""
    return [part for pair in zip(names, files, strict=True) for part in pair]


@pytest.mark.parametrize("host", ["none.invalid", "a..b", f"{64 * 'a'}.org"])
def test_a_host_that_is_not_known_is_told_at_once(w2v, certificates, host):
    """It is no matter of time; some names are none at all."""
    files = [f"{certificates / 'ours'}/{file}.pem" for file in ("ca", "cert", "key")]
    given = options_of(("--tls-ca", "--tls-cert", "--tls-key"), files)
    done = w2v.run("train", "text.txt", "--cluster", f"tls://{host}:8786", *given)

    assert f"cannot reach a scheduler at tls://{host}:8786: the host name does not resolve" in the_error(done, 6)


def test_a_cluster_with_certificates_is_trusted(w2v, certificates):
    """Trained over TLS the vectors are those of local workers; a certificate of another CA is refused in one line."""
    ours, theirs = (
        [f"{certificates / name}/{file}.pem" for file in ("ca", "cert", "key")] for name in ("ours", "theirs")
    )
    options = options_of(("--tls-ca-file", "--tls-cert", "--tls-key"), ours)
    given = [options_of(("--tls-ca", "--tls-cert", "--tls-key"), files) for files in (ours, theirs)]
    with External(w2v, scheme="tls", options=options) as cluster:
        train(w2v, "--cluster", cluster.url, *given[0], "--output", "tls.safetensors")
        arguments = ("train", "text.txt", "--cluster", cluster.url, *given[1], "--set", "cluster.worker_timeout=3s")
        refused = the_error(w2v.run(*arguments), 6)
    train(w2v, "--cluster", "local:2", "--output", "local.safetensors")

    assert "certificates of the same CA" in refused
    assert (w2v.folder / "tls.safetensors").read_bytes() == (w2v.folder / "local.safetensors").read_bytes()


def test_settings_of_a_file_a_time_limit_and_old_vectors(w2v):
    """`cluster:` in YAML and `config show`, --time-limit, --init-from: as on one machine; --threads change nothing."""
    w2v.write("c.yaml", "cluster: {cluster: 'local:2', shards: 3, sync_words: 3000}\n")
    shown = w2v.run("config", "show", "--config", "c.yaml", "--json")
    assert json.loads(shown.stdout)["config"]["cluster"]["cluster"] == "local:2"

    limited = train(w2v, "--config", "c.yaml", "--epochs", "1000", "--time-limit", "1s")  # over when training begins
    assert "Stopped at the time limit" in limited
    assert keyed_vectors.load(w2v.folder / VECTORS).metadata["stopped_early"]["whole_epochs"] == 0

    outputs = [("1", "1.safetensors"), ("7", "7.safetensors")]
    for threads, output in outputs:
        told = train(w2v, "--config", "c.yaml", "--init-from", VECTORS, "--threads", threads, "--output", output)
        assert f" from {VECTORS}\n" in told
    files = [(w2v.folder / output).read_bytes() for _, output in outputs]
    assert files[0] == files[1]
    assert keyed_vectors.load(w2v.folder / "1.safetensors").metadata["init_from"]["source"] == VECTORS
