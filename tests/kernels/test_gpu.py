"""What `--gpu` says where the GPU cannot be used: a message for each thing that is missing, never a fall back."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest

from w2v_cli.errors import MissingDependencyError
from w2v_cli.kernels import gpu
from w2v_cli.kernels.gpu import check_computing, check_gpu, resolve_backend
from w2v_cli.kernels.protocols import Backend

ROOT = Path(__file__).resolve().parents[2]


class CudaError(RuntimeError):
    """What CUDA's calls raise: cupy_backends.cuda.api.runtime.CUDARuntimeError."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


class CompileException(Exception):  # noqa: N818  CuPy's name
    """What CuPy raises where NVRTC refuses a kernel."""


class DynamicLibNotFoundError(RuntimeError):
    """What CuPy raises where a library of CUDA is not installed."""


def fake_runtime(*, driver=13000, needed=13000, devices=1):
    """Return cupy.cuda.runtime of a machine; devices: their number, or the error that asking for it raises."""

    def count():
        if isinstance(devices, Exception):
            raise devices
        return devices

    return SimpleNamespace(
        CUDARuntimeError=CudaError,
        driverGetVersion=lambda: driver,
        runtimeGetVersion=lambda: needed,
        getDeviceCount=count,
    )


def fake_cupy(runtime=None, *, raises=None, nvrtc=None):
    """Return a CuPy on that runtime; its first array, and asking for NVRTC, raise an error where one is given."""
    compiler = SimpleNamespace(CompileException=CompileException)
    version = MagicMock(side_effect=nvrtc, return_value=(13, 0))
    cuda = SimpleNamespace(
        runtime=runtime or fake_runtime(), compiler=compiler, nvrtc=SimpleNamespace(getVersion=version)
    )
    return SimpleNamespace(cuda=cuda, ones=MagicMock(side_effect=raises), float32="float32")


MACHINES = {
    "no driver": (fake_runtime(driver=0, devices=CudaError(35, "unused")), "no NVIDIA driver was found"),
    "driver of the last CUDA": (
        fake_runtime(driver=12040),
        "supports CUDA 12.4 and the installed CuPy needs CUDA 13.0",
    ),
    "driver older than any extra": (
        fake_runtime(driver=11080, needed=12090),
        "supports CUDA 11.8 and the installed CuPy needs CUDA 12.9. Update the driver.",
    ),
    "no device, by status": (fake_runtime(devices=CudaError(100, "cudaErrorNoDevice")), "shows no device"),
    "no device, by count": (fake_runtime(devices=0), "shows no device"),
    "CUDA does not start": (
        fake_runtime(devices=CudaError(802, "cudaErrorSystemNotReady: system not yet initialized")),
        "CUDA does not start: cudaErrorSystemNotReady: system not yet initialized. Repair the driver",
    ),
}
FAILURES = {
    "no NVRTC": DynamicLibNotFoundError('Failure finding "libnvrtc.so.12": No such file: libnvrtc.so.12\n'),
    "no cuBLAS": ImportError('Failure finding "libcublasLt.so.12": No such file: libcublasLt.so.12\n'),
    "no headers": CompileException("k.cu(1): catastrophic error:\n cannot open source file cuda_fp16.h\n" + "x " * 500),
    "a library that does not load": OSError("libcudart.so.12: cannot open shared object file"),
    "an old chip": CudaError(209, "cudaErrorNoKernelImageForDevice: no kernel image is available"),
}


def refusal(call, *arguments):
    """Return the message that the call refuses with, which is one line and has exit code 9."""
    with pytest.raises(MissingDependencyError) as caught:
        call(*arguments)
    message = str(caught.value)
    assert caught.value.exit_code == 9
    assert "\n" not in message
    return message


@pytest.mark.parametrize("machine", MACHINES)
def test_each_machine_without_a_usable_gpu_has_its_message(machine):
    """No driver, too old a driver, no device and a CUDA that does not start are told apart."""
    runtime, expected = MACHINES[machine]

    assert expected in refusal(check_gpu, runtime, {})


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "(CUDA_VISIBLE_DEVICES is not set)"),
        ({"CUDA_VISIBLE_DEVICES": ""}, "(CUDA_VISIBLE_DEVICES is '')"),
        ({"CUDA_VISIBLE_DEVICES": "7"}, "(CUDA_VISIBLE_DEVICES is '7')"),
    ],
)
def test_a_machine_without_devices_shows_what_hides_them(environment, expected):
    """CUDA_VISIBLE_DEVICES stands in the message, and one that is empty does not look like none."""
    assert expected in refusal(check_gpu, fake_runtime(devices=0), environment)


@pytest.mark.parametrize(
    ("driver", "needed"), [(13000, 13000), (13020, 13000), (12000, 12090), (13000, 12090), (12090, 12090)]
)
def test_a_driver_of_the_same_major_version_or_newer_will_do(driver, needed):
    """CUDA's minor versions are compatible, and a new driver runs an old CUDA."""
    assert check_gpu(fake_runtime(driver=driver, needed=needed), {}) is None


@pytest.mark.parametrize("failure", FAILURES)
def test_a_device_that_does_not_compute_is_refused(failure):
    """A missing library of CUDA is found before training, and the message gives the install command."""
    message = refusal(check_computing, fake_cupy(raises=FAILURES[failure]))

    assert message.startswith("the GPU cannot be used: CuPy finds a device, but does not compute on it: ")
    assert " ".join(str(FAILURES[failure]).split())[:60] in message
    assert 'pip install "w2v-cli[gpu' in message
    assert len(message) < 500


def test_nvrtc_is_missed_though_a_cache_has_what_the_first_array_needs():
    """What an earlier run compiled computes without NVRTC; the kernels of a training may not be among it."""
    message = refusal(check_computing, fake_cupy(nvrtc=FAILURES["no NVRTC"]))

    assert 'Failure finding "libnvrtc.so.12"' in message
    assert 'pip install "w2v-cli[gpu13]"' in message


def test_too_little_memory_is_not_taken_for_a_missing_library():
    """A full device is reported as what it is."""
    with pytest.raises(MemoryError):
        check_computing(fake_cupy(raises=MemoryError()))


@pytest.fixture
def install(monkeypatch):
    """Return a function that makes `import cupy` give a module, or raise an error."""

    def as_cupy(result):
        monkeypatch.setattr(gpu, "import_cupy", MagicMock(side_effect=[result]))

    return as_cupy


def test_a_gpu_that_computes_is_used(install):
    """Where nothing is missing the backend is CuPy."""
    install(fake_cupy())

    assert resolve_backend("cupy") is Backend.CUPY


@pytest.mark.parametrize("found", [fake_cupy(runtime) for runtime, _ in MACHINES.values()], ids=MACHINES)
def test_a_wanted_gpu_is_never_replaced(install, found):
    """Asking for CuPy ends in an error on every machine without a usable GPU: there is no fall back."""
    install(found)

    assert refusal(resolve_backend, "cupy")


def test_a_wanted_gpu_has_to_compute_first(install):
    """Asking for CuPy makes it compute something, and ends in an error where it does not."""
    install(fake_cupy(raises=FAILURES["no NVRTC"]))

    assert "does not compute" in refusal(resolve_backend, "cupy")


def test_the_environment_is_the_process_s(install, monkeypatch):
    """The message shows the CUDA_VISIBLE_DEVICES of this process."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    install(fake_cupy(fake_runtime(devices=0)))

    assert "CUDA_VISIBLE_DEVICES is '3'" in refusal(resolve_backend, "cupy")


def test_without_cupy_the_message_says_how_to_install_it(install):
    """Where there is no CuPy the message names both extras and the drivers that they need."""
    install(ModuleNotFoundError("No module named 'cupy'", name="cupy"))

    message = refusal(resolve_backend, "cupy")

    assert message.startswith(
        "the GPU cannot be used: it needs CuPy, which cannot be imported (No module named 'cupy'). "
    )
    assert '"w2v-cli[gpu13]" (NVIDIA driver 580 or newer)' in message
    assert '"w2v-cli[gpu12]" (driver 525 or newer)' in message


def test_a_cupy_that_does_not_load_says_why_on_one_line(install):
    """CuPy wraps what it found in a page of advice; the message gives what it found."""
    page = ImportError("\n=====\nFailed to import CuPy.\n=====\n")
    page.__cause__ = ImportError("libcudart.so.12: cannot open shared object file")
    install(page)

    assert "(libcudart.so.12: cannot open shared object file)" in refusal(resolve_backend, "cupy")


@pytest.mark.parametrize(
    ("wanted", "expected"), [("auto", Backend.NUMBA), ("numba", Backend.NUMBA), ("numpy", Backend.NUMPY)]
)
def test_without_gpu_cupy_is_not_asked(install, wanted, expected):
    """No other setting imports CuPy, and `auto` is never the GPU."""
    install(AssertionError("CuPy was imported"))

    assert resolve_backend(wanted) is expected


def test_the_install_commands_name_extras_that_exist(install):
    """Every extra in a message is one of pyproject.toml and brings the CuPy of that CUDA with its libraries."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    install(ImportError("no CuPy"))
    old_drivers = [fake_runtime(driver=12040, needed=13000), fake_runtime(driver=11080, needed=12090)]
    messages = [refusal(resolve_backend, "cupy"), *(refusal(check_gpu, runtime, {}) for runtime in old_drivers)]

    named = set(re.findall(r"w2v-cli\[(\w+)\]", " ".join(messages)))

    assert named == {"gpu12", "gpu13"}
    for extra in named:
        assert extras[extra][0].startswith(f"cupy-cuda{extra.removeprefix('gpu')}x[ctk]")


def test_the_command_without_cupy_stops_and_writes_nothing(tmp_path):
    """`w2v train FILE --gpu` without CuPy ends with exit code 9, one line on stderr, and no file."""
    (tmp_path / "cupy.py").write_text("raise ModuleNotFoundError(\"No module named 'cupy'\", name='cupy')")
    text = tmp_path / "text.txt"
    text.write_text("one two three four five six\n" * 20, encoding="utf-8")
    before = sorted(tmp_path.iterdir())
    environment = os.environ | {"PYTHONPATH": os.pathsep.join((str(tmp_path), os.environ.get("PYTHONPATH", "")))}

    done = subprocess.run(
        [sys.executable, "-B", "-c", "from w2v_cli.cli import main; main()", "train", str(text), "--gpu"],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        cwd=tmp_path,
    )

    assert done.returncode == 9
    assert done.stdout == ""
    assert re.fullmatch(r"error: the GPU cannot be used: it needs CuPy, which cannot be imported .*\n", done.stderr)
    assert sorted(tmp_path.iterdir()) == before
