/** Our code has about two hundred statements; one that is rare gains nothing, and lists come in many lengths. */
const MOST_NAMES = 300;
/** A statement that has run so often is one of the frequent ones. */
const USES_BEFORE_NAME = 10;
/** Texts that are counted. When they are more, the count begins again: a frequent one is back soon. */
const MOST_COUNTED = 1_000;

/**
 * Names under which PostgreSQL keeps statements parsed and planned, on each connection by itself. A connection's first
 * use of a name prepares it, so that names need no start.
 */
export class PreparedStatements {
  #isOn: boolean;
  #generation = 0;
  readonly #names = new Map<string, number>();
  readonly #uses = new Map<string, number>();
  readonly #onRefusal: () => void;

  /** @param onRefusal called once, when it turns out that connections are not the program's own */
  constructor(isOn: boolean, onRefusal: () => void = () => {}) {
    this.#isOn = isOn;
    this.#onRefusal = onRefusal;
  }

  /** Undefined: the statement is sent as it is. */
  nameOf(text: string): string | undefined {
    if (!this.#isOn) return undefined;
    const known = this.#names.get(text);
    if (known !== undefined) return `fbc_${this.#generation}_${known}`;
    const uses = (this.#uses.get(text) ?? 0) + 1;
    if (uses >= USES_BEFORE_NAME && this.#names.size < MOST_NAMES) {
      this.#uses.delete(text);
      this.#names.set(text, this.#names.size);
    } else {
      if (this.#uses.size >= MOST_COUNTED) this.#uses.clear();
      this.#uses.set(text, uses);
    }
    return undefined;
  }

  /** After an error that isStalePlan knows: the statement runs when it is sent again. */
  renew(error: unknown): void {
    if (isForgotten(error)) {
      if (this.#isOn) this.#onRefusal();
      this.#isOn = false;
      return;
    }
    // Under other names, every connection prepares its statements again.
    this.#generation++;
  }
}

/**
 * Whether a prepared statement was refused for what has changed around it, before it did anything: a newer version has
 * added a column that `returning *` gives, or a pooler has lent another connection than the one that it was prepared
 * on.
 */
export function isStalePlan(error: unknown): boolean {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  return isForgotten(error) || (code === '0A000' && message === 'cached plan must not change result type');
}

/** 26000: there is no statement of that name, 42P05: there is one already. */
function isForgotten(error: unknown): boolean {
  const { code } = (error ?? {}) as { code?: unknown };
  return code === '26000' || code === '42P05';
}
