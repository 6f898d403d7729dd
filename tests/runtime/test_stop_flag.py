from __future__ import annotations

import subprocess
import sys
import threading
import time

from b2b_recs.runtime.stop_flag import StopFlag

# A new flag for each round, raised by a signal that comes at any point of waiting for it.
FLOOD = """
import signal, time
from b2b_recs.runtime.stop_flag import StopFlag
flag = StopFlag()
signal.signal(signal.SIGALRM, lambda number, frame: flag.set())
signal.setitimer(signal.ITIMER_REAL, 0.0002, 0.0002)
until = time.monotonic() + 1.5
rounds = 0
while time.monotonic() < until:
    while not flag.wait(0.00001):
        pass
    flag, rounds = StopFlag(), rounds + 1
signal.setitimer(signal.ITIMER_REAL, 0)
print("rounds", rounds)
"""


def test_a_signal_in_the_middle_of_a_wait_stops_nothing_else() -> None:
    done = subprocess.run([sys.executable, "-c", FLOOD], capture_output=True, text=True, timeout=60, check=True)
    assert int(done.stdout.split()[1]) > 100


def test_waiting_ends_when_another_thread_raises_it() -> None:
    flag = StopFlag()
    assert not flag.is_set() and not flag.wait(0.01)
    threading.Timer(0.05, flag.set).start()
    began = time.monotonic()
    assert flag.wait(30) and flag.is_set() and time.monotonic() - began < 20
    assert flag.wait()
