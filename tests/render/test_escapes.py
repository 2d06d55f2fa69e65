"""Templates of strangers: whatever they try ends soon, as a finding; the next job is fine."""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
import threading
import time

import pytest

from bot.adapters.sandbox import SandboxRenderer
from bot.adapters.sandbox_limits import _ARCHITECTURES
from bot.adapters.sandbox_process import _roots
from tests.render.conftest import ROOT, Render, config, job, the_problem

LOOP = "{% for i in range(99999) %}" * 4 + "{% endfor %}" * 4
BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{n}: &{n} [{','.join([f'*{p}'] * 10)}]\n" for p, n in zip("abcdefgh", "bcdefghi", strict=True)
)

ESCAPES = {
    "classes": "{{ ''.__class__.__mro__ }}",
    "globals": "{{ cycler.__init__.__globals__ }}",
    "format string": "{{ '{0.__class__}'.format(values) }}",
    "attribute filter": "{{ values | attr('__class__') }}",
    "file": "{% include '/etc/passwd' %}",
    "file above": "{% include '../../../../etc/passwd' %}",
    "environment": "{{ environ }}",
    "codec of another module": "{{ 'a'.encode('idna') }}",
    "a long range": "{% for i in range(10**12) %}x{% endfor %}",
    "repeated text": "{{ 'x' * 10**9 }}",
    "repeated list": "{{ [0] * 10**9 }}",
    "padded text": "{{ 'x'.ljust(10**9) }}",
    "width of a format": "{{ '%1000000000d' % 1 }}",
    "replaced text": "{{ ('x' * 1000000) | replace('x', 'y' * 10000) }}",
    "a large number": "{{ 9**99999999 }}",
    "larger and larger numbers": "{% set n = namespace(x=3**1200) %}"
    "{% for i in range(99) %}{% set n.x = n.x * n.x %}{% endfor %}",
    "doubling": "{% set n = namespace(x='x' * 999999) %}"
    "{% for i in range(99) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
    "much output": "{% for i in range(99999) %}{{ 'xxxxxxxxxxxxxxxxxxxx' }}{% endfor %}",
    "calls itself": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "includes itself": "{% include 't.yaml' %}",
    "deep brackets": "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "python object": "!!python/object/apply:os.system [id]",
    "alias bomb": BOMB,
    "alias of itself": "&a [*a]",
    "merged with itself": "a: &a {<<: *a}",
    "deep lists": "[" * 2000,
    "changes its values": "{{ values.update({'a': 1}) }}",
}


@pytest.mark.parametrize("escape", ESCAPES)
def test_an_escape_is_a_finding_of_its_file(render: Render, escape: str) -> None:
    """Bounded in time and memory, told with the file; nothing is left behind for the next job."""
    problem = the_problem(render(ESCAPES[escape]))
    assert problem.path == f"{ROOT}/t.yaml"
    assert render(config("fine")).objects[0]["data"]["it"] == "fine"


def test_an_endless_loop_is_stopped_and_told_with_its_line(render: Render) -> None:
    """The line of the loop, and the limit."""
    problem = the_problem(render("a: b\n" + LOOP))
    assert (problem.line, problem.message) == (2, "it did not finish within 1 s")


def test_an_escape_in_a_value_is_a_finding_as_well(render: Render) -> None:
    """Strings of values run in the same sandbox."""
    problem = the_problem(render(config("x"), values={"a": "{{ ''.__class__ }}"}))
    assert problem.code == "values"


def test_a_worker_that_cannot_even_be_interrupted_is_ended_and_the_others_go_on(
    renderer: SandboxRenderer,
) -> None:
    """One long call inside the interpreter hears no clock: the parent ends the whole worker."""
    renderer.render([job(config("x"))])
    (worker,) = renderer._workers
    os.kill(worker._process.pid, signal.SIGSTOP)
    first, second = renderer.render([job(config(name), key=name) for name in ("one", "two")])
    problem = the_problem(first)
    assert problem.path == f"{ROOT}/t.yaml"
    assert problem.message == "it did not finish within 1 s"
    assert second.objects


def test_a_worker_that_was_killed_costs_one_job(renderer: SandboxRenderer) -> None:
    """Out of memory of the machine, or an operator's kill: the next job gets a new worker."""
    renderer.render([job(config("x"))])
    (worker,) = renderer._workers
    worker._process.kill()
    worker._process.wait()
    assert renderer.render([job(config("again"))])[0].objects


def test_jobs_from_several_threads_do_not_meet(renderer: SandboxRenderer) -> None:
    """Plans are made by a thread pool; each gets its own answers."""
    found: dict[int, str] = {}

    def one(number: int) -> None:
        rendering = renderer.render([job(config("'{{ values.n }}'"), values={"n": number})])[0]
        found[number] = rendering.objects[0]["data"]["it"]

    threads = [threading.Thread(target=one, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: str(number) for number in range(8)}


def test_no_worker_outlives_its_parent() -> None:
    """A parent that is killed closes the pipes, and that ends the worker."""
    code = (
        "import os; from bot.adapters.sandbox import SandboxRenderer; "
        "from tests.render.conftest import job, config; r = SandboxRenderer(workers=1); "
        "r.render([job(config('x'))]); print(r._workers[0]._process.pid, flush=True); os._exit(9)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    pid = int(done.stdout)
    until = time.monotonic() + 10
    while _alive(pid) and time.monotonic() < until:
        os.sched_yield()
    assert not _alive(pid)


GIVEN_UP = """
import sys; sys.path += sys.argv[2:]
import ctypes, os, socket
from bot.adapters import sandbox_limits
library = ctypes.CDLL(None, use_errno=True)
raw = {name: getattr(library, name) for name in ("socket", "open", "fork", "unlink")}
out = os.dup(1)
for fence in {"_limit", "_hook", "_filter_calls"} - {sys.argv[1]}:
    setattr(sandbox_limits, fence, lambda *_: None)
sandbox_limits.give_up(memory=1 << 30, library=library)
told = []
for name, what in {
    "open": lambda: open("/etc/passwd"),
    "socket": lambda: socket.socket(),
    "fork": lambda: os.fork(),
    "import": lambda: __import__("sqlite3"),
    "list": lambda: os.listdir("/"),
}.items():
    try:
        what()
    except Exception as error:
        told.append(name)
arguments = {"socket": (2, 1, 0), "open": (b"/etc/passwd", 0), "fork": (), "unlink": (b"/x",)}
for name in raw if sys.argv[1] == "_filter_calls" else ():
    if raw[name](*arguments[name]) == -1:
        told.append(f"raw {name}")
os.write(out, ", ".join(told).encode())
os._exit(0)
"""


IN_PYTHON = {"open", "socket", "fork", "import", "list"}
RAW = {"raw socket", "raw open", "raw fork", "raw unlink"}


@pytest.mark.parametrize(
    ("fence", "held"), [("_hook", IN_PYTHON), ("_filter_calls", IN_PYTHON | RAW)]
)
def test_even_code_that_broke_out_of_the_language_reaches_nothing(
    fence: str, held: set[str]
) -> None:
    """Each fence holds alone: the interpreter's hook, and below it the filter of system calls."""
    if fence == "_filter_calls" and platform.machine() not in _ARCHITECTURES:
        pytest.skip("the filter of calls knows Linux on two kinds of machines")
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", GIVEN_UP, fence, *_roots()],
        capture_output=True, text=True, check=True, env={},
    )  # fmt: skip
    assert held <= set(done.stdout.split(", "))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0] != "Z"
