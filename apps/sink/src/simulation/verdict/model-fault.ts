/**
 * An invariant was violated. A schedule that fails for another reason, a hang or a bug of the simulation, proves nothing about the rule
 * that was left out.
 */
export class ModelFault extends Error {
  override readonly name = 'ModelFault';
}
