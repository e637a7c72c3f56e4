import 'reflect-metadata';
import { streams } from '@millrace/contracts';
import { servedBookViews } from '@millrace/contracts/testing';
import { runMain } from '@millrace/runtime';
import { runQueryWorker } from '../run-query-worker.ts';

await runMain(async () => await runQueryWorker([...streams, servedBookViews]));
