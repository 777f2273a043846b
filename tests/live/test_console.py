# SPDX-License-Identifier: Apache-2.0
"""The console, through real terminals and as a reader of scripts."""
import os
import re
import shutil
import signal
import subprocess
import termios
import time

import pexpect
import pytest

from conftest import BUILD, reachable
from guard import mark
from patience import PATIENCE, Watched, await_true, children_of, words_of
from test_attach import stop_and_end_a_job
from test_jails import SLEEP, await_state, jails, names, ok, refused, status # noqa: F401  (a fixture)
from test_jails_silent import stop

PROMPT = "immure> "
P, END = f"con{os.getpid()}", mark()  # names that only this run gives, which complete to no other's


@pytest.fixture
def home(jails, tmp_path_factory): # noqa: F811
    """A home of the user's, reachable."""
    folder = reachable(tmp_path_factory.mktemp("home"))
    os.chown(folder, jails.uid, jails.uid)
    return folder


def environment(home, **more):
    kept = {key: value for key, value in os.environ.items() if key not in ("XDG_STATE_HOME", "EDITRC") and not key.startswith("LC_")}
    return {**kept, "HOME": str(home), "TERM": "xterm", "LANG": "C", **more}


def spawn(immure, home, dimensions=(24, 80), **more):
    if not (BUILD / "immure-console").exists():
        pytest.skip("this build has no libedit")
    line = immure.words("console")
    child = pexpect.spawn(line[0], line[1:], timeout=PATIENCE, encoding="utf-8", cwd="/", env=environment(home, **more), dimensions=dimensions)
    child.delaybeforesend = None
    return child


@pytest.fixture
def console(jails, home): # noqa: F811
    child = spawn(jails, home)
    child.expect(PROMPT)
    yield child
    child.close(force=True)


def leave(child, how="\x04"):
    child.send(how)
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus


def say(child, line, answer):
    child.send(line + "\r")
    child.expect(answer)
    child.expect(PROMPT)


def fresh_modes():
    """Of a terminal that nobody has used yet."""
    master, slave = os.openpty()
    modes = termios.tcgetattr(slave)
    os.close(master)
    os.close(slave)
    return modes


def history(home):
    return home / ".local/state/immure/history"


def screen(text):
    """What is on it: the movements of the cursor are left out."""
    return re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text)


# ---- verbs and lines ----

def test_verbs_are_those_of_the_command(console, jails): # noqa: F811
    say(console, f"run -d --name {P}jail{END} -- sleep 1000", f"{P}jail{END}\r\n")
    assert status(jails, f"{P}jail{END}")["state"] == "running"
    say(console, "ps", fr"{P}jail{END} +{P}jail{END} +running")
    say(console, f"exec {P}jail{END} -- sh -c 'echo \"a  b\"   $0' \"it's\"", "a  b it's\r\n")
    say(console, f"stop --time 100ms {P}jail{END}", PROMPT[:0])
    say(console, f"rm {P}jail{END}", PROMPT[:0])
    say(console, f"logs {P}jail{END}", f'there is no jail "{P}jail')
    say(console, "help wait", "usage: immure wait")
    assert leave(console) == 0


@pytest.mark.parametrize("how", ["exit\r", "quit\r", "\x04", "  exit # that was it\r"])
def test_leaving(console, how):
    assert leave(console, how) == 0


def test_what_it_does_not_know_is_told_the_nearest(console):
    say(console, "stpo web", 'there is no verb "stpo"; did you mean "stop"')
    say(console, "exti", 'did you mean "exit"')
    say(console, "keeper web", 'there is no verb "keeper"')
    say(console, "! ls", 'there is no verb "!"')
    say(console, "exit now", "exit takes no words")


@pytest.mark.parametrize("sign", ["|", ">", "<", "&", ";", "$(id)", "`id`"])
def test_what_only_a_shell_can_is_refused_where_it_stands(console, sign):
    say(console, f"version é{sign}", f'column 10: "{re.escape(sign[0])}" means nothing here')
    say(console, f"help '{sign}'", "there is no verb, option or topic")  # quoted it is a word like any


def test_a_quote_goes_on_in_the_next_line(console):
    console.send("run -- printf '<%s>' 'one\r")
    console.expect("\r\n> ")
    console.send("zażółć' two\\\r")
    console.expect("\r\n> ")
    say(console, "three", "<one\r\nzażółć><twothree>")


@pytest.mark.parametrize("terminal", ["dumb", "nosuch", "vt100", "xterm-256color"])
def test_any_terminal_will_do(jails, home, terminal): # noqa: F811
    child = spawn(jails, home, TERM=terminal)
    child.expect(PROMPT)
    say(child, "version", r"\r\nimmure \d")
    say(child, "vers\t", r"\r\nimmure \d")
    assert leave(child) == 0


def test_letters_of_other_tongues_are_edited_whole(console):
    console.send("help zażółćż")
    time.sleep(0.2)
    console.send("\x7f\x7f\x7f")  # three letters, not three bytes
    say(console, "x", 'topic "zażóx"')


def test_the_window_may_change(console):
    console.send("vers")
    console.setwinsize(30, 40)
    time.sleep(0.3)
    say(console, "ion", r"\r\nimmure \d")
    say(console, "run -t yes -- stty size", "30 40")


# ---- completion ----

def test_verbs_and_options_are_completed(console):
    say(console, "vers\t", r"\r\nimmure \d")
    console.send("ex\t")
    console.expect(r"exec +exit +explain")
    console.send("\x03")
    console.expect(PROMPT)
    console.send("logs --\t")
    console.expect(r"--follow\s+--help\s+--raw\s+--since\s+--stream\s+--tail\s+--timestamps")
    console.send("\x03")
    console.expect(PROMPT)
    say(console, "run --wall-t\t10s --proc=bi\t-- echo ran", "\r\nran\r\n")
    console.send("run --preset ju\t")
    console.expect("dge ")
    console.send("\x03")
    console.expect(PROMPT)
    say(console, "presets ju\t", "wall-time")
    say(console, "pod st\tnosuch", 'no pod "nosuch"')
    say(console, "help E-JAIL-UNK\t", "E-JAIL-UNKNOWN|jail")


def test_names_of_jails_and_pods_are_as_they_are_now(console, jails): # noqa: F811
    console.send(f"logs {P}l\t")
    time.sleep(0.5)
    console.send("\x03")
    console.expect(PROMPT)
    assert f"{P}long" not in screen(console.before)
    ok(jails.run("run", "-d", "--name", f"{P}long-first{END}", "--", "sh", "-c", "echo first says; sleep 1000"))
    await_true(lambda: "first" in jails.run("logs", f"{P}long-first{END}").stdout)
    say(console, f"logs {P}l\t", "first says")
    ok(jails.run("run", "-d", "--name", f"{P}long-second{END}", *SLEEP))
    console.send(f"stop --time 0.1 {P}l\t")
    console.expect("ong-")
    console.send("\t")
    console.expect(f"{P}long-first{END} +{P}long-second{END}")
    say(console, f"s\t{P}long-f\t", PROMPT[:0])  # stop takes several
    await_state(jails, f"{P}long-first{END}", "ended")
    await_state(jails, f"{P}long-second{END}", "ended")
    ok(jails.run("pod", "create", f"{P}pod{END}"))
    say(console, f"run -d --name {P}member{END} --pod {P}p\t-- sleep 1000", f"{P}member{END}\r\n")
    assert status(jails, f"{P}member{END}")["pod"] == f"{P}pod{END}"
    jails.jails.add(f"{P}member{END}")
    say(console, f"exec --pod={P}p\t--all -- echo in-the-pod", "in-the-pod\r\n")
    say(console, f"exec '{P}m\t-- echo quo'ted'", "quoted\r\n")


def test_a_keeper_that_does_not_answer_keeps_nobody_waiting(console, jails): # noqa: F811
    name = f"{P}stuck{END}"
    ok(jails.run("run", "-d", "--name", name, *SLEEP))
    keeper = status(jails, name)["keeper"]
    stop(keeper)
    try:
        console.send(f"logs {P}stu\t")
        console.expect(f"ck{END} ")
        console.send("\x03")
        console.expect(PROMPT)
        say(console, "version", r"immure \d")
        assert name in names(jails)
    finally:
        os.kill(keeper, signal.SIGCONT)
    say(console, f"inspect {P}stu\t", f'"{name}"')


def test_paths_of_the_host_are_completed_where_they_fit(console, jails, home): # noqa: F811
    (home / "only-this-file").write_text("content\n")
    ok(jails.run("run", "-d", "--name", f"{P}file{END}", *SLEEP))
    say(console, f"cp {home}/only-t\t{P}file{END}:/tmp/in", PROMPT[:0])
    say(console, f"exec {P}fi\tcat /tmp/in", "content\r\n")


# ---- signals and the terminal ----

def test_control_c_drops_the_line(console, home):
    console.send("stop everything")
    time.sleep(0.2)
    console.send("\x03")
    console.expect(r"\^C\r\n.*" + PROMPT)
    say(console, "version", r"\r\nimmure \d")
    console.send("run 'open\r")
    console.expect("> ")
    console.send("\x03")
    console.expect(PROMPT)
    say(console, "version", r"\r\nimmure \d")
    assert leave(console) == 0
    assert history(home).read_text() == "version\n"


def test_where_the_prompt_stands_keys_are_the_consoles(console):
    for _ in range(40):
        say(console, "version", r"immure \d")
        assert not termios.tcgetattr(console.child_fd)[3] & (termios.ICANON | termios.ISIG | termios.ECHO)


def test_control_c_ends_the_verb_alone(console, jails): # noqa: F811
    ok(jails.run("run", "-d", "--name", f"{P}talk{END}", "--", "sh", "-c", "echo begun; sleep 1000"))
    for verb in ("logs -f", "wait", "attach --no-input", "logs -f"):
        console.send(f"{verb} {P}talk{END}\r")
        if verb == "wait":
            await_true(lambda: [child for child in children_of(console.pid) if words_of(child)[1:2] == [b"wait"]])
        else:
            console.expect("begun")
        console.send("\x03")
        console.expect(PROMPT)
    say(console, f"exec {P}talk{END} -- echo alive", "alive\r\n")
    assert leave(console) == 0


def test_a_shell_in_a_jail_has_the_keys_and_gives_the_terminal_back(jails, home): # noqa: F811
    ok(jails.run("run", "-d", "--name", f"{P}shell{END}", *SLEEP))
    line = jails.words("console")
    outer = pexpect.spawn("/bin/bash", ["--norc", "--noprofile", "--noediting", "-i"], timeout=PATIENCE, encoding="utf-8", cwd="/", env=environment(home, PS1="outer$ "))
    outer.expect("outer\\$ ")
    before = termios.tcgetattr(outer.child_fd)
    outer.sendline(" ".join(line))
    outer.expect(PROMPT)
    modes = termios.tcgetattr(outer.child_fd)
    assert modes != before
    outer.send(f"exec -it -e 'PS1=ja\\151l> ' {P}shell{END} -- /bin/bash --norc --noprofile --noediting -i\r")
    outer.expect("jail> ")
    stop_and_end_a_job(outer)
    outer.sendline("echo code=$?; exit 5")
    outer.expect("code=130")
    outer.expect(PROMPT)
    assert termios.tcgetattr(outer.child_fd) == modes
    outer.send("exit\r")
    outer.expect("outer\\$ ")
    assert termios.tcgetattr(outer.child_fd) == before
    outer.close(force=True)


def test_stopped_with_its_verb_it_goes_on_with_it(jails, home): # noqa: F811
    ok(jails.run("run", "-d", "--name", f"{P}slow{END}", "--", "sh", "-c", "while sleep 0.2; do echo tick; done"))
    outer = pexpect.spawn("/bin/bash", ["--norc", "--noprofile", "--noediting", "-i"], timeout=PATIENCE, encoding="utf-8", cwd="/", env=environment(home, PS1="outer$ "))
    outer.expect("outer\\$ ")
    before = termios.tcgetattr(outer.child_fd)
    outer.sendline(" ".join(jails.words("console")))
    outer.expect(PROMPT)
    outer.send(f"logs -f {P}slow{END}\r")
    outer.expect("tick")
    outer.send("\x1a")
    outer.expect("outer\\$ ")
    assert termios.tcgetattr(outer.child_fd) == before
    outer.sendline("fg")
    outer.expect("tick")
    outer.send("\x03")
    outer.expect(PROMPT)
    assert leave_in(outer) == before
    outer.close(force=True)


def leave_in(outer):
    outer.send("\x04")
    outer.expect("outer\\$ ")
    return termios.tcgetattr(outer.child_fd)


def test_a_verb_that_is_killed_leaves_no_raw_terminal(jails, home): # noqa: F811
    ok(jails.run("run", "-d", "--name", f"{P}raw{END}", *SLEEP))
    file = home / "lines"
    file.write_text(f"exec -it {P}raw{END} -- sh -c 'echo inside; sleep 1000'\nrun -- echo cooked\n")
    for words in ((), ("-k", file)):
        line = jails.words("console", *words)
        child = pexpect.spawn(line[0], line[1:], timeout=PATIENCE, encoding="utf-8", cwd="/", env=environment(home))
        if not words:
            child.expect(PROMPT)
            child.send(f"exec -it {P}raw{END} -- sh -c 'echo inside; sleep 1000'\r")
        child.expect(r"inside\r\n")
        assert not termios.tcgetattr(child.child_fd)[1] & termios.OPOST
        (verb,) = children_of(child.pid)
        os.kill(verb, signal.SIGKILL)
        if not words:
            child.expect(PROMPT)
            child.send("run -- echo cooked\r")
            child.expect("echo cooked\r\n")
        child.expect("cooked\r\n")
        if not words:
            child.expect(PROMPT)
            child.send("\x04")
        child.expect(pexpect.EOF)
        assert termios.tcgetattr(child.child_fd) == fresh_modes()
        child.close()


@pytest.mark.parametrize("verb", [None, f"logs -f {P}hang{END}", f"exec -it {P}hang{END} -- cat"])
def test_a_closed_terminal_ends_it_and_its_verb(jails, home, verb): # noqa: F811
    ok(jails.run("run", "-d", "--name", f"{P}hang{END}", "--", "sh", "-c", "echo begun; sleep 1000"))
    child = spawn(jails, home)
    child.expect(PROMPT)
    below = Watched()
    if verb:
        child.send(verb + "\r")
        below = Watched(*await_true(lambda: children_of(child.pid)))
        time.sleep(0.5)
    os.close(child.child_fd)
    await_true(lambda: os.waitpid(child.pid, os.WNOHANG)[0] == child.pid)
    below.await_end()
    assert status(jails, f"{P}hang{END}")["state"] == "running"


@pytest.mark.parametrize("verb", [None, f"logs -f {P}term{END}"])
def test_asked_to_end_it_ends_its_verb_and_leaves_the_terminal_as_it_was(jails, home, verb): # noqa: F811
    ok(jails.run("run", "-d", "--name", f"{P}term{END}", "--", "sh", "-c", "echo begun; sleep 1000"))
    child = spawn(jails, home)
    child.expect(PROMPT)
    assert termios.tcgetattr(child.child_fd) != fresh_modes()
    if verb:
        child.send(verb + "\r")
        child.expect("begun")
    pids = children_of(child.pid)
    assert len(pids) == (1 if verb else 0)
    below = Watched(*pids)
    child.kill(signal.SIGTERM)
    child.expect(pexpect.EOF)
    assert termios.tcgetattr(child.child_fd) == fresh_modes()
    child.close()
    assert child.exitstatus == 128 + signal.SIGTERM
    below.await_end()


# ---- history ----

def test_history_lasts_and_secrets_are_not_kept(jails, home): # noqa: F811
    first = spawn(jails, home)
    first.expect(PROMPT)
    say(first, "help exit-codes", "128")
    say(first, " help precedence", "preset")
    say(first, "version", r"immure \d")
    say(first, "version", r"immure \d")
    assert leave(first) == 0
    assert history(home).read_text() == "help exit-codes\nversion\n"
    assert history(home).stat().st_mode & 0o777 == 0o600
    assert history(home).parent.stat().st_mode & 0o777 == 0o700
    second = spawn(jails, home)
    second.expect(PROMPT)
    say(second, "\x1b[A", r"immure \d")
    say(second, "\x1b[A\x1b[A", "128")
    second.send("\x12vers")
    time.sleep(0.2)
    say(second, "", r"immure \d")
    assert leave(second, "exit\r") == 0
    assert history(home).read_text().splitlines()[:3] == ["help exit-codes", "version", "help exit-codes"]


def test_history_is_bounded_and_kept_where_the_environment_says(jails, home): # noqa: F811
    state = home / "state"
    child = spawn(jails, home, XDG_STATE_HOME=str(state))
    child.expect(PROMPT)
    say(child, "version", r"immure \d")
    file = state / "immure/history"
    file.write_text("".join(f"help {i}\n" for i in range(1500)))
    say(child, "help doctor", "doctor")
    assert leave(child) == 0
    lines = file.read_text().splitlines()
    assert len(lines) == 1000 and lines[-2:] == ["help 1499", "help doctor"]
    assert file.stat().st_mode & 0o777 == 0o600 and os.listdir(file.parent) == ["history"]
    assert not history(home).exists()


@pytest.mark.parametrize("what", ["linked", "others", "pipe", "no home", "full"])
def test_without_a_place_for_it_there_is_no_history_and_no_complaint(jails, home, what): # noqa: F811
    file, more = history(home), {}
    file.parent.mkdir(parents=True)
    victim = home / "victim"
    victim.write_text("precious\n")
    if what == "linked":
        file.symlink_to(victim)
    elif what == "pipe":
        os.mkfifo(file)
    elif what == "no home":
        more["HOME"] = "/nonexistent"
    elif what == "full":
        more["XDG_STATE_HOME"] = "/dev/full"
    for path in (*file.parents, file, victim):
        if path.is_relative_to(home) and path != home and os.path.lexists(path):
            os.lchown(path, jails.uid, jails.uid)
    if what == "others":
        if os.geteuid() != 0:
            pytest.skip("needs root to make a folder of somebody else's")
        os.chown(file.parent, 4711, 4711)
        file.parent.chmod(0o777)
    child = spawn(jails, home, **more)
    child.expect(PROMPT)
    child.send("version\r")
    child.expect(r"version\r\nimmure \S+\r\n" + PROMPT)
    child.send("\x1b[A\r")
    child.expect(r"\r\nimmure \S+\r\n")  # of this session all the same
    child.expect(PROMPT)
    child.send("\x04")
    child.expect(pexpect.EOF)
    assert screen(child.before).strip() in ("^D", "")
    assert victim.read_text() == "precious\n"
    assert what not in ("others", "no home", "full") or not file.exists()


def test_a_link_of_somebody_elses_is_not_followed_and_ones_own_is(jails, home): # noqa: F811
    if os.geteuid() != 0:
        pytest.skip("needs root to make a link of somebody else's")
    real = home / "elsewhere"
    real.mkdir()
    os.chown(real, jails.uid, jails.uid)
    (home / ".local").symlink_to(real)
    for owner, is_kept in ((4711, False), (jails.uid, True)):
        os.lchown(home / ".local", owner, owner)
        child = spawn(jails, home)
        child.expect(PROMPT)
        say(child, "version", r"immure \d")
        assert leave(child) == 0
        assert (real / "state/immure/history").exists() == is_kept


# ---- scripts ----

def script(jails, home, text, *words, **options): # noqa: F811
    file = home / "lines"
    file.write_text(text)
    return jails.run("console", *words, file, env=environment(home), **options), file


def test_a_script_stops_at_the_first_line_that_fails(jails, home): # noqa: F811
    text = "# begin\nrun -- echo one\n\nrun -- sh -c 'exit 7'\nrun -- echo never\n"
    done, file = script(jails, home, text)
    assert (done.returncode, done.stdout, done.stderr) == (7, "one\n", f"immure: {file}:4: exit code 7\n")
    done, file = script(jails, home, text.replace("7", "0"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "one\nnever\n", "")
    assert not history(home).exists()


def test_it_goes_on_when_told_and_the_last_failure_is_its_own(jails, home): # noqa: F811
    done, file = script(jails, home, "run -- sh -c 'exit 7'\nlgos x\nps > f\nrun -- echo last", "--keep-going")
    assert done.returncode == 125 and done.stdout == "last\n"
    assert done.stderr == (f'immure: {file}:1: exit code 7\nimmure: there is no verb "lgos"; did you mean "logs"?\nimmure: {file}:2: exit code 125\n'
                           f"immure: {file}:3: column 4: \">\" means nothing here: nothing is redirected (to mean the letter, quote it: '>')\n")


@pytest.mark.parametrize("text, place", [("version\nversion 'a\nb", "2: a quote is not closed: '"), ('version "x', '1: a quote is not closed: "'),
                                         ("version\\", '1: nothing follows the last "\\"'), ("version\nversion\0", "2: a NUL byte"),
                                         ("run -- echo 'a\nb' x;y", "2: column 5: \";\"")])
def test_a_mistake_is_told_with_its_line(jails, home, text, place): # noqa: F811
    done, file = script(jails, home, text)
    refused(done, f"immure: {file}:{place}")


def test_lines_that_go_on_are_one(jails, home): # noqa: F811
    done, _ = script(jails, home, "run -- \\\n  echo a\\\nb \\\n  'c\nd' # e\n")
    assert (done.returncode, done.stdout) == (0, "ab c\nd\n"), done.stderr


def test_standard_input_is_a_script_and_not_its_verbs_input(jails, home): # noqa: F811
    text = "run -- cat\nrun -- echo still\nexit\nrun -- echo never\n"
    for words in ((), ("-",)):
        done = jails.run("console", *words, input=text, stdin=None, env=environment(home))
        assert (done.returncode, done.stdout, done.stderr) == (0, "still\n", "")
    file = home / "lines"
    file.write_text(text)
    done = jails.run("console", file, input="mine\n", stdin=None, env=environment(home))  # a file leaves it to them
    assert (done.returncode, done.stdout) == (0, "mine\nstill\n"), done.stderr
    refused(jails.run("console", input="version\nnosuch\nversion\n", stdin=None), "standard input:2: exit code 125")


def test_a_file_may_name_the_console_as_its_interpreter(jails, home): # noqa: F811
    file = home / "lines"
    file.write_text(f"#!{jails.path} console\nrun -- echo ran\n")
    file.chmod(0o755)
    done = subprocess.run([*jails.words("version")[:-2], file], capture_output=True, text=True, timeout=PATIENCE, check=False, stdin=subprocess.DEVNULL)
    assert (done.returncode, done.stdout) == (0, "ran\n"), done.stderr


def test_what_cannot_be_read_is_told(jails, home): # noqa: F811
    refused(jails.run("console", home / "nosuch"), "nosuch: No such file")
    refused(jails.run("console", home), "Is a directory")
    refused(jails.run("console", "a", "b"), "usage: immure console")
    refused(jails.run("console", "--keep-gong"), 'did you mean "--keep-going"')


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_an_interrupted_script_does_not_go_on(jails, home, name): # noqa: F811
    file = home / "lines"
    file.write_text("run -- sh -c 'echo begun; exec sleep 1000'\nrun -- echo never\n")
    child = subprocess.Popen(jails.words("console", "-k", file), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL,
                             cwd="/", start_new_session=True)
    assert child.stdout.readline() == "begun\n"
    os.killpg(child.pid, getattr(signal, name))
    out, _ = child.communicate(timeout=PATIENCE)
    assert (child.returncode, out) == (128 + getattr(signal, name), "")


def test_without_its_editor_it_reads_scripts_and_says_what_is_lacking(jails, home, executables, tmp_path_factory): # noqa: F811
    folder = reachable(tmp_path_factory.mktemp("plain"))
    for name in ("immure", "immure-full"):
        shutil.copy2(executables / name, folder / name)
    jails.path = str(folder / "immure")
    refused(jails.run("console", input="version\nnosuch\n", stdin=None), "standard input:2")
    line = jails.words("console")
    child = pexpect.spawn(line[0], line[1:], timeout=PATIENCE, encoding="utf-8", cwd="/")
    child.expect("in a build without libedit")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 125
