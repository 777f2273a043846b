# SPDX-License-Identifier: Apache-2.0
"""Runs commands and reads numbers: wall time in interleaved rounds, resident memory, the price of a call."""
import os
import signal
import statistics
import subprocess
import time

WARM_UP = 5


class Timing:
    """One tool's wall times in microseconds, and how they stand to others' of the same rounds."""

    def __init__(self, name, rounds, ours="immure"):
        times = rounds[name]
        self.minimum = min(times)
        self.median = statistics.median(times)
        self.to_floor = ratio(times, rounds["floor"])
        self.to_immure = ratio(times, rounds[ours]) if ours in rounds else None


def ratio(times, reference):
    """Median of the quotients within each round: what drifts touches both."""
    return statistics.median(a / b for a, b in zip(times, reference))


def interleaved(place, commands, rounds, seed=1):
    """{name: [microseconds, one for each round]} of {name: Command}."""
    words = [place.pairs, str(rounds + WARM_UP), str(seed)]
    for command in commands.values():
        words += [",,"] + command.words()
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    rows = [[int(word) / 1000 for word in line.split("\t")] for line in done.stdout.splitlines()
            if line and line[0].isdigit()]
    return dict(zip(commands, zip(*rows[WARM_UP:])))


def spawn(command, **more):
    """As bench/pairs would start it."""
    if command.uid is not None:
        more.update(user=command.uid, group=command.uid, extra_groups=[])
    if command.file:
        held = os.open(command.file, os.O_RDONLY)
        os.dup2(held, 9, inheritable=True)
        os.close(held)
        more["pass_fds"] = [9]
    try:
        return subprocess.Popen(command.argv, stdin=subprocess.DEVNULL, **more)
    finally:
        if command.file:
            os.close(9)


def why_not(command):
    """None when the command succeeds, else its own words."""
    try:
        child = spawn(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        said, _ = child.communicate(timeout=20)
    except OSError as error:
        return str(error)
    except subprocess.TimeoutExpired:
        child.kill()
        return "did not end within 20 s"
    return None if child.returncode == 0 else " / ".join(said.split("\n"))[:200] or "status %d" % child.returncode


def family(pid):
    """pid and all its descendants."""
    parents = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % name, encoding="utf-8") as file:
                parents[int(name)] = int(file.read().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found = {pid}
    while True:
        more = {child for child, parent in parents.items() if parent in found} - found
        if not more:
            return found
        found |= more


def name_of(pid):
    """Its command name; "" when it has gone meanwhile."""
    try:
        with open("/proc/%d/comm" % pid, encoding="utf-8") as file:
            return file.read().strip()
    except OSError:
        return ""


def pss_kb(pid):
    with open("/proc/%d/smaps_rollup" % pid, encoding="utf-8") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Pss:"))


def payload_of(pid, until):
    """The process called sleep below pid, or None when it does not appear in time."""
    while time.monotonic() < until:
        time.sleep(0.05)
        found = next((one for one in family(pid) if name_of(one) == "sleep"), None)
        if found:
            return found
    return None


def idle_memory(commands):
    """PSS in kB, for each of some jails running at once, of what it keeps beside its program, called sleep."""
    children, payloads = [], []
    try:
        for command in commands:
            children.append(spawn(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        payloads = [payload_of(child.pid, time.monotonic() + 10) for child in children]
        if not all(payloads):
            return None
        time.sleep(0.3)
        return sum(pss_kb(pid) for child, payload in zip(children, payloads)
                   for pid in family(child.pid) - {payload}) / len(commands)
    finally:
        for payload in filter(None, payloads):
            kill(payload)
        for child in children:
            end(child)


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass  # gone meanwhile


def end(child):
    """It should end with its program; if not, by force, and all that it started with it."""
    try:
        child.wait(timeout=5)
    except subprocess.TimeoutExpired:
        for pid in family(child.pid):
            kill(pid)
        child.wait(timeout=20)


def call_ns(command):
    """What bench/calls says behind this command, or the complaint."""
    child = spawn(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    said, complaint = child.communicate(timeout=60)
    if child.returncode != 0:
        return complaint.strip().replace("\n", " / ")[:120] or "status %d" % child.returncode
    return float(said.split()[-1])


def quickest_calls(commands, rounds):
    """{name: the best of `rounds` runs, taken in turn}; a tool that fails keeps its complaint."""
    best = {}
    for _ in range(rounds):
        for name, command in commands.items():
            taken = best[name] if isinstance(best.get(name), str) else call_ns(command)
            best[name] = taken if isinstance(taken, str) else min(taken, best.get(name, taken))
    return best
