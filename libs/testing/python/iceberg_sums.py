"""Sums of Iceberg tables by pyiceberg, for each day: rows, places in the topic, ages, and a hash over all columns.

Usage: iceberg_sums.py S3_ENDPOINT

Each line of the input is a JSON object with "database", "name" and an optional list "days". Each line of the output answers one of them.
"""

import hashlib
import json
import os
import sys
from datetime import datetime

from pyiceberg.catalog import load_catalog
from pyiceberg.expressions import AlwaysTrue, In

COLUMNS = ("event_id", "book_id", "title", "author", "genre", "user_id", "user_country", "user_age")
EPOCH = datetime(1970, 1, 1)


def sums_of(table, days):
    sums = {}
    places = {}
    condition = AlwaysTrue() if days is None else In("dt", days)
    for batch in table.scan(row_filter=condition).to_arrow_batch_reader():
        for row in batch.to_pylist():
            seconds = (row["purchase_timestamp"].replace(tzinfo=None) - EPOCH).total_seconds()
            place = (row["kafka_partition"], row["kafka_offset"])
            parts = (*(row[column] for column in COLUMNS), int(seconds), row["dt"], *place)
            text = "|".join(str(part) for part in parts)
            one = sums.setdefault(row["dt"], {"rows": 0, "ages": 0, "hash": 0})
            one["rows"] += 1
            one["ages"] += row["user_age"]
            one["hash"] += int(hashlib.md5(text.encode()).hexdigest()[:10], 16)
            places.setdefault(row["dt"], set()).add(place)
    return [
        {"dt": day, **{key: str(value) for key, value in sums[day].items()}, "places": str(len(places[day]))} for day in sorted(sums)
    ]


def main(endpoint):
    catalog = load_catalog(
        "glue",
        **{
            "type": "glue",
            "glue.endpoint": endpoint,
            "s3.endpoint": endpoint,
            "client.region": os.environ["AWS_REGION"],
            "client.access-key-id": os.environ["AWS_ACCESS_KEY_ID"],
            "client.secret-access-key": os.environ["AWS_SECRET_ACCESS_KEY"],
        },
    )
    for line in sys.stdin:
        asked = json.loads(line)
        table = catalog.load_table(f"{asked['database']}.{asked['name']}")
        print(json.dumps(sums_of(table, asked.get("days"))), flush=True)


main(sys.argv[1])
