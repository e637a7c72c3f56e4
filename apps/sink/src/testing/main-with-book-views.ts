import 'reflect-metadata';
import { streams } from '@millrace/contracts';
import { servedBookViews } from '@millrace/contracts/testing';
import { runMain } from '@millrace/runtime';
import { runSink } from '../run-sink.ts';

await runMain(async () => await runSink([...streams, servedBookViews]));
