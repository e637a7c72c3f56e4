/** The end of a process, as its calls see it. */
export const crashed = new Error('the process died');

/** A store whose calls fail from the n-th on, as those of a process that died there never return. */
export function crashingStore<Store extends object>(store: Store, callsLeft: number): Store {
  let left = callsLeft;
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]): unknown => {
        left -= 1;
        if (left < 0) throw crashed;
        return Reflect.apply(member, target, args) as unknown;
      };
    },
  });
}
