import { ServiceUnderTest, shortWaits } from '../proof/service-under-test.ts';

/** Time in milliseconds after which the objects of a replaced snapshot may be deleted. Each reader of the proof is faster. */
export const keptMs = 17_000;

// Appends, merges, expiries and deletions take place every second or so. The grace period is longer than a read of the proof.
const settings = {
  ...shortWaits,
  SINK_S3_ATTEMPT_TIMEOUT_MS: '2000',
  PROJECTOR_INTERVAL_SECONDS: '0.3',
  PROJECTOR_COMPACTION_SECONDS: '1',
  PROJECTOR_COMPACTION_FILES_MIN: '6',
  PROJECTOR_COMPACTION_MEMORY_MB: '128',
  PROJECTOR_SNAPSHOT_SECONDS: '2',
  PROJECTOR_GRACE_SECONDS: String(keptMs / 1000 - 2),
  PROJECTOR_SWEEP_SECONDS: '1',
};

/** Starts one projector of the proof. */
export async function startProjector(endpoint: string, tell: (line: string) => void): Promise<ServiceUnderTest> {
  return await ServiceUnderTest.start({ service: 'projector', endpoint, env: settings, tell });
}
