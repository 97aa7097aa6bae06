"""Output names that are too long, taken or out of reach."""

import os
import tempfile

import pytest
from test_files import names_in, replace, run_python

from w2v_cli.errors import ConfigError, StorageError
from w2v_cli.system.files import check_writable, refuse_existing


@pytest.mark.parametrize("length", [242, 255])
def test_the_longest_names_can_be_written(tmp_path, length):
    """A name may have as many bytes as the file system takes: the temporary name is no longer than it."""
    path = tmp_path / ("n" * length)
    check_writable(path)
    replace(path)

    assert names_in(tmp_path) == ["n" * length]


def test_a_name_that_is_too_long_is_refused_beforehand(tmp_path):
    """256 bytes are too many for a name: exit 6, before training."""
    path = tmp_path / ("n" * 256)
    refuse_existing(path, overwrite=False)

    with pytest.raises(StorageError, match="File name too long"):
        check_writable(path)


def test_a_dangling_link_counts_as_existing(tmp_path):
    """A link to nowhere is not replaced unasked."""
    (tmp_path / "x").symlink_to("nowhere")

    with pytest.raises(ConfigError, match="overwrite"):
        refuse_existing(tmp_path / "x", overwrite=False)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become nobody: NOT tried")
def test_a_folder_that_may_not_be_entered_is_named():
    """Without permission to enter the output's folder the refusal is StorageError, not a traceback."""
    code = """
from w2v_cli.system.files import refuse_existing
os.setuid(65534)
refuse_existing(path, overwrite=False)
check_writable(path)
"""
    with tempfile.TemporaryDirectory() as folder:  # private to root, in a place that all may enter
        done = run_python(code, f"{folder}/x.bin")

    assert f"StorageError: cannot write {folder}/x.bin: Permission denied" in done.stderr
