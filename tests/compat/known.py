# SPDX-License-Identifier: Apache-2.0
"""
What differs by intent between bubblewrap 0.8 and immure-bwrap in many rows at once: a rule each, with its reason. A rule makes the
two sides equal where they differ as it says, and nowhere else. A test sees that each rule is still needed by some row.
"""
import os
import re

from harness import NOBODY


def mend(pattern, *wanted):
    """Where bubblewrap's line fits `pattern` and ours is what one of `wanted` makes of it, the line is ours."""
    def rule(left, right):
        there = set(right)
        mended = []
        for line in left:
            others = [re.sub(pattern, words, line) for words in wanted if line not in there]
            mended.append(next((other for other in others if other in there), line))
        return mended, right
    return rule


def without(pattern):
    """bubblewrap's lines of that kind are left out where we have none of them."""
    def rule(left, right):
        there = set(right)
        return [line for line in left if line in there or not re.search(pattern, line)], right
    return rule


def added(pattern):
    """Our lines of that kind are left out where bubblewrap has none of them."""
    def rule(left, right):
        return tuple(reversed(without(pattern)(right, left)))
    return rule


RULES = {
    "parents that are made for a destination have mode 0755, as the manual says; bubblewrap makes those of a mount or link 0700":
        mend(r"^(files|left) (\S+) 40700 ", r"\1 \2 40755 "),
    "one user namespace is enough for --dev: the id in it maps straight to the caller's":
        mend(r"^(ids [ug]id_map +\d+) +0 +1$", r"\1 %10d          1" % (os.geteuid() or NOBODY)),
    "nothing is executed from a device or from the host's /proc":
        mend(r"^(mounts \S+ (?:devtmpfs|proc) r[wo],nosuid(?:,nodev)?),relatime", r"\1,noexec,relatime"),
    "the root of /dev/pts is root's of the namespace that mounted it; in one namespace that is nobody's where the user is not root":
        mend(r"^(files \S+/pts 40755) \d+:\d+ ", r"\1 65534:65534 ", r"\1 65534:0 "),
    "the program of a PID namespace dies with its init, and needs no signal of its own":
        mend(r"^(process terminal \d deathsig) 9 ", r"\1 0 "),
    "a queue is no place for programs or devices":
        mend(r"^(mounts \S+ mqueue rw),relatime", r"\1,nosuid,nodev,noexec,relatime"),
    "a descriptor of a namespace that was joined is consumed; bubblewrap leaves it to the program":
        without(r"^descriptors \d+ (user|pid):"),
}
