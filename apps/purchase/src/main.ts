import 'reflect-metadata';
import { createLogger, runMain, runService } from '@millrace/runtime';
import { readPurchaseConfig } from './config.ts';
import { serviceOptions } from './service-options.ts';

await runMain(async () => {
  const config = readPurchaseConfig();
  await runService(serviceOptions(config, createLogger({ name: 'purchase', level: config.LOG_LEVEL })));
});
