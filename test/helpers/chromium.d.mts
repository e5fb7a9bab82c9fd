export interface FoundChromium {
  /** The executable. */
  path: string;
  /**
   * What it needs on top of the process environment: empty unless `source` is `packaged`. Spread it after
   * `process.env`.
   */
  env: Record<string, string>;
  /** Where it came from: a variable that names it, an installed browser, or the one inside an npm package. */
  source: 'CHROME_PATH' | 'OLD_CHROME_PATH' | 'system' | 'packaged';
}

/**
 * Finds a Chromium, or unpacks one; needs no network and no administrator. The variable `FBC_BROWSER` narrows the
 * choice to `system` or `packaged`.
 * @param wanted as the variable would
 * @throws when there is none, with a sentence on what to install.
 */
export function findChromium(wanted?: string): Promise<FoundChromium>;

/**
 * Whether tests take the packaged Chromium although there is an installed one, which nothing asks for: it has no
 * windows to draw, and needs half to two thirds of the processor time.
 */
export function prefersPackaged(): boolean;

/** Whether the machine has fonts that a browser finds by itself. */
export function hasFonts(): boolean;

/** Whether the browsers that npm packages bring run on this machine. */
export function canRunPackaged(): boolean;

/**
 * A Chromium near the support floor: the packaged 109, or the one that `OLD_CHROME_PATH` names. Null where the packaged
 * one can't run.
 */
export function findOldChromium(): Promise<FoundChromium | null>;

/**
 * Arguments for every launch: they work as root and in containers, and keep the browser, like the tests, on this
 * machine.
 */
export const chromiumArgs: readonly string[];

/** Features of the browser that no test needs, and that cost time: for `--disable-features`. */
export const unusedChromiumFeatures: readonly string[];
