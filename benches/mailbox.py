"""A mailbox as people have them, and whether Evoke finds the same threads in it as notmuch.

    python3 benches/mailbox.py write FOLDER [MAILS]    writes FOLDER/mail, a Maildir, and FOLDER/mail.mbox (100,000 mails)
    python3 benches/mailbox.py compare FOLDER          counts mails and threads with notmuch (Debian: notmuch) and with Evoke

Standard library only; the same number of mails gives the same mailbox.
"""

import os
import random
import re
import subprocess
import sys
import tempfile
from email.utils import format_datetime
from datetime import datetime, timedelta, timezone
from pathlib import Path

FIRST = "Ana Bo Cy Dee Eve Fay Gus Hal Ida Jo Kim Lea Max Nia Ole Pia Quim Ros Sam Tia Ugo Val Wim Xia Yan Zoë".split()
LAST = "López Müller Novák Smith Øberg Rossi Silva Kaya Tanaka Haddad Ivanov Dubois".split()
WORDS = """meeting trip invoice draft kitchen garden train ticket report budget school piano doctor holiday sea bike bread
boat letter winter plan question answer photo birthday dinner contract server release bug patch window garden""".split()


def person(random):
    name = f"{random.choice(FIRST)} {random.choice(LAST)}"
    ascii_name = name.encode("ascii", "ignore").decode().replace(" ", ".").lower()
    return name, f"{ascii_name}{random.randrange(40)}@{random.choice(['example.org', 'mail.example', 'work.example'])}"


def text(random, words):
    return " ".join(random.choice(WORDS) for _ in range(words)).capitalize() + "."


class Mail:
    def __init__(self, random, number, subject, time, sender, to):
        self.id = f"{number}.{random.randrange(1 << 40):x}@{sender[1].split('@')[1]}"
        self.subject, self.time, self.sender, self.to = subject, time, sender, to
        self.references, self.parent, self.body, self.extra = [], None, text(random, random.randrange(5, 120)), []
        self.with_id = True

    def encode(self):
        name = self.sender[0]
        shown = name if name.isascii() else "=?utf-8?q?" + "".join(
            c if c.isalnum() and c.isascii() else "".join(f"={b:02X}" for b in c.encode()) for c in name) + "?="
        lines = [f"Date: {format_datetime(self.time)}", f"From: {shown} <{self.sender[1]}>", f"To: {self.to[1]}", f"Subject: {self.subject}"]
        if self.with_id:
            lines.insert(0, f"Message-ID: <{self.id}>")
        if self.parent:
            lines.append(f"In-Reply-To: {self.parent}")
        if self.references:
            lines.append("References: " + "\n\t".join(f"<{r}>" for r in self.references))
        lines += self.extra + ["MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit"]
        return ("\n".join(lines) + "\n\n" + self.body + "\n").encode()


def mails(count):
    """Threads of sizes as in real mailboxes, with what real programs do to their headers."""
    rnd = random.Random(20)
    people = [person(rnd) for _ in range(max(20, count // 100))]
    number, start = 0, datetime(2004, 1, 1, tzinfo=timezone.utc)
    earlier = []
    while number < count:
        size = min(count - number, 1 if rnd.random() < 0.62 else min(1 + int(rnd.paretovariate(1.1)), 120))
        subject = text(rnd, rnd.randrange(1, 6)).rstrip(".")
        group = rnd.sample(people, min(len(people), rnd.randrange(2, 6)))
        time = start + timedelta(seconds=rnd.randrange(20 * 365 * 86400))
        thread = []
        for at in range(size):
            sender, to = rnd.sample(group, 2)
            time += timedelta(minutes=rnd.randrange(1, 3000))
            zone = timezone(timedelta(hours=rnd.randrange(-8, 10)))
            mail = Mail(rnd, number, subject if at == 0 else f"{rnd.choice(['Re', 'RE', 'AW', 'Re'])}: {subject}", time.astimezone(zone), sender, to)
            number += 1
            if thread:
                parent = rnd.choice(thread[-4:])
                kind = rnd.random()
                chain = parent.references + [parent.id]
                if kind < 0.80:
                    mail.references, mail.parent = chain, f"<{parent.id}>"
                elif kind < 0.88:  # Only In-Reply-To, with words around it.
                    mail.parent = rnd.choice([f"<{parent.id}>", f"Message from {parent.sender[1]} of Monday <{parent.id}>"])
                elif kind < 0.94:  # A chain cut in the middle.
                    mail.references = chain[:1] + chain[-2:]
                elif kind < 0.97:  # A parent that lies in nobody's mailbox.
                    mail.references, mail.parent = chain + [f"gone.{number}@lost.example"], f"<gone.{number}@lost.example>"
                # The rest has no reference at all: the subject alone joins nothing.
                mail.body += "\n\nOn " + parent.time.strftime("%d %b %Y") + f", {parent.sender[0]} wrote:\n> " + parent.body.split("\n")[0]
            elif earlier and rnd.random() < 0.01:  # Joins two old threads.
                mail.references = [m.id for m in rnd.sample(earlier, min(2, len(earlier)))]
            elif rnd.random() < 0.02:
                mail.references = [f"elsewhere.{number}@lost.example"]
            if rnd.random() < 0.01:
                mail.body = "From here on it is text\n\nFrom Monday we are open at 10:00 in 2024\n\n" + mail.body
            thread.append(mail)
            yield mail
        earlier = (earlier + thread)[-2000:]


def write(folder, count):
    box = Path(folder) / "mail" / "cur"
    box.mkdir(parents=True, exist_ok=True)
    with open(Path(folder) / "mail.mbox", "wb") as mbox:
        for number, mail in enumerate(mails(count)):
            data = mail.encode()
            part = box.parent.parent / "mail" / f".part{number // 20000}" / "cur"
            part.mkdir(parents=True, exist_ok=True)
            (part / f"{1_000_000_000 + number}.M{number}.host:2,S").write_bytes(data)
            quoted = re.sub(rb"(?m)^(>*From )", rb">\1", data)
            stamp = mail.time.astimezone(timezone.utc).strftime("%a %b %d %H:%M:%S %Y")
            mbox.write(f"From {mail.sender[1]} {stamp}\n".encode() + quoted + b"\n")
            if number % 50 == 0:  # A copy in another folder.
                (box / f"{1_000_000_000 + number}.C{number}.host:2,S").write_bytes(data)
    print(f"{count} mails in {folder}")


def notmuch(folder):
    with tempfile.TemporaryDirectory() as home:
        config = Path(home) / "config"
        config.write_text(f"[database]\npath={Path(folder).resolve() / 'mail'}\n[new]\ntags=new\n[search]\nexclude_tags=\n")
        env = {**os.environ, "NOTMUCH_CONFIG": str(config), "HOME": home}
        subprocess.run(["notmuch", "new", "--quiet"], env=env, check=True)
        count = lambda what: int(subprocess.run(["notmuch", "count", f"--output={what}", "*"], env=env, check=True, capture_output=True, text=True).stdout)
        return count("messages"), count("threads")


def evoke(path):
    env = {**os.environ, "MAILBOX": str(path.resolve())}
    command = ["cargo", "test", "-q", "-p", "evoke-import", "--test", "all", "counts_of_a_mailbox", "--", "--ignored", "--nocapture"]
    shown = subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout
    found = re.search(r"messages (\d+) threads (\d+) .*", shown)
    print("evoke", path.name, found.group(0))
    return int(found.group(1)), int(found.group(2))


def compare(folder):
    folder = Path(folder)
    theirs, maildir, mbox = notmuch(folder), evoke(folder / "mail"), evoke(folder / "mail.mbox")
    print(f"notmuch       messages {theirs[0]} threads {theirs[1]}")
    sys.exit(0 if theirs == maildir == mbox else "The counts differ.")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["write", folder, *rest]:
            write(folder, int(rest[0]) if rest else 100_000)
        case ["compare", folder]:
            compare(folder)
        case _:
            sys.exit(__doc__)
