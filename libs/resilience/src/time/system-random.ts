/** Random numbers of the machine, in [0, 1). */
export const systemRandom = (): number => Math.random();
