"""A file system that ignores case, over a directory: `ignores_case.py DIRECTORY MOUNT-POINT`.

For kernels whose own file systems cannot. Names are kept as they were written and found in any case.
"""

import errno
import os
import sys

from fusepy import FUSE, FuseOSError, Operations

# Names are bytes; this encoding keeps every one of them.
BYTES = "latin-1"


class IgnoresCase(Operations):
    def __init__(self, root):
        self.root = os.fsencode(root)

    def real(self, path):
        """Where a path leads: to what is there in any case, or to the name as it is written."""
        found = self.root
        for name in path.encode(BYTES).strip(b"/").split(b"/"):
            if name and not os.path.lexists(os.path.join(found, name)):
                there = os.listdir(found) if os.path.isdir(found) else []
                name = next((own for own in there if own.lower() == name.lower()), name)
            found = os.path.join(found, name)
        return found

    def getattr(self, path, fh=None):
        stat = os.lstat(self.real(path))
        return {key: getattr(stat, key) for key in dir(stat) if key.startswith("st_") and not key.endswith("_ns")}

    def readdir(self, path, fh):
        return [".", "..", *(name.decode(BYTES) for name in os.listdir(self.real(path)))]

    def readlink(self, path):
        return os.readlink(self.real(path)).decode(BYTES)

    def statfs(self, path):
        stat = os.statvfs(self.real(path))
        return {key: getattr(stat, key) for key in dir(stat) if key.startswith("f_")}

    def mkdir(self, path, mode):
        os.mkdir(self.real(path), mode)

    def rmdir(self, path):
        os.rmdir(self.real(path))

    def unlink(self, path):
        os.unlink(self.real(path))

    def symlink(self, path, target):
        os.symlink(target.encode(BYTES), self.real(path))

    def link(self, path, source):
        os.link(self.real(source), self.real(path), follow_symlinks=False)

    def rename(self, old, new):
        os.rename(self.real(old), self.real(new))

    def chmod(self, path, mode):
        os.chmod(self.real(path), mode)

    def chown(self, path, user, group):
        os.lchown(self.real(path), user, group)

    def utimens(self, path, times=None):
        os.utime(self.real(path), times, follow_symlinks=False)

    def open(self, path, flags):
        return os.open(self.real(path), flags)

    def create(self, path, mode, fi=None):
        return os.open(self.real(path), os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)

    def read(self, path, size, offset, fh):
        return os.pread(fh, size, offset)

    def write(self, path, data, offset, fh):
        return os.pwrite(fh, data, offset)

    def truncate(self, path, length, fh=None):
        os.truncate(self.real(path) if fh is None else fh, length)

    def fsync(self, path, datasync, fh):
        os.fsync(fh)

    def release(self, path, fh):
        os.close(fh)

    # SQLite's locks are the kernel's own, and extended attributes are none of this test's matter.
    def listxattr(self, path):
        return []

    def getxattr(self, path, name, position=0):
        raise FuseOSError(errno.ENODATA)

    def setxattr(self, path, name, value, options, position=0):
        raise FuseOSError(errno.ENOTSUP)


if __name__ == "__main__":
    served = IgnoresCase(os.path.realpath(sys.argv[1]))
    # A name that is remembered by the kernel in one case would outlive what it was in another.
    forgotten = {"entry_timeout": 0, "negative_timeout": 0, "attr_timeout": 0}
    shown = {"use_ino": True, "hard_remove": True, "allow_other": True}
    FUSE(served, sys.argv[2], encoding=BYTES, nothreads=True, **shown, **forgotten)
