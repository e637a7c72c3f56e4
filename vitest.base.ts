import { defineConfig } from 'vitest/config';

/**
 * What every project's vitest configuration shares. Workspace packages resolve to their sources
 * (the `@millrace/source` export condition), so a test never runs against a stale build.
 */
const conditions = ['@millrace/source', 'node', 'import', 'default'];

export function projectTests(kind: 'unit' | 'integration' = process.env['MILLRACE_TEST_KIND'] === 'integration' ? 'integration' : 'unit') {
  const integration = kind === 'integration';
  return defineConfig({
    oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
    resolve: { conditions },
    ssr: { resolve: { conditions, externalConditions: conditions } },
    test: {
      include: integration ? ['src/**/*.int.spec.ts', 'src/**/*.e2e.spec.ts'] : ['src/**/*.spec.ts'],
      exclude: integration ? [] : ['src/**/*.int.spec.ts', 'src/**/*.e2e.spec.ts'],
      passWithNoTests: true,
      testTimeout: integration ? 120_000 : 60_000,
      hookTimeout: integration ? 120_000 : 60_000,
      fileParallelism: !integration,
      maxWorkers: 2,
      reporters: ['default', ['json', { outputFile: integration ? 'test-report.int.json' : 'test-report.json' }]],
    },
  });
}
