#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""make bench: one jail by kernel calls alone (the floor), by immure and by its peers, in turn, and a page of
results. Run it as root; what a machine cannot start is listed with the reason."""
import argparse
import ctypes
import datetime
import functools
import os
import platform
import stat
import subprocess
import sys

import measures
import peers
import staying
from place import Place

EXEC_CONDITIONS = {"rootless": (False, ()), "root": (True, ()), "root, in control groups": (True, ("-m", "256M", "--pids", "100"))}
CLONE_NEWNS = 0x20000
CONDITIONS = [(is_root, has_net) for is_root in (False, True) for has_net in (False, True)]


def title(is_root, has_net):
    return "%s, %s network namespace" % ("Root" if is_root else "Rootless", "with a" if has_net else "without a")


def startable(jail, tools, refused):
    """{name: Command} of the tools that run here; the others' words go to `refused`."""
    found = {}
    for name, make in tools.items():
        command = make(jail)
        if not command:
            continue
        reason = measures.why_not(command)
        if reason:
            refused.append("%s (%s): %s" % (name, title(jail.is_root, jail.has_net).lower(), reason))
        else:
            found[name] = command
    return found


def time_condition(place, is_root, has_net, rounds, refused):
    """{name: Timing} for one condition; light and heavy tools apart, each beside the floor."""
    jail = peers.Jail(place, is_root, has_net, ["/bin/true"])
    times = measures.interleaved(place, startable(jail, peers.LIGHT, refused), rounds)
    timings = {name: measures.Timing(name, times) for name in times}
    beside = {name: peers.LIGHT[name](jail) for name in ("floor", "immure") if name in times}
    for name, command in startable(jail, peers.HEAVY, refused).items():
        pair = measures.interleaved(place, {**beside, name: command}, max(rounds // 8, 10))
        timings[name] = measures.Timing(name, pair)
    return timings


def memory_of(place, is_root, count):
    jail = peers.Jail(place, is_root, True, ["/usr/bin/sleep", "1000"])
    tools = {**peers.LIGHT, **peers.HEAVY}
    del tools["plain"]
    able = [name for name, _ in startable_tools(jail, tools)]
    return {name: measures.idle_memory([tools[name](jail) for _ in range(count)]) for name in able}


def startable_tools(jail, tools):
    """Pairs of (name, Command) for tools that can run /bin/true in such a jail."""
    trial = peers.Jail(jail.place, jail.is_root, jail.has_net, ["/bin/true"])
    able = startable(trial, tools, [])
    return [(name, make(jail)) for name, make in tools.items() if name in able and make(jail)]


def calls_of(place, is_root, runs):
    jail = peers.Jail(place, is_root, True, [place.calls], place.calls)
    return measures.quickest_calls(dict(startable_tools(jail, {**peers.LIGHT, **peers.HEAVY})), runs)


def first_line(words):
    try:
        return subprocess.run(words, capture_output=True, text=True, check=False).stdout.split("\n")[0]
    except OSError:
        return "%s: absent" % words[0]


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), "?")
    return "%d × %s; Linux %s; %s" % (os.cpu_count(), model, platform.release(),
                                      first_line(["sed", "-n", "s/^PRETTY_NAME=//p", "/etc/os-release"]).strip('"'))


def cell(value, digits=0):
    return value if isinstance(value, str) else "?" if value is None else "%.*f" % (digits, value)


def timing_table(timings, ours="immure"):
    lines = ["| | × floor | × %s | minimum µs | median µs |" % ours, "|---|---|---|---|---|"]
    for name, timing in sorted(timings.items(), key=lambda item: item[1].to_floor):
        beside = "%.2f" % timing.to_immure if timing.to_immure else "-"
        lines.append("| %s | %.2f | %s | %.0f | %.0f |"
                     % (name, timing.to_floor, beside, timing.minimum, timing.median))
    return lines


def columns_table(heading, by_column, digits):
    """One row for each tool, one column for each of `by_column`."""
    names = list(dict.fromkeys(name for column in by_column.values() for name in column))
    lines = ["| %s | %s |" % (heading, " | ".join(by_column)), "|---" * (len(by_column) + 1) + "|"]
    for name in names:
        cells = [cell(column[name], digits) if name in column else "-" for column in by_column.values()]
        lines.append("| %s | %s |" % (name, " | ".join(cells)))
    return lines


def stay(place, rounds, refused):
    """What jails that stay cost: {title: table}."""
    staying.furnish(place)
    tables = {}
    for name, (is_root, more) in EXEC_CONDITIONS.items():
        tables["exec in a jail that stays, %s" % name] = timing_table(staying.time_exec(place, is_root, more, rounds, refused), "immure exec")
    for name, is_root in (("rootless", False), ("root", True)):
        tables["run -d until the program is executed, %s" % name] = timing_table(staying.time_start(place, is_root, rounds))
    crowd = {name: staying.crowd_memory(place, is_root, staying.CROWD) for name, is_root in (("rootless", False), ("root", True))}
    tables["Memory of each of %d idle jails that stay" % staying.CROWD] = columns_table("PSS, kB", crowd, 0)
    return tables


STAYING = """A static program that does nothing, in a jail that runs already, from the start of the client to its end. The floor joins all
namespaces by one setns(2) on a pidfd and applies the same policy by kernel calls alone (bench/enter.c): without a client, a keeper and a
self-check. nsenter applies no policy. %d rounds; a detached jail's keeper ends while the next round runs."""


def staying_report(tables, rounds):
    lines = ["# What a jail that stays costs", "", STAYING % rounds, ""]
    for name, table in tables.items():
        lines += ["## " + name[0].upper() + name[1:], ""] + table + [""]
    return lines


def report(options, rounds, timings, memory, calls, tables, refused):
    lines = ["# What a jail costs", "",
             "Made by `make bench` on %s; %s." % (options.date, machine()),
             "Whole process, from vfork to wait4, `/bin/true` inside; %d rounds in shuffled turn (heavy tools %d, each "
             "beside the floor and immure). Ratios are medians of the ratios within a round. "
             "The floor is the same jail by kernel calls alone; \"on a skeleton\", with an installed folder as root."
             % (rounds, max(rounds // 8, 10)), "", "Versions: %s." % "; ".join(map(first_line, peers.VERSIONS)), ""]
    for condition, timing in timings.items():
        lines += ["## " + title(*condition), ""] + timing_table(timing) + [""]
    lines += ["## Memory of a running idle jail", "", "PSS in kB of launcher and init, without the program itself.", ""]
    lines += columns_table("kB", memory, 0) + [""]
    lines += ["## One system call inside", "", "getppid in a loop, nanoseconds, best of many.", ""]
    lines += columns_table("ns", calls, 0) + [""]
    lines += staying_report(tables, rounds) if tables else []
    if refused:
        lines += ["## What did not start here", ""] + ["- " + line for line in refused] + [""]
    return "\n".join(lines)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--immure", help="the program to measure; left out with a notice when absent")
    parser.add_argument("--build", help="the folder that holds floor, calls and pairs; bench/ beside immure otherwise")
    parser.add_argument("--date", default=datetime.date.today().isoformat(), help="the date to print")
    parser.add_argument("--rounds", type=int, default=400)
    parser.add_argument("--quick", action="store_true", help="a tenth of the rounds")
    parser.add_argument("--staying", action="store_true", help="only jails that stay, to standard output")
    parser.add_argument("--output", default=os.path.join(os.path.dirname(__file__), "RESULTS.md"))
    options = parser.parse_args()
    if not options.build:
        options.build = os.path.join(os.path.dirname(options.immure or "build/immure"), "bench")
    return options


def own_null_device(folder):
    """crun gives its standard descriptors to the container's user. From here on /dev/null is one that only the bench sees."""
    node = os.path.join(folder, "null")
    os.mknod(node, stat.S_IFCHR, os.makedev(1, 3))
    os.chmod(node, 0o666)
    if ctypes.CDLL(None).unshare(CLONE_NEWNS) != 0:
        sys.exit("bench: no mount namespace of its own")
    subprocess.run(["mount", "--make-rslave", "/"], check=True)
    subprocess.run(["mount", "--bind", node, os.devnull], check=True)


def main():
    options = arguments()
    rounds = max(options.rounds // 10, 20) if options.quick else options.rounds
    refused = []
    if os.geteuid() != 0:
        sys.exit("bench: run as root: half of the tools need it, and the rootless half is run as uid 65534")
    with Place(options.build, options.immure) as place:
        own_null_device(place.folder)
        if not place.immure:
            refused.append("immure: no program at %s" % (options.immure or "--immure"))
        if options.staying:
            print("\n".join(staying_report(stay(place, rounds, refused), rounds) + refused))
            return
        timed = functools.partial(time_condition, place, rounds=rounds, refused=refused)
        timings = {condition: timed(*condition) for condition in CONDITIONS}
        memory = {"%s, %s" % (who, how): memory_of(place, is_root, count)
                  for who, is_root in (("rootless", False), ("root", True))
                  for how, count in (("one alone", 1), ("each of ten", 10))}
        calls = {name: calls_of(place, is_root, 2 if options.quick else 8)
                 for name, is_root in (("rootless", False), ("root", True))}
        tables = stay(place, rounds, refused) if place.immure else {}
    with open(options.output, "w", encoding="utf-8") as file:
        file.write("".join(line.rstrip() + "\n" for line in report(options, rounds, timings, memory, calls, tables, refused).splitlines()))
    print("bench: wrote %s" % options.output)
    for line in refused:
        print("bench: left out: %s" % line)


if __name__ == "__main__":
    main()
