# SPDX-License-Identifier: Apache-2.0
"""The work folder of one bench run: what the tools need on disk, and its removal. Nothing of it is left."""
import os
import shutil
import subprocess
import sys
import tempfile

PROGRAMS = ["floor", "enter", "nothing", "calls", "first", "pairs"]
FOLDERS = ["usr", "etc/alternatives", "etc/ssl/certs", "tmp", "var/tmp", "run", "home/jail", "dev/pts",
           "dev/shm", "proc", "sys", "mnt", ".private", ".empty"]
LINKS = {"bin": "usr/bin", "sbin": "usr/sbin", "lib": "usr/lib", "lib64": "usr/lib64",
         "etc/localtime": "/usr/share/zoneinfo/Etc/UTC", "dev/fd": "/proc/self/fd",
         "dev/stdin": "/proc/self/fd/0", "dev/stdout": "/proc/self/fd/1", "dev/stderr": "/proc/self/fd/2",
         "dev/ptmx": "pts/ptmx"}
FILES = {"etc/passwd": "jail:x:1000:1000:jail:/home/jail:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n",
         "etc/group": "jail:x:1000:\nnogroup:x:65534:\n", "etc/hosts": "127.0.0.1 localhost jail\n",
         "etc/resolv.conf": "# no network\n", "etc/nsswitch.conf": "passwd: files\nhosts: files dns\n",
         "etc/os-release": "ID=bench\n", "etc/ld.so.cache": "", "mnt/program": "", "dev/null": "", "dev/zero": "",
         "dev/full": "", "dev/random": "", "dev/urandom": "", "dev/tty": ""}


def furnish(root, with_dev):
    for name in FOLDERS:
        os.makedirs(os.path.join(root, name), exist_ok=True)
    for name, target in LINKS.items():
        if with_dev or not name.startswith("dev/"):
            os.symlink(target, os.path.join(root, name))
    for name, text in FILES.items():
        if with_dev or not name.startswith("dev/"):
            with open(os.path.join(root, name), "w", encoding="utf-8") as file:
                file.write(text)


class Place:
    """Paths of the programs under test and a temporary folder that every user can enter."""

    def __init__(self, build, immure):
        here = os.path.dirname(os.path.abspath(__file__))
        for name in PROGRAMS:
            if not os.path.exists(os.path.join(build, name)):
                sys.exit("bench: %s is not built in %s" % (name, build))
        self.folder = tempfile.mkdtemp(prefix="immure-bench-", dir="/var/cache")  # /tmp is hidden by some tools
        os.chmod(self.folder, 0o755)
        for name in PROGRAMS:
            setattr(self, name, shutil.copy(os.path.join(build, name), self.folder))
        self.immure = os.path.abspath(immure) if immure and os.access(immure, os.X_OK) else None
        self.skeleton = self.new_folder("skeleton")
        furnish(self.skeleton, with_dev=True)
        self.empty_root = self.new_root()
        self.filter = os.path.join(self.folder, "filter.bpf")
        with open(self.filter, "wb") as file:
            subprocess.run([sys.executable, os.path.join(here, "mkfilter.py"), "--raw"], stdout=file, check=True)

    def new_folder(self, name):
        path = tempfile.mkdtemp(prefix=name + "-", dir=self.folder)
        os.chmod(path, 0o755)
        return path

    def new_root(self):
        """Mount points for tools that bring no root of their own; nspawn locks the folder it runs in."""
        path = self.new_folder("root")
        furnish(path, with_dev=False)
        return path

    def state(self, program):
        return os.path.join(self.folder, "state-" + os.path.basename(program))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder)
