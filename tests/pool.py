# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests side by side: as many as there are processors, each in a process of its own."""
import contextlib
import io
import os
import pickle
import sys
import traceback


def _answer(function, item, fd):
    """In the process of its own, which ends here: what it returned, and what it printed."""
    said, value, code, status = io.StringIO(), None, 1, 1
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            try:
                value, code = function(item), 0
            except BaseException:  # pylint: disable=broad-except
                traceback.print_exc()
        with os.fdopen(fd, "wb") as file:
            pickle.dump((value, said.getvalue()), file)
        status = code
    finally:
        os._exit(status)


def _read(fd, status):
    try:
        with os.fdopen(fd, "rb") as file:
            file.seek(0)
            value, said = pickle.load(file)
    except (EOFError, pickle.UnpicklingError):
        value, said = None, ""
    return value, said, os.waitstatus_to_exitcode(status)


def each(function, items):
    """Yields (item, function(item)) in the items' order, once it is known, and prints what the
    function printed just before. None, and a line that says so, is what a process gives that ends
    before it returns."""
    items = list(items)
    most, waiting, running, done = len(os.sched_getaffinity(0)), list(enumerate(items)), {}, {}
    for i, item in enumerate(items):
        while i not in done:
            while waiting and len(running) < most:
                which, one = waiting.pop(0)
                fd = os.memfd_create("answer")
                sys.stdout.flush()
                pid = os.fork()
                if not pid:
                    _answer(function, one, fd)
                running[pid] = which, fd
            pid, status = os.wait()
            if pid in running:
                which, fd = running.pop(pid)
                done[which] = _read(fd, status)
        value, said, code = done.pop(i)
        sys.stdout.write(said)
        sys.stdout.flush()
        if code:
            print(f"FAIL {getattr(item, '__name__', item)}: its process ended with {code}", flush=True)
        yield item, value
