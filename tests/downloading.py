"""What the tests of downloads share: a body, a fetch that never waits, and what a broken download leaves."""

import hashlib
import json

from w2v_cli.datasets.download import fetch

BODY = bytes(range(256)) * 2000  # 512,000 bytes: several chunks
SHA256 = hashlib.sha256(BODY).hexdigest()
HALF = len(BODY) // 2


class Recorder:
    """Fetch without waiting, and keep what was slept and reported."""

    def __init__(self):
        self.slept = []
        self.progress = []

    def fetch(self, urls, destination, *, sha256=SHA256, retry_delays=(1, 2, 4, 8), timeout_seconds=5):
        """Call fetch with what most tests share."""
        fetch(
            urls,
            destination,
            sha256=sha256,
            on_progress=lambda done, total: self.progress.append((done, total)),
            retry_delays=retry_delays,
            timeout_seconds=timeout_seconds,
            sleep=self.slept.append,
        )


def left_in(folder):
    """Return the names of what is in `folder`, but for the empty lock files."""
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock")


def leave_part(destination, *, size, url, version='"one"', body=BODY):
    """Leave what a download broken off after `size` bytes leaves."""
    destination.parent.mkdir()
    destination.with_name("file.txt.part").write_bytes(body[:size])
    note = json.dumps({"url": url, "validator": version})
    destination.with_name("file.txt.part.json").write_text(note)
