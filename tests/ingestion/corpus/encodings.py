"""Bytes and characters: encodings, marks, line ends, delimiters, quotes, control bytes."""

from __future__ import annotations

import codecs

from tests.ingestion.corpus.cases import (
    HEADER,
    ROWS,
    SUM,
    Case,
    bad_row,
    good_row,
    held,
    lines,
    refused,
    sound,
)

PLAIN = lines(*ROWS)
_GERMAN = (
    "Datum;Artikel;Menge;Einzelpreis;Betrag",
    "05.01.2026;Kännchen groß;1;2,50;2,50",
    "31.01.2026;Brötchen für Müller;2;3,00;6,00",
    "06.01.2026;Süße Grüße;1;5,00;5,00",
)
GERMAN = "\n".join((*_GERMAN, "")).encode
_POLISH = "\n".join(
    [
        HEADER,
        "A1,2026-01-05,Żółć,1,2.50,2.50",
        "A2,2026-01-05,Łódź,2,3.00,6.00",
        "A3,2026-01-06,Gęś,1,5.00,5.00",
        "",
    ]
)
_RUSSIAN = "\n".join(
    [
        HEADER,
        "A1,2026-01-05,Чайник,1,2.50,2.50",
        "A2,2026-01-05,Кружка,2,3.00,6.00",
        "A3,2026-01-06,Горшок,1,5.00,5.00",
        "",
    ]
)

CASES = [
    sound("plain UTF-8", PLAIN),
    sound("UTF-8 with a byte order mark", codecs.BOM_UTF8 + PLAIN),
    sound("no newline at the end", PLAIN.rstrip()),
    sound("CR LF", lines(*ROWS, end="\r\n")),
    sound("CR only, as old Macs wrote", lines(*ROWS, end="\r")),
    sound("line ends mixed", PLAIN.replace(b"\n", b"\r\n", 2)),
    sound("UTF-16 little endian with mark", codecs.BOM_UTF16_LE + PLAIN.decode().encode("utf-16-le")),
    sound("UTF-16 big endian with mark", codecs.BOM_UTF16_BE + PLAIN.decode().encode("utf-16-be")),
    sound("UTF-16 by contract", PLAIN.decode().encode("utf-16-le"), contract={"encoding": "utf-16-le"}),
    refused("UTF-16 without mark", PLAIN.decode().encode("utf-16-le"), "FILE_NOT_UTF8"),
    refused("UTF-32", PLAIN.decode().encode("utf-32"), "FILE_NOT_UTF8"),
    sound("cp1252 that reads only one way", GERMAN("cp1252"), contract={"encoding": "cp1252"}),
    sound("cp850 by contract", GERMAN("cp850"), contract={"encoding": "cp850"}),
    sound("cp437 by contract", GERMAN("cp437"), contract={"encoding": "cp437"}),
    sound("latin-1 by contract", GERMAN("latin-1"), contract={"encoding": "latin-1"}),
    sound("Polish in cp1250 by contract", _POLISH.encode("cp1250"), contract={"encoding": "cp1250"}),
    held("few words that four code pages read", _POLISH.encode("cp1250"), "ENCODING_UNDECIDED"),
    sound("Russian in cp1251", _RUSSIAN.encode("cp1251"), contract={"encoding": "cp1251"}),
    held(
        "the contract says cp1252, the bytes are UTF-8",
        GERMAN("utf-8"),
        "ENCODING_UNDECIDED",
        contract={"encoding": "cp1252"},
    ),
    sound("ASCII although the contract says cp1252", PLAIN, contract={"encoding": "cp1252"}),
    held(
        "a word that two code pages read", lines(*ROWS).replace(b"Mug", b"K\xe4nnchen"), "ENCODING_UNDECIDED"
    ),
    Case(
        "one broken byte in a UTF-8 file",
        lines(*ROWS, "A4,2026-01-06,Löffel größer,1,1.00,1.00") + b"A5,2026-01-06,L\xf6ffel,1,1.00,1.00\n",
        accepted=4,
        cents=SUM + 100,
        rejected={"NOT_TEXT": 1},
    ),
    sound(
        "UTF-16 with a character beyond the first plane",
        ("\ufeff" + PLAIN.decode().replace("Mug", "Mug 🫖")).encode("utf-16-le"),
    ),
    sound("semicolons", PLAIN.replace(b",", b";")),
    sound("tabs", PLAIN.replace(b",", b"\t")),
    sound("bars", PLAIN.replace(b",", b"|")),
    sound(
        "everything quoted",
        "\n".join(
            ",".join(f'"{cell}"' for cell in line.split(",")) for line in (HEADER, *ROWS, "")[:4]
        ).encode()
        + b"\n",
    ),
    good_row("a delimiter in quotes", 'A4,2026-01-06,"Mug, blue",1,2.50,2.50', 250),
    good_row("a quote written twice", 'A4,2026-01-06,"Mug ""blue""",1,2.50,2.50', 250),
    good_row("a line end in quotes", 'A4,2026-01-06,"Mug\nblue",1,2.50,2.50', 250),
    good_row("a quote inside an unquoted cell", 'A4,2026-01-06,Pipe 5" long,1,2.50,2.50', 250),
    good_row("spaces around every cell", " A4 , 2026-01-06 , Mug , 1 , 2.50 , 2.50 ", 250),
    good_row("no-break spaces around a number", "A4,2026-01-06,Mug,1,\xa02.50\xa0,2.50", 250),
    good_row("an emoji", "A4,2026-01-06,🫖 Teapot 👩‍👩‍👧,1,2.50,2.50", 250),
    good_row("right to left", "A4,2026-01-06,ספל \u202eגדול\u202c,1,2.50,2.50", 250),
    good_row("Chinese", "A4,2026-01-06,茶壶,1,2.50,2.50", 250),
    good_row("a formula as text", 'A4,2026-01-06,"=HYPERLINK(""http://x"",""y"")",1,2.50,2.50', 250),
    good_row("SQL as text", "A4,2026-01-06,'); drop table raw.loads; --,1,2.50,2.50", 250),
    good_row("Jinja as text", "A4,2026-01-06,{{ ref('x') }} {% raw %},1,2.50,2.50", 250),
    good_row("backslashes and COPY's end mark", "A4,2026-01-06,\\. \\N \\t C:\\x,1,2.50,2.50", 250),
    good_row("format signs", "A4,2026-01-06,100% %s {0} ${HOME},1,2.50,2.50", 250),
    bad_row("a NUL byte", b"A4,2026-01-06,M\0ug,1,2.50,2.50", "NUL_BYTE"),
    bad_row("text beside a quoted cell", 'A4,2026-01-06,"Mug"blue,1,2.50,2.50', "QUOTE_MISPLACED"),
    refused("empty", b"", "FILE_EMPTY"),
    refused("only blanks and line ends", b"\n \n\r\n\t\n", "FILE_EMPTY"),
    refused("only a byte order mark", codecs.BOM_UTF8, "FILE_EMPTY"),
    refused("only a header", HEADER.encode() + b"\n", "FILE_EMPTY"),
    refused("a PDF", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", "FILE_BINARY"),
    refused("a picture", b"\x89PNG\r\n\x1a\n" + bytes(200), "FILE_BINARY"),
    refused("a database", b"SQLite format 3\0" + bytes(500), "FILE_BINARY"),
    refused("random bytes", bytes((i * 73 + 41) % 256 for i in range(4000)), "FILE_BINARY"),
    refused("zeros, as crashed copies leave", bytes(5000), "FILE_BINARY"),
    refused(
        "a web page", b"<!DOCTYPE html>\n<html><head><title>Log in</title></head></html>\n", "COLUMN_MISSING"
    ),
    refused("a log", b"2026-01-05 10:00:00 INFO start\n2026-01-05 10:00:01 INFO end\n", "COLUMN_MISSING"),
]
