import 'reflect-metadata';
import { authFrom, createLogger, runMain, runService } from '@millrace/runtime';
import { readPurchaseConfig } from './config.ts';
import { timeoutGuard } from './guards.ts';
import { PurchaseModule } from './purchase.module.ts';

await runMain(async () => {
  const config = readPurchaseConfig();
  const logger = createLogger({ name: 'purchase', level: config.LOG_LEVEL });
  const guard = timeoutGuard({ open: config.PURCHASE_KAFKA_OPEN_MS_MAX, send: config.PURCHASE_KAFKA_SEND_MS_MAX, check: config.PURCHASE_KAFKA_CHECK_MS_MAX });
  await runService({
    name: 'purchase',
    module: PurchaseModule.of(config, logger, guard),
    host: config.PURCHASE_HOST,
    port: config.PURCHASE_PORT,
    logger,
    auth: authFrom(config),
    bodyBytesMax: config.PURCHASE_BODY_BYTES_MAX,
  });
});
