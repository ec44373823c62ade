#!/usr/bin/python3
"""machine_test.py PACKAGE MAKE_LIST FOLDER: the service on real systemd, from the package alone.

Two agencies and a server between them, each a bare Debian in FOLDER, go through what docs/operations.md tells and through
what a machine may meet in five years. Needs root."""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import machines
from machines import Failed, until
from sides import (APPROVER, OPERATOR, OUTSIDER, SHARE, Side, acknowledged, add_account, first_commands, last_commands,
                   let_approve_from_elsewhere, set_up_share)

MOST_COMMANDS, MOST_EXPOSURE = 9, 12  # fewer than ten commands; tenths
LARGE, SMALL = 400_000, 1_000
BACKUPS = "/var/backups/veerdienst"
HANDBOOK = pathlib.Path(__file__).resolve().parents[2] / "docs" / "operations.md"


def holds(what, answer):
    if not answer:
        raise Failed(what)


class Test:
    def __init__(self, package, make_list, room):
        self.package, self.make_list, self.room = package, make_list, room
        self.share = room.machines["share"]
        self.aii, self.avsb = Side(room.machines["aii"], "avsb", "sender"), Side(room.machines["avsb"], "aii", "receiver")
        self.sides = (self.aii, self.avsb)
        self.canaries = set()

    def list(self, numbers, seed):
        """A list in a file of ours, of whose numbers some are looked for at the end."""
        path = self.room.folder / f"list-{seed}.csv"
        with open(path, "w", encoding="ascii") as file:
            subprocess.run([self.make_list, str(numbers), str(seed), "--shuffle"], stdout=file, check=True)
        self.canaries.update(path.read_text().split()[1:1000:100])
        return path

    def older(self):
        """The same one under the version before, as an upgrade finds it installed."""
        tree, package = self.room.folder / "older", self.room.folder / "veerdienst_0.9.9_amd64.deb"
        machines.call("dpkg-deb", "-R", self.package, tree)
        control = tree / "DEBIAN/control"
        control.write_text(re.sub(r"(?m)^Version: .*$", "Version: 0.9.9", control.read_text()))
        machines.call("dpkg-deb", "-b", tree, package)
        return package

    # --- one sentence each, in order ---

    def lintian_finds_no_error_in_the_package(self):
        machines.call("lintian", "--fail-on", "error,warning", "--allow-root", "--tag-display-limit", "0", self.package)

    def the_bill_of_materials_names_every_library_that_the_package_needs(self):
        bill = json.loads(self.package.with_suffix(".spdx.json").read_text())
        needs = machines.call("dpkg-deb", "-f", self.package, "Depends").split(", ")
        # systemd is no part of the program; the other is a name that the package of spdlog goes by as well.
        missing = {each.split()[0] for each in needs} - {each["name"] for each in bill["packages"]}
        missing -= {"systemd", "libspdlog1.10-fmt9"}
        holds(f"it does not name {missing}", len(needs) > 15 and not missing)
        holds("headers that are compiled in are named", "nlohmann-json3-dev" in str(bill))
        holds("what only tests are made of is not named", "catch2" not in str(bill))

    def the_handbook_leads_from_bare_machines_to_the_first_receipt_in_fewer_than_ten_commands_a_side(self):
        for machine in self.room.machines.values():
            machine.boot()
        packages = (self.older(), self.package)  # AII is upgraded later
        with ThreadPoolExecutor() as at_once:
            share = at_once.submit(set_up_share, self.share)
            for done in [at_once.submit(first_commands, *each) for each in zip(self.sides, packages)]:
                done.result()
        pin = share.result()
        for side in self.sides:
            add_account(self.share, side)
        for name in (OPERATOR, APPROVER, OUTSIDER):
            self.aii.machine.run("useradd", "-m", name)
        self.aii.step("usermod", "-aG", "veer-operators", OPERATOR)
        last_commands(self.aii, self.avsb, pin)
        last_commands(self.avsb, self.aii, pin)
        self.aii.offer(2022, self.list(LARGE, 1))
        acknowledged(self.aii, self.avsb, 2022, LARGE)
        print(f"     commands: {self.aii.steps} at AII, {self.avsb.steps} at AVSB")
        holds("too many commands", max(side.steps for side in self.sides) <= MOST_COMMANDS)

    def the_service_tells_systemd_what_it_is_about(self):
        for side in self.sides:
            holds("it is of Type=notify", side.property("Type") == "notify")
            holds("it is active", side.property("ActiveState") == "active")
            well = "all is well; last look at the share 2"
            until("its status is readable", lambda s=side: s.property("StatusText").startswith(well))
            print(f"     {side.name}: {side.property('StatusText')}")
            main = side.property("MainPID")
            side.machine.run("systemctl", "reload", side.unit)
            until("it has taken its configuration anew", lambda s=side: "RELOADING" not in s.property("StatusText")
                  and s.journal("-u", s.unit).count(" runs as ") == 2)
            holds("a reload is no restart", side.property("MainPID") == main and side.property("ActiveState") == "active")

    def a_service_that_is_stopped_leaves_nothing_that_must_be_killed(self):
        for side in self.sides:
            side.machine.run("systemctl", "restart", side.unit)
            told = side.journal("-u", side.unit)
            holds("it stopped in the ordinary way", " stops\n" in told and "Deactivated successfully" in told)
            holds(f"something had to be killed: {told}", "SIGKILL" not in told)

    def the_shell_completes_what_is_typed(self):
        for typed, completed in (("-i av", "avsb"), ("stat", "status"), ("-i avsb audit ver", "verify"),
                                 ("keys import --fing", "--fingerprint")):
            words = ["veer", *typed.split()]
            told = self.avsb.machine.run(
                "bash", "-c", "source /usr/share/bash-completion/completions/veer; "
                f"COMP_WORDS=({' '.join(words)}) COMP_CWORD={len(words) - 1}; _veer; echo ${{COMPREPLY[@]}}")
            holds(f"{typed} is completed as {told}", told.strip() == completed)

    def it_is_walled_in(self):
        for unit in (self.aii.unit, "veerdienst-check@aii.service", f"veerdienst-failed@{self.aii.unit}.service"):
            told = self.aii.machine.run("systemd-analyze", "security", "--no-pager", f"--threshold={MOST_EXPOSURE}", unit)
            print(f"     {told.splitlines()[-1].strip()}")
        told = self.aii.machine.run("systemd-analyze", "verify", "--man=no", self.aii.unit)
        holds(f"units are as systemd wants them: {told}", told == "")

    def files_have_the_modes_that_keep_them(self):
        for side in self.sides:
            state = side.state
            wanted = {"/etc/veerdienst": "2750", side.config: "640", "/var/lib/veerdienst": "750", state: "700",
                      f"{state}/gnupg": "700", f"{state}/spool": "700", f"{state}/sftp-key": "600", f"{state}/ledger.db": "600"}
            wanted = {path: f"{mode} veerdienst veerdienst" for path, mode in wanted.items()}
            wanted["/etc/veerdienst-credentials"] = "700 root root"
            if side.role == "sender":
                wanted[side.drop] = "3770 veerdienst veer-operators"
            told = {path: side.machine.run("stat", "-c", "%a %U %G", path).strip() for path in wanted}
            holds(f"{side.name}: modes are {told}", told == wanted)
            open_to_all = side.machine.run("find", "/etc/veerdienst", "/var/lib/veerdienst", "/srv/veerdienst",
                                           "-perm", "-o+w", "!", "-type", "l")
            holds(f"anybody may write {open_to_all}", open_to_all == "")

    def who_is_in_no_group_gets_nothing(self):
        machine = self.aii.machine
        for typed, code in (("veer -i aii status", 12), ("veer -i aii send --yes --empty 2023", 12),
                            (f"cat {self.aii.config}", 1), (f"ls {self.aii.state}", 2), (f"ls {self.aii.drop}", 2),
                            (f"cp /etc/hostname {self.aii.drop}/inburgeringsplicht-2023.csv", 1),
                            (f"systemctl stop {self.aii.unit}", 4), (f"journalctl -q -u {self.aii.unit} --grep .", 1)):
            machine.run("runuser", "-u", OUTSIDER, "--", *typed.split(), code=code)
        holds("the service goes on", self.aii.property("ActiveState") == "active")

    def an_operator_works_under_their_own_name_and_does_what_operators_may(self):
        holds("it runs", "the service runs" in self.aii.person("status"))
        self.aii.person("poll")
        for refused in (["resume"], ["audit", "verify"], ["doctor"]):
            self.aii.person(*refused, code=12)
        holds("the journal names them", f"{OPERATOR} (" in self.aii.journal("-u", self.aii.unit, "--grep", "asks: poll"))
        told = self.aii.machine.run("runuser", "-u", OUTSIDER, "--", "busctl", "introspect", "org.veerdienst.Exchange1.aii",
                                    "/org/veerdienst/Exchange1", "org.veerdienst.Exchange1")
        holds(f"what can be asked is shown: {told}", ".Offer " in told)
        told = self.aii.person("status", code=12, who=OUTSIDER)
        holds(told, "may not do this: it is for members of veer-operators, veer-approvers, veer-auditors" in told)

    def a_service_that_hangs_is_restarted(self):
        own = f"/etc/systemd/system/{self.aii.unit}.d"
        self.aii.override(self.aii.unit, "WatchdogSec=4s", "RestartSec=1s")
        self.aii.machine.run("systemctl", "restart", self.aii.unit)
        main = self.aii.property("MainPID")
        self.aii.machine.shell(f"kill -STOP {main}")
        until("the watchdog restarts it",
              lambda: self.aii.property("NRestarts") != "0" and self.aii.property("ActiveState") == "active")
        holds("it is another process", self.aii.property("MainPID") != main)
        holds("the journal says why", "watchdog" in self.aii.journal("-u", self.aii.unit).lower())
        until("people are told", lambda: "CRASHED" in self.aii.journal("-u", self.aii.unit))
        self.aii.machine.run("rm", "-r", own)
        self.aii.machine.run("systemctl", "daemon-reload")
        self.aii.machine.run("systemctl", "restart", self.aii.unit)

    def a_machine_that_loses_power_in_mid_exchange_goes_on_and_delivers_once(self):
        plug = self.room.network.plug
        plug("aii", "down")
        self.aii.offer(2023, self.list(LARGE, 2))
        until("the list is sealed", lambda: self.aii.stage(2023) == "sealed")
        plug("avsb", "down")
        self.aii.machine.cut_power()
        plug("aii", "up")
        self.aii.machine.boot()
        until("the list is sent", lambda: self.aii.stage(2023) == "sent")
        plug("avsb", "up")
        until("it is found", lambda: self.avsb.data("status")["arrivals"] or self.avsb.stage(2023))
        self.avsb.machine.cut_power()
        print(f"     AVSB lost power while the exchange was {self.aii.stage(2023)} at AII")
        self.avsb.machine.boot()
        acknowledged(self.aii, self.avsb, 2023, LARGE)

    def a_package_that_is_upgraded_in_mid_exchange_loses_nothing(self):
        before = [side.property("MainPID") for side in self.sides]
        self.room.network.plug("avsb", "down")
        self.aii.offer(2024, self.list(LARGE, 3))
        until("the list is sent", lambda: self.aii.stage(2024) == "sent")
        def version():
            return self.aii.machine.run("dpkg-query", "--show", "--showformat", "${Version}", "veerdienst")
        holds("AII has the older one", version() == "0.9.9")
        shutil.copy(self.package, self.aii.machine.tree / "root")
        for side in self.sides:
            side.machine.run("apt-get", "install", "-y", "-qq", "--reinstall", f"/root/{self.package.name}")
        holds("AII has the newer one", version() != "0.9.9")
        for side, old in zip(self.sides, before):
            holds("it runs", side.property("ActiveState") == "active")
            holds("it is the new program", side.property("MainPID") != old)
        self.room.network.plug("avsb", "up")
        acknowledged(self.aii, self.avsb, 2024, LARGE)

    def a_backup_is_taken_beside_the_running_service(self):
        self.avsb.machine.run("install", "-d", "-o", "veerdienst", "-g", "veerdienst", "-m", "700", BACKUPS)
        self.avsb.veer("backup", f"{BACKUPS}/avsb")
        told = self.avsb.machine.run("sh", "-c", f"cd {BACKUPS}/avsb && sha256sum -c --quiet SHA256SUMS && find . -perm /077")
        holds(f"it is for its owner alone: {told}", told == "")

    def a_full_disk_is_told_of_and_holds_up_the_exchange_no_longer_than_it_is_full(self):
        machine, state = self.avsb.machine, self.avsb.state
        machine.run("systemctl", "stop", self.avsb.unit)
        machine.shell(f"cp -a {state} /root/kept && mount -t tmpfs -o mode=700,size=200m tmpfs {state} && "
                      f"cp -a /root/kept/. {state}")
        machine.run("systemctl", "start", self.avsb.unit)
        machine.shell(f"cat /dev/zero > {state}/filler 2>/dev/null; true")
        since = machine.run("date", "+%F %T").strip()
        self.aii.offer(2025, self.list(LARGE, 4))
        until("AVSB says that there is no room",
              lambda: "L_FULL" in self.avsb.journal("-u", self.avsb.unit, "--since", since))
        until("systemctl says so too", lambda: self.avsb.property("StatusText").startswith("L_FULL"))
        holds("the doctor says so", "free space: 0 MB: make room" in self.avsb.veer("doctor", code=1))
        holds("it is not recorded", 2025 not in self.avsb.recorded())
        machine.run("rm", f"{state}/filler")
        acknowledged(self.aii, self.avsb, 2025, LARGE)
        machine.run("systemctl", "stop", self.avsb.unit)
        machine.shell(f"cp -a {state}/. /root/kept && umount {state} && cp -a /root/kept/. {state} && rm -r /root/kept")
        machine.run("systemctl", "start", self.avsb.unit)

    def a_side_that_is_lost_comes_back_from_the_backup_and_a_resend_brings_what_came_after(self):
        machine, year = self.avsb.machine, 2025
        machine.run("systemctl", "stop", self.avsb.unit)
        machine.run("rm", "-r", self.avsb.state, self.avsb.config)
        self.avsb.veer("restore", "--none-erased", f"{BACKUPS}/avsb")
        self.avsb.veer("doctor")
        holds("the list is lost", year not in self.avsb.recorded() and 2024 in self.avsb.recorded())
        machine.run("systemctl", "start", self.avsb.unit)
        machine.run("useradd", "-m", "-G", "veer-approvers", APPROVER)
        self.avsb.person("resume", who=APPROVER)
        self.aii.veer("resend", self.aii.exchange(year)["exchange"])
        acknowledged(self.aii, self.avsb, year, LARGE)
        told = [alert for alert in self.avsb.data("status")["alerts"] if alert["code"] == "RESTORED"]
        holds("it says that it was restored", len(told) == 1)
        check = "veerdienst-check@avsb.service"
        machine.run("systemctl", "start", check, code=1)
        journal = self.avsb.journal("-u", check)
        holds(f"an open alert does not keep the check from looking further: {journal}",
              "ok    share: publish once" in journal and "RESTORED" in journal)
        self.avsb.veer("close-alert", told[0]["number"])

    def a_change_of_keys_on_both_sides_stops_neither(self):
        today = self.aii.machine.run("date", "-u", "+%F").strip()
        changed = []
        for side, other in ((self.aii, self.avsb), (self.avsb, self.aii)):
            told = side.veer("--json", "keys", "rotate", "--from", today)
            made = json.JSONDecoder().raw_decode(told)[0]  # what to do next stands below
            holds("the configuration names it", made["configuration_written"])
            (other.machine.tree / "var/tmp/new.asc").write_bytes((side.machine.tree / made["public_key"][1:]).read_bytes())
            other.veer("keys", "import", "/var/tmp/new.asc", "--fingerprint", made["fingerprint"], "--from", today)
            changed.append(made["old"])
        for side in self.sides:
            side.machine.run("systemctl", "reload", side.unit)
        for side in self.sides:
            side.machine.run("systemctl", "stop", side.unit)
            for old in changed:
                side.veer("keys", "retire", old, "--now")
            side.machine.run("systemctl", "start", side.unit)
            side.veer("doctor")

    def the_doctor_names_a_folder_that_the_unit_does_not_let_the_service_write_in(self):
        machine, elsewhere = self.aii.machine, "/srv/elsewhere"
        machine.run("systemctl", "stop", self.aii.unit)  # it would tell of the change
        machine.run("install", "-d", "-o", "veerdienst", "-g", "veer-operators", "-m", "3770", elsewhere)
        machine.run("sed", "-i", f's|^drop .*|drop  = "{elsewhere}"|', self.aii.config)
        told = self.aii.veer("doctor", code=1)
        holds(told, f"fail  drop folder: {elsewhere}: its unit does not let the service write there" in told)
        self.aii.override(self.aii.unit, f"ReadWritePaths={elsewhere}")
        told = self.aii.veer("doctor")
        holds(told, "ok    unit veerdienst@aii: lets the service write in its folders" in told)
        machine.run("sed", "-i", f's|^drop .*|drop  = "{self.aii.drop}"|', self.aii.config)
        machine.run("rm", "-r", elsewhere, f"/etc/systemd/system/{self.aii.unit}.d")
        machine.run("systemctl", "daemon-reload")
        machine.run("systemctl", "start", self.aii.unit)

    def a_secret_may_be_a_credential_of_the_units(self):
        machine, kept = self.avsb.machine, "/etc/veerdienst-credentials"
        machine.run("install", "-m", "600", f"{self.avsb.state}/sftp-key", f"{kept}/avsb-sftp-key")
        machine.run("rm", f"{self.avsb.state}/sftp-key")
        self.avsb.override(self.avsb.unit, f"LoadCredential=sftp-key:{kept}/avsb-sftp-key")
        self.avsb.edit(key='"credential:sftp-key"')
        machine.run("systemctl", "restart", self.avsb.unit)
        since = machine.run("date", "-u", "+%FT%T").strip()
        until("the share was looked at", lambda: self.avsb.data("status")["last_poll"] > since)
        told = self.avsb.veer("doctor")
        holds("the doctor has the service try the share", "ok    share: publish once" in told)
        holds("the doctor finds the bus and the groups", "ok    bus: " in told and "ok    groups: " in told)

    def our_keys_take_a_passphrase_that_systemd_keeps_encrypted(self):
        avsb, machine, kept = self.avsb, self.avsb.machine, "/etc/veerdienst-credentials"
        machine.shell(f"printf %s 'a passphrase of many words' | systemd-creds encrypt --name=openpgp - {kept}/avsb-openpgp")
        holds("it is encrypted", "many words" not in machine.shell(f"base64 -d {kept}/avsb-openpgp | tr -cd [:print:]"))
        avsb.override(avsb.unit, f"LoadCredential=sftp-key:{kept}/avsb-sftp-key", f"LoadCredentialEncrypted=openpgp:{kept}/avsb-openpgp")
        machine.run("sed", "-i", 's/^\\[openpgp\\]$/&\\npassphrase = "credential:openpgp"/', avsb.config)
        machine.run("systemctl", "stop", avsb.unit)
        machine.shell("install -m 600 -o veerdienst /dev/null /run/typed && printf %s 'a passphrase of many words' > /run/typed")
        avsb.veer("keys", "passphrase", "--new-passphrase-file", "/run/typed")
        machine.run("rm", "/run/typed")
        machine.run("systemctl", "start", avsb.unit)
        self.aii.veer("rehearse", "--wait")

    def a_list_is_held_until_another_person_than_offered_it_releases_it(self):
        aii, machine = self.aii, self.aii.machine
        for name in (OPERATOR, APPROVER):
            machine.run("usermod", "-aG", "veer-approvers", name)
        machine.run("sed", "-i", 's/^settle /release = "always"\\nsettle /', aii.config)
        machine.run("systemctl", "restart", aii.unit)
        aii.send(2026, self.list(SMALL, 5), code=20)
        held = aii.exchange(2026)
        holds(f"it is {held['stage']}", held["stage"] == "held")
        shown = aii.person("approve", held["exchange"], code=20, who=APPROVER)
        holds(shown, f"numbers     {SMALL}" in shown and f"offered by  {OPERATOR} (" in shown and held["package_sha256"] in shown)
        told = aii.person("approve", held["exchange"], "--yes", code=12)
        holds(told, "another person decides it" in told)
        aii.person("approve", held["exchange"], "--digest", held["package_sha256"], code=12, who=OUTSIDER)
        holds("it is held still", aii.stage(2026) == "held")
        aii.person("suspend")
        aii.person("approve", held["exchange"], "--yes", code=1, who=APPROVER)
        aii.person("resume", code=12)
        aii.person("resume", who=APPROVER)
        aii.person("poll")  # behind all that was due on resuming
        self.room.network.plug("aii", "down")  # so that the next sentence finds it on its way
        elsewhere = let_approve_from_elsewhere(aii, APPROVER, HANDBOOK)
        holds("status from elsewhere", "the service runs" in machine.attempt(*elsewhere, "status").stdout)
        for refused in ("send --empty 2026", "audit verify", "sh -c id", ""):
            machine.run(*elsewhere, *([refused] if refused else []), code=2)
        machine.run(*elsewhere, f"approve {held['exchange']} --digest {held['package_sha256']}")
        holds("it is on its way", aii.stage(2026) == "sealed")

    def a_network_that_is_gone_is_told_of_daily_and_the_exchange_goes_on_when_it_is_back(self):
        until("the list waits for the network",
              lambda: any(x["waits"].get("problem") for x in self.aii.data("status")["exchanges"]))
        self.aii.machine.run("systemctl", "start", "veerdienst-check@aii.service", code=1)
        told = until("the check is told of", self.aii.told_of_failures)
        holds(told, "veerdienst-check@aii.service failed, and a person is needed" in told)
        self.room.network.plug("aii", "up")
        acknowledged(self.aii, self.avsb, 2026, SMALL)

    def a_case_goes_to_the_other_side_and_a_care_fund_gets_its_members(self):
        aii, avsb, machine = self.aii, self.avsb, self.avsb.machine
        machine.run("useradd", "-m", "-G", "veer-operators", OPERATOR)
        number = next(line for line in self.list(SMALL, 5).read_text().split() if line.isdigit())
        typed = self.room.folder / "typed"
        typed.write_text(number + "\n")
        with typed.open() as persons:
            avsb.person("case", "open", "2026", "--category", "superfluous", stdin=persons)
        until("AII has the case", lambda: any(case["case"] == "2026-1" for case in aii.data("case", "list")))
        aii.person("case", "answer", "2026-1", "--outcome", "unfounded", "--text", "the list was right")
        until("AVSB has the answer", lambda: avsb.data("case", "list")[0]["stage"] == "answered")

        as_fund = ("runuser", "-u", OPERATOR, "--")  # a fund's own machine, as it were
        gpg = (*as_fund, "gpg", "--batch", "-q", "--pinentry-mode", "loopback", "--passphrase", "")
        machine.run(*gpg, "--quick-generate-key", "fund1@example.org", "default", "default", "never")
        key = machine.run(*as_fund, "sh", "-c", "gpg --list-keys --with-colons 2>/dev/null | grep -m1 ^fpr | cut -d: -f10").strip()
        machine.run(*as_fund, "gpg", "--armor", "--output", "/var/tmp/fund1.asc", "--export", key)
        machine.run(*avsb.as_service("veer", "keys", "import", "/var/tmp/fund1.asc", "--home", f"{avsb.state}/gnupg",
                                     "--fingerprint", key))
        folder = "/srv/veerdienst/avsb/fund1"
        machine.run("install", "-d", "-o", "veerdienst", "-g", "veerdienst", "/srv/veerdienst/avsb", folder)
        with (machine.tree / avsb.config[1:]).open("a") as file:
            file.write(f'\n[distribution]\nmembers_at_least = 1\n'
                       f'care_funds = [{{ name = "fund1", key = "{key}", folder = "{folder}" }}]\n')
        machine.run("systemctl", "restart", avsb.unit)
        today = machine.run("date", "-u", "+%F").strip()
        members = f"/home/{OPERATOR}/ledenbestand-{today}.csv"
        typed.write_text(f"zorgkas;insz\nfund1;{number}\neinde;1\n")
        with typed.open() as content:
            machine.run(*as_fund, "sh", "-c", f"umask 077; cat > {members}", stdin=content)
        asked = avsb.person("distribute", "2026", "--members", members, code=20).split()[0]
        avsb.person("approve", asked, "--yes", code=12)
        avsb.person("approve", asked, "--yes", who=APPROVER)
        until("the fund finds its file", lambda: machine.run("ls", folder).strip())
        machine.run("rm", members)  # numbers are looked for everywhere at the end
        sealed = machine.run("sh", "-c", f"cat {folder}/*.pgp > /var/tmp/fund1.pgp; chmod 644 /var/tmp/fund1.pgp; ls {folder}")
        holds(f"one sealed file: {sealed}", sealed.count("vsb-zorgkas-fund1-2026-r1_") == 1)
        told = machine.run(*as_fund, "sh", "-c", "gpg --batch -q --pinentry-mode loopback --passphrase '' -d "
                           "/var/tmp/fund1.pgp 2>/dev/null | tar -xO list.csv")
        holds("it holds its member and nobody else", told.split() == ["insz", number])

    def the_daily_check_is_content_when_all_is_well(self):
        for side in self.sides:
            holds("its timer waits", side.property("ActiveState", f"veerdienst-check@{side.name}.timer") == "active")
            side.veer("status")
            side.machine.run("systemctl", "start", f"veerdienst-check@{side.name}.service")

    def a_service_that_fails_for_good_is_told_of(self):
        machine, config = self.avsb.machine, self.avsb.config
        machine.run("sed", "-i", 's/^role .*/role = "somebody"/', config)
        machine.run("systemctl", "restart", self.avsb.unit, code=1)
        until("the failure is told of",
              lambda: f"{self.avsb.unit} failed, and a person is needed" in self.avsb.told_of_failures())
        holds("the check goes on", self.avsb.property("ActiveState", "veerdienst-check@avsb.timer") == "active")
        machine.run("sed", "-i", 's/^role .*/role = "receiver"/', config)
        machine.run("systemctl", "reset-failed", self.avsb.unit)
        hook = machine.tree / "usr/local/bin/tell-somebody"
        hook.write_text("#!/bin/sh\nexec systemd-cat -t told\n")
        hook.chmod(0o755)
        with (machine.tree / config[1:]).open("a") as file:
            file.write(f'\n[alerts]\nhook = "/{hook.relative_to(machine.tree)}"\n')
        machine.run("systemctl", "start", f"veerdienst-failed@{self.avsb.unit}.service")
        machine.run("journalctl", "--sync")
        told = machine.run("journalctl", "-q", "-x", "--no-pager", "-u", self.avsb.unit, "VEERDIENST_TOPIC=recorded")
        holds(f"the journal explains an alert: {told}", "Subject: The list is recorded" in told)
        told = machine.run("journalctl", "-q", "--no-pager", "-o", "cat", "-t", "told")
        holds(f"the channels of [alerts] tell it too: {told}", '"topic":"failed"' in told and self.avsb.unit in told)
        machine.run("systemctl", "start", self.avsb.unit)

    def no_number_stands_in_a_journal_or_anywhere_but_in_the_register(self):
        patterns = self.room.folder / "canaries"
        patterns.write_text("".join(f"{n}\n{n[:2]}.{n[2:4]}.{n[4:6]}-{n[6:9]}.{n[9:]}\n" for n in sorted(self.canaries)))
        holds("canaries are looked for", len(self.canaries) >= 40)
        for side in self.sides:
            journal = side.machine.run("journalctl", "--no-pager", "-o", "export")
            holds("the journal is there", side.unit in journal)
            holds("no number in the journal", not any(n in journal for n in patterns.read_text().split()))
        def search(*places):
            return subprocess.run(["grep", "-rlaF", "-f", patterns, *places], capture_output=True, text=True)
        holds("they would be found", search(self.room.folder / "list-1.csv").returncode == 0)
        found = search(*(machine.changes for machine in self.room.machines.values()))
        holds(f"numbers in {found.stdout}", found.returncode == 1)

    def a_package_that_is_removed_and_comes_back_has_its_service_at_work_again(self):
        machine, note = self.avsb.machine, "/var/lib/veerdienst-stopped"
        machine.run("apt-get", "remove", "-y", "-qq", "veerdienst")
        holds("nothing of it runs", machine.run("find", "/proc", "-maxdepth", "1", "-user", "veerdienst") == "")
        holds("it is noted what ran", self.avsb.unit in machine.run("cat", note).split())
        machine.run("apt-get", "install", "-y", "-qq", f"/root/{self.package.name}")
        for unit in (self.avsb.unit, "veerdienst-check@avsb.timer"):
            holds(f"{unit} is active", self.avsb.property("ActiveState", unit) == "active")
        machine.run("test", "-e", note, code=1)

    def what_people_own_outlives_the_package(self):
        machine = self.avsb.machine
        machine.run("apt-get", "purge", "-y", "-qq", "veerdienst")
        holds("nothing of it runs", machine.run("find", "/proc", "-maxdepth", "1", "-user", "veerdienst") == "")
        holds("nothing of it is started", machine.run("find", "/etc/systemd/system", "-path", "*.wants/veerdienst*") == "")
        for path in (self.avsb.config, f"{self.avsb.state}/ledger.db", f"{self.avsb.state}/gnupg",
                     "/etc/veerdienst-credentials/avsb-sftp-key"):
            machine.run("test", "-e", path)
        machine.run("test", "-e", "/var/lib/veerdienst-stopped", code=1)
        machine.run("apt-get", "install", "-y", "-qq", f"/root/{self.package.name}")
        machine.run("systemctl", "enable", "-q", "--now", self.avsb.unit)
        holds("the register is as it was", self.avsb.recorded()[2024] == (LARGE, 1))


def main(package, make_list, folder):
    machines.require_rights()
    began = time.monotonic()
    steps = [(name.replace("_", " "), step) for name, step in vars(Test).items() if "_" in name.strip("_")]
    base = machines.bare_tree(folder, ["openssh-server"], [package])
    print(f"a bare Debian is at hand ({time.monotonic() - began:.0f} s)", flush=True)
    room, failed = machines.Room(base, ["share", "aii", "avsb"]), []
    try:
        room.network.answer_names({SHARE: "share"})
        test = Test(package, make_list, room)
        for sentence, step in steps:
            start = time.monotonic()
            print(f"  {sentence}", flush=True)
            try:
                step(test)
            except Exception as error:
                failed.append(sentence)
                print(f"     FAILED: {str(error)[:1000]}")
                for side in test.sides:
                    if side.machine.process:
                        print(side.machine.attempt("journalctl", "--no-pager", "-n", "15", "-u", side.unit).stdout)
                if "handbook" in sentence:
                    break  # the rest builds on it
            else:
                print(f"     holds ({time.monotonic() - start:.0f} s)", flush=True)
    finally:
        room.remove()
    print(f"{len(steps)} sentences, {len(failed)} failed ({time.monotonic() - began:.0f} s)", *failed, sep="\n  ")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*(pathlib.Path(word).resolve() for word in sys.argv[1:])))
