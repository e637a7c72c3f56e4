import { execFile } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Fault, RequestMatcher } from '@millrace/testing';
import type { ServiceUnderTest } from '../proof/service-under-test.ts';
import { hitInTime, idle, waitMsMax, type Struck } from '../proof/struck.ts';
import type { CrashFaultKind, PlannedFault, S3Step } from './fault-plan.ts';

/** Targets of the faults. */
export interface Scene {
  readonly sinks: readonly ServiceUnderTest[];
  readonly bucket: string;
  readonly table: string;
  /** Deletes an object past every proxy. */
  deleteObject(key: string): Promise<void>;
  /** Number of purchases that have no receipt now. */
  requestsUnderWay(): number;
  /** Kills the broker, and starts it again after a time. */
  restartKafka(downMs: number): Promise<void>;
}

// Longer than the sink's session of 6 s: the group gives its partitions to another while it is frozen.
const frozenMs = 7500;

/** Injects a fault, waits until it strikes, and clears it. */
export async function inflict(fault: PlannedFault, scene: Scene): Promise<Struck> {
  const sink = scene.sinks[fault.sink];
  if (sink === undefined) throw new Error(`there is no sink ${fault.sink}`);
  await sink.untilRunning();
  return await acts[fault.kind]({ fault, scene, sink });
}

interface Act {
  readonly fault: PlannedFault;
  readonly scene: Scene;
  readonly sink: ServiceUnderTest;
}

const acts: Readonly<Record<CrashFaultKind, (act: Act) => Promise<Struck>>> = {
  'sink-killed': async (act) => await onCall(act, heldOrApplied(act), async () => await act.sink.crash(act.fault.downMs)),
  'sink-frozen': async (act) =>
    await onCall(act, heldOrApplied(act), async () => {
      act.sink.signal('SIGSTOP');
      await pause(frozenMs + act.fault.downMs);
      act.sink.signal('SIGCONT');
    }),
  's3-500': async (act) => await onCall(act, { kind: 'status', status: 500 }),
  's3-500-applied': async (act) => await onCall(act, { kind: 'apply-then-status', status: 500 }),
  's3-200-error': async (act) => await onCall(act, { kind: 'copy-error', apply: act.fault.applied }),
  's3-409': async (act) =>
    await onCall(act, { kind: act.fault.applied ? 'apply-then-status' : 'status', status: 409, code: 'ConditionalRequestConflict' }),
  's3-403': async (act) => await onCall(act, { kind: 'status', status: 403 }),
  's3-hangs': async (act) => await onCall(act, act.fault.applied ? { kind: 'swallow-answer' } : { kind: 'black-hole' }),
  's3-drops-applied': async (act) => await onCall(act, { kind: 'apply-then-drop' }),
  // Held until its writer is dead, and delivered while a successor is at work.
  's3-late-put': async (act) =>
    await onCall(act, { kind: 'late', afterMs: 200 + act.fault.downMs * 4 }, async () => await act.sink.crash(act.fault.downMs)),
  'staged-deleted': stagedDeleted,
  'kafka-killed': async ({ fault, scene }) => {
    const underWay = scene.requestsUnderWay();
    await scene.restartKafka(fault.downMs);
    return { hit: underWay > 0, inFlight: `${underWay} requests of purchases without an answer` };
  },
  'disk-full': diskFull,
  'glue-down': glueDown,
};

// A call that is in flight for a while: before S3 has it, or after it was applied.
function heldOrApplied({ fault }: Act): Fault {
  return fault.applied ? { kind: 'swallow-answer' } : { kind: 'slow', latencyMs: 1000 };
}

async function onCall({ fault, scene, sink }: Act, what: Fault, then: () => Promise<void> = async () => undefined): Promise<Struck> {
  const injected = await sink.s3.inject(what, { times: 1, when: callOf(fault.step, scene) });
  if (!(await hitInTime(injected))) {
    await injected.clear();
    return idle;
  }
  const inFlight = `${fault.step}${fault.applied ? ', applied' : ''}, ${sink.s3.counts.inFlight} calls to S3, ${scene.requestsUnderWay()} requests of purchases`;
  await then();
  return { hit: true, inFlight };
}

async function stagedDeleted({ scene, sink }: Act): Promise<Struck> {
  let staged: string | undefined;
  // The proxy holds the copy while its source is deleted.
  const held = await sink.s3.inject(
    { kind: 'slow', latencyMs: 300 },
    {
      times: 1,
      when: {
        ...callOf('publish', scene),
        where: ({ headers }) => {
          staged = decodeURIComponent(String(headers?.['x-amz-copy-source']))
            .replace(/^\//, '')
            .slice(scene.bucket.length + 1);
          return true;
        },
      },
    },
  );
  if (!(await hitInTime(held)) || staged === undefined) {
    await held.clear();
    return idle;
  }
  await scene.deleteObject(staged);
  return { hit: true, inFlight: `the copy of ${staged}` };
}

async function diskFull({ fault, sink }: Act): Promise<Struck> {
  const since = Date.now();
  const refused = (): number => sink.linesSince(since).filter((line) => /EFBIG|ENOSPC/.test(line)).length;
  await limitFileBytes(sink.pid, '1:unlimited');
  try {
    const late = performance.now() + waitMsMax;
    while (refused() === 0 && performance.now() < late) await pause(50);
    await pause(fault.downMs);
    return refused() === 0 ? idle : { hit: true, inFlight: `${refused()} writes refused by the disk` };
  } finally {
    await limitFileBytes(sink.pid, 'unlimited:unlimited');
  }
}

async function glueDown({ fault, sink }: Act): Promise<Struck> {
  const down = await sink.glue.inject(fault.applied ? { kind: 'status', status: 503 } : { kind: 'black-hole' });
  const hit = await hitInTime(down);
  await pause(hit ? fault.downMs : 0);
  await down.clear();
  return hit ? { hit, inFlight: `${down.hits} calls to Glue` } : idle;
}

function callOf(step: S3Step, { bucket, table }: Scene): RequestMatcher {
  const under = (prefix: string): RegExp => new RegExp(`^/${bucket}/${prefix}/`);
  switch (step) {
    case 'stage':
      return { method: 'PUT', path: under('_staging') };
    case 'record':
      return { method: 'PUT', path: under('_ledger') };
    case 'look':
      return { method: 'HEAD', path: under(table) };
    case 'publish':
      return { method: 'PUT', path: under(table), headers: { 'x-amz-copy-source': true } };
  }
}

async function limitFileBytes(pid: number, limit: string): Promise<void> {
  await promisify(execFile)('prlimit', ['--pid', String(pid), `--fsize=${limit}`]);
}
