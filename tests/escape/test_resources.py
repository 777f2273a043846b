# SPDX-License-Identifier: Apache-2.0
"""Attacks on time and resources, and what set-up must not let slip: every jail here is bounded twice, by itself and by the test."""
import os
import signal
import subprocess

import pytest
from conftest import verdict
from patience import PATIENCE, await_true, words_of

BARE = ("--seccomp", "off", "--landlock", "off")


def shell(immure, script, *options, **rest):
    return immure.run("run", "-q", *options, "--", "/bin/sh", "-c", script, **rest)


@pytest.mark.parametrize("options", [(), BARE, (*BARE, "-u", "root")], ids=["default", "bare", "bare-root"])
def test_a_fork_bomb_ends_at_the_limit(assault, options):
    output = assault.output("fork-many", "200", options=("--pids", "40", *options))
    born = int(output.split()[1])
    assert 30 <= born <= 41 and "REFUSED EAGAIN" in output


def test_below_the_limit_it_forks(assault):
    assert assault.jailed("fork-many", "20", options=("--pids", "40")) == "THROUGH"


def test_one_jail_does_not_use_up_the_processes_of_another(assault):
    """RLIMIT_NPROC counted per user is shared by all jails of one rootless user."""
    hold = "i=0; while [ $i -lt 30 ]; do sleep 1000 & i=$((i+1)); done; echo full; wait"
    with subprocess.Popen(assault.immure.words("run", "-q", "--pids", "40", "--", "/bin/sh", "-c", hold), cwd="/", text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == "full\n"
        assert assault.jailed("fork-many", "20", options=("--pids", "40")) == "THROUGH"
        assert assault.free("fork-many", "5") == "THROUGH"
        other.terminate()


@pytest.mark.parametrize("is_joining", [False, True], ids=["own", "joined"])
def test_what_the_kernel_counts_by_user_is_counted_by_jail(assault, is_joining):
    """A jail of root's has ids of its own, which are counted. An ordinary user's jail has none but the caller's: the control."""
    with open("/proc/sys/user/max_inotify_instances", encoding="ascii") as most:
        if int(most.read()) > 10000:
            pytest.skip("descriptors are fewer than what is counted here")
    options = ("--net", f"join:{os.getpid()}") if is_joining and assault.uid == 0 else ()
    with subprocess.Popen(assault.immure.words("run", "-q", *options, "--", assault.path, "hold-watchers"), cwd="/", text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as jail:
        assert jail.stdout.readline() == "HELD\n"
        outside, inside = assault.free("make-watcher"), assault.jailed("make-watcher")
        jail.stdin.close()
        assert jail.wait(PATIENCE) == 0
    assert outside == inside == ("EMFILE" if assault.uid else "THROUGH")
    await_true(lambda: assault.free("make-watcher") == "THROUGH")


@pytest.mark.parametrize("script", ["sleep 1000", "trap '' TERM HUP INT; sleep 1000; sleep 1000", "kill -STOP $$", "while :; do :; done",
                                    "setsid sleep 1000 & kill -STOP $$", "exec >&- 2>&-; sleep 1000",
                                    "setsid sh -c 'trap \"\" TERM; sleep 1000' & wait"])
def test_wall_time_ends_everything(immure, script):
    process = shell(immure, script, "--wall-time", "300ms")
    assert process.returncode == 124


def test_wall_time_lets_the_quick_pass(immure):
    assert shell(immure, "exit 3", "--wall-time", "100s").returncode == 3


def test_a_daemon_that_holds_the_output_does_not_hold_the_caller(immure):
    assert shell(immure, "(setsid sleep 1000 &) ; exit 4").returncode == 4


def test_a_flood_of_output_ends(immure):
    process = shell(immure, "yes aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "--output-size", "64K", "--wall-time", "100s")
    assert process.returncode == 137 and len(process.stdout) <= 65536


def test_a_little_output_passes(immure):
    assert len(shell(immure, "yes | head -c 60000", "--output-size", "64K").stdout) == 60000


def test_a_file_stays_below_its_limit(immure):
    process = shell(immure, "head -c 3000000 /dev/zero >/tmp/x; stat -c %s /tmp/x", "--rlimit", "fsize=1M")
    assert int(process.stdout.split()[-1]) <= 1 << 20


def test_descriptors_stay_below_their_limit(immure):
    process = immure.run("run", "--rlimit", "nofile=64:64", "--", "/usr/bin/python3", "-Sc",
                         "import os\ntry:\n while True: os.dup(0)\nexcept OSError as e: print(e.errno)")
    assert process.stdout == "24\n"


def test_a_deep_folder_does_not_hold_up_the_end(immure):
    process = immure.run("run", "--", "/usr/bin/python3", "-Sc", "import os\nos.chdir('/tmp')\n"
                         "for i in range(3000): os.mkdir('d'); os.chdir('d')\nos.chmod('.', 0)\nprint('deep')")
    assert process.stdout == "deep\n"


def may_limit_memory(immure):
    return immure.run("run", "-m", "64M", "--", "/bin/true").returncode == 0


@pytest.mark.parametrize("script", ["head -c 200m /dev/zero | tail -c 200m >/dev/null", "head -c 200m /dev/zero >/dev/shm/x",
                                    "for i in 1 2 3 4 5 6 7 8; do head -c 20m /dev/zero | tail -c 20m | sleep 1000 & done; wait"])
def test_memory_is_limited_over_all_processes(immure, script):
    # cgroup v1 kills one process, and the launcher the others a moment later
    process = shell(immure, f"{script}; sleep 1000; echo survived", "-m", "64M")
    if process.returncode == 125:
        assert not may_limit_memory(immure)  # asked, and impossible here: refused, not forgotten
        pytest.skip("this user may not limit memory on this machine")
    assert (process.returncode, process.stdout) == (137, "")


def test_with_memory_it_survives(immure):
    if not may_limit_memory(immure):
        pytest.skip("this user may not limit memory on this machine")
    assert shell(immure, "head -c 20m /dev/zero | tail -c 20m >/dev/null; echo survived", "-m", "256M").stdout == "survived\n"


def test_processor_time_counts_dead_children(immure):
    """RLIMIT_CPU is for each process; many short ones escape it."""
    script = "while :; do timeout 0.05 sh -c 'while :; do :; done'; done"
    process = shell(immure, script, "--cpu-time", "500ms")
    if process.returncode == 125:
        pytest.skip("this user may not count processor time on this machine: refused")
    assert process.returncode == 124


# What the caller hands down must neither leak nor open what is closed.
CLOSED = ["0<&-", "1>&-", "2>&-", "0<&- 1>&-", "0<&- 1>&- 2>&-"]


@pytest.mark.parametrize("closed", CLOSED)
def test_closed_standard_descriptors_are_not_filled_from_inside(immure, folder, closed):
    """Whoever opens next gets number 0, 1 or 2, which no close_range from 3 would find."""
    script = ("import os\nfound = []\nfor n in range(64):\n try: found.append(os.readlink(f'/proc/self/fd/{n}'))\n except OSError: pass\n"
              "open('/w/found', 'w').write('\\n'.join(found))")
    words = immure.words("run", "--rw", f"{folder}:/w", "--", "/usr/bin/python3", "-Sc", script)
    process = subprocess.run(["/bin/bash", "-c", f'exec "$@" {closed}', "-", *words], capture_output=True, cwd="/", check=False,
                             stdin=subprocess.DEVNULL, timeout=PATIENCE)
    assert process.returncode == 0
    found = (folder / "found").read_text().split("\n")
    assert len(found) <= 3 and all(name == "/dev/null" or name.startswith("pipe:") for name in found)


@pytest.mark.parametrize("action", ["SIG_IGN", "SIG_DFL"])
def test_a_caller_that_ignores_its_children_still_gets_the_status(immure, action):
    """bubblewrap 0.11.1."""
    words = ["/usr/bin/python3", "-c", f"import os,signal,sys; signal.signal(signal.SIGCHLD, signal.{action}); os.execvp(sys.argv[1], sys.argv[1:])"]
    words += immure.words("run", "--", "/bin/sh", "-c", "true; exit 6")
    assert subprocess.run(words, cwd="/", stdin=subprocess.DEVNULL, check=False, timeout=PATIENCE).returncode == 6


@pytest.mark.parametrize("words", [("--rlimit", "nofile=9999999999:9999999999"), ("--rlimit", "bogus=1"), ("--cap-add", "bogus"), ("--seccomp", "bogus"),
                                   ("--net", "bogus"), ("--ids", "bogus"), ("--pids", "-1"), ("-m", "1Z"), ("--ro", "/nowhere"),
                                   ("--keep-fd", "77"), ("-C", "/nowhere"), ("--root", "/nowhere"), ("--mask", "/nowhere"),
                                   ("--require", "bogus"), ("-u", "stranger"), ("--groups", "stranger"), ("--securebits", "bogus")],
                         ids=lambda words: "-".join(words))
def test_what_cannot_be_done_is_not_left_out(immure, words):
    process = shell(immure, "echo ran", *words)
    assert process.returncode == 125 and process.stdout == "" and process.stderr.startswith("immure: ")


@pytest.mark.parametrize("name", ["user", "pid", "mnt", "net", "uts", "ipc", "cgroup"])
def test_a_namespace_that_cannot_be_had_is_not_left_out(immure, name):
    """bubblewrap's --unshare-cgroup-try: one failing call, and the host's is used without a word."""
    if os.geteuid():
        pytest.skip("needs root to take the namespaces away")
    outer = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "unshare", "--user", "--map-root-user", "--mount", "--pid", "--fork", "--mount-proc", "/bin/sh", "-c",
             f'echo 0 >/proc/sys/user/max_{name}_namespaces || exit 77; exec "$@"', "-"]
    words = [*outer, immure.path, "run", "--ids", "single", "--allow-host-root", "--", "/bin/echo", "ran"]
    process = subprocess.run(words, capture_output=True, text=True, cwd="/", stdin=subprocess.DEVNULL, check=False, timeout=PATIENCE)
    if process.returncode == 77:
        pytest.skip("this machine does not let a user namespace limit itself")
    assert process.returncode == 125 and process.stdout == ""


def test_with_namespaces_it_runs_there(immure):
    if os.geteuid():
        pytest.skip("needs root, as above")
    words = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "unshare", "--user", "--map-root-user", "--mount", "--pid",
             "--fork", "--mount-proc", immure.path, "run", "--ids", "single", "--allow-host-root", "--", "/bin/echo", "ran"]
    assert subprocess.run(words, capture_output=True, text=True, cwd="/", stdin=subprocess.DEVNULL, check=False).stdout == "ran\n"


@pytest.mark.parametrize("lost", ["setpcap", "setuid", "setgid", "sys_admin"])
def test_a_root_without_its_powers_is_no_less_strict(immure, lost):
    """EPERM from PR_CAPBSET_DROP was ignored by bubblewrap; here the sets are empty, or nothing runs."""
    if immure.uid or os.geteuid():
        pytest.skip("about root")
    words = ["setpriv", f"--bounding-set=-{lost}", f"--inh-caps=-{lost}", *immure.words("run", "--", "/bin/cat", "/proc/self/status")]
    process = subprocess.run(words, capture_output=True, text=True, cwd="/", stdin=subprocess.DEVNULL, check=False, timeout=PATIENCE)
    if process.returncode == 125:
        assert process.stdout == ""
        return
    found = dict(line.split(":\t", 1) for line in process.stdout.splitlines() if ":\t" in line)
    assert all(int(found[name], 16) == 0 for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"))
    assert found["NoNewPrivs"] == "1" and found["Seccomp"] == "2"


def test_an_argument_of_the_program_is_none_of_immures(immure):
    """CVE-2024-32462: --command=--bind."""
    process = immure.run("run", "/bin/echo", "--rw", "/", "--seccomp", "off", "--net", "host")
    assert process.stdout == "--rw / --seccomp off --net host\n"
    assert immure.run("run", "--", "--rw", "/").returncode == 127


def test_nothing_is_left_on_the_host(immure):
    mark = f"1061.{os.getpid()}"

    def left():
        return [pid for pid in os.listdir("/proc") if pid.isdigit() and (words := words_of(pid))[-1:] == [mark.encode()] and words[0].endswith(b"sleep")]

    before = open("/proc/self/mountinfo", encoding="ascii").read().count("immure")
    for script in ("exit 0", "kill -9 $$", f"sleep {mark}", f"setsid sleep {mark} & kill -9 $$"):
        shell(immure, script, "--wall-time", "200ms")
        assert not left()
    with subprocess.Popen(immure.words("run", "--", "/bin/sleep", mark), cwd="/", stdin=subprocess.DEVNULL) as process:
        await_true(left)
        process.send_signal(signal.SIGKILL)
    await_true(lambda: not left())
    assert open("/proc/self/mountinfo", encoding="ascii").read().count("immure") <= before


def test_the_verdict_is_not_easily_pleased(assault):
    """The tests' own: an attack that does not run is no refusal."""
    with pytest.raises(AssertionError):
        verdict(assault.immure.run("run", "--", "/bin/true"))
    with pytest.raises(AssertionError):
        verdict(assault.immure.run("run", "--", assault.path, "no-such-attack"))
