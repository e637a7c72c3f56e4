import 'reflect-metadata';
import { streams } from '@millrace/contracts';
import { runMain } from '@millrace/runtime';
import { runPurchase } from './run-purchase.ts';

await runMain(async () => await runPurchase(streams));
