"""Consumes purchases and prints one line of JSON for each. Stop it with SIGTERM or Ctrl-C."""

import json
import os
import signal
import sys
from pathlib import Path

import jsonschema_rs
from confluent_kafka import Consumer, KafkaException

TOPIC = os.environ.get("TOPIC", "bookstore.purchases.v1")
# The published schema. A team in another repository keeps a copy of this file.
SCHEMA = Path(__file__).parents[2] / "docs/schemas/published/purchases.schema.json"

validator = jsonschema_rs.validator_for(json.loads(SCHEMA.read_text("utf-8")))
running = True


def stop(*_):
    global running
    running = False


def handle(message):
    """Reads one record: CloudEvents 1.0 in binary mode. Headers are attributes and the value is the data."""
    data = json.loads(message.value() or b"null")
    errors = [error.message for error in validator.iter_errors(data)]
    if errors:
        raise ValueError("The record is not a purchase: " + "; ".join(errors) + ".")
    headers = {name: value.decode() for name, value in message.headers() or [] if value is not None}
    # Your work. It may happen twice for one event after a crash, so make it idempotent on "id".
    event = {
        # Producers other than the purchase API may leave out the headers.
        "id": headers.get("ce_id", data["eventId"]),
        "type": headers.get("ce_type"),
        "source": headers.get("ce_source"),
        "time": headers.get("ce_time"),
        "partition": message.partition(),
        "offset": str(message.offset()),
        "data": data,
    }
    print(json.dumps(event), flush=True)


def main():
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    consumer = Consumer(
        {
            "bootstrap.servers": os.environ.get("KAFKA_BROKERS", "127.0.0.1:9092"),
            "group.id": os.environ.get("GROUP_ID", "example-python"),
            # Only a new group begins at the first event. After that, Kafka keeps the position of the group.
            "auto.offset.reset": "earliest",
            # The client commits what store_offsets() marks, and that happens after the work.
            "enable.auto.offset.store": False,
        }
    )
    consumer.subscribe([TOPIC])
    try:
        while running:
            message = consumer.poll(0.5)
            if message is None:
                continue
            if message.error():
                raise KafkaException(message.error())
            try:
                handle(message)
            except ValueError as error:
                # It stays invalid at every retry: log it and go on.
                print(f"{message.topic()}/{message.partition()}@{message.offset()}: {error}", file=sys.stderr, flush=True)
            consumer.store_offsets(message=message)
    finally:
        # Commits and leaves the group, so that another member takes over at once.
        consumer.close()


if __name__ == "__main__":
    main()
