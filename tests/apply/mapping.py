"""A component that has one of its files mapped and open, and writes to it when it is told to."""

import mmap
import os
import sys

file = open(sys.argv[1], "r+b")
mapped = mmap.mmap(file.fileno(), 0)
# The page is dirty before anybody looks at the file.
mapped[0:1] = b"0"
print("ready", flush=True)
for line in sys.stdin:
    how, offset, text = line.split()
    at, text = int(offset), text.encode()
    if how == "store":
        mapped[at : at + len(text)] = text
    else:
        os.pwrite(file.fileno(), text, at)
    print("done", flush=True)
