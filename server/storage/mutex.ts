import { StorageUnavailableError } from './errors.ts';

/**
 * How long a query may wait for the one connection. Transactions here hold it for milliseconds, so 10 s means that
 * something is stuck; the caller gets an error, in place of hanging.
 */
const CONNECTION_WAIT_MS = 10_000;

/** Lets one holder through at a time, in the order of asking. */
export class Mutex {
  #held = false;
  readonly #waiting: (() => void)[] = [];

  async acquire(): Promise<void> {
    if (!this.#held) {
      this.#held = true;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(enter), 1);
        reject(new StorageUnavailableError('connection busy'));
      }, CONNECTION_WAIT_MS);
      const enter = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#waiting.push(enter);
    });
  }

  /** For callers that can't wait: takes it when it is free. */
  tryAcquire(): boolean {
    if (this.#held) return false;
    this.#held = true;
    return true;
  }

  release(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#held = false;
  }
}
