# SPDX-License-Identifier: Apache-2.0
"""What stays as the caller has it: with the word it is the caller's, without it immure's."""
import ctypes
import json
import os
import pathlib
import pty
import re
import resource
import signal
import subprocess
import tempfile

import pytest

from patience import PATIENCE


PYTHON = "/usr/bin/python3"
HOST_ROOT = ["--userns", "host", "--user", "0", "--allow-host-root"]
KEYRING = "import ctypes; print(ctypes.CDLL(None).syscall(250, 0, -3, 0))"  # KEYCTL_GET_KEYRING_ID of the session


def run(immure, words, program, **options):
    done = immure.run("run", *words, "--", *program, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def status(immure, words, *names, **options):
    lines = run(immure, words, ["grep", "-E", "^(%s):" % "|".join(names), "/proc/self/status"], **options).splitlines()
    return {line.split(":")[0]: line.split(":")[1].strip() for line in lines}


def only_root(immure):
    if immure.uid:
        pytest.skip("needs root")


# ---- terminal, session, signals ----

def on_terminal(immure, *words):
    """The file that is the program's standard input, and our terminal, which was given."""
    master, slave = pty.openpty()
    try:
        done = subprocess.run(immure.words("run", *words, "--", "stat", "-L", "-c", "%d %i", "/proc/self/fd/0"), stdin=slave,
                              capture_output=True, text=True, timeout=PATIENCE, check=False, cwd="/")
        assert done.returncode == 0, done.stderr
        found = os.fstat(slave)
        return done.stdout.strip(), f"{found.st_dev} {found.st_ino}"
    finally:
        os.close(master)
        os.close(slave)


def test_the_terminal_is_the_callers_own(immure):
    inside, own = on_terminal(immure, "--leave", "terminal")
    assert inside == own
    inside, own = on_terminal(immure)
    assert inside != own


def test_output_is_counted_although_the_terminal_is_left(immure):
    done = immure.run("run", "--leave", "terminal", "--output-size", "5", "--", "echo", "more than five")
    assert done.stdout == "more "


def test_no_session_is_started(immure):
    script = ["sh", "-c", "cut -d' ' -f1,6 /proc/$$/stat"]
    pid, session = run(immure, [], script).split()
    assert pid == session
    pid, session = run(immure, ["--leave", "session"], script).split()
    assert session == "0"  # it is outside of this PID namespace
    own = run(immure, ["--leave", "session", "--pidns", "host", "--proc", "bind"], script, preexec_fn=os.setsid).split()[1]
    assert own != "0"


def prepare_signals():
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, {signal.SIGUSR2, signal.SIGRTMAX})


def test_mask_and_dispositions_are_inherited(immure):
    options = {"preexec_fn": prepare_signals, "restore_signals": False}
    found = status(immure, ["--leave", "signals"], "SigBlk", "SigIgn", **options)
    assert int(found["SigBlk"], 16) == 1 << (signal.SIGUSR2 - 1) | 1 << (signal.SIGRTMAX - 1)
    assert int(found["SigIgn"], 16) >> (signal.SIGUSR1 - 1) & 1
    assert not int(found["SigIgn"], 16) >> (signal.SIGCHLD - 1) & 1  # always the default: children must be waited for
    found = status(immure, [], "SigBlk", "SigIgn", **options)
    assert int(found["SigBlk"], 16) == int(found["SigIgn"], 16) == 0


# ---- descriptors ----

def listed(immure, *words, fds=(), **options):
    """The descriptors that the program has; ls itself opens one, the lowest that is free."""
    found = {int(fd) for fd in run(immure, words, ["ls", "/proc/self/fd"], pass_fds=fds, **options).split()}
    free = min(set(range(64)) - {0, 1, 2, *fds})
    assert free in found
    return found - {free}


@pytest.fixture
def folder():
    fd = os.open("/etc", os.O_RDONLY)
    os.dup2(fd, 900, inheritable=True)
    os.close(fd)
    yield 900
    os.close(900)


def test_inheritable_descriptors_stay_and_none_of_immures_does(immure, folder):
    assert listed(immure, fds=(folder,)) == {0, 1, 2}
    kinds = [[], ["--wall-time", "20s"], ["--output-size", "1M"], ["--tty", "yes"], ["--seccomp", "off", "--landlock", "off"],
             ["--pidns", "host", "--proc", "bind"], ["--ro", "/opt"], ["--seccomp-deny", "getppid"], ["--file", "/etc/motd=x"],
             ["--net", "host"]]
    if not immure.uid:
        kinds += [["--memory", "64M"], ["--cpu-time", "20s"], HOST_ROOT, ["--net", "join:/proc/self/ns/net"]]
    for words in kinds:
        assert listed(immure, "--leave", "descriptors", *words, fds=(folder,)) == {0, 1, 2, folder}, words


def test_reports_and_policies_do_not_leak(immure, folder):
    with tempfile.TemporaryDirectory() as place:
        os.chmod(place, 0o777)
        policy = pathlib.Path(place, "policy.yaml")
        policy.write_text("hostname: x\n", encoding="utf-8")
        words = ["-f", str(policy), "--result", f"{place}/result.json", "--meta", f"{place}/meta.txt", "--leave", "descriptors,terminal"]
        assert listed(immure, *words, fds=(folder,)) == {0, 1, 2, folder}
        result = json.loads(pathlib.Path(place, "result.json").read_text(encoding="utf-8"))
        assert result["left"] == ["terminal", "descriptors"]


def test_a_named_one_stays_beside_the_others(immure, folder):
    assert listed(immure, "--keep-fd", str(folder), fds=(folder,)) == {0, 1, 2, folder}
    assert listed(immure, "--leave", "descriptors", "--keep-fd", str(folder), fds=(folder,)) == {0, 1, 2, folder}


def test_a_directory_may_be_standard_input(immure):
    fd = os.open("/etc", os.O_RDONLY)
    try:
        done = immure.run("run", "--", "true", stdin=fd)
        assert done.returncode == 125 and "E-FD-DIRECTORY" in done.stderr
        assert immure.run("run", "--leave", "descriptors", "--", "true", stdin=fd).returncode == 0
    finally:
        os.close(fd)


# ---- who it is, and what it may ----

def test_the_umask_is_the_callers(immure):
    assert run(immure, ["--leave", "umask"], ["sh", "-c", "umask"], umask=0o057) == "0057\n"
    assert run(immure, [], ["sh", "-c", "umask"], umask=0o057) == "0022\n"
    assert run(immure, ["--leave", "umask", "--mountns", "host"], ["sh", "-c", "umask"], umask=0o051) == "0051\n"


def test_supplementary_groups_stay(immure):
    only_root(immure)
    options = {"extra_groups": [1234]}
    assert status(immure, HOST_ROOT, "Groups", **options) == {"Groups": ""}
    assert status(immure, [*HOST_ROOT, "--leave", "groups"], "Groups", **options) == {"Groups": "1234"}
    assert status(immure, ["--leave", "groups"], "Groups", **options) == {"Groups": "65534"}
    assert status(immure, [], "Groups", **options) == {"Groups": ""}


def test_left_groups_do_not_count_as_lacking(immure):
    only_root(immure)
    words = ["setpriv", "--reuid=65534", "--regid=65534", "--groups=1234", immure.path, "explain"]
    for leave, lacks in (([], True), (["--leave", "groups"], False)):
        done = subprocess.run([*words, *leave, "true"], capture_output=True, text=True, timeout=PATIENCE, check=True, cwd="/")
        assert ("lacks groups" in done.stdout) == lacks


CAPABILITIES = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")


def own_status(immure, *names):
    drop = immure.words()[:-1]
    done = subprocess.run([*drop, "grep", "-E", "^(%s):" % "|".join(names), "/proc/self/status"], capture_output=True, text=True,
                          timeout=PATIENCE, check=True)
    return {line.split(":")[0]: line.split(":")[1].strip() for line in done.stdout.splitlines()}


def test_root_without_a_user_namespace_keeps_all_that_it_holds(immure):
    only_root(immure)
    before = own_status(immure, *CAPABILITIES, "Groups", "Uid", "Gid")
    assert status(immure, [*HOST_ROOT, "--leave", "capabilities,groups,limits"], *CAPABILITIES, "Groups", "Uid", "Gid") == before
    assert int(before["CapEff"], 16)
    assert {int(value, 16) for value in status(immure, HOST_ROOT, *CAPABILITIES).values()} == {0}


def test_the_root_of_a_user_namespace_keeps_all_of_it_but_what_root_lacks_outside(immure):
    everything = (2 << int(pathlib.Path("/proc/sys/kernel/cap_last_cap").read_text())) - 1
    own = int(re.search(r"^CapEff:\s*(\w+)", pathlib.Path("/proc/self/status").read_text(), re.M)[1], 16)
    words = ["--ids", "single", "--user", "0", "--group", "0", "--allow-host-root"]
    found = status(immure, [*words, "--leave", "capabilities"], *CAPABILITIES, "NoNewPrivs")
    assert int(found["CapEff"], 16) == int(found["CapBnd"], 16) == (everything if immure.uid else own)
    assert found["NoNewPrivs"] == "1"
    assert int(status(immure, words, *CAPABILITIES)["CapEff"], 16) == 0


def test_another_user_of_a_user_namespace_keeps_none_over_exec(immure):
    words = ["--ids", "single", "--user", "7", "--group", "8", "--allow-host-root", "--leave", "capabilities"]
    found = status(immure, words, *CAPABILITIES, "Uid", "Gid")
    assert int(found["CapEff"], 16) == int(found["CapPrm"], 16) == 0
    assert found["Uid"].split() == ["7"] * 4 and found["Gid"].split() == ["8"] * 4


def test_the_bounding_set_is_not_touched(immure):
    mask = 1 << 13
    found = {name: int(value, 16) for name, value in status(immure, ["--leave", "bounding", "--cap-add", "net_raw"], *CAPABILITIES).items()}
    assert found.pop("CapBnd").bit_count() > 30 and set(found.values()) == {mask}
    found = status(immure, ["--cap-add", "net_raw"], *CAPABILITIES)
    assert {int(value, 16) for value in found.values()} == {mask}


def test_capabilities_of_the_host_are_handed_on_by_name(immure):
    only_root(immure)
    words = [*HOST_ROOT, "--leave", "bounding", "--securebits", "none"]
    before = int(own_status(immure, "CapEff")["CapEff"], 16)
    for asked, mask in (("net_raw,chown", 1 << 13 | 1), ("all", before)):
        found = {name: int(value, 16) for name, value in status(immure, [*words, "--cap-add", asked], *CAPABILITIES).items()}
        assert found.pop("CapBnd") == int(own_status(immure, "CapBnd")["CapBnd"], 16)
        assert set(found.values()) == {mask}


def test_all_capabilities_are_those_of_the_kernel(immure):
    everything = (2 << int(pathlib.Path("/proc/sys/kernel/cap_last_cap").read_text())) - 1
    found = status(immure, ["--cap-add", "ALL"], *CAPABILITIES)
    assert {int(value, 16) for value in found.values()} == {everything}


def test_one_id_of_roots_is_mapped(immure):
    only_root(immure)
    words = ["--ids", "single", "--user", "12", "--group", "34", "--proc", "new"]
    script = ["sh", "-c", "cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups; touch /tmp/x; stat -c %u:%g /tmp/x"]
    assert run(immure, [*words, "--allow-host-root"], script).split() == ["12", "0", "1", "34", "0", "1", "deny", "12:34"]
    done = immure.run("run", *words, "--", *script)
    assert done.returncode == 125 and "E-HOST-ROOT" in done.stderr


def new_session_keyring():
    ctypes.CDLL(None).syscall(250, 1, None, 0)  # KEYCTL_JOIN_SESSION_KEYRING


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the number of keyctl(2) is that of x86-64")
def test_the_keyring_is_the_callers(immure):
    for words, same in (([], False), (["--leave", "keyring"], True), (["--keep-keyring"], True)):
        jail = immure.words("run", "--seccomp", "off", *words, "--", PYTHON, "-c", KEYRING)
        drop = immure.words()[:-1]
        line = [*drop, "sh", "-c", f'{PYTHON} -c "$0"; shift 0; exec "$@"', KEYRING, *jail[len(drop):]]
        done = subprocess.run(line, capture_output=True, text=True, timeout=PATIENCE, check=False, cwd="/", preexec_fn=new_session_keyring)
        own, inside = done.stdout.split()
        assert (own == inside) == same, (words, done.stdout, done.stderr)


def test_the_personality_is_the_callers(immure):
    for words, persona in ((["--leave", "personality"], "00040000"), ([], "00000000")):
        line = ["setarch", "-R", *immure.words("run", *words, "--", "cat", "/proc/self/personality")]
        done = subprocess.run(line, capture_output=True, text=True, timeout=PATIENCE, check=False, cwd="/")
        assert done.stdout.strip() == persona, done.stderr


def limits(text):
    return {line[:25].strip(): line[25:].split()[:2] for line in text.splitlines()[1:]}


def test_limits_are_the_callers(immure):
    def prepare():
        hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
        resource.setrlimit(resource.RLIMIT_CORE, (4096 if hard == resource.RLIM_INFINITY else min(4096, hard), hard))

    drop = immure.words()[:-1]
    own = limits(subprocess.run([*drop, "cat", "/proc/self/limits"], capture_output=True, text=True, check=True, preexec_fn=prepare).stdout)
    left = limits(run(immure, ["--leave", "limits"], ["cat", "/proc/self/limits"], preexec_fn=prepare))
    ours = limits(run(immure, [], ["cat", "/proc/self/limits"], preexec_fn=prepare))
    assert left == own
    assert ours["Max core file size"] == ["0", "0"] != own["Max core file size"] and ours["Max processes"] != own["Max processes"]
    asked = limits(run(immure, ["--leave", "limits", "--rlimit", "nofile=77", "--pids", "60"], ["cat", "/proc/self/limits"], preexec_fn=prepare))
    assert asked["Max open files"] == ["77", "77"] and asked["Max processes"] != own["Max processes"]


def test_immures_own_file_may_be_executed(immure):
    words = ["--landlock", "off", "--symlink", "/x=/proc/self/exe"]
    done = immure.run("run", *words, "--", "/x", "version")
    assert done.returncode == 125 and "E-EXEC-MAGIC" in done.stderr
    done = immure.run("run", *words, "--leave", "executable", "--", "/x", "version")
    assert "E-EXEC-MAGIC" not in done.stderr and "immure" in done.stdout + done.stderr


def test_nothing_is_left_and_set(immure):
    for words in (["umask", "--umask", "077"], ["terminal", "--tty", "yes"], ["groups", "--groups", "5"], ["personality", "--no-aslr"],
                  ["capabilities", "--cap-add", "kill"], ["capabilities", "--securebits", "locked"], ["groups", "--require", "groups"]):
        done = immure.run("run", "--leave", *words, "--", "true")
        assert done.returncode == 125, words
        assert "E-LEAVE" in done.stderr or (immure.uid and words[0] == "groups" and "E-GROUPS-SINGLE" in done.stderr), words


def test_what_leaving_means_is_noted(immure):
    said = immure.run("explain", "--leave", "terminal,session,descriptors,keyring", "true").stdout
    assert "type into the caller's terminal" in said and "descriptors are left" in said and "keyring is left" in said
    assert "are left" not in immure.run("explain", "true").stdout


# ---- variables, names, where it starts ----

def variables(text):
    return dict(line.split("=", 1) for line in text.splitlines())


def test_the_base_of_the_variables_is_chosen(immure):
    own = {"PATH": "/usr/bin:/bin", "A": "1", "B": "2", "LONG": "x" * 100000}
    assert set(variables(run(immure, [], ["env"], env=own))) <= {"PATH", "HOME", "USER", "TERM", "LANG"}
    assert variables(run(immure, ["--env-base", "none"], ["env"], env=own)) == {"PWD": "/home/user"}
    assert variables(run(immure, ["--env-base", "none", "-e", "C=3", "-e", "A", "-C", "/tmp"], ["env"], env=own)) == {"C": "3", "A": "1", "PWD": "/tmp"}
    assert variables(run(immure, ["--env-base", "caller"], ["env"], env=own)) == {**own, "PWD": "/home/user"}
    found = variables(run(immure, ["--env-base", "caller", "--unset-env", "A", "--unset-env", "LONG", "-e", "B=9"], ["env"], env=own))
    assert found == {"PATH": "/usr/bin:/bin", "B": "9", "PWD": "/home/user"}
    assert "HOME" not in variables(run(immure, ["--unset-env", "HOME"], ["env"], env=own))


def test_a_name_of_a_variable_is_wanted(immure):
    assert immure.run("run", "--unset-env", "A=1", "--", "true").returncode == 125


def test_the_program_gets_another_name(immure):
    assert run(immure, ["--argv0", "other"], ["sh", "-c", "echo $0"]) == "other\n"
    assert run(immure, [], ["sh", "-c", "echo $0"]) == "sh\n"


@pytest.fixture
def place():
    with tempfile.TemporaryDirectory(prefix="immure-test-", dir="/var/tmp") as folder:
        os.chmod(folder, 0o755)
        script = pathlib.Path(folder, "greet")
        script.write_text("echo $0 $1\n", encoding="utf-8")
        script.chmod(0o755)
        yield folder


def test_the_program_is_looked_for_by_the_callers_path(immure, place):
    tool = pathlib.Path(place, "tool")
    tool.write_text("#!/bin/sh\necho tool\n", encoding="utf-8")
    tool.chmod(0o755)
    own = {"PATH": f"{place}:/usr/bin:/bin"}
    assert run(immure, ["--ro", place, "--env-base", "caller"], ["tool"], env=own) == "tool\n"
    assert immure.run("run", "--ro", place, "--", "tool", env=own).returncode == 127
    assert run(immure, ["--env-base", "none"], ["sh", "-c", "echo found"], env=own) == "found\n"
    assert immure.run("run", "--env-base", "none", "-e", "PATH=/nowhere", "--", "sh", "-c", "true", env=own).returncode == 127


def test_a_text_is_read_by_the_shell_as_execvp_does(immure, place):
    words = ["--ro", place, "--", f"{place}/greet", "you"]
    assert run(immure, ["--ro", place, "--env-base", "caller"], [f"{place}/greet", "you"]) == f"{place}/greet you\n"
    done = immure.run("run", *words)
    assert done.returncode == 126 and "E-EXEC-FORMAT" in done.stderr
    done = immure.run("run", "--root", "empty", "--ro", "/usr", "--env-base", "caller", *words)  # nor is there a /bin/sh
    assert done.returncode == 126 and "E-EXEC-FORMAT" in done.stderr


ORDERED = ["--ordered", "--landlock", "off", "--ro", "/usr", "--symlink", "/bin=usr/bin", "--symlink", "/lib=usr/lib",
           "--symlink", "/lib64=usr/lib64", "--new-proc", "/proc", "--new-dev", "/dev"]


def start(immure, words, here, **own):
    script = ["sh", "-c", "pwd -P; printenv PWD"]
    return run(immure, [*ORDERED, "--env-base", "caller", *words], script, cwd=here, env={"PATH": "/usr/bin", **own}).split()


def test_a_tree_in_order_starts_where_it_can(immure, place):
    """The current folder by the path that led there, else the home, else the root; PWD says which."""
    for name in ("real", "home"):
        pathlib.Path(place, name).mkdir(mode=0o755)
    link, home = f"{place}/link", f"{place}/home"
    os.symlink("real", link)
    assert start(immure, ["--ro", place], link, PWD=link, HOME=home) == [f"{place}/real", link]
    assert start(immure, ["--ro", place, "--unset-env", "PWD"], link, PWD=link, HOME=home) == [f"{place}/real"] * 2
    assert start(immure, ["--ro", place], link, PWD="/somewhere", HOME=home) == [f"{place}/real"] * 2
    assert start(immure, ["--ro", home], link, PWD=link, HOME=home) == [home] * 2
    assert start(immure, ["--ro", home], link, PWD=link, HOME="home") == ["/"] * 2
    assert start(immure, [], link, PWD=link, HOME=home) == ["/"] * 2
    assert start(immure, ["--ro", place, "-C", home], link, PWD=link) == [home] * 2
    done = immure.run("run", *ORDERED, "-C", "/missing", "--", "true")
    assert done.returncode == 125 and "E-WORKDIR-MISSING" in done.stderr


def test_no_descriptor_of_an_ordered_tree_leaks(immure, folder, place):
    words = [*ORDERED, "--file", "/f=x", "--data", "/d=x", "--tmpfs", "/t", "--ro", place, "--leave", "descriptors"]
    assert listed(immure, *words, fds=(folder,)) == {0, 1, 2, folder}


def test_without_an_init_nothing_leaks_either_and_signals_are_the_callers(immure, folder):
    for words in (["--init", "no"], ["--init", "no", "--lifetime", "own"]):
        if not immure.uid and "own" in words:
            words = [*words, *HOST_ROOT, "--leave", "limits"]
        assert listed(immure, "--leave", "descriptors", *words, fds=(folder,)) == {0, 1, 2, folder}, words
        found = status(immure, [*words, "--leave", "signals"], "SigBlk", "SigIgn", preexec_fn=prepare_signals, restore_signals=False)
        assert int(found["SigBlk"], 16) == 1 << (signal.SIGUSR2 - 1) | 1 << (signal.SIGRTMAX - 1)
        assert int(found["SigIgn"], 16) >> (signal.SIGUSR1 - 1) & 1 and not int(found["SigIgn"], 16) >> (signal.SIGCHLD - 1) & 1


def without_ambient():
    assert ctypes.CDLL(None).prctl(28, 0xc0, 0, 0, 0) == 0  # SECBIT_NO_CAP_AMBIENT_RAISE, locked


def test_root_needs_no_ambient_capabilities(immure):
    """Where the caller's securebits forbid them uid 0 keeps what it was given over exec; another id would not, and is told so."""
    only_root(immure)
    words = ["--securebits", "none", "--leave", "bounding", "--cap-add", "net_raw"]
    found = {name: int(value, 16) for name, value in status(immure, [*HOST_ROOT, *words], *CAPABILITIES, preexec_fn=without_ambient).items()}
    assert found["CapEff"] == found["CapPrm"] == found["CapInh"] == 1 << 13 and found["CapAmb"] == 0
    done = immure.run("run", "--userns", "host", "--user", "4321", *words, "--", "true", preexec_fn=without_ambient)
    assert done.returncode == 125 and "E-CAP-AMBIENT" in done.stderr
    done = immure.run("run", *HOST_ROOT, "--", "true", preexec_fn=without_ambient)
    assert done.returncode == 125 and "E-SECUREBITS" in done.stderr
    assert status(immure, ["--cap-add", "net_raw"], "CapAmb", preexec_fn=without_ambient) == {"CapAmb": "%016x" % (1 << 13)}


def test_the_hosts_root_is_mapped_only_with_setfcap(immure):
    only_root(immure)
    inner = " ".join([*immure.words("run", "--ids", "single", "--allow-host-root"), "--", "echo", "mapped"])
    for drop, said in ((["--drop=cap_setfcap"], "E-IDS-SETFCAP"), ([], "mapped")):
        done = subprocess.run(["capsh", *drop, "--", "-c", inner], capture_output=True, text=True, timeout=PATIENCE, check=False, cwd="/")
        assert said in done.stdout + done.stderr


def test_links_below_tmp_are_not_followed_by_name(immure):
    """Anybody may have laid them."""
    with tempfile.TemporaryDirectory(prefix="immure-test-") as folder:
        os.chmod(folder, 0o755)
        pathlib.Path(folder, "real").mkdir(mode=0o755)
        os.symlink("real", f"{folder}/link")
        assert start(immure, ["--ro", folder], f"{folder}/link", PWD=f"{folder}/link") == [f"{folder}/real"] * 2


# ---- the end ----

def one_id(immure):
    """Nothing is made on the host: no group, no leased ids."""
    return ["--pids", "none", "--ids", "single", *([] if immure.uid else ["--allow-host-root"])]


def used_by_child(line):
    """Seconds of the processor that are counted as those of our children: of whoever was waited for."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(line, check=True, timeout=PATIENCE)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_nobody_waits_for_the_end_of_init_where_that_is_left(immure):
    busy = ["sh", "-c", "i=0; while [ $i -lt 150000 ]; do i=$((i+1)); done"]
    alone = used_by_child(busy)
    words = one_id(immure)
    assert all(used_by_child(immure.words("run", *words, "--", *busy)) > alone / 2 for _ in range(3))
    # Init may have ended before the launcher looks; but not each time.
    assert any(used_by_child(immure.words("run", *words, "--leave", "teardown", "--", *busy)) < alone / 4 for _ in range(20))


def test_where_the_host_keeps_something_the_end_is_waited_for_all_the_same(immure):
    with tempfile.NamedTemporaryFile(dir="/var/tmp") as lock:
        os.chmod(lock.name, 0o644)
        busy = ["sh", "-c", "i=0; while [ $i -lt 150000 ]; do i=$((i+1)); done"]
        words = [*one_id(immure), "--ro", lock.name, "--lock-file", lock.name, "--leave", "teardown"]
        alone = used_by_child(busy)
        assert all(used_by_child(immure.words("run", *words, "--", *busy)) > alone / 2 for _ in range(5))
