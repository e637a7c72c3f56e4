import { defineConfig } from 'vitest/config';

/**
 * Tests that run for each mutant: all except slow ones that kill no further mutants. This file imports nothing of the workspace, because
 * Stryker runs it in a copy of this folder. `MUTATION_SPECS` selects specs, separated by commas, for a part of the library, such as
 * `breaker/breaker,breaker/breaker.model`. Fewer tests can only kill fewer mutants.
 */
const some = process.env['MUTATION_SPECS']?.split(',').map((name) => `src/${name}.spec.ts`);

export default defineConfig({
  test: {
    include: some ?? ['src/**/*.spec.ts'],
    exclude: ['src/pipeline/long-lived-signal.spec.ts', 'src/pipeline/overload.simulation.spec.ts', 'src/pipeline/pipeline-types.spec.ts'],
    // Many mutants make a promise hang. A failing test is cheaper than a killed process.
    testTimeout: 2500,
    isolate: false,
    reporters: ['default'],
  },
});
