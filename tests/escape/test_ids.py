# SPDX-License-Identifier: Apache-2.0
"""Who the program is: ids, groups, capabilities, securebits, umask, limits; and that it stays so."""
import os
import subprocess

import pytest

from patience import PATIENCE


BARE = ("--seccomp", "off", "--landlock", "off")
EVERY_SET = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
JAILS = pytest.mark.parametrize("options", [(), ("-u", "root"), BARE, (*BARE, "-u", "root")],
                                ids=["default", "root-inside", "bare", "bare-root"])


def status(immure, *options, **rest):
    process = immure.run("run", "-q", *options, "--", "/bin/cat", "/proc/self/status", **rest)
    return {line.split(":")[0]: line.split(":")[1].split() for line in process.stdout.splitlines()}


def host_ids(immure, *options):
    """The ids of the program as the host sees them."""
    words = immure.words("run", *options, "--", "/bin/sh", "-c", "echo ready; read line")
    with subprocess.Popen(words, cwd="/", stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        todo, lines = [process.pid], []
        while todo:
            pid = todo.pop()
            todo += map(int, open(f"/proc/{pid}/task/{pid}/children", encoding="ascii").read().split())
            found = dict(line.split(":", 1) for line in open(f"/proc/{pid}/status", encoding="ascii") if ":" in line)
            if found["NSpid"].split()[1:] == ["2"]:
                lines = found["Uid"].split() + found["Gid"].split()
        process.communicate("\n", timeout=PATIENCE)
    return [int(word) for word in lines]


@JAILS
def test_no_id_of_the_program_is_the_hosts_root(immure, options):
    ids = host_ids(immure, *options)
    assert len(ids) == 8 and 0 not in ids
    assert all(number == 65534 for number in ids) if immure.uid else all(number >= 1 << 20 for number in ids)


def test_host_root_must_be_asked_for_by_name(immure):
    if immure.uid:
        pytest.skip("only root has the host's root to give")
    maps = ("--uid-map", "0:0:1", "--gid-map", "0:0:1", "-u", "root")
    assert immure.run("run", *maps, "--", "/bin/true").returncode == 125
    assert immure.run("run", *maps, "--allow-host-root", "--", "/bin/true").returncode == 0


@JAILS
def test_all_five_sets_are_empty(immure, options):
    """CVE-2022-24769, CVE-2022-29162, CVE-2022-27650."""
    found = status(immure, *options)
    assert [int(found[name][0], 16) for name in EVERY_SET] == [0] * 5
    assert found["NoNewPrivs"] == ["1"]


def test_an_inheritable_set_of_the_caller_does_not_come_in(immure):
    if os.geteuid():
        pytest.skip("needs root")
    words = ["capsh", "--inh=cap_net_raw,cap_sys_admin", "--", "-c", " ".join(immure.words("run", "--", "/bin/cat", "/proc/self/status"))]
    found = subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL, cwd="/", check=False).stdout
    assert "CapInh:\t0000000000000000" in found


def test_a_capability_that_is_asked_for_is_in_all_sets(immure):
    found = status(immure, "--cap-add", "net_bind_service")
    assert [int(found[name][0], 16) for name in EVERY_SET] == [1 << 10] * 5


@JAILS
def test_no_group_of_the_caller_comes_in(immure, options):
    """CVE-2022-36109, CVE-2014-8989."""
    if os.geteuid():
        pytest.skip("needs root to have groups")
    words = immure.words("run", "-q", *options, "--", "/bin/cat", "/proc/self/status")
    words = ["setpriv", "--groups", "4,24,27", *[word for word in words if word != "--clear-groups"]]
    if immure.uid:
        words[words.index("--regid=65534") + 1:words.index("--regid=65534") + 1] = ["--keep-groups"]
    process = subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL, cwd="/", check=False)
    groups = [line for line in process.stdout.splitlines() if line.startswith("Groups:")][0].split()[1:]
    # A rootless jail cannot drop them: unprivileged user namespaces have no setgroups(2). There they show as nobody's.
    assert groups == [] if not immure.uid else set(groups) <= {"65534"}


@JAILS
def test_a_group_of_the_caller_opens_nothing(assault, folder, options):
    if os.geteuid():
        pytest.skip("needs root to have groups")
    if assault.uid:
        pytest.skip("the caller's groups cannot be dropped without privileges: see README")
    secret = folder / "secret"
    secret.write_text("for the group")
    os.chown(secret, 0, 27)
    secret.chmod(0o040)
    assert assault.jailed("read", "/w/secret", options=("--ro", f"{folder}:/w", *options), extra_groups=[27]) == "EACCES"


@pytest.mark.parametrize("number", ["4294967295", "4294967296", "18446744073709551616", "-1", "0x0", "1e3", "00", " 0", "1000:0", "", "+5",
                                    "99999999999999999999999999"])
@pytest.mark.parametrize("option", ["-u", "-g"])
def test_an_odd_number_is_never_an_id(immure, option, number):
    """CVE-2024-40635, CVE-2026-46680, CVE-2026-30892: 4294967295 means no change to the kernel, and so root."""
    process = immure.run("run", f"{option}{number}" if number else option, *([""] if not number else []), "--", "/usr/bin/id", "-u")
    assert process.returncode == 125 or (number == "00" and process.stdout.strip() in ("0", "1000"))


def test_an_ordinary_number_is_an_id(immure):
    assert immure.run("run", "-u", "1234", "--", "/usr/bin/id", "-u").stdout == "1234\n"


def test_a_name_is_never_looked_up_in_the_wrong_place(immure, folder, attack):
    """A number stays a number, whatever the image's passwd says."""
    for name in ("etc", "bin", "proc"):
        (folder / name).mkdir()
    (folder / "etc" / "passwd").write_text("1234:x:0:0::/:/bin/sh\n")
    (folder / "bin" / "attack").write_bytes(open(attack, "rb").read())
    (folder / "bin" / "attack").chmod(0o755)
    process = immure.run("run", "--root", folder, "-u", "1234", "--", "/bin/attack", "read", "/proc/self/status")
    assert "Uid:\t1234\t1234\t1234\t1234" in process.stdout


@pytest.mark.parametrize("words", [("set-id", "0"), ("set-id", "1"), ("set-id", "65534"), ("set-group", "0"), ("set-groups", "0"),
                                   ("raise-ambient", "21"), ("unlock-securebits",)], ids="-".join)
@pytest.mark.parametrize("options", [(), ("--seccomp", "off"), BARE], ids=["default", "no-filter", "bare"])
def test_ids_and_privileges_cannot_be_changed(assault, words, options):
    assert assault.jailed(*words, options=options) in ("EPERM", "EINVAL")


@pytest.mark.parametrize("words,options", [(("set-group", "0"), ("--cap-add", "setgid")), (("raise-ambient", "21"), ("--cap-add", "sys_admin")),
                                           (("unlock-securebits",), ("--securebits", "none", "--cap-add", "setpcap"))], ids=["id", "ambient", "bits"])
def test_ids_and_privileges_can_be_changed_with_the_permission(assault, words, options):
    if words[0] == "set-group" and assault.uid:
        pytest.skip("a rootless jail has one group")
    assert assault.jailed(*words, options=options) == "THROUGH"


@JAILS
@pytest.mark.parametrize("name", ["core", "nproc"])
def test_a_hard_limit_cannot_be_raised(assault, name, options):
    assert assault.jailed("raise-limit", name, options=options) == "EPERM"


def test_a_limit_below_a_higher_hard_one_can_be_raised(immure):
    process = immure.run("run", "--rlimit", "nofile=64:128", "--", "/bin/sh", "-c", "ulimit -Sn 128 && ulimit -Sn; ulimit -Hn 129 || echo no")
    assert process.stdout.split() == ["128", "no"]


def test_a_hard_limit_holds_with_the_capability_inside(assault):
    """CAP_SYS_RESOURCE of a user namespace is not the host's."""
    options = (*BARE, "-u", "root", "--cap-add", "sys_resource", "--rlimit", "nofile=64:64")
    assert assault.jailed("raise-limit", "nofile", options=options) == "EPERM"


def test_no_core_dump_leaves_the_jail(immure, folder):
    immure.run("run", "--rw", f"{folder}:/w", "-C", "/w", "--", "/bin/sh", "-c", "kill -SEGV $$")
    assert not any(folder.iterdir())
    limit = immure.run("run", "--", "/bin/sh", "-c", "ulimit -Hc").stdout.strip()
    is_pipe = open("/proc/sys/kernel/core_pattern", encoding="ascii").read().startswith("|")
    assert limit == ("1" if is_pipe else "0")


def test_a_core_dump_is_written_where_it_is_permitted(immure, folder):
    pattern = open("/proc/sys/kernel/core_pattern", encoding="ascii").read()
    hard = subprocess.run(["/bin/sh", "-c", "ulimit -Hc"], capture_output=True, text=True, check=True).stdout.strip()
    if pattern.startswith(("|", "/")) or hard != "unlimited":
        pytest.skip(f"core dumps of this machine go elsewhere: {pattern.strip()}, limit {hard}")
    immure.run("run", "--rlimit", "core=1M", "--rw", f"{folder}:/w", "-C", "/w", "--", "/bin/sh", "-c", "kill -SEGV $$")
    assert any(path.name.startswith("core") for path in folder.iterdir())


@pytest.mark.parametrize("umask", [0o000, 0o777])
def test_the_umask_of_the_caller_does_not_come_in(immure, folder, umask):
    immure.run("run", "--rw", f"{folder}:/w", "--", "/bin/sh", "-c", "umask; echo >/w/new", umask=umask)
    assert (folder / "new").stat().st_mode & 0o777 == 0o644


def test_signals_of_the_caller_do_not_come_in(immure):
    """Ignored and blocked signals survive exec; a program would be deaf."""
    words = ["/usr/bin/python3", "-c", "import os,signal,sys\nfor s in (1,2,3,13,15,17,20): signal.signal(s, signal.SIG_IGN)\n"
             "signal.pthread_sigmask(signal.SIG_BLOCK, range(1,64))\nos.execvp(sys.argv[1], sys.argv[1:])"]
    process = subprocess.run(words + immure.words("run", "--", "/bin/cat", "/proc/self/status"), capture_output=True, text=True, cwd="/",
                             stdin=subprocess.DEVNULL, check=False)
    found = dict(line.split(":\t", 1) for line in process.stdout.splitlines() if ":\t" in line)
    assert int(found["SigBlk"], 16) == 0 and int(found["SigIgn"], 16) == 0


def test_the_oom_killer_can_be_told_only_to_take_it_first(immure):
    process = immure.run("run", "-q", *BARE, "-u", "root", "--", "/bin/sh", "-c", "echo -900 >/proc/self/oom_score_adj || echo no; "
                         "echo 900 >/proc/self/oom_score_adj && echo yes; echo 900 >/proc/1/oom_score_adj || echo no")
    assert process.stdout.split() == ["no", "yes", "no"]


def test_the_maps_cannot_be_written_again(immure):
    process = immure.run("run", *BARE, "-u", "root", "--cap-add", "setuid,setgid,sys_admin", "--", "/bin/sh", "-c",
                         "for f in uid_map gid_map setgroups; do echo 0 0 1 >/proc/self/$f && echo $f; done; true")
    assert process.stdout == ""
