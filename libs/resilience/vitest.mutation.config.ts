import { mergeConfig } from 'vitest/config';
import { projectTests } from '../../vitest.base.ts';

/** The tests that judge mutants: all but those that take long by their nature and find nothing that the others do not. */
export default mergeConfig(projectTests('unit'), {
  test: { exclude: ['src/long-lived-signal.spec.ts', 'src/overload.simulation.spec.ts', 'src/pipeline-types.spec.ts'], reporters: ['default'] },
});
