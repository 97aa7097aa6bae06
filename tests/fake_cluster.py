"""A cluster without Dask, in this process: what is sent is pickled as Dask would, and workers may be many or few."""

import pickle

from w2v_cli import __version__
from w2v_cli.cluster.tasks import run_task
from w2v_cli.errors import ClusterError


class FakeCluster:
    """Runs tasks one after the other; at task number fails_at, from 1, it breaks down with `error`.

    before_work: what happens before a task, by its number.
    """

    def __init__(self, *, workers=1, fails_at=None, error=ClusterError):
        self.workers = workers
        self.tasks, self.asked = [], []
        self.before_work = {}
        self._fails_at, self._error = fails_at, error

    def ask_each(self, task):
        """Let each worker do a task, as one that is sent."""
        for _ in range(self.workers):
            self.asked.append(task)
            run_task(__version__, task.name, *pickle.loads(pickle.dumps(task.argument)))  # noqa: S301  our own

    def run_in_order(self, tasks, *shared, kept=()):
        """Yield the results of the tasks, each with what is shared as it was when they began."""
        sent = pickle.dumps((*kept, *shared))
        for task in tasks:
            self.tasks.append(task)
            self.before_work.get(len(self.tasks), lambda: None)()
            if len(self.tasks) == self._fails_at:
                raise self._error("the scheduler is gone.")
            arguments = pickle.loads(pickle.dumps(task.argument))  # noqa: S301  our own
            yield pickle.loads(pickle.dumps(run_task(__version__, task.name, *pickle.loads(sent), *arguments)))  # noqa: S301
