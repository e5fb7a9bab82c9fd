/** The simulator's clock, which runs on from the time that it is set to. */
export interface Clock {
  now(): number;
  set(time: number): void;
  advance(ms: number): void;
  reset(): void;
}

export function createClock(): Clock {
  let offset = 0;
  return {
    now: () => Date.now() + offset,
    set: (time) => {
      offset = time - Date.now();
    },
    advance: (ms) => {
      offset += ms;
    },
    reset: () => {
      offset = 0;
    },
  };
}
