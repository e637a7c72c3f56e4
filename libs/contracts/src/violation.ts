import { Type } from 'typebox';
import type { Plain } from './plain.ts';

/** Schema of {@link Violation}. */
export const violationSchema = Type.Object(
  {
    field: Type.String({ description: 'Path of the field: `userAge`, `items[3].title`, or empty for the whole value' }),
    message: Type.String({ description: 'The broken rule with its limit: `must be at most 150`' }),
    line: Type.Optional(Type.Integer({ minimum: 1, description: 'Line in a statement, from 1' })),
    column: Type.Optional(Type.Integer({ minimum: 1, description: 'Column in that line, from 1, counted in characters' })),
    limit: Type.Optional(Type.Union([Type.Number(), Type.String()], { description: 'The limit that was broken' })),
  },
  { title: 'Violation', description: 'One wrong field of a request.' },
);

/** One wrong field of a value. */
export type Violation = Plain<typeof violationSchema>;
