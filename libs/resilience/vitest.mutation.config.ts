import { defineConfig } from 'vitest/config';

/**
 * The tests that judge mutants: all but those that take long by their nature and find nothing that the others do not. It stands alone, because Stryker runs it in a
 * copy of this folder. `MUTATION_SPECS` names some of them, separated by commas, when a part of the library is looked at: fewer tests can only kill fewer mutants.
 */
const some = process.env['MUTATION_SPECS']?.split(',').map((name) => `src/${name}.spec.ts`);

export default defineConfig({
  test: {
    include: some ?? ['src/**/*.spec.ts'],
    exclude: ['src/pipeline/long-lived-signal.spec.ts', 'src/pipeline/overload.simulation.spec.ts', 'src/pipeline/pipeline-types.spec.ts'],
    // Many mutants let a promise hang: a test that fails is cheaper than a process that is ended.
    testTimeout: 2500,
    isolate: false,
    reporters: ['default'],
  },
});
