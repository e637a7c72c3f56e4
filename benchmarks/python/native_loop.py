"""The bound of a sink on one machine: librdkafka, Arrow's JSON reader and Parquet writer, boto3.

It validates nothing, drops no duplicates and may write rows twice after a crash. One thread consumes into a buffer. A second
thread parses the buffer, writes one sorted file per day, puts it, and commits the offsets of the buffer.
"""

import io
import os
import queue
import sys
import threading

import boto3
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj
import pyarrow.parquet as pq
from botocore.config import Config
from confluent_kafka import Consumer, TopicPartition

BUFFER_BYTES = 64 * 1024 * 1024
DAY_SECONDS = 86_400
FIELDS = {
    "eventId": ("event_id", pa.string()),
    "bookId": ("book_id", pa.string()),
    "title": ("title", pa.string()),
    "author": ("author", pa.string()),
    "genre": ("genre", pa.string()),
    "userId": ("user_id", pa.string()),
    "userCountry": ("user_country", pa.string()),
    "userAge": ("user_age", pa.int32()),
    "purchaseTimestamp": ("purchase_timestamp", pa.int64()),
}
SCHEMA = pa.schema([(field, kind) for field, (_, kind) in FIELDS.items()])
SORT = [("user_id", "ascending"), ("purchase_timestamp", "ascending")]


def store(s3, bucket, prefix, values, number):
    table = pj.read_json(
        pa.BufferReader(b"\n".join(values)),
        read_options=pj.ReadOptions(block_size=8 * 1024 * 1024),
        parse_options=pj.ParseOptions(explicit_schema=SCHEMA, unexpected_field_behavior="ignore"),
    ).rename_columns([column for column, _ in FIELDS.values()])
    days = pc.divide(table["purchase_timestamp"], DAY_SECONDS)
    seconds = table.schema.get_field_index("purchase_timestamp")
    table = table.set_column(seconds, "purchase_timestamp", table["purchase_timestamp"].cast(pa.timestamp("s")))
    for day in pc.unique(days).to_pylist():
        out = io.BytesIO()
        pq.write_table(table.filter(pc.equal(days, day)).sort_by(SORT), out, compression="zstd", compression_level=3)
        s3.put_object(Bucket=bucket, Key=f"{prefix}/day={day}/{number:06d}.parquet", Body=out.getvalue())


def main():
    topic, group, rows, bucket, prefix = sys.argv[1:]
    s3 = boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"], config=Config(s3={"addressing_style": "path"}))
    consumer = Consumer(
        {
            "bootstrap.servers": os.environ["KAFKA_BROKERS"],
            "group.id": group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "fetch.message.max.bytes": 4 * 1024 * 1024,
            "queued.max.messages.kbytes": 131_072,
            "queued.min.messages": 400_000,
        }
    )
    jobs = queue.Queue(1)
    failures = []

    def work():
        number = 0
        try:
            while (job := jobs.get()) is not None:
                values, offsets = job
                store(s3, bucket, prefix, values, number)
                consumer.commit(offsets=offsets, asynchronous=False)
                number += 1
        except Exception as error:
            failures.append(error)
            while jobs.get() is not None:
                pass

    worker = threading.Thread(target=work)
    print("begin", flush=True)
    consumer.subscribe([topic])
    worker.start()
    seen, size, values, ends = 0, 0, [], {}
    while seen < int(rows) and not failures:
        for message in consumer.consume(10_000, 1.0):
            if message.error() is not None:
                raise SystemExit(str(message.error()))
            value = message.value()
            values.append(value)
            size += len(value)
            ends[message.partition()] = message.offset() + 1
            seen += 1
        if size >= BUFFER_BYTES or seen == int(rows):
            jobs.put((values, [TopicPartition(topic, partition, offset) for partition, offset in ends.items()]))
            values, size, ends = [], 0, {}
    jobs.put(None)
    worker.join()
    if failures:
        raise SystemExit(str(failures[0]))
    print("end", flush=True)
    sys.stdin.read()
    consumer.close()


main()
