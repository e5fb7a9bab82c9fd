/** The simulator's clock, which runs on from the time that it is set to. */
export interface Clock {
  now(): number;
  set(time: number): void;
  reset(): void;
}

export function createClock(): Clock {
  let offset = 0;
  return {
    now: () => Date.now() + offset,
    set: (time) => {
      offset = time - Date.now();
    },
    reset: () => {
      offset = 0;
    },
  };
}
