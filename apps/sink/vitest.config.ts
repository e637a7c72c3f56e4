import { projectTests } from '../../vitest.base.ts';

export default projectTests({ alone: ['src/sink-kafka.int.spec.ts'] });
