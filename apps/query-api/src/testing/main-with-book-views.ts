import 'reflect-metadata';
import { streams } from '@millrace/contracts';
import { servedBookViews } from '@millrace/contracts/testing';
import { runMain } from '@millrace/runtime';
import { runQueryApi } from '../run-query-api.ts';

await runMain(async () => await runQueryApi([...streams, servedBookViews]));
