import { ServiceUnderTest, shortWaits } from '../proof/service-under-test.ts';

// Small and quick, so that something is in flight at almost any moment.
const settings = {
  ...shortWaits,
  SINK_FLUSH_SECONDS: '1',
  SINK_RECONCILE_SECONDS: '1',
  SINK_RETRY_BASE_MS: '50',
  SINK_RETRY_WAIT_MS_MAX: '1000',
  SINK_ENCODER_MEMORY_MB: '128',
};

/** Starts one sink of the matrix. */
export async function startSink({
  name,
  endpoint,
  topic,
  table,
  tell,
}: {
  readonly name: string;
  readonly endpoint: string;
  readonly topic: string;
  readonly table: string;
  readonly tell: (line: string) => void;
}): Promise<ServiceUnderTest> {
  const env = {
    ...settings,
    SINK_TOPIC: topic,
    SINK_TABLE: table,
    SINK_GROUP_ID: `sink-${table}`,
    SINK_SPOOL_DIR: `${process.env['MILLRACE_HOME']}/${name}-spool`,
  };
  return await ServiceUnderTest.start({ service: 'sink', endpoint, env, tell });
}
