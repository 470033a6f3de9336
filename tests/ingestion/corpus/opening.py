"""What lies where a file is wanted, and names that a file may have."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from tests.ingestion.corpus.cases import ROWS, lines, refused, sound

NAMES = (
    "new\nline.csv", "carriage\rreturn.csv", "tab\t.csv", "emoji 🫖.csv", "quote's \"both\".csv", "-rf.csv",
    "--feed=x.csv", "*.csv", "?[a-z].csv", "100%.csv", "%s%n.csv", "'; drop table raw.loads; --.csv",
    "{{ ref('x') }}.csv", "{0}.csv", "$(reboot).csv", "`id`.csv", "a;b&c|d.csv", "back\\slash.csv",
    "no suffix",
    "UPPER.CSV", " leading and trailing ", "Umsätze März.csv", "Umsa\u0308tze.csv", "продажи.csv", "売上.csv",
    "مبيعات.csv", "x" * 251 + ".csv", "é" * 125 + ".csv", "a.csv.txt.csv", "con.csv", "[red]bold[].csv",
    "\x1b[31mred.csv", "\u202egnp.csv", "http:__x.csv", "=cmd.csv", "1;2;3.csv", "null",
)  # fmt: skip


def link(folder: Path) -> Path:
    (folder / "elsewhere").write_bytes(lines(*ROWS))
    (folder / "link.csv").symlink_to(folder / "elsewhere")
    return folder / "link.csv"


def dangling(folder: Path) -> Path:
    (folder / "link.csv").symlink_to(folder / "nothing")
    return folder / "link.csv"


def loop(folder: Path) -> Path:
    (folder / "link.csv").symlink_to(folder / "link.csv")
    return folder / "link.csv"


def link_to_device(folder: Path) -> Path:
    (folder / "link.csv").symlink_to("/dev/zero")
    return folder / "link.csv"


def pipe(folder: Path) -> Path:
    os.mkfifo(folder / "pipe.csv")
    return folder / "pipe.csv"


def listening(folder: Path) -> Path:
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(folder / "s.csv"))
    return folder / "s.csv"


def device(folder: Path) -> Path:
    del folder
    return Path("/dev/zero")


def missing(folder: Path) -> Path:
    return folder / "missing.csv"


def empty_folder(folder: Path) -> Path:
    (folder / "folder").mkdir()
    return folder / "folder"


def hidden_only(folder: Path) -> Path:
    (folder / "folder").mkdir()
    for name in (".hidden.csv", "~$open.xlsx", "half.csv.part", "half.crdownload", "x.tmp"):
        (folder / "folder" / name).write_bytes(lines(*ROWS))
    return folder / "folder"


def bytes_name(folder: Path) -> Path:
    path = os.fsencode(folder) + b"/latin-\xe4.csv"
    with open(path, "wb") as file:  # noqa: PTH123 - a name that is no text
        file.write(lines(*ROWS))
    return Path(os.fsdecode(path))


CASES = [
    sound("a file name that is no text", bytes_name),
    sound("a link given by hand", link),
    refused("a link in the inbox", link, "NOT_A_FILE", in_inbox=True),
    refused("a link to nothing", dangling, "FILE_MISSING"),
    refused("a link to itself", loop, "FILE_UNREADABLE"),
    refused("a link to a device", link_to_device, "NOT_A_FILE"),
    refused("a pipe nobody writes to", pipe, "NOT_A_FILE"),
    refused("a socket", listening, "FILE_UNREADABLE"),
    refused("a device", device, "NOT_A_FILE"),
    refused("nothing there", missing, "FILE_MISSING"),
    refused("a folder without files", empty_folder, "NO_FILES"),
    refused("a folder of hidden and half copied files", hidden_only, "NO_FILES"),
]
