"""What the benchmarks share: a private SFTP server, keys, both sides of veer, the peers, and the meters.

Everything lives in one temporary folder and ends with it. The calling process becomes the reaper of all that is started
below it, so that the CPU of processes that detach (gpg under GPGME, gpg-agent) is counted too."""
import contextlib
import ctypes
import datetime
import json
import os
import pathlib
import pwd
import resource
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get("VEER_BUILD", HERE.parent.parent / "build" / "release"))
VEER = BUILD / "daemon" / "veer"
MAKE_LIST = BUILD / "tests" / "support" / "veer-make-list"
YEAR = datetime.date.today().year
LIST_NAME = f"inburgeringsplicht-{YEAR}.csv"
POLL = "10ms"  # the least that the configuration takes
PATIENCE = 600  # seconds until a run counts as broken
PR_SET_CHILD_SUBREAPER = 36


class Broken(Exception):
    """The benchmark could not be carried out."""


def require_programs():
    missing = [str(p) for p in (VEER, MAKE_LIST) if not p.exists()]
    missing += [p for p in ("gpg", "gpgconf", "sftp", "sshd", "sqlite3", "mawk") if not which(p)]
    if missing:
        raise Broken("missing: " + ", ".join(missing) + " (see README.md, How to run)")


def which(program):
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin")


def run(*words, **options):
    done = subprocess.run([str(w) for w in words], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=False, **options)
    if done.returncode != 0:
        raise Broken(f"{' '.join(map(str, words))} ended with {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def wait_until(holds, what, patience=PATIENCE, pause=0.002):
    """Returns what `holds` returned, once that is true."""
    end = time.monotonic() + patience
    while not (value := holds()):
        if time.monotonic() > end:
            raise Broken(f"{what} did not happen within {patience} s")
        time.sleep(pause)
    return value


# Processes.

def become_reaper():
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise Broken("this system has no PR_SET_CHILD_SUBREAPER: CPU cannot be counted")


def parents():
    """pid → parent of every process."""
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError):
                found[int(name)] = int(stat_fields(int(name))[1])
    return found


def stat_fields(pid):
    """proc(5), /proc/pid/stat from the third field on."""
    with open(f"/proc/{pid}/stat", encoding="latin-1") as file:
        return file.read().rsplit(")", 1)[1].split()


def descendants(root):
    children = {}
    for pid, parent in parents().items():
        children.setdefault(parent, []).append(pid)
    found, ahead = [], [root]
    while ahead:
        below = children.get(ahead.pop(), [])
        found += below
        ahead += below
    return found


class Lab:
    """The folder, the server and the keys. Use it with `with`."""

    def __init__(self, folder=None):
        self.parent = folder
        self.children = []
        self.homes = []

    def __enter__(self):
        require_programs()
        become_reaper()
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="vb", dir=self.parent or "/tmp"))
        try:
            self._start_server()
            self._make_keys()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *_):
        for child in reversed(self.children):
            self.stop(child)
        for home in self.homes:
            subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "gpg-agent"], check=False)
        shutil.rmtree(self.root, ignore_errors=True)

    def start(self, *words, **options):
        child = subprocess.Popen([str(w) for w in words], **options)
        self.children.append(child)
        return child

    def stop(self, child):
        if child.poll() is None:
            child.terminate()
            try:
                child.wait(30)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        if child in self.children:
            self.children.remove(child)

    def reap(self):
        """Takes leave of adopted processes that have ended."""
        own = {child.pid for child in self.children}
        for pid, parent in parents().items():
            if parent == os.getpid() and pid not in own:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)

    # The server.

    def _start_server(self):
        ssh = self.root / "ssh"
        ssh.mkdir()
        for key in ("host", "user"):
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", ssh / key)
        shutil.copy(ssh / "user.pub", ssh / "authorized_keys")
        self.user = pwd.getpwuid(os.getuid()).pw_name
        self.key = ssh / "user"
        self.host_pin = run("ssh-keygen", "-lf", ssh / "host.pub").split()[1]
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        (ssh / "sshd_config").write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {ssh}/host\nPidFile none\n"
            f"AuthorizedKeysFile {ssh}/authorized_keys\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n"
            "KbdInteractiveAuthentication no\nMaxStartups 100\nSubsystem sftp internal-sftp\n")
        if os.getuid() == 0:
            os.makedirs("/run/sshd", exist_ok=True)
        with open(ssh / "log", "wb") as log:
            self.sshd = self.start(which("sshd"), "-D", "-e", "-f", ssh / "sshd_config", stderr=log,
                                   stdin=subprocess.DEVNULL)
        wait_until(lambda: can_connect(self.port), "the SFTP server answering", 10)
        self.ssh_config, self.known_hosts = self.client_files(self.port)

    def client_files(self, port):
        """OpenSSH's configuration (host "share") and known hosts for the server behind `port`."""
        known, config = self.root / "ssh" / f"known_hosts.{port}", self.root / "ssh" / f"config.{port}"
        public = " ".join((self.root / "ssh" / "host.pub").read_text().split()[:2])
        known.write_text(f"[127.0.0.1]:{port} {public}\n")
        config.write_text(
            f"Host share\nHostName 127.0.0.1\nPort {port}\nUser {self.user}\nIdentityFile {self.key}\n"
            f"IdentitiesOnly yes\nUserKnownHostsFile {known}\nStrictHostKeyChecking yes\nLogLevel ERROR\n")
        return config, known

    # Keys.

    def _make_keys(self):
        self.fingerprints = {}
        self.homes = [self.root / "keys" / party / "gnupg" for party in ("aii", "avsb")]
        for party, other, role in (("aii", "avsb", "sender"), ("avsb", "aii", "receiver")):
            words = ["-c", self.root / "keys" / f"{party}.toml", "init", "--role", role, "--party", party,
                     "--counterparty", other, "--state", self.root / "keys" / party]
            if role == "sender":
                words += ["--drop", self.root / "unused"]
            self.fingerprints[party] = run(VEER, *words).strip()
        for party, other, role in (("aii", "avsb", "sender"), ("avsb", "aii", "receiver")):
            self.write_config(party, other, role, POLL)
            run(VEER, "-c", self.root / f"{party}.toml", "keys", "import",
                self.root / "keys" / other / f"{other}.public.asc", "--fingerprint", self.fingerprints[other])

    def write_config(self, party, other, role, poll):
        drop = f'drop = "{self.root}/drop"\n[intake]\nsettle = "0s"\n' if role == "sender" else ""
        (self.root / f"{party}.toml").write_text(f"""party = "{party}"
role = "{role}"
environment = "test"
language = "en"
[window]
first_reference_year = {YEAR}
last_reference_year = {YEAR}
closes = {YEAR}-12-31
[paths]
state = "{self.root}/{party}"
{drop}[openpgp]
home = "{self.root}/keys/{party}/gnupg"
own = [{{ key = "{self.fingerprints[party]}" }}]
[counterparty]
party = "{other}"
keys = [{{ key = "{self.fingerprints[other]}" }}]
[share]
kind = "sftp"
outgoing = "{self.root}/share/to_{other}"
incoming = "{self.root}/share/to_{party}"
poll = "{poll}"
[share.sftp]
host = "127.0.0.1"
port = {self.port}
user = "{self.user}"
key = "file:{self.key}"
host_key = ["{self.host_pin}"]
""")

    def make_list(self, size):
        path = self.root / f"list.{size}"
        if not path.exists():
            with open(path, "wb") as file:
                subprocess.run([MAKE_LIST, str(size), "1", "--shuffle"], stdout=file, check=True)
        return path

    def offer(self, source, drop):
        """A copy that only has to be renamed into the drop folder: returns that rename."""
        drop.mkdir(parents=True, exist_ok=True)
        copy = self.root / "offered"
        shutil.copyfile(source, copy)
        os.sync()
        return lambda: os.rename(copy, drop / LIST_NAME)


def can_connect(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


# Ours.

class Pair:
    """Both sides with empty books, as two running services. Use it with `with`."""

    def __init__(self, lab, poll=POLL, level="info"):
        self.lab, self.poll, self.level = lab, poll, level
        self.services = {}

    def __enter__(self):
        root = self.lab.root
        self.forget()
        for name in ("drop", "share/to_aii", "share/to_avsb"):
            (root / name).mkdir(parents=True)
        begin = time.monotonic()
        for party, other, role in (("aii", "avsb", "sender"), ("avsb", "aii", "receiver")):
            self.lab.write_config(party, other, role, self.poll)
            with open(root / f"{party}.log", "wb") as log:
                self.services[party] = self.lab.start(VEER, "-c", root / f"{party}.toml", "run", "--log-level",
                                                      self.level, stderr=log, stdin=subprocess.DEVNULL)
        for party in self.services:
            wait_until(lambda p=party: self.has_polled(p), f"the first look of {party} at the share", 60)
        self.start_up = time.monotonic() - begin
        return self

    def __exit__(self, *_):
        for service in self.services.values():
            self.lab.stop(service)

    def forget(self):
        """Removes the books, the drop folder and the share."""
        for name in ("aii", "avsb", "drop", "share"):
            shutil.rmtree(self.lab.root / name, ignore_errors=True)

    def has_polled(self, party):
        if self.services[party].poll() is not None:
            log = (self.lab.root / f"{party}.log").read_text()
            raise Broken(f"the service of {party} ended: {log.strip()}")
        with contextlib.suppress(sqlite3.Error):
            return self.query(party, "SELECT count(*) FROM chore WHERE name = 'poll' AND last_done_at IS NOT NULL")
        return False

    def query(self, party, sql):
        """The one value that `sql` asks of a side's books."""
        with contextlib.closing(sqlite3.connect(f"file:{self.lab.root / party / 'ledger.db'}?mode=ro", uri=True)) as db:
            return db.execute(sql).fetchone()[0]

    def exchange(self, source):
        """Drops the list; returns (seconds until the note tells of the receipt, rows in the register)."""
        drop = self.lab.root / "drop"
        note = drop / (LIST_NAME + ".result.txt")
        rename = self.lab.offer(source, drop)
        begin = time.monotonic()
        rename()

        def told():
            with contextlib.suppress(FileNotFoundError):
                return "Recorded" in note.read_text()
            if any(service.poll() is not None for service in self.services.values()):
                raise Broken("a service ended during the exchange")
            return False

        try:
            wait_until(told, "the receipt")
        except Broken as error:
            logs = "".join((self.lab.root / f"{p}.log").read_text() for p in self.services)
            raise Broken(f"{error}\n{logs}\n{note.read_text() if note.exists() else ''}") from None
        seconds = time.monotonic() - begin
        return seconds, lambda: self.query("avsb", "SELECT count(*) FROM inburgeringsplicht")

    def sides(self):
        """Party → pid of its service."""
        return {party: service.pid for party, service in self.services.items()}


# Peers.

PEERS = {
    "shell": ("shell", "none", "sftp"),
    "shell-zip": ("shell", "zip", "sftp"),
    "python": ("python", "none", "sftp"),
    "python-zip": ("python", "zip", "sftp"),
    "rclone": ("shell", "none", "rclone"),
}


class Peer:
    """One of PEERS, started and waiting for its list. Use it with `with`."""

    def __init__(self, lab, name):
        self.lab, self.name = lab, name
        self.folder = lab.root / "peer"

    def __enter__(self):
        program, compress, transport = PEERS[self.name]
        shutil.rmtree(self.folder, ignore_errors=True)
        for name in ("run", "remote/in", "remote/ack"):
            (self.folder / name).mkdir(parents=True)
        keys = self.lab.fingerprints
        begin = time.monotonic()
        self.child = self.lab.start(
            HERE / "peers" / program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=os.environ | {
                "RUN": str(self.folder / "run"), "REMOTE": str(self.folder / "remote"), "COMPRESS": compress,
                "TRANSPORT": transport, "DROPPED": str(self.folder / "drop" / LIST_NAME),
                "SSH_CONFIG": str(self.lab.ssh_config), "SSH_KNOWN_HOSTS": str(self.lab.known_hosts),
                "SSH_KEY": str(self.lab.key), "SSH_PORT": str(self.lab.port), "SSH_USER": self.lab.user,
                "SENDER_HOME": str(self.lab.homes[0]), "RECEIVER_HOME": str(self.lab.homes[1]),
                "SENDER_KEY": keys["aii"], "RECEIVER_KEY": keys["avsb"]})
        if self.child.stdout.readline() != "ready\n":
            raise Broken(f"the peer {self.name} did not start")
        self.start_up = time.monotonic() - begin
        return self

    def __exit__(self, *_):
        self.child.stdin.close()
        self.child.stdout.close()
        self.lab.stop(self.child)

    def exchange(self, source):
        """Drops the list; returns (seconds until the peer verified the acknowledgement, rows in its register)."""
        rename = self.lab.offer(source, self.folder / "drop")
        begin = time.monotonic()
        rename()
        self.child.stdin.write("go\n")
        self.child.stdin.flush()
        words = self.child.stdout.readline().split()
        seconds = time.monotonic() - begin
        if self.child.wait() != 0 or words[:1] != ["acknowledged"]:
            raise Broken(f"the peer {self.name} failed")
        return seconds, lambda: int(words[1])

    def sides(self):
        return {"both": self.child.pid}


# Meters.

class CpuMeter:
    """User and system seconds of every process below this one, ended ones included."""

    def __init__(self, lab):
        self.lab = lab

    def read(self):
        self.lab.reap()
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        return ended.ru_utime + ended.ru_stime + cpu_of(descendants(os.getpid()))


def cpu_of(pids):
    """User and system seconds of processes and of their own children that ended."""
    tick = os.sysconf("SC_CLK_TCK")
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            fields = stat_fields(pid)
            total += own_cpu(pid, fields, tick) + (int(fields[13]) + int(fields[14])) / tick
    return total


def own_cpu(pid, fields, tick):
    # In nanoseconds where the kernel tells, in ticks otherwise.
    if fields[0] != "Z":
        with contextlib.suppress(FileNotFoundError):
            own = 0
            for thread in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as file:
                    own += int(file.read().split()[0])
            return own / 1e9
    return (int(fields[11]) + int(fields[12])) / tick


class MemoryMeter:
    """Peak memory of each side: the service, what it started, and the gpg processes on its keys; nameless memory files
    count by their pages, mapped or not. Sampled by a thread: what lives shorter than the pause may be missed."""

    PAUSE = 0.005

    def __init__(self, lab, sides):
        """`sides`: name → pid."""
        self.lab, self.sides = lab, sides
        self.peak = dict.fromkeys(sides, 0)
        self.samples = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()

    def _sample(self):
        while not self._over.wait(self.PAUSE):
            self.samples += 1
            for name, pids in self._processes().items():
                self.peak[name] = max(self.peak[name], memory_of(pids))

    def _processes(self):
        found = {name: [pid] + descendants(pid) for name, pid in self.sides.items()}
        taken = {pid for pids in found.values() for pid in pids}
        for pid in descendants(os.getpid()):
            if pid in taken:
                continue
            with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read()
                for name in found:
                    if f"/keys/{name}/gnupg".encode() in words:
                        found[name].append(pid)
        return found


def memory_of(pids):
    total = 0
    files = {}
    for pid in pids:
        with contextlib.suppress(OSError):
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
                for line in file:
                    if line.startswith(("Pss_Anon:", "Pss_File:")):
                        total += int(line.split()[1]) * 1024
            for fd in os.listdir(f"/proc/{pid}/fd"):
                with contextlib.suppress(OSError):
                    path = f"/proc/{pid}/fd/{fd}"
                    if os.readlink(path).startswith("/memfd:"):
                        status = os.stat(path)
                        files[status.st_ino] = status.st_blocks * 512
    return total + sum(files.values())


def machine():
    """Facts that a figure means nothing without."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((l.split(":")[1].strip() for l in file if l.startswith("model name")), "unknown")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (f"{os.cpu_count()} x {model}, {memory:.0f} GiB, Linux {os.uname().release}, "
            f"{run('gpg', '--version').splitlines()[0]}, load {os.getloadavg()[0]:.1f}")


def main(body):
    """Runs a benchmark's `body`; exit code 1 when something broke."""
    try:
        body()
    except Broken as error:
        sys.exit(f"broken: {error}")
    except KeyboardInterrupt:
        sys.exit("interrupted")


def append_json(path, record):
    if path:
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
