import { purchaseApiOf, type Stream } from '@millrace/contracts';
import { authFrom, createLogger, runService } from '@millrace/runtime';
import { readPurchaseConfig } from './config.ts';
import { PurchaseModule } from './purchase.module.ts';

/** Runs the purchase API for some streams until a signal ends the process. */
export async function runPurchase(streams: readonly Stream[]): Promise<void> {
  const config = readPurchaseConfig();
  const logger = createLogger({ name: 'purchase', level: config.LOG_LEVEL });
  await runService({
    name: 'purchase',
    module: PurchaseModule.of(config, logger, streams),
    host: config.PURCHASE_HOST,
    port: config.PURCHASE_PORT,
    logger,
    auth: authFrom(config),
    api: purchaseApiOf(streams),
    admission: 'http',
    bodyBytesMax: config.PURCHASE_BODY_BYTES_MAX,
    drainDelayMs: config.MILLRACE_DRAIN_DELAY_MS,
  });
}
