"""A component's user who holds a lease on a file, and gives it up when somebody else opens the file."""

import fcntl
import signal
import sys
import time

file = open(sys.argv[1], "r+b")


def give_up(*_):
    if sys.argv[2] == "polite":
        fcntl.fcntl(file.fileno(), fcntl.F_SETLEASE, fcntl.F_UNLCK)


signal.signal(signal.SIGIO, give_up)
fcntl.fcntl(file.fileno(), fcntl.F_SETLEASE, fcntl.F_WRLCK)
print("ready", flush=True)
while True:
    time.sleep(1)
