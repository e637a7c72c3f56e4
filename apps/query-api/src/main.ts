import 'reflect-metadata';
import { streams } from '@millrace/contracts';
import { runMain } from '@millrace/runtime';
import { runQueryApi } from './run-query-api.ts';

await runMain(async () => await runQueryApi(streams));
