# SPDX-License-Identifier: Apache-2.0
"""Jails that stay: what it costs to start one, to execute a program in it, and to keep a hundred of them idle."""
import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import time

import measures
import peers

INSIDE = "/home/jail/program"
OWN_SPACES = ["-U", "-m", "-u", "-i", "-n", "-p", "-C"]
IDLE = ["/usr/bin/sleep", "10000"]
CROWD = 100


class Staying:
    """A jail under a name, with a program that ends at once shown in it, and the folder where its user's jails are."""

    def __init__(self, place, is_root, options=()):
        self.place, self.is_root = place, is_root
        self.user = None if is_root else peers.NOBODY
        self.words = [place.immure, "run", "-d", "--rm", "--ro", place.shown + ":" + os.path.dirname(INSIDE), *options]

    def call(self, words):
        done = measures.spawn(peers.Command(words, self.user), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        said, complaint = done.communicate(timeout=60)
        if done.returncode != 0:
            raise RuntimeError("%s: %s" % (" ".join(words), complaint.strip()))
        return said.strip()

    def start(self):
        return self.call([*self.words, "--", *IDLE])

    def state(self, name):
        return json.loads(self.call([self.place.immure, "inspect", name]))["state"]

    @contextlib.contextmanager
    def jails(self, count):
        """Names of so many that run; all are ended, whatever happens."""
        names = []
        try:
            for _ in range(count):
                names.append(self.start())
            yield names
        finally:
            for name in names:
                self.call([self.place.immure, "kill", name])


def furnish(place):
    """The folder shown in the jails, and one for the rootless user's state."""
    place.shown = place.new_folder("shown")
    shutil.copy(place.nothing, os.path.join(place.shown, os.path.basename(INSIDE)))
    place.runtime = place.new_folder("runtime")
    os.chown(place.runtime, peers.NOBODY, peers.NOBODY)
    os.chmod(place.runtime, 0o700)
    os.environ["XDG_RUNTIME_DIR"] = place.runtime


def program_of(state):
    """The jail's own program: the child of its init."""
    found = next((one for one in measures.family(state["pid"]) if measures.name_of(one) == "sleep"), None)
    if not found:
        raise RuntimeError("%s: its program is not there" % state["name"])
    return found


def groups_of(pid):
    """Folders of the control groups that PID is in and we are not."""
    def read(who):
        with open("/proc/%s/cgroup" % who, encoding="utf-8") as file:
            return dict(line.strip().split(":", 2)[1:] for line in file)
    ours, unified = read("self"), "unified" if os.path.isdir("/sys/fs/cgroup/unified") else "."
    return ["/sys/fs/cgroup/%s%s" % (kinds.removeprefix("name=") or unified, path)
            for kinds, path in read(pid).items() if path != ours.get(kinds)]


def commands(staying, name, program):
    """{tool: Command} for one more program in the jail NAME, whose own program is PROGRAM."""
    place = staying.place
    enter = [place.enter, str(program), *groups_of(program), "--", INSIDE]
    nsenter = ["/usr/bin/nsenter", "-t", str(program), *OWN_SPACES, *([] if staying.is_root else ["--preserve-credentials"]), "--", INSIDE]
    return {"floor": peers.Command(enter, staying.user),
            "immure exec": peers.Command([place.immure, "exec", name, "--", INSIDE], staying.user),
            "nsenter, without any policy": peers.Command(nsenter, staying.user)}


def oci_exec(jail, make):
    """Command and the two words that end the container; None and the reason where it does not start."""
    words = make(jail).argv
    at = words.index("run")
    name, common = words[-1], words[:at]
    with tempfile.TemporaryFile("w+") as complaint:  # no pipe: the container would hold it open
        started = subprocess.run([*common, "run", "-d", *words[at + 1:]], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                 stderr=complaint, timeout=60, check=False)
        complaint.seek(0)
        if started.returncode != 0:
            return None, None, complaint.read().strip().replace("\n", " / ")[:200]
    return peers.Command([*common, "exec", name, "/mnt/program"]), [*common, "delete", "-f", name], None


def time_exec(place, is_root, options, rounds, refused):
    """{tool: Timing} of one program more in a jail that stays."""
    staying = Staying(place, is_root, options)
    with staying.jails(1) as names:
        able = {}
        for tool, command in commands(staying, names[0], program_of(staying.state(names[0]))).items():
            reason = measures.why_not(command)
            if reason:
                refused.append("%s (exec): %s" % (tool, reason))
            else:
                able[tool] = command
        times = measures.interleaved(place, able, rounds)
        timings = {tool: measures.Timing(tool, times, "immure exec") for tool in times}
        if is_root and not options:
            timings.update(time_containers(place, able, max(rounds // 8, 10), refused))
    return timings


def time_containers(place, beside, rounds, refused):
    """crun exec and runc exec of the same no-op, each beside ours and the floor."""
    timings = {}
    for tool, make in (("crun exec", peers.crun), ("runc exec", peers.runc)):
        jail = peers.Jail(place, True, True, [place.nothing, "wait"], place.nothing)
        command, end, reason = oci_exec(jail, make)
        reason = reason or measures.why_not(command)
        if reason:
            refused.append("%s: %s" % (tool, reason))
        else:
            pair = measures.interleaved(place, {"floor": beside["floor"], "immure exec": beside["immure exec"], tool: command}, rounds)
            timings[tool] = measures.Timing(tool, pair, "immure exec")
        if end:
            subprocess.run(end, check=False, capture_output=True)
    return timings


def time_start(place, is_root, rounds):
    """{what: Timing}: run -d until it says that the program was executed, beside a run to the end."""
    staying = Staying(place, is_root)
    floor = peers.floor(peers.Jail(place, is_root, True, ["/bin/true"]))
    run = peers.immure(peers.Jail(place, is_root, True, ["/bin/true"]))
    detached = peers.Command([*staying.words, "--", "/bin/true"], staying.user)
    times = measures.interleaved(place, {"floor": floor, "immure": run, "immure run -d": detached}, rounds)
    return {name: measures.Timing(name, times) for name in times}


def parts_of(state):
    """PSS in kB of one jail: its keeper, its init, its program."""
    program = program_of(state)
    if state["pid"] == state["keeper"] or state["pid"] == program:
        raise RuntimeError("%s: keeper, init and program are not three" % state["name"])
    return [measures.pss_kb(pid) for pid in (state["keeper"], state["pid"], program)]


def crowd_memory(place, is_root, count):
    """{part: kB of each of COUNT idle jails} on average."""
    staying = Staying(place, is_root)
    with staying.jails(count) as names:
        time.sleep(1)  # keepers and inits give pages back after a tenth of a second
        states = [staying.state(name) for name in names]
        time.sleep(1)
        sums = [sum(column) / count for column in zip(*map(parts_of, states))]
    return dict(zip(("keeper", "init", "program (sleep)"), sums))
