/** Holds work back until a test lets it go on. */
export class Gate {
  readonly passed: Promise<void>;
  #open = () => {};

  constructor() {
    this.passed = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  open(): void {
    this.#open();
  }
}
