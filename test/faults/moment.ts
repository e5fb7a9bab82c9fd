/**
 * A point in time that every customer of a case reaches before the case does something, and none passes before it is
 * done.
 */
export class Moment {
  /** Resolves when all have arrived. */
  readonly all: Promise<void>;
  /** Lets all of them go on. */
  pass: () => void = () => {};
  readonly #passed: Promise<void>;
  #arrive: () => void = () => {};
  #missing: number;

  constructor(count: number) {
    this.#missing = count;
    this.all = new Promise((resolve) => {
      this.#arrive = resolve;
    });
    this.#passed = new Promise((resolve) => {
      this.pass = resolve;
    });
  }

  /** Resolves when the moment is over. */
  reached(): Promise<void> {
    this.#missing--;
    if (this.#missing === 0) this.#arrive();
    return this.#passed;
  }
}
