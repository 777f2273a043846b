#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The measurements behind docs/decisions/0001-fast-path.md: each choice against its alternative, in pairs."""
import argparse
import statistics
import sys

import measures
import peers
from place import Place

BASE = ["--no-net", "--no-exec"]
EXEC = ["--no-net"]
CHOICES = [  # words, flags of the first, flags of the second
    ("the same twice", BASE, BASE),
    ("root from a skeleton", BASE, BASE + ["--skeleton"]),
    ("root from a skeleton, exec", EXEC, EXEC + ["--skeleton"]),
    ("network namespace and lo", BASE, ["--no-exec"]),
    ("16 binds, open_tree_attr", BASE, BASE + ["--binds=16"]),
    ("16 binds, open_tree and mount_setattr", BASE + ["--setattr"], BASE + ["--setattr", "--binds=16"]),
    ("16 binds, mount(2) twice", BASE + ["--mount2"], BASE + ["--mount2", "--binds=16"]),
    ("16 masks in /proc", BASE, BASE + ["--masks=16"]),
    ("root attached last", BASE, BASE + ["--early"]),
    ("four tmpfs", BASE, BASE + ["--four-tmpfs"]),
    ("one tmpfs for four folders", BASE, BASE + ["--one-tmpfs"]),
    ("no private folders", BASE, BASE + ["--no-tmpfs"]),
    ("old root kept", BASE, BASE + ["--no-detach"]),
    ("payload by fork", BASE, BASE + ["--fork-payload"]),
    ("payload by fork, exec", EXEC, EXEC + ["--fork-payload"]),
    ("init shares memory", BASE, BASE + ["--share-init"]),
    ("init by vfork", BASE, BASE + ["--vfork-init"]),
    ("one CPU until exec", EXEC, EXEC + ["--pin"]),
    ("bounding set left full", BASE, BASE + ["--no-cap-drops"]),
    ("no Landlock", BASE, BASE + ["--no-landlock"]),
    ("no filter", BASE, BASE + ["--no-seccomp"]),
    ("check: namespaces by stat", BASE, BASE + ["--check-namespaces"]),
    ("check: namespaces by readlink", BASE, BASE + ["--check-links"]),
    ("check: status", BASE, BASE + ["--check-status"]),
    ("check: sets and ids by calls", BASE, BASE + ["--check-sets"]),
    ("check: mounts by statfs", BASE, BASE + ["--check-mounts"]),
    ("map written by the launcher", BASE, BASE + ["--hand-over"]),
    ("exec announced", EXEC, EXEC + ["--announce"]),
    ("filter's listener sent", EXEC, EXEC + ["--notify"]),
    ("no IPC namespace", BASE, BASE + ["--no-ipc"]),
    ("no UTS namespace", BASE, BASE + ["--no-uts"]),
    ("no cgroup namespace", BASE, BASE + ["--no-cgroup"]),
    ("time namespace", BASE, BASE + ["--time"]),
]


def jail_words(place, flags):
    flags = ["--skeleton=" + place.skeleton if flag == "--skeleton" else flag for flag in flags]
    return peers.Command([place.floor, *flags, "--", "/bin/true"], peers.NOBODY)


def compare(place, first, second, rounds):
    """(difference of the fastest twentieths, median difference, median ratio)."""
    pair = {"first": jail_words(place, first), "second": jail_words(place, second)}
    times = measures.interleaved(place, pair, rounds)
    quick = [sorted(taken)[rounds // 20] for taken in (times["first"], times["second"])]
    differences = [b - a for a, b in zip(times["first"], times["second"])]
    return quick[1] - quick[0], statistics.median(differences), measures.ratio(times["second"], times["first"])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True)
    parser.add_argument("--rounds", type=int, default=500)
    parser.add_argument("only", nargs="*", help="words that a choice's name must contain")
    options = parser.parse_args()
    print("| choice | fastest twentieth µs | median µs | ratio |\n|---|---|---|---|")
    with Place(options.build, None) as place:
        for words, first, second in CHOICES:
            if options.only and not any(word in words for word in options.only):
                continue
            row = compare(place, first, second, options.rounds)
            print("| %s | %+.0f | %+.0f | %.3f |" % ((words,) + row))
            sys.stdout.flush()


if __name__ == "__main__":
    main()
