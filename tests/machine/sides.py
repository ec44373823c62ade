"""The share host and the two agencies, set up as docs/operations.md tells, with a transcript of each command."""
import json
import re
import shlex
import shutil
import subprocess

from machines import Failed, until

SHARE = "sftp.example.org"
# What an operator and an approver at AII are called on that machine; and somebody there in no group of ours.
OPERATOR, APPROVER, OUTSIDER = "clerk", "head", "visitor"


class Side:
    """An agency's machine: one instance of the service."""

    def __init__(self, machine, other, role):
        self.machine, self.name, self.other, self.role = machine, machine.name, other, role
        self.unit = f"veerdienst@{self.name}.service"
        self.config = f"/etc/veerdienst/{self.name}.toml"
        self.state = f"/var/lib/veerdienst/{self.name}"
        self.drop = f"/srv/veerdienst/{self.name}/drop"
        self.steps = 0

    def step(self, *words):
        """A command that the handbook tells the sysadmin of a bare machine to give."""
        self.steps += 1
        print(f"     {self.name}# {shlex.join(map(str, words))}", flush=True)
        return self.machine.run(*words)

    def edit(self, **lines):
        """What a sysadmin does in an editor: the value of keys in the configuration."""
        self.steps += 1
        print(f"     {self.name}# editor {self.config}: {', '.join(lines)}", flush=True)
        path = self.machine.tree / self.config[1:]
        text = path.read_text()
        for key, value in lines.items():
            text, count = re.subn(rf"(?m)^{key}( *)= .*$", lambda found: f"{key}{found[1]}= {value}", text)
            if count != 1:
                raise Failed(f"{self.config} has {count} lines for {key}")
        path.write_text(text)  # of the same owner as before

    def as_service(self, *words):
        return ["runuser", "-u", "veerdienst", "--", *words]

    def veer(self, *words, code=0):
        return self.machine.run(*self.as_service("veer", "-i", self.name, *words), code=code)

    def data(self, *words):
        done = self.machine.attempt(*self.as_service("veer", "-i", self.name, "--json", *words))
        try:
            return json.loads(done.stdout)
        except ValueError:
            raise Failed(f"{self.name}: veer {' '.join(words)} printed no JSON: {done.stdout[-1000:]}") from None

    def property(self, name, unit=None):
        return self.machine.run("systemctl", "show", "--property", name, "--value", unit or self.unit).strip()

    def journal(self, *words):
        self.machine.run("journalctl", "--sync")
        return self.machine.run("journalctl", "-q", "--no-pager", "-o", "cat", *words)

    def told_of_failures(self):
        return self.journal("-t", "veerdienst-failed", "-p", "crit")

    def override(self, unit, *lines):
        """What 'systemctl edit' writes."""
        own = f"/etc/systemd/system/{unit}.d"
        self.machine.run("mkdir", "-p", own)
        (self.machine.tree / own[1:] / "override.conf").write_text("\n".join(["[Service]", *lines, ""]))
        self.machine.run("systemctl", "daemon-reload")

    def exchange(self, year):
        found = [each for each in self.data("list") if each["reference_year"] == year and each["purpose"] == "list"]
        if len(found) > 1:
            raise Failed(f"{self.name} has {len(found)} exchanges for {year}")
        return found[0] if found else None

    def stage(self, year):
        found = self.exchange(year)
        return found["stage"] if found else None

    def recorded(self):
        """What stands in the register: numbers by reference year."""
        return {each["reference_year"]: (each["numbers"], each["revision"]) for each in self.data("status")["register"]}

    def offer(self, year, file):
        """An operator saves a list in the drop folder."""
        name = f"inburgeringsplicht-{year}.csv"
        with open(file, "rb") as content:
            self.machine.run("runuser", "-u", OPERATOR, "--", "sh", "-c", "umask 027; "
                             f"cat > {self.drop}/.{name} && mv {self.drop}/.{name} {self.drop}/{name}", stdin=content)

    def person(self, *words, code=0, who=OPERATOR, stdin=subprocess.DEVNULL):
        """What somebody on that machine types under their own name."""
        return self.machine.run("runuser", "-u", who, "--", "veer", "-i", self.name, *words, code=code, stdin=stdin)

    def send(self, year, file, code=0):
        """An operator offers a list that nobody else may read, from a home that the service does not see."""
        own = f"/home/{OPERATOR}/inburgeringsplicht-{year}.csv"
        with open(file, "rb") as content:
            self.machine.run("runuser", "-u", OPERATOR, "--", "sh", "-c", f"umask 077; cat > {own}", stdin=content)
        told = self.person("send", own, code=code)
        self.machine.run("rm", own)  # numbers are looked for everywhere at the end
        return told


def set_up_share(machine):
    """A server with an account for each side, as its owner would make it. Gives its pin."""
    machine.run("apt-get", "install", "-y", "-qq", "--no-install-recommends", "openssh-server")
    machine.run("groupadd", "exchange")
    machine.run("install", "-d", "-m", "2770", "-g", "exchange", "/srv/share/to_avsb", "/srv/share/to_aii")
    (machine.tree / "etc/ssh/sshd_config.d/share.conf").write_text(
        "PasswordAuthentication no\nMatch Group exchange\n  ForceCommand internal-sftp -d /srv/share -u 0007\n")
    machine.run("systemctl", "restart", "ssh")
    return machine.run("ssh-keygen", "-lf", "/etc/ssh/ssh_host_ed25519_key.pub").split()[1]


def add_account(share, side):
    key = (side.machine.tree / side.state[1:] / "sftp-key.pub").read_text()
    share.run("useradd", "-m", "-G", "exchange", side.name)
    share.run("install", "-d", "-m", "700", "-o", side.name, f"/home/{side.name}/.ssh")
    (share.tree / f"home/{side.name}/.ssh/authorized_keys").write_text(key)


def first_commands(side, package):
    shutil.copy(package, side.machine.tree / "root")
    side.step("apt-get", "install", "-y", "-qq", f"/root/{package.name}")
    drop = ["--drop", side.drop] if side.role == "sender" else []
    side.step(*side.as_service("veer", "-i", side.name, "init", "--role", side.role, "--party", side.name,
                               "--counterparty", side.other, "--state", side.state, *drop))
    side.step(*side.as_service("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{side.state}/sftp-key"))


def last_commands(side, other, pin):
    """The other side's key has come by any way, and its fingerprint by telephone."""
    fingerprint = re.search(r'^own .*"([0-9A-F]{40})"', (other.machine.tree / other.config[1:]).read_text(), re.M)[1]
    (side.machine.tree / "var/tmp" / f"{other.name}.public.asc").write_bytes(
        (other.machine.tree / other.state[1:] / f"{other.name}.public.asc").read_bytes())
    side.step(*side.as_service("veer", "-i", side.name, "keys", "import", f"/var/tmp/{other.name}.public.asc",
                               "--fingerprint", fingerprint))
    side.edit(host=f'"{SHARE}"', host_key=f'["{pin}"]', poll='"1s"')
    for line in side.step(*side.as_service("veer", "-i", side.name, "doctor")).splitlines():
        print(f"       {line}")
    side.step("systemctl", "enable", "-q", "--now", side.unit)


def let_approve_from_elsewhere(side, approver, handbook):
    """By an ssh key that lets its owner approve and no more, as the handbook has it. Gives what to type before a command."""
    text = handbook.read_text().split("**From elsewhere.**")[1]
    key, script = ("\n".join(line[4:] for line in block) for block in blocks_of(text)[:2])
    machine, home = side.machine, f"/home/{approver}"
    machine.run("apt-get", "install", "-y", "-qq", "--no-install-recommends", "openssh-server")
    program = machine.tree / "usr/local/bin/veer-approver"
    program.write_text(script + "\n")
    program.chmod(0o755)
    as_approver = ("runuser", "-u", approver, "--")
    machine.run(*as_approver, "install", "-d", "-m", "700", f"{home}/.ssh")
    machine.run(*as_approver, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{home}/.ssh/id_ed25519")
    public = (machine.tree / f"{home[1:]}/.ssh/id_ed25519.pub").read_text().split()[1]
    (machine.tree / f"{home[1:]}/.ssh/authorized_keys").write_text(key.replace("AAAA…", public) + "\n")
    machine.run("systemctl", "restart", "ssh")
    return (*as_approver, "ssh", "-o", "StrictHostKeyChecking=accept-new", "-o", "BatchMode=yes", "localhost")


def blocks_of(text):
    """The indented blocks of a text, each a list of its lines."""
    blocks = [[]]
    for line in text.splitlines():
        if line.startswith("    "):
            blocks[-1].append(line)
        elif blocks[-1]:
            blocks.append([])
    return blocks


def acknowledged(sender, receiver, year, numbers, seconds=120):
    """The exchange of that year ends, once and whole, on both sides."""
    until(f"the list of {year} is acknowledged", lambda: sender.stage(year) == "acknowledged", seconds)
    until(f"the list of {year} is answered", lambda: receiver.stage(year) == "answered", seconds)
    if receiver.recorded()[year] != (numbers, 1):
        raise Failed(f"the register holds {receiver.recorded()[year]} for {year}, not {(numbers, 1)}")
