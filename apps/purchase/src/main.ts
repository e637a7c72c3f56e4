import 'reflect-metadata';
import { purchaseApi } from '@millrace/contracts';
import { authFrom, createLogger, runMain, runService } from '@millrace/runtime';
import { readPurchaseConfig } from './config.ts';
import { PurchaseModule } from './purchase.module.ts';

await runMain(async () => {
  const config = readPurchaseConfig();
  const logger = createLogger({ name: 'purchase', level: config.LOG_LEVEL });
  await runService({
    name: 'purchase',
    module: PurchaseModule.of(config, logger),
    host: config.PURCHASE_HOST,
    port: config.PURCHASE_PORT,
    logger,
    auth: authFrom(config),
    api: purchaseApi,
    admission: 'http',
    bodyBytesMax: config.PURCHASE_BODY_BYTES_MAX,
    drainDelayMs: config.MILLRACE_DRAIN_DELAY_MS,
  });
});
