# SPDX-License-Identifier: Apache-2.0
"""What is told of a run: --result, --meta, the lines on stderr, and explain --json."""
import json
import os
import signal
import subprocess

import pytest

from conftest import reachable
from patience import PATIENCE

UNSHARE = "unshare -U true 2>/dev/null"


@pytest.fixture
def folder(tmp_path):
    """A folder that every user may write to."""
    reachable(tmp_path).chmod(0o777)
    return tmp_path


def result_of(immure, folder, *words, code=None, **options):
    done = immure.run("run", "--result", folder / "r.json", *words, **options)
    if code is not None:
        assert done.returncode == code, done.stderr
    result = json.loads((folder / "r.json").read_text())
    assert result["exit_code"] == done.returncode
    return result, done


def meta_of(immure, folder, *words, **options):
    immure.run("run", "--meta", folder / "meta", *words, **options)
    return dict(line.split(":", 1) for line in (folder / "meta").read_text().splitlines())


def test_an_ordinary_end(immure, folder):
    result, _ = result_of(immure, folder, "--", "/bin/sh", "-c", "exit 3", code=3)
    assert (result["reason"], result["program_exit_code"], result["signal"], result["error"]) == ("exited", 3, None, None)
    assert result["measured"]["wall_ns"] > 0
    assert result["measured"]["peak_memory_bytes"] > 100000


@pytest.mark.parametrize("words, code, reason, name", [
    (["--", "/bin/sh", "-c", "kill -SEGV $$"], 139, "signaled", "SIGSEGV"),
    (["--", "/bin/sh", "-c", "kill -KILL $$"], 137, "signaled", "SIGKILL"),
    (["--wall-time", "200ms", "--", "/bin/sleep", "1000"], 124, "wall-time", "SIGKILL"),
    (["--output-size", "10", "--", "/usr/bin/yes"], 137, "output", "SIGKILL"),
    (["--seccomp-action", "kill", "--", "/bin/sh", "-c", "exec unshare -U true"], 159, "blocked-call", "SIGSYS"),
])
def test_ends_that_an_exit_code_confuses(immure, folder, words, code, reason, name):
    result, _ = result_of(immure, folder, *words, code=code)
    assert (result["reason"], result["signal"], result["program_exit_code"]) == (reason, name, None)


def test_exit_137_is_told_from_sigkill(immure, folder):
    result, _ = result_of(immure, folder, "--", "/bin/sh", "-c", "exit 137", code=137)
    assert (result["reason"], result["program_exit_code"], result["signal"]) == ("exited", 137, None)


def test_a_failed_set_up_is_reported_too(immure, folder):
    result, done = result_of(immure, folder, "--", "/no/such/program", code=127)
    assert result["reason"] == "setup"
    assert result["error"]["op"] == "exec" and result["error"]["errno"] == "ENOENT" and result["error"]["id"] == "E-EXEC-MISSING"
    assert result["error"]["step"] > 10 and result["error"]["subject"].startswith("/no/such/program") and result["error"]["origin"] is None
    assert result["error"]["message"] in done.stderr
    result, _ = result_of(immure, folder, "--ordered", "--ro", "/usr", "--dir", "/usr/a (b)", "--", "/usr/bin/true", code=125)
    failed = {key: result["error"][key] for key in ("op", "subject", "origin", "errno", "id")}
    assert failed == {"op": "place", "subject": "/usr/a (b)", "origin": "--dir", "errno": "EROFS", "id": "E-PLACE-DENIED"}
    result, _ = result_of(immure, folder, "--hostname", "x" * 65, "--", "/bin/true", code=125)
    assert [result["error"][key] for key in ("step", "op", "subject", "origin")] == [None] * 4, "nothing was planned"
    result, _ = result_of(immure, folder, "--ro", "/no/such/source", "--", "/bin/true", code=125)
    assert result["reason"] == "setup" and "/no/such/source" in result["error"]["message"]


def test_blocked_calls_are_named_and_counted(immure, folder):
    result, done = result_of(immure, folder, "--", "/bin/sh", "-c", f"{UNSHARE}; {UNSHARE}; {UNSHARE}; exit 0", code=0)
    assert result["blocked_calls_are_named"] is True
    [call] = [call for call in result["blocked_calls"] if call["name"] == "unshare"]
    assert call["count"] == 3 and len(call["reason"]) > 5
    assert f"immure: blocked: unshare (3 times): {call['reason']}  try: --seccomp-allow unshare\n" in done.stderr


def test_an_allowed_call_is_not_named(immure, folder):
    result, done = result_of(immure, folder, "--", "/bin/true", code=0)
    assert result["blocked_calls"] == [] and done.stderr == ""


def test_quiet_is_quiet(immure):
    assert immure.run("run", "-q", "--", "/bin/sh", "-c", UNSHARE).stderr == ""


def test_only_the_offender_is_killed(immure):
    done = immure.run("run", "--seccomp-action", "kill", "--", "/bin/sh", "-c", "unshare -U true; echo child $?; exit 4")
    assert (done.returncode, done.stdout) == (4, "child 137\n")


def test_log_lets_the_call_through(immure):
    done = immure.run("run", "--seccomp-action", "log", "--seccomp-deny", "uname", "--", "/bin/uname")
    assert (done.returncode, done.stdout) == (0, "Linux\n")
    assert "blocked: uname" in done.stderr


def test_a_flood_of_denied_calls_ends_with_the_time(immure, folder):
    script = "import os\nwhile True:\n    try: os.uname()\n    except OSError: pass"
    for seconds in (1, 10, 100):  # a busy machine may need more to come to that many
        result, _ = result_of(immure, folder, "--wall-time", f"{seconds}s", "--seccomp-deny", "uname", "--", "/usr/bin/python3", "-c", script, code=124)
        counts = {call["name"]: call["count"] for call in result["blocked_calls"]}
        if counts.get("uname", 0) > 1000:
            break
    assert counts["uname"] > 1000


def test_what_is_in_force_is_read_from_the_kernel(immure, folder):
    script = "for i in user pid mnt net uts ipc cgroup; do readlink /proc/self/ns/$i; done; sleep 0.2"
    result, done = result_of(immure, folder, "--", "/bin/sh", "-c", script, code=0)
    force = result["in_force"]
    inside = dict(line.strip("]").split(":[") for line in done.stdout.splitlines())
    for name, number in inside.items():
        assert force["namespaces"][name] == {"inode": int(number), "is_own": True}
    assert int(os.readlink("/proc/self/ns/net").strip("net:[]")) != force["namespaces"]["net"]["inode"]
    assert force["host_uid"] != 0 and force["no_new_privileges"] is True and force["seccomp_filters"] >= 1
    assert set(force["capabilities"].values()) == {"0x0"}
    assert force["uid_map"].split()[0] in ("0", "1000")


def test_shared_namespaces_are_not_called_own(immure, folder):
    result, _ = result_of(immure, folder, "--net", "host", "--", "/bin/sleep", "0.2", code=0)
    assert result["in_force"]["namespaces"]["net"]["is_own"] is False


def test_even_a_program_that_ends_at_once_is_seen(immure, folder):
    for _ in range(5):
        result, _ = result_of(immure, folder, "--", "/bin/true", code=0)
        assert result["in_force"]["no_new_privileges"] is True


def test_an_old_result_is_replaced_whole_and_nothing_else_is_left(immure, folder):
    (folder / "r.json").write_text("x" * 100000)
    (folder / "r.json").chmod(0o666)
    result_of(immure, folder, "--", "/bin/true", code=0)
    assert os.listdir(folder) == ["r.json"]


def test_a_killed_launcher_leaves_the_old_result(immure, folder):
    (folder / "r.json").write_text("old")
    child = subprocess.Popen(immure.words("run", "--result", folder / "r.json", "--", "/bin/sh", "-c", "echo begun; exec sleep 1000"),
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, cwd="/")
    assert child.stdout.readline() == "begun\n"
    child.stdout.close()
    child.send_signal(signal.SIGKILL)
    child.wait(PATIENCE)
    assert os.listdir(folder) == ["r.json"] and (folder / "r.json").read_text() == "old"


def test_a_result_that_cannot_be_written_stops_the_run_before_it_starts(immure, folder):
    (folder / "sub").mkdir(mode=0o755)
    for path in ("/proc/r.json", folder / "missing" / "r.json", folder / "sub"):
        done = immure.run("run", "--result", path, "--", "/bin/sh", "-c", "echo started")
        assert (done.returncode, done.stdout) == (125, "")
        assert str(path) in done.stderr


def test_a_result_may_go_to_a_device_but_never_replaces_it(immure):
    done = immure.run("run", "--result", "/dev/stdout", "--", "/bin/true")
    assert json.loads(done.stdout)["reason"] == "exited"
    assert immure.run("run", "--result", "/dev/null", "--", "/bin/true").returncode == 0
    assert os.stat("/dev/null").st_rdev == os.makedev(1, 3)


def test_a_full_disk_is_an_error(immure):
    done = immure.run("run", "--result", "/dev/full", "--", "/bin/true")
    assert done.returncode == 125
    assert "No space left" in done.stderr


@pytest.mark.parametrize("words, want", [
    (["--", "/bin/true"], {"exitcode": "0"}),
    (["--", "/bin/sh", "-c", "exit 3"], {"exitcode": "3", "status": "RE", "message": "Exited with error status 3"}),
    (["--", "/bin/sh", "-c", "kill -SEGV $$"], {"exitsig": "11", "status": "SG"}),
    (["--wall-time", "200ms", "--", "/bin/sleep", "1000"], {"status": "TO", "killed": "1", "message": "Time limit exceeded (wall clock)"}),
    (["--", "/no/such"], {"status": "XX"}),
])
def test_meta_in_the_form_of_isolate(immure, folder, words, want):
    meta = meta_of(immure, folder, *words)
    assert {key: meta.get(key) for key in want} == want
    for key in ("time", "time-wall"):
        assert float(meta[key]) >= 0
    for key in ("max-rss", "csw-voluntary", "csw-forced"):
        assert int(meta[key]) >= 0
    if "status" not in want:
        assert "status" not in meta and "killed" not in meta and "exitsig" not in meta


def test_measured_time_is_the_programs(immure, folder):
    script = "import time; end = time.process_time() + 0.4\nwhile time.process_time() < end: pass\nprint(time.process_time())"
    result, done = result_of(immure, folder, "--", "/usr/bin/python3", "-c", script, code=0)
    measured = result["measured"]
    own = float(done.stdout) * 1e9
    assert 0.9 * own < measured["user_ns"] + measured["system_ns"] < 3 * own
    assert measured["wall_ns"] > 0.35e9


def test_output_is_measured_where_it_is_counted(immure, folder):
    result, _ = result_of(immure, folder, "--output-size", "1M", "--", "/bin/sh", "-c", "echo 12345; echo 78 >&2", code=0)
    assert result["measured"]["output_bytes"] == 9


def test_explain_as_json_is_the_plan(immure):
    plan = json.loads(immure.run("explain", "--json", "--wall-time", "2s", "--", "/bin/true").stdout)
    [step] = [step for step in plan["plan"] if step["op"] == "wall-time"]
    assert step["side"] == "launcher" and step["origin"] == "--wall-time"
    assert plan["plan"][-1]["op"] == "exec"
    assert {"key": "wall-time", "value": "2s", "origin": "--wall-time"} in plan["settings"]
    text = immure.run("explain", "--wall-time", "2s", "--", "/bin/true").stdout
    assert len(text.partition("\nplan\n")[2].splitlines()) == len(plan["plan"])
