#!/usr/bin/env python3
"""Computes from a file of purchases what the report sales-by-genre must say.

It shares no code with Millrace and knows only the wire format: one JSON object a line. Its output is the table that
`./millrace up` prints; with --csv the same figures without grouping, for a machine. A purchase counts once, whatever
the number of its lines: that is what Millrace promises.

Usage: expected-sales-by-genre.py [--csv] [FILE ...]        (default: purchases.ndjson beside this script)
"""
import json
import pathlib
import sys
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction


def read(paths):
    purchases = {}
    for path in paths:
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                purchase = json.loads(line)
                purchases[purchase["eventId"].lower()] = purchase
    return purchases.values()


def average(ages):
    exact = Fraction(sum(ages), len(ages))
    rounded = (Decimal(exact.numerator) / Decimal(exact.denominator)).quantize(Decimal("0.1"), ROUND_HALF_UP)
    text = str(rounded)
    return text[:-2] if text.endswith(".0") else text


def report(purchases):
    by_genre = {}
    for purchase in purchases:
        by_genre.setdefault(purchase["genre"], []).append(purchase)
    # UTF-8 bytes: the order that SQL engines give text without a collation.
    order = sorted(by_genre, key=lambda genre: (-len(by_genre[genre]), genre.encode()))
    return [
        (
            genre,
            str(len(by_genre[genre])),
            str(len({purchase["userId"] for purchase in by_genre[genre]})),
            average([purchase["userAge"] for purchase in by_genre[genre]]),
        )
        for genre in order
    ]


def table(header, rows):
    grouped = [(row[0], *(f"{int(cell):,}" if cell.isdigit() else cell for cell in row[1:])) for row in rows]
    widths = [max(len(row[column]) for row in [header, *grouped]) for column in range(len(header))]
    yield "  ".join([header[0].ljust(widths[0])] + [name.rjust(width) for name, width in zip(header[1:], widths[1:])])
    yield "  ".join("─" * width for width in widths)
    for row in grouped:
        yield "  ".join([row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])])


def main(arguments):
    paths = [path for path in arguments if path != "--csv"] or [pathlib.Path(__file__).with_name("purchases.ndjson")]
    header = ("genre", "purchases", "buyers", "average_age")
    rows = report(read(paths))
    lines = [",".join(row) for row in [header, *rows]] if "--csv" in arguments else table(header, rows)
    sys.stdout.reconfigure(encoding="utf-8")
    print("\n".join(lines))


main(sys.argv[1:])
