#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
The same bubblewrap command line under bubblewrap and under immure-bwrap, in interleaved pairs: ratios, which a busy machine does not
change much. --calls counts the system calls of both as well.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

import measures
import peers
from place import Place

LINKS = [word for name in ("bin", "sbin", "lib", "lib64") for word in ("--symlink", "usr/" + name, "/" + name)]
LINES = {
    "minimal": ["--ro-bind", "/", "/"],
    "typical": ["--ro-bind", "/usr", "/usr", *LINKS, "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--unshare-all"],
    "host's network": ["--ro-bind", "/usr", "/usr", *LINKS, "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--unshare-all", "--share-net",
                       "--die-with-parent"],
    "agent's": ["--new-session", "--die-with-parent", "--ro-bind", "/", "/", "--bind", "/var/tmp", "/var/tmp", "--tmpfs", "/root", "--remount-ro", "/root",
                "--ro-bind", "/dev/null", "/etc/hostname", "--dev", "/dev", "--unshare-user", "--unshare-pid", "--unshare-net", "--proc", "/proc"],
}


def command(program, line, is_root, first=None):
    """FIRST: a program that lies over /usr/bin/true, and whose first byte counts."""
    words = ["--ro-bind", first, "/usr/bin/true"] if first else []
    return peers.Command([program, *LINES[line], *words, "--", "/usr/bin/true"], None if is_root else peers.NOBODY, is_start=first is not None)


def compare(place, line, is_root, rounds, first=None):
    """(ratio, fastest of bubblewrap, of ours) of one line as one user."""
    pair = {"bwrap": command("/usr/bin/bwrap", line, is_root, first), "ours": command(place.bwrap, line, is_root, first)}
    times = measures.interleaved(place, pair, rounds)
    return measures.ratio(times["bwrap"], times["ours"]), min(times["bwrap"]), min(times["ours"])


def table(place, rounds):
    """Rows for every line and user: until the program's first instruction, and the whole process with /bin/true inside."""
    yield "| line | user | start: × bwrap | bwrap, minimum µs | immure-bwrap | whole: × bwrap | bwrap, minimum µs | immure-bwrap |"
    yield "|---|---|---|---|---|---|---|---|"
    for line in LINES:
        for is_root in (False, True):
            yield "| %s | %s | %.2f | %.0f | %.0f | %.2f | %.0f | %.0f |" % (
                line, "root" if is_root else "rootless", *compare(place, line, is_root, rounds, place.first), *compare(place, line, is_root, rounds))


def calls(one):
    """{name: count} of one run, as strace(1) follows it."""
    with tempfile.NamedTemporaryFile("r") as report:
        done = subprocess.run(["strace", "-f", "-qq", "-o", report.name, *one.argv], capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit("bench: %s: %s" % (one.argv[0], done.stderr))
        counts = {}
        for line in report:
            found = re.match(r"\d+ +(\w+)\(", line)
            if found:
                counts[found[1]] = counts.get(found[1], 0) + 1
    return counts


def tell_calls(place):
    for line in LINES:
        ours, theirs = calls(command(place.bwrap, line, True)), calls(command("/usr/bin/bwrap", line, True))
        print("\n%s, root: %d calls, bubblewrap %d" % (line, sum(ours.values()), sum(theirs.values())))
        for name in sorted({*ours, *theirs}, key=lambda name: -max(ours.get(name, 0), theirs.get(name, 0)))[:24]:
            print("  %-20s %5d %5d" % (name, ours.get(name, 0), theirs.get(name, 0)))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--immure-bwrap", required=True)
    parser.add_argument("--build", help="the folder that holds pairs; bench/ beside immure-bwrap otherwise")
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--calls", action="store_true")
    options = parser.parse_args()
    with Place(options.build or os.path.join(os.path.dirname(options.immure_bwrap), "bench"), None) as place:
        place.bwrap = shutil.copy(options.immure_bwrap, place.folder)
        for line in table(place, options.rounds):
            print(line, flush=True)
        if options.calls:
            tell_calls(place)


if __name__ == "__main__":
    main()
