import { defineConfig } from 'vitest/config';

/**
 * The tests that judge mutants: all but those that take long by their nature and find nothing that the others do not. It stands alone, because Stryker runs it in a
 * copy of this folder.
 */
export default defineConfig({
  test: {
    include: ['src/**/*.spec.ts'],
    exclude: ['src/long-lived-signal.spec.ts', 'src/overload.simulation.spec.ts', 'src/pipeline-types.spec.ts'],
    testTimeout: 20_000,
    isolate: false,
    reporters: ['default'],
  },
});
