"""Machines with real systemd: Debian trees booted by systemd-nspawn, on a network of their own. Needs root."""
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import time

NETWORK = "10.77.0."
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8",
               "DEBIAN_FRONTEND": "noninteractive", "SYSTEMD_COLORS": "0", "SYSTEMD_PAGER": ""}
SOURCES = """deb http://deb.debian.org/debian bookworm main
deb http://deb.debian.org/debian bookworm-updates main
deb http://deb.debian.org/debian-security bookworm-security main
"""


class Failed(Exception):
    pass


def call(*command, **options):
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode != 0:
        raise Failed(f"{' '.join(map(str, command))}: exit code {done.returncode}\n{done.stdout[-3000:]}")
    return done.stdout


def until(what, condition, seconds=120):
    """Waits for a condition; its last answer, once it is true."""
    end = time.monotonic() + seconds
    while not (answer := condition()):
        if time.monotonic() > end:
            raise Failed(f"this did not come about within {seconds} s: {what}")
        time.sleep(0.2)
    return answer


def require_rights():
    """Throws where no machine can be booted."""
    status = pathlib.Path("/proc/self/status").read_text()
    rights = int(re.search(r"CapEff:\s*(\w+)", status)[1], 16)
    if not rights >> 21 & 1:
        raise Failed("machines need root with CAP_SYS_ADMIN: as systemd-nspawn gives it to a container, and docker does "
                     "with --privileged")


def proxies():
    """What apt goes through here, for apt elsewhere."""
    found = {name: os.environ[name] for name in ("http_proxy", "https_proxy") if os.environ.get(name)}
    if not found:
        told = call("apt-config", "shell", "http_proxy", "Acquire::http::Proxy", "https_proxy", "Acquire::https::Proxy")
        found = dict(line.replace("'", "").split("=", 1) for line in told.splitlines() if "=" in line)
    return {name: value for name, value in found.items() if value not in ("", "DIRECT", "false")}


def bare_tree(folder, packages, files=()):
    """A bare Debian with systemd, kept for the next time. It holds `packages` and what they and the `files` depend on as
    downloads: nothing of it is installed."""
    tree, stamp = folder / "base", folder / "base.holds"
    wanted = SOURCES + "\n".join([*packages, *(call("dpkg-deb", "-f", file, "Depends", "Recommends") for file in files)])
    if stamp.exists() and stamp.read_text() == wanted:
        return tree
    folder.mkdir(parents=True, exist_ok=True)
    stamp.unlink(missing_ok=True)
    through = {**os.environ, **proxies()}
    if not (tree / "etc/debian_version").exists() or (tree / "debootstrap").exists():
        shutil.rmtree(tree, ignore_errors=True)
        call("debootstrap", "--variant=minbase", "--include=systemd,systemd-sysv,dbus", "bookworm", tree, env=through)
    (tree / "etc/apt/sources.list").write_text(SOURCES)
    (tree / "var/log/journal").mkdir(exist_ok=True)
    (tree / "etc/dpkg/dpkg.cfg.d/quick").write_text("force-unsafe-io\n")
    for file in files:
        shutil.copy(file, tree / "root")
    inside = ["systemd-nspawn", "-q", "--register=no", "--keep-unit", "-D", tree, "--setenv=DEBIAN_FRONTEND=noninteractive"]
    inside += [f"--setenv={name}={value}" for name, value in proxies().items()]
    for command in (["apt-get", "update"], ["apt-get", "dist-upgrade", "-y"],
                    ["apt-get", "install", "-y", "--download-only", *packages, *(f"/root/{file.name}" for file in files)]):
        call(*inside, *command)
    for file in files:
        (tree / "root" / file.name).unlink()
    stamp.write_text(wanted)
    return tree


class Network:
    """A switch in a network namespace, and a namespace with a cable to it for each machine. Nothing leaves it. Names are
    answered at NETWORK + 1."""

    def __init__(self, names):
        self.prefix = f"veer{os.getpid()}"
        self.namespaces, self.resolver = [], None
        self.switch = self._namespace("switch")
        call("ip", "-n", self.switch, "link", "add", "switch", "type", "bridge")
        call("ip", "-n", self.switch, "addr", "add", NETWORK + "1/24", "dev", "switch")
        call("ip", "-n", self.switch, "link", "set", "switch", "up")
        self.addresses = {}
        for number, name in enumerate(names, 2):
            self.addresses[name] = NETWORK + str(number)
            own = self._namespace(name)
            call("ip", "-n", self.switch, "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", own)
            call("ip", "-n", self.switch, "link", "set", name, "master", "switch", "up")
            call("ip", "-n", own, "addr", "add", self.addresses[name] + "/24", "dev", "eth0")
            call("ip", "-n", own, "link", "set", "eth0", "up")

    def _namespace(self, name):
        full = f"{self.prefix}-{name}"
        path = pathlib.Path("/run/netns") / full
        path.parent.mkdir(exist_ok=True)
        path.touch()
        # Of a user namespace that we own, so that it is ours to set up without CAP_NET_ADMIN (user_namespaces(7)).
        with subprocess.Popen(["unshare", "--user", "--map-root-user", "--net", "sh", "-c", "echo; read -r _"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE) as inside:
            inside.stdout.readline()
            call("mount", "--bind", f"/proc/{inside.pid}/ns/net", path)
        self.namespaces.append(full)
        call("ip", "-n", full, "link", "set", "lo", "up")
        return full

    def answer_names(self, names):
        server = pathlib.Path(__file__).with_name("names.py")
        pairs = [f"{name}={self.addresses[machine]}" for name, machine in names.items()]
        self.resolver = subprocess.Popen(["ip", "netns", "exec", self.switch, "python3", server, NETWORK + "1", *pairs])

    def plug(self, name, state):
        call("ip", "-n", self.switch, "link", "set", name, state)

    def remove(self):
        if self.resolver:
            self.resolver.kill()
            self.resolver.wait()
        for name in self.namespaces:
            call("ip", "netns", "del", name)


class Machine:
    """A bare machine. What is written on it lies in `changes`."""

    def __init__(self, name, base, folder, network):
        self.name, self.folder, self.network = name, folder / name, network
        self.tree, self.changes = self.folder / "tree", self.folder / "changes"
        for each in (self.tree, self.changes, self.folder / "work"):
            each.mkdir(parents=True)
        call("mount", "-t", "overlay", "-o", f"lowerdir={base},upperdir={self.changes},workdir={self.folder}/work",
             "overlay", self.tree)
        self.process = None
        (self.tree / "etc/resolv.conf").unlink(missing_ok=True)
        (self.tree / "etc/resolv.conf").write_text(f"nameserver {NETWORK}1\noptions timeout:1 attempts:1\n")
        (self.tree / "etc/hostname").write_text(name + "\n")
        (self.tree / "etc/hosts").write_text(f"127.0.0.1 localhost {name}\n")

    def boot(self):
        console = open(self.folder / "console", "ab")
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "systemd-nspawn", "-q", "--register=no", "--keep-unit", "-D", self.tree,
             f"--hostname={self.name}",
             f"--network-namespace-path=/run/netns/{self.network.prefix}-{self.name}", "--resolv-conf=off",
             "--timezone=off", "--boot"], stdin=subprocess.DEVNULL, stdout=console, stderr=console)
        self.leader = until(f"{self.name} starts", self._find_leader, 30)
        until(f"{self.name} is booted",
              lambda: self.code("systemctl", "is-active", "--quiet", "multi-user.target", "dbus.service") == 0)

    def _find_leader(self):
        """The machine's first process, once it is systemd: others come and go before."""
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return next((child for child in children if pathlib.Path(f"/proc/{child}/comm").read_text() == "systemd\n"), None)

    def cut_power(self):
        """The machine and all that runs on it end at once."""
        os.kill(int(self.leader), signal.SIGKILL)
        self.process.wait()
        self.process = None

    def remove(self):
        if self.process and self.process.poll() is None:
            self.cut_power()
        call("umount", self.tree)

    def attempt(self, *words, stdin=subprocess.DEVNULL):
        return subprocess.run(["nsenter", "-t", self.leader, "-m", "-u", "-i", "-n", "-p", "--", *map(str, words)],
                              stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                              env=ENVIRONMENT, cwd="/")

    def code(self, *words):
        return self.attempt(*words).returncode

    def run(self, *words, code=0, stdin=subprocess.DEVNULL):
        """What the command printed; it must end with `code`."""
        done = self.attempt(*words, stdin=stdin)
        if done.returncode != code:
            typed = shlex.join(map(str, words))
            raise Failed(f"{self.name}# {typed}: exit code {done.returncode}\n{done.stdout[-3000:]}")
        return done.stdout

    def shell(self, text):
        return self.run("sh", "-c", text)


class Room:
    """Where machines run; nothing of them is left when it is removed."""

    def __init__(self, base, names):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="veer-machines-", dir=base.parent))
        self.machines = {}
        self.network = Network(names)
        for name in names:
            self.machines[name] = Machine(name, base, self.folder, self.network)

    def remove(self):
        for machine in self.machines.values():
            machine.remove()
        self.network.remove()
        shutil.rmtree(self.folder)
