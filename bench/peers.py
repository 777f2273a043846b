# SPDX-License-Identifier: Apache-2.0
"""The command lines to compare: one jail, said in each tool's own words. Nothing is run here."""
import json
import os

from mkfilter import DENIED

NOBODY = 65534
RANGE = 100000
ETC = ["/etc/ld.so.cache", "/etc/alternatives", "/etc/ssl/certs"]
LINKS = ["bin", "sbin", "lib", "lib64"]
PRIVATE = ["/tmp", "/var/tmp", "/run", "/dev/shm"]
MASKED_FILES = [path for path in ("/proc/keys", "/proc/key-users") if os.path.exists(path)]
MASKED_FOLDERS = [path for path in ("/proc/acpi", "/proc/scsi", "/proc/asound") if os.path.exists(path)]


class Jail:
    """What is wanted of every tool: as whom, with which network, which program."""

    def __init__(self, place, is_root, has_net, program, shown=None):
        self.place = place          # work folder of this run: build, bundles
        self.is_root = is_root
        self.has_net = has_net      # a network namespace of its own
        self.program = program      # argv inside the jail
        self.shown = shown          # host path of a program to be made visible, or None

    def inside(self, path):
        """The jail's argv, the shown program being at `path`."""
        return [path] + self.program[1:] if self.shown else self.program


class Command:
    """argv, who runs it, what descriptor 9 is, and whether its start is what counts: the program's first byte."""

    def __init__(self, argv, uid=None, file=None, is_start=False):
        self.argv, self.uid, self.file, self.is_start = argv, uid, file, is_start

    def words(self):
        """For bench/pairs."""
        who = ["@%d" % self.uid] if self.uid is not None else []
        return who + (["<" + self.file] if self.file else []) + (["+"] if self.is_start else []) + self.argv


def plain(jail):
    return Command([jail.shown] + jail.program[1:] if jail.shown else jail.program, user(jail))


def user(jail):
    return None if jail.is_root else NOBODY


def floor(jail, *flags):
    words = [jail.place.floor, *flags] + (["--root"] if jail.is_root else [])
    words += [] if jail.has_net else ["--no-net"]
    words += ["--program=" + jail.shown] if jail.shown else []
    return Command(words + ["--"] + jail.inside("/home/jail/program"), user(jail))


def floor_on_skeleton(jail):
    return None if jail.shown else floor(jail, "--skeleton=" + jail.place.skeleton)


def immure(jail):
    if not jail.place.immure:
        return None
    words = [jail.place.immure, "run"] + ([] if jail.has_net else ["--net=host"])
    words += ["--ro", jail.shown] if jail.shown else []
    return Command(words + ["--"] + ([jail.shown] + jail.program[1:] if jail.shown else jail.program), user(jail))


def bwrap(jail):
    words = ["/usr/bin/bwrap", "--unshare-all", "--unshare-user", "--ro-bind", "/usr", "/usr"]
    words += [] if jail.has_net else ["--share-net"]
    for name in LINKS:
        words += ["--symlink", "usr/" + name, "/" + name]
    for path in ETC:
        words += ["--ro-bind", path, path]
    for path in ["passwd", "group", "hosts", "nsswitch.conf"]:
        words += ["--ro-bind", "/etc/" + path, "/etc/" + path]
    words += ["--proc", "/proc", "--dev", "/dev"]
    for path in PRIVATE:
        words += ["--tmpfs", path]
    for path in MASKED_FILES:
        words += ["--ro-bind", "/dev/null", path]
    for path in MASKED_FOLDERS:
        words += ["--tmpfs", path]
    words += ["--ro-bind", jail.shown, "/program"] if jail.shown else []
    words += ["--hostname", "jail", "--new-session", "--die-with-parent", "--clearenv", "--cap-drop", "ALL"]
    words += ["--setenv", "PATH", "/usr/bin:/bin", "--seccomp", "9", "--remount-ro", "/"]
    return Command(words + ["--"] + jail.inside("/program"), user(jail), jail.place.filter)


def firejail(jail):
    if not jail.is_root:
        return None
    words = ["/usr/bin/firejail", "--quiet", "--noprofile", "--caps.drop=all", "--nonewprivs", "--seccomp",
             "--private", "--private-dev", "--ipc-namespace", "--hostname=jail"]
    words += [] if jail.shown else ["--private-tmp"]  # it would hide the program
    words += ["--net=none"] if jail.has_net else []
    return Command(words + ["--"] + ([jail.shown] + jail.program[1:] if jail.shown else jail.program))


def nspawn(jail):
    if not jail.is_root:
        return None
    words = ["/usr/bin/systemd-nspawn", "-q", "-D", jail.place.new_root(), "--as-pid2", "--register=no",
             "--keep-unit", "--private-users=%d:65536" % RANGE, "--user=nobody", "--bind-ro=/usr",
             "--read-only", "--drop-capability=all", "--no-new-privileges=yes", "--hostname=jail"]
    words += ["--private-network"] if jail.has_net else []
    words += ["--bind-ro=%s" % path for path in ETC]
    words += ["--tmpfs=%s" % path for path in ("/var/tmp",)]
    words += ["--bind-ro=%s:/mnt/program" % jail.shown] if jail.shown else []
    return Command(words + ["--"] + jail.inside("/mnt/program"))


def oci_mounts(jail):
    private = ["nosuid", "nodev"]
    mounts = [{"destination": "/proc", "type": "proc", "source": "proc"},
              {"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
               "options": ["nosuid", "mode=755", "size=64m"]},
              {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
               "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]}]
    mounts += [{"destination": path, "type": "tmpfs", "source": "tmpfs",
                "options": private + ["mode=1777", "size=64m"]} for path in PRIVATE]
    binds = [(path, path) for path in ["/usr"] + ETC]
    binds += [(jail.shown, "/mnt/program")] if jail.shown else []
    return mounts + [{"destination": there, "type": "bind", "source": here,
                      "options": private + ["rbind", "ro"]} for here, there in binds]


def oci_config(jail):
    spaces = ["user", "pid", "mount", "uts", "ipc", "cgroup"] + (["network"] if jail.has_net else [])
    ids = [{"containerID": 0, "hostID": RANGE, "size": 65536}]
    return {
        "ociVersion": "1.0.2", "hostname": "jail", "mounts": oci_mounts(jail),
        "root": {"path": jail.place.empty_root, "readonly": True},
        "process": {"user": {"uid": 1000, "gid": 1000}, "cwd": "/", "args": jail.inside("/mnt/program"),
                    "env": ["PATH=/usr/bin:/bin"], "noNewPrivileges": True, "terminal": False,
                    "capabilities": {}},
        "linux": {
            "namespaces": [{"type": kind} for kind in spaces],
            "uidMappings": ids, "gidMappings": ids,
            "maskedPaths": MASKED_FILES + MASKED_FOLDERS, "readonlyPaths": ["/proc/sys"],
            "seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"],
                        "syscalls": [{"names": DENIED, "action": "SCMP_ACT_ERRNO"}]}}}


def oci(program, jail, *flags):
    if not jail.is_root:
        return None
    bundle = jail.place.new_folder("bundle")
    with open(os.path.join(bundle, "config.json"), "w", encoding="utf-8") as file:
        json.dump(oci_config(jail), file)
    name = "bench-" + os.path.basename(bundle)
    return Command([program, *flags, "--root", jail.place.state(program), "run", "--bundle", bundle, name])


def crun(jail):
    return oci("/usr/bin/crun", jail, "--cgroup-manager=disabled")  # it refuses hybrid hierarchies


def runc(jail):
    return oci("/usr/sbin/runc", jail)


LIGHT = {"plain": plain, "floor": floor, "floor on a skeleton": floor_on_skeleton, "immure": immure, "bwrap": bwrap}
HEAVY = {"firejail": firejail, "crun": crun, "runc": runc, "systemd-nspawn": nspawn}
VERSIONS = [["bwrap", "--version"], ["firejail", "--version"], ["crun", "--version"], ["runc", "--version"],
            ["systemd-nspawn", "--version"]]
