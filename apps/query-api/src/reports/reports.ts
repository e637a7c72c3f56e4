import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConfigError } from '@millrace/runtime';
import { QueryError } from '../errors.ts';
import type { StatementGate } from '../statement/statement-gate.ts';
import { defaultProblems, type Report } from './report.ts';
import { parseReport } from './report-file.ts';

/** Limits of a folder of reports. */
export const reportLimits = { filesMax: 200, fileBytesMax: 65_536 } as const;

/** The reports of this version, in the folder `reports` of the app. */
export const reports: readonly Report[] = readReports(fileURLToPath(new URL('../../reports/', import.meta.url)));

/**
 * Reads each `*.sql` file of a folder as a report.
 *
 * @throws ConfigError that names the folder, or each file that is not a report
 */
export function readReports(folder: string): readonly Report[] {
  const files = sqlFilesOf(folder);
  if (files.length > reportLimits.filesMax)
    throw new ConfigError([`${folder} has ${files.length} reports, and the limit is ${reportLimits.filesMax}.`]);
  const problems: string[] = [];
  const found = files.flatMap((file): Report[] => {
    try {
      const path = join(folder, file);
      const { size } = statSync(path);
      if (size > reportLimits.fileBytesMax)
        throw new ConfigError([`The report ${file} has ${size} bytes, and the limit is ${reportLimits.fileBytesMax}.`]);
      const report = parseReport(file.slice(0, -'.sql'.length), readFileSync(path, 'utf8'));
      problems.push(...defaultProblems(report).map((problem) => `The report ${file}: the default of ${problem}.`));
      return [report];
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems.push(...error.problems);
      return [];
    }
  });
  if (problems.length > 0) throw new ConfigError(problems);
  return found;
}

/**
 * The reports of this version and those of a folder.
 *
 * @param folder further reports; undefined for none
 * @throws ConfigError when a report cannot be read, or has the name of another
 */
export function allReports(folder: string | undefined): readonly Report[] {
  if (folder === undefined) return reports;
  const added = readReports(folder);
  const twice = added.filter(({ name }) => reports.some((report) => report.name === name));
  if (twice.length > 0) throw new ConfigError(twice.map(({ name }) => `The report ${name}.sql has the name of a report of this version.`));
  return [...reports, ...added];
}

/**
 * Checks the statement of each report as a caller's own would be.
 *
 * @throws ConfigError that names each report whose statement is not allowed
 */
export async function checkReports(list: readonly Report[], gate: Pick<StatementGate, 'check'>): Promise<void> {
  const problems: string[] = [];
  for (const { name, sql } of list) {
    try {
      await gate.check(sql);
    } catch (error) {
      if (!(error instanceof QueryError)) throw error;
      problems.push(`The report ${name}.sql: ${error.message}`);
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
}

function sqlFilesOf(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((file) => file.endsWith('.sql'))
      .toSorted();
  } catch (error) {
    throw new ConfigError([`The folder of reports ${folder} cannot be read: ${error instanceof Error ? error.message : String(error)}.`]);
  }
}
