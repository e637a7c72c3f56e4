import { defineConfig } from 'vitest/config';

/**
 * Settings that the vitest configurations of all projects share. Workspace packages resolve to their sources
 * (the `@millrace/source` export condition), so a test never runs against a stale build.
 */
const conditions = ['@millrace/source', 'node', 'import', 'default'];

const integrationTests = ['src/**/*.int.spec.ts', 'src/**/*.e2e.spec.ts'];
const integration = process.env['MILLRACE_TEST_KIND'] === 'integration';

/**
 * @param alone integration tests that stop a part which others use: they run first and alone, all others beside each other.
 * Default: each runs alone
 */
export function projectTests({ alone }: { readonly alone?: readonly string[] } = {}) {
  return defineConfig({
    oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
    resolve: { conditions },
    ssr: { resolve: { conditions, externalConditions: conditions } },
    test: {
      passWithNoTests: true,
      testTimeout: integration ? 120_000 : 60_000,
      hookTimeout: integration ? 120_000 : 60_000,
      fileParallelism: !integration,
      maxWorkers: 2,
      // Files of unit tests share a worker. To evaluate each module once a file instead of once a worker was 80 % of their time.
      // Files of integration tests close what their modules opened.
      isolate: integration,
      ...(integration && alone !== undefined
        ? { projects: groupsOf(alone) }
        : integration
          ? { include: integrationTests }
          : { include: ['src/**/*.spec.ts'], exclude: integrationTests }),
      reporters: ['default', ['json', { outputFile: integration ? 'test-report.int.json' : 'test-report.json' }]],
    },
  });
}

function groupsOf(alone: readonly string[]) {
  return [
    { extends: true as const, test: { name: 'alone', include: [...alone], sequence: { groupOrder: 0 } } },
    {
      extends: true as const,
      test: {
        name: 'beside each other',
        include: integrationTests,
        exclude: [...alone],
        fileParallelism: true,
        sequence: { groupOrder: 1 },
      },
    },
  ];
}
