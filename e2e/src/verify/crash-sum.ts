import { readFileSync } from 'node:fs';
import type { CrashReport } from '../crash/report.ts';
import { sumText } from '../crash/sum.ts';

// Adds up what runs of ./millrace crash-matrix wrote by --out.
process.stdout.write(`${sumText(process.argv.slice(2).map((path) => JSON.parse(readFileSync(path, 'utf8')) as CrashReport))}\n`);
