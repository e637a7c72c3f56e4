import type { CrawlReport } from '@millrace/lake';
import type { Metrics } from '@millrace/runtime';
import type { Logger } from 'pino';
import type { CrawlEvents } from './crawl-worker.ts';

/** Differences that one line of the log names. */
const namedMax = 20;

/** Logs and counts crawls. */
export function crawlTelemetry(logger: Logger, metrics: Metrics): CrawlEvents {
  const runs = metrics.counter({
    name: 'millrace_crawl_runs_total',
    help: 'Comparisons of a table with the catalog, by verdict: equal, applied, differs, refused or failed.',
    labelNames: ['verdict'],
  });
  const differences = metrics.gauge({
    name: 'millrace_crawl_differences',
    help: 'Differences between files and catalog in the last crawl of this worker, by action: applied, logged or refused.',
    labelNames: ['table', 'action'],
  });
  return {
    crawled({ table, verdict, differences: found }: CrawlReport) {
      runs.inc({ verdict });
      for (const action of ['applied', 'logged', 'refused'] as const)
        differences.set({ table, action }, found.filter((difference) => difference.action === action).length);
      const fields = { table, verdict, differences: found.slice(0, namedMax) };
      if (verdict === 'equal') logger.debug(fields, 'The catalog agrees with the files.');
      else if (verdict === 'refused') logger.error(fields, 'The catalog differs from the files in a way that would break readers.');
      else logger.warn(fields, verdict === 'applied' ? 'A crawl changed the catalog.' : 'The catalog differs from the files.');
    },
    failed(error) {
      runs.inc({ verdict: 'failed' });
      logger.warn({ err: error }, 'A crawl failed; the next one follows by its schedule.');
    },
  };
}
