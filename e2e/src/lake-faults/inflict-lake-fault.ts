import { setTimeout as pause } from 'node:timers/promises';
import type { Fault, FaultProxy, RequestMatcher } from '@millrace/testing';
import type { ServiceUnderTest } from '../proof/service-under-test.ts';
import { hitInTime, idle, type Struck } from '../proof/struck.ts';
import type { LakeFaultKind, LakeStep, PlannedLakeFault } from './lake-fault-plan.ts';
import { keptMs } from './start-projector.ts';

/** Targets of the faults. */
export interface LakeScene {
  readonly projectors: readonly ServiceUnderTest[];
  readonly bucket: string;
  readonly table: string;
}

interface Act {
  readonly fault: PlannedLakeFault;
  readonly scene: LakeScene;
  readonly projector: ServiceUnderTest;
}

/** Injects a fault, waits until it strikes, and clears it. */
export async function inflictLakeFault(fault: PlannedLakeFault, scene: LakeScene): Promise<Struck> {
  const projector = scene.projectors[fault.projector];
  if (projector === undefined) throw new Error(`there is no projector ${fault.projector}`);
  await projector.untilRunning();
  return await acts[fault.kind]({ fault, scene, projector });
}

const acts: Readonly<Record<LakeFaultKind, (act: Act) => Promise<Struck>>> = {
  killed: async (act) => await onCall(act, heldOrApplied(act, 1000), async () => await act.projector.crash(act.fault.downMs)),
  // The successor makes some commits meanwhile.
  frozen: async (act) => await frozen(act, 1500 + act.fault.downMs),
  // The successor deletes objects that the frozen process may still want to use.
  'frozen-past-grace': async (act) => await frozen(act, keptMs + 2000 + act.fault.downMs),
  's3-500': async (act) => await onCall(act, { kind: 'status', status: 500 }),
  's3-500-applied': async (act) => await onCall(act, { kind: 'apply-then-status', status: 500 }),
  's3-409': async (act) =>
    await onCall(act, { kind: act.fault.applied ? 'apply-then-status' : 'status', status: 409, code: 'ConditionalRequestConflict' }),
  's3-403': async (act) => await onCall(act, { kind: 'status', status: 403 }),
  's3-hangs': async (act) => await onCall(act, act.fault.applied ? { kind: 'swallow-answer' } : { kind: 'black-hole' }),
  's3-drops-applied': async (act) => await onCall(act, { kind: 'apply-then-drop' }),
  's3-twice': async (act) => await onCall(act, { kind: 'twice', answer: act.fault.applied ? 'second' : 'first' }),
  // Delivered after the process has given up and tried again.
  's3-late': async (act) => await onCall(act, { kind: 'late', afterMs: act.fault.downMs * 2 }),
  // Held until its writer is dead, and delivered while a successor is at work.
  's3-late-of-dead': async (act) =>
    await onCall(act, { kind: 'late', afterMs: 200 + act.fault.downMs * 3 }, async () => await act.projector.crash(act.fault.downMs)),
  'glue-down': async ({ fault, projector }) => {
    const down = await projector.glue.inject(fault.applied ? { kind: 'status', status: 503 } : { kind: 'black-hole' });
    const hit = await hitInTime(down);
    await pause(hit ? fault.downMs : 0);
    await down.clear();
    return hit ? { hit, inFlight: `${down.hits} calls to Glue` } : idle;
  },
  'glue-drops-applied': async (act) => await onCall(act, { kind: 'apply-then-drop' }),
  'glue-late': async (act) => await onCall(act, { kind: 'late', afterMs: act.fault.downMs * 2 }),
};

// A call that is in flight for a while: before its store has it, or after it was applied.
function heldOrApplied({ fault }: Act, heldMs: number): Fault {
  return fault.applied ? { kind: 'swallow-answer' } : { kind: 'slow', latencyMs: heldMs };
}

async function frozen(act: Act, frozenMs: number): Promise<Struck> {
  const { projector } = act;
  // A call that is held for as long reaches its store after the process has woken up.
  return await onCall(act, heldOrApplied(act, frozenMs + 200), async () => {
    projector.signal('SIGSTOP');
    await pause(frozenMs);
    projector.signal('SIGCONT');
  });
}

async function onCall({ fault, scene, projector }: Act, what: Fault, then: () => Promise<void> = async () => undefined): Promise<Struck> {
  const proxy: FaultProxy = fault.step === 'glue' ? projector.glue : projector.s3;
  const injected = await proxy.inject(what, { times: 1, when: callOf(fault.step, scene) });
  if (!(await hitInTime(injected))) {
    await injected.clear();
    return idle;
  }
  await then();
  return { hit: true, inFlight: `${fault.step}${fault.applied ? ', applied' : ''}` };
}

/** The calls of a step, as the proxies see them. */
export function callOf(step: LakeStep, { bucket, table }: Pick<LakeScene, 'bucket' | 'table'>): RequestMatcher {
  const at = (method: string, path: string): RequestMatcher => ({ method, path: new RegExp(`^/${bucket}/${path}`) });
  switch (step) {
    case 'read':
      return at('GET', `(_ledger|_iceberg|${table})/.`);
    case 'manifest':
      return at('PUT', `_iceberg/${table}/metadata/.*\\.avro$`);
    case 'metadata':
      return at('PUT', `_iceberg/${table}/metadata/.*\\.metadata\\.json$`);
    case 'commit':
      return at('PUT', `_iceberg/${table}/commits/`);
    case 'hint':
      return at('PUT', `_iceberg/${table}/metadata/version-hint\\.text$`);
    case 'merged-file':
      return at('PUT', `_iceberg/${table}/data/`);
    case 'marks':
      return at('PUT', `_iceberg/${table}/marks\\.json$`);
    case 'delete':
      return at('DELETE', `_iceberg/${table}/`);
    case 'glue':
      return { method: 'POST', headers: { 'x-amz-target': 'AWSGlue.UpdateTable' } };
  }
}
