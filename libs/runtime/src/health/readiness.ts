import type { Plain } from '@millrace/contracts';
import { Type } from 'typebox';

const dependencyHealthSchema = Type.Object(
  {
    name: Type.String({ description: 'Name under which the check is registered' }),
    required: Type.Boolean({ description: 'Whether the service is unready without it' }),
    status: Type.Enum(['up', 'down'], { description: '`up`: the dependency answered within its time limit' }),
    detail: Type.Optional(Type.String({ description: 'Reason of `down`, or a fact that the check gave, without secrets' })),
    since: Type.String({ description: 'Time of the last change of the status, ISO 8601' }),
    checkedAt: Type.String({ description: 'Time of the last check, ISO 8601' }),
    durationMs: Type.Number({ minimum: 0, description: 'Duration of the last check in milliseconds' }),
  },
  { title: 'DependencyHealth', description: 'State of one dependency at its last check.' },
);

/** State of one dependency at its last check. */
export type DependencyHealth = Plain<typeof dependencyHealthSchema>;

/** Schema of {@link Readiness}. */
export const readinessSchema = Type.Object(
  {
    status: Type.Enum(['ready', 'degraded', 'unavailable', 'stopping'], {
      description:
        '`ready`: everything is up. `degraded`: something that is not required is down. `unavailable`: something required is down. `stopping`: the service ends',
    }),
    service: Type.String({ description: 'Name of the service' }),
    dependencies: Type.Array(dependencyHealthSchema, { description: 'Each dependency, in the order of registration' }),
  },
  { title: 'Readiness', description: 'State of a service. Only `ready` and `degraded` take work.' },
);

/** State of a service. Only `ready` and `degraded` take work. */
export type Readiness = Plain<typeof readinessSchema>;

/** Schema of the answer of `/health/live`. */
export const livenessSchema = Type.Object(
  { status: Type.Literal('alive'), uptimeSeconds: Type.Integer({ minimum: 0, description: 'Age of the process in seconds' }) },
  { title: 'Liveness', description: 'Proof that the event loop runs.' },
);

/** Answer of `/health/live`. */
export type Liveness = Plain<typeof livenessSchema>;
