"""docs/how-to/cluster/ssh.sh, which starts a cluster over ssh, against an sshd on 127.0.0.1."""

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from ipaddress import ip_address
from pathlib import Path

import pytest

pytest.importorskip("distributed", reason="the extra distributed is not installed: clusters are NOT tested")

from cli.running import make_program
from faults.cluster_runs import SECONDS, SETTINGS, free_port, has_trained, wait_for, write_text

pytestmark = pytest.mark.cluster

SCRIPT = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "cluster" / "ssh.sh"
SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
NEEDED = ("ssh", "ssh-keygen", "openssl", "tar")
CONFIG = """
ListenAddress 127.0.0.1
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
SetEnv NUMBA_CACHE_DIR={cache} OPENBLAS_NUM_THREADS=1
"""


@pytest.fixture
def ssh(tmp_path):
    """Yield the command that logs in to an sshd of our own, without a password."""
    missing = [name for name in NEEDED if shutil.which(name) is None] + (["sshd"] if SSHD is None else [])
    if missing:
        pytest.skip(f"{', '.join(missing)} is not installed (apt-get install openssh-server): ssh.sh was NOT run")
    for name in ("host", "user"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)]
        subprocess.run(command, check=True)
    cache = os.environ.get("NUMBA_CACHE_DIR") or make_program_cache()
    (tmp_path / "config").write_text(CONFIG.format(folder=tmp_path, cache=cache))
    with contextlib.suppress(OSError):  # where a user without rights runs it, sshd needs no such folder
        Path("/run/sshd").mkdir(exist_ok=True)
    port = free_port()
    with subprocess.Popen(
        [SSHD, "-D", "-e", "-f", str(tmp_path / "config"), "-p", str(port)], stderr=subprocess.PIPE, text=True
    ) as server:
        try:
            wait_for(lambda: answers(port), server)
            options = ("StrictHostKeyChecking=no", f"UserKnownHostsFile={tmp_path}/known", "LogLevel=ERROR")
            yield f"ssh -p {port} -i {tmp_path}/user -l {getpass.getuser()} " + " ".join(f"-o {one}" for one in options)
        finally:
            server.terminate()


def make_program_cache():
    from w2v_cli.jit import njit  # noqa: PLC0415  Numba takes a second to import

    return str(njit._writable_cache_folder())


def answers(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def listening_of_dask(port):
    """Return where the scheduler of that port, its workers and their children listen."""
    import psutil  # noqa: PLC0415  comes with Dask

    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            lines = [one.cmdline() for one in (process, process.parent()) if one is not None]
            if any(line[1:3] == ["-m", "dask"] and port in " ".join(line) for line in lines):
                found += [c.laddr for c in process.net_connections("tcp") if c.status == psutil.CONN_LISTEN]
    return found


def speaks_http(port):
    """Return whether a port answers HTTP without encryption."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 5) as connection:
        connection.sendall(b"GET /info/main/workers.html HTTP/1.0\r\n\r\n")
        return connection.recv(5) == b"HTTP/"
    return False


def test_the_script_trains_over_ssh_as_local_workers_do(tmp_path, ssh):
    """Certificates are made and copied, a worker is started over ssh, and nothing is left of it in the end.

    What listens on all addresses meanwhile speaks TLS: the HTTP servers of Dask do not, and stay on loopback.
    """
    program = make_program(tmp_path)
    write_text(program.folder / "text.txt", words=18_000)
    local = program.command("train", "text.txt", *SETTINGS, "--cluster", "local:1", "--output", "local.safetensors")
    subprocess.run(local, cwd=program.folder, env=program.environment, check=True, timeout=SECONDS, capture_output=True)
    text, output = str(program.folder / "text.txt"), str(program.folder / "ssh.safetensors")
    variables = {"W2V_SSH": ssh, "W2V_PYTHON": sys.executable, "W2V_HOST": "127.0.0.1", "W2V_PORT": str(free_port())}

    with subprocess.Popen(
        ["/bin/sh", str(SCRIPT), "127.0.0.1", text, *SETTINGS, "--output", output, "--log", "run.jsonl"],
        cwd=program.folder,
        env=program.environment | variables,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        wait_for(lambda: has_trained(program.folder, 1), process)
        ports = {
            address.port
            for address in listening_of_dask(variables["W2V_PORT"])
            if not ip_address(address.ip).is_loopback
        }
        answers_unencrypted = [port for port in ports if speaks_http(port)]
        _, told = process.communicate(timeout=SECONDS)

    assert process.returncode == 0, told
    assert ports  # those of the worker, which the scheduler may have on another machine
    assert answers_unencrypted == []
    assert "Cluster: tls://127.0.0.1:" in told
    assert Path(output).read_bytes() == (program.folder / "local.safetensors").read_bytes()
    assert not list(Path(tempfile.gettempdir()).glob("w2v-cluster-*/pid"))
