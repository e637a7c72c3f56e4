import type { Stream } from '@millrace/contracts';
import { createLogger, runService } from '@millrace/runtime';
import { readPurchaseConfig } from './config.ts';
import { serviceOptions } from './service-options.ts';

/** Runs the purchase API for some streams until a signal ends the process. */
export async function runPurchase(streams: readonly Stream[]): Promise<void> {
  const config = readPurchaseConfig();
  await runService(serviceOptions(config, createLogger({ name: 'purchase', level: config.LOG_LEVEL }), streams));
}
