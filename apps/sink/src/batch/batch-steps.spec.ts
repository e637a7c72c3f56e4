import { CircuitOpenError } from '@millrace/resilience';
import { describe, expect, it } from 'vitest';
import type { EncodedBatch, StagedBody } from '../spool/batch.ts';
import { BatchSteps, type BatchStepsDeps } from './batch-steps.ts';
import type { SinkEvent } from '../sink-events.ts';
import { purchaseLine } from '../simulation/parts/purchase-line.ts';
import { World } from '../simulation/world/world.ts';

it('staging hashes only the file whose upload failed, and hashes nothing after a rejection by our own circuit', async () => {
  const hashed: string[] = [];
  const hash = async (file: string): Promise<string> => {
    hashed.push(file);
    return 'the hash';
  };
  const answers: (Error | undefined)[] = [new Error('503'), new CircuitOpenError('s3'), new CircuitOpenError('s3')];
  const put = async (key: string): Promise<void> => {
    const error = key === 'b' ? answers.shift() : undefined;
    if (error !== undefined) throw error;
  };
  const events: string[] = [];
  const steps = new BatchSteps({
    lane: { partition: 0 },
    store: { put },
    ledger: { record: async () => ({ outcome: 'lost' }) },
    patience: { wait: async () => undefined },
    observe: ({ type }: SinkEvent) => void events.push(type),
  } as unknown as BatchStepsDeps);
  const bodies = ['a', 'b', 'c'].map((file): StagedBody => ({ staged: file, file, body: Buffer.from(file), bytes: 1, sha256: 'the hash' }));
  await steps.deliver({ bodies, files: { hash } } as unknown as EncodedBatch, undefined, new AbortController().signal);
  expect(events).toEqual(['StepFailed', 'StepFailed', 'StepFailed']);
  expect(hashed).toEqual(['b']);
});

describe('BatchSteps', () => {
  it('once the head is found, a batch goes through append, seal, encode, stage, record, publish, register and commit', async () => {
    const world = new World();
    world.topic.append(purchaseLine(0));
    world.topic.append(purchaseLine(1));
    world.topic.append('garbage');
    const writer = world.writer();
    await world.run(writer);
    expect(writer.life.effects).toEqual([
      'list _ledger/purchases/bookstore.purchases.v1/p=0/',
      'log range',
      'append 2019-11-30.ndjson',
      'append 2019-12-01.ndjson',
      'append rejects.ndjson',
      'seal',
      'encode 2019-11-30',
      'encode 2019-12-01',
      'persist',
      'put _staging/purchases/batch-1/0',
      'put _staging/purchases/batch-1/1',
      'put _staging/purchases/batch-1/rejects',
      'put _ledger/purchases/bookstore.purchases.v1/p=0/9223372036854775807-0.json',
      'head purchases/dt=2019-11-30/p0-0-3-batch-1.parquet',
      'head purchases/dt=2019-12-01/p0-0-3-batch-1.parquet',
      'head _rejects/purchases/bookstore.purchases.v1/p=0/0-3-batch-1.ndjson',
      'copy purchases/dt=2019-11-30/p0-0-3-batch-1.parquet',
      'copy purchases/dt=2019-12-01/p0-0-3-batch-1.parquet',
      'copy _rejects/purchases/bookstore.purchases.v1/p=0/0-3-batch-1.ndjson',
      'register 2019-11-30 2019-12-01',
      'commit 3',
    ]);
  });

  it('an entry records ranges, files, rejects and the last record', async () => {
    const world = new World();
    world.topic.append(purchaseLine(0));
    world.topic.append(null);
    world.topic.skip(1);
    world.topic.append(purchaseLine(2));
    await world.run(world.writer());
    expect(world.entries()).toMatchObject([
      {
        v: 1,
        id: 'batch-1',
        prev: null,
        kind: 'batch',
        from: 0,
        to: 4,
        dropped: [],
        rejected: [[1, 2]],
        absent: [[2, 3]],
        files: [{ dt: '2019-11-30', rows: 2, minTimestamp: 1_575_121_641, maxTimestamp: 1_575_121_641 }],
        rejects: { key: '_rejects/purchases/bookstore.purchases.v1/p=0/0-4-batch-1.ndjson', count: 1 },
        last: { offset: 3, timestamp: '1700000000000', eventId: '00000000-0000-4000-8000-000000000002' },
        topic: { cluster: 'cluster-1' },
        contract: 'bookstore.purchases.v1/1',
      },
    ]);
  });

  it('staged files are deleted only after the successor is recorded', async () => {
    const world = new World();
    for (let n = 0; n < 4; n += 1) world.topic.append(purchaseLine(n * 2));
    const writer = world.writer({ flushBytes: 1 });
    await world.run(writer, 2);
    const { effects } = writer.life;
    const deleted = effects.indexOf('delete _staging/purchases/batch-1/0');
    expect(deleted).toBeGreaterThan(effects.findIndex((effect) => effect.startsWith('put _ledger/') && effect.endsWith('-2.json')));
    expect(world.bucket.keys('_staging/')).toEqual(['_staging/purchases/batch-2/0']);
  });

  it('an entry is recorded only when every file of its predecessor has been seen', async () => {
    const world = new World();
    for (let n = 0; n < 6; n += 1) world.topic.append(purchaseLine(n));
    const writer = world.writer({ flushBytes: 1 });
    await world.run(writer, 2);
    const { effects } = writer.life;
    const second = effects.findIndex((effect) => effect.endsWith('-2.json'));
    expect(effects.findIndex((effect) => effect.startsWith('copy purchases/dt=2019-12-01/p0-0-2-'))).toBeLessThan(second);
    expect(effects.findIndex((effect) => effect.startsWith('copy purchases/dt=2019-11-30/p0-0-2-'))).toBeLessThan(second);
  });
});
