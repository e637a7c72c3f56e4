import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { streams, type Stream } from '@millrace/contracts';
import { GluePointer, Projection, projectionPrefix, rowsInFooter, S3ObjectStore } from '@millrace/lake';
import { systemClock } from '@millrace/resilience';
import type { Metrics } from '@millrace/runtime';
import type { Logger } from 'pino';
import { sinkClients } from '../aws-clients.ts';
import { configuredStream, type SinkConfig } from '../config.ts';
import type { SinkGuards } from '../resilience.ts';
import { gaugeProjectors, projectorTelemetry } from './projector-telemetry.ts';
import { Projector } from './projector.ts';

/** The parts of a running projector process. */
export interface Projectors {
  readonly store: S3ObjectStore;
  readonly all: readonly Projector[];
}

/** Creates a projector for each stream. Connects nothing yet. */
export function openProjectors(config: SinkConfig, logger: Logger, metrics: Metrics, guards: Pick<SinkGuards, 's3' | 'glue'>): Projectors {
  const { s3, glue } = sinkClients(config);
  const bucket = config.LAKE_BUCKET;
  const store = new S3ObjectStore(s3, bucket, guards.s3);
  const writer = `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`;
  const observer = projectorTelemetry(logger, metrics);
  const projectorOf = (stream: Stream): Projector => {
    const projection = new Projection({
      store,
      bucket,
      stream,
      catalog: new GluePointer(glue, stream, `s3://${bucket}/${projectionPrefix(stream.table)}`, guards.glue),
      writer,
      now: Date.now,
      newId: randomUUID,
      rowsOf: async (key, bytes) => await rowsInFooter(store, key, bytes),
      onPointerFailure: (error) =>
        logger.warn({ table: stream.table, err: error }, 'The catalog did not move to the newest commit; the next round moves it.'),
    });
    return new Projector(stream.table, projection, { everyMs: config.PROJECTOR_INTERVAL_SECONDS * 1000, clock: systemClock, observer });
  };
  const all = streams.map((stream) => projectorOf(configuredStream(config, stream)));
  gaugeProjectors(metrics, all);
  return { store, all };
}
