import 'reflect-metadata';
import { streams } from '@millrace/contracts';
import { servedBookViews } from '@millrace/contracts/testing';
import { runMain } from '@millrace/runtime';
import { runPurchase } from '../run-purchase.ts';

await runMain(async () => await runPurchase([...streams, servedBookViews]));
