/** Something was seen that must never be. A schedule that fails for another reason, a hang or a bug of the simulation, shows nothing of the rule that was left out. */
export class ModelFault extends Error {
  override readonly name = 'ModelFault';
}
