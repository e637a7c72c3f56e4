import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createTopic, seededRandom, spawnService, type LakeCheck, type ServiceProcess } from '@millrace/testing';
import { landedLake } from '../landed.ts';
import { kafka, lake, stack } from '../stack.ts';
import { deleteTopic } from '../topic.ts';
import { FuzzedProducer, type JournalLine } from './fuzzed-producer.ts';
import { RecordFuzzer } from './fuzzed-record.ts';
import { Chooser } from './chooser.ts';

/** Size, seed and faults of a run. */
export interface FuzzedTopicOptions {
  /** Records that a read-committed consumer sees, at least. */
  readonly records: number;
  readonly seed: number;
  /** How often the sink is killed with -9 and started again. */
  readonly kills: number;
  /** Whether the time of a record is the broker's. */
  readonly appendTime: boolean;
  readonly tell: (line: string) => void;
}

/** Result of a run. */
export interface FuzzedTopicReport {
  readonly records: number;
  readonly batches: number;
  readonly committed: number;
  readonly aborted: number;
  /** Records of aborted transactions. */
  readonly hidden: number;
  readonly rows: number;
  readonly rejects: number;
  readonly duplicates: number;
  readonly absent: number;
  readonly kills: number;
  readonly seconds: number;
  /** Each violation as a sentence. */
  readonly failures: readonly string[];
}

const partitions = 4;

/**
 * Writes a topic in any layout that Kafka's format allows and lets one sink land it. It compares table and reject files with the journal of
 * the producer. Runs on the stack of its environment.
 */
export async function runFuzzedTopic({ records, seed, kills, appendTime, tell }: FuzzedTopicOptions): Promise<FuzzedTopicReport> {
  const began = performance.now();
  const name = `fuzzed-${randomUUID().slice(0, 8)}`;
  const table = name.replace('-', '_');
  const spool = join(stack.home, `spool-${table}`);
  const choose = new Chooser(seededRandom(seed));
  await createFuzzedTopic(name, appendTime);
  const start = async (): Promise<ServiceProcess> =>
    await spawnService(
      'sink',
      {
        SINK_TOPIC: name,
        SINK_TABLE: table,
        SINK_GROUP_ID: name,
        SINK_SPOOL_DIR: spool,
        SINK_FLUSH_SECONDS: '1',
        SINK_FLUSH_BYTES: '1048576',
      },
      { until: 'live' },
    );
  const producer = await FuzzedProducer.open(stack.kafkaBrokers.split(',')[0]!, name, partitions, choose, new RecordFuzzer(choose));
  let sink = await start();
  try {
    for (let part = 1; part <= kills + 1; part += 1) {
      await producer.produceUntil(Math.ceil((records * part) / (kills + 1)));
      tell(`${producer.journal.length} records written`);
      if (part > kills) break;
      await sink.kill('SIGKILL');
      sink = await start();
    }
    await producer.finish();
    // Aborted transactions held some of them.
    await producer.produceUntil(records);
    await producer.finish();
    const { committed, aborted, hidden, batches, markers } = producer.counts;
    const total = producer.journal.length + hidden + markers;
    tell(`${producer.journal.length} records are visible at ${total} offsets; waiting for them to land …`);
    const check = await landedLake(total, table, name, 600_000);
    const expected = expectedOf(producer.journal);
    const failures = [...check.faults, ...(await differences(table, expected)), ...countFailures(check, expected, total)];
    return {
      records: producer.journal.length,
      batches,
      committed,
      aborted,
      hidden,
      rows: check.rows,
      rejects: check.rejected,
      duplicates: check.dropped,
      absent: check.absent,
      kills,
      seconds: Math.round((performance.now() - began) / 1000),
      failures,
    };
  } finally {
    producer.close();
    await sink.kill();
    await deleteTopic(name);
    await rm(spool, { recursive: true, force: true });
  }
}

interface Expected {
  /** Event ids of the rows by `partition@offset`. */
  readonly rows: ReadonlyMap<string, string>;
  readonly rejects: ReadonlyMap<string, JournalLine>;
  readonly duplicates: number;
}

function expectedOf(journal: readonly JournalLine[]): Expected {
  const rows = new Map<string, string>();
  const rejects = new Map<string, JournalLine>();
  const seen = new Set<string>();
  let duplicates = 0;
  for (const line of journal.toSorted((a, b) => a.offset - b.offset)) {
    const at = `${line.partition}@${line.offset}`;
    if (line.fate.kind === 'reject') {
      rejects.set(at, line);
      continue;
    }
    const event = `${line.partition} ${line.fate.eventId}`;
    if (seen.has(event)) duplicates += 1;
    else rows.set(at, line.fate.eventId);
    seen.add(event);
  }
  return { rows, rejects, duplicates };
}

function countFailures(check: LakeCheck, { rows, rejects, duplicates }: Expected, total: number): string[] {
  const found = { rows: check.rows, rejected: check.rejected, dropped: check.dropped, absent: check.absent, gap: check.gap };
  const wanted = {
    rows: rows.size,
    rejected: rejects.size,
    dropped: duplicates,
    absent: total - rows.size - rejects.size - duplicates,
    gap: 0,
  };
  return (Object.keys(wanted) as (keyof typeof wanted)[]).flatMap((key) =>
    found[key] === wanted[key] ? [] : [`${key}: ${found[key]}, and ${wanted[key]} are expected`],
  );
}

interface RejectLine {
  readonly partition: number;
  readonly offset: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: readonly { readonly name?: string; readonly nameBase64?: string; readonly value: string | null }[];
}

async function differences(table: string, { rows, rejects }: Expected): Promise<string[]> {
  const wrong: string[] = [];
  for (const { key } of await lake.objects(`${table}/`)) {
    for (const row of await lake.rows(key, ['event_id', '_partition', '_offset'])) {
      const at = `${String(row['_partition'])}@${String(row['_offset'])}`;
      if (rows.get(at) !== row['event_id'])
        wrong.push(`row ${at} holds event ${String(row['event_id'])}, and ${rows.get(at) ?? 'no row'} is expected`);
    }
  }
  for (const { key } of await lake.objects(`_rejects/${table}/`)) {
    for (const text of (await lake.read(key)).toString('utf8').trim().split('\n')) {
      const line = JSON.parse(text) as RejectLine;
      const at = `${line.partition}@${line.offset}`;
      const wanted = rejects.get(at);
      if (wanted === undefined || !holds(line, wanted)) wrong.push(`reject ${at} is not as it was produced`);
    }
  }
  return wrong.slice(0, 20);
}

function holds(line: RejectLine, { record: { key = null, value = null, headers = [] } }: JournalLine): boolean {
  const found = line.headers.map(({ name, nameBase64, value: header }) => [nameBase64 ?? Buffer.from(name!).toString('base64'), header]);
  return (
    line.key === base64(key) &&
    line.value === base64(value) &&
    JSON.stringify(found) === JSON.stringify(headers.map(([name, header]) => [base64(name), base64(header)]))
  );
}

function base64(value: Buffer | string | null): string | null {
  return value === null ? null : Buffer.from(value).toString('base64');
}

async function createFuzzedTopic(topic: string, appendTime: boolean): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const config = {
      'retention.ms': '-1',
      'message.timestamp.type': appendTime ? 'LogAppendTime' : 'CreateTime',
      'message.timestamp.before.max.ms': '9223372036854775807',
      'message.timestamp.after.max.ms': '9223372036854775807',
    };
    await createTopic(admin, { topic, partitions, config });
  } finally {
    await admin.disconnect();
  }
}
