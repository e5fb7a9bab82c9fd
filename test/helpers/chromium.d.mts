export interface FoundChromium {
  /** The executable. */
  path: string;
  /** What it needs on top of the process environment: empty unless `source` is `packaged`. Spread it after `process.env`. */
  env: Record<string, string>;
  /** Where it came from: the variable CHROME_PATH, an installed browser, or the one inside an npm package. */
  source: 'CHROME_PATH' | 'system' | 'packaged';
}

/**
 * Finds a Chromium, or unpacks one; needs no network and no administrator. The variable `FBC_BROWSER` narrows the choice to `system` or `packaged`.
 * @throws when there is none, with a sentence on what to install.
 */
export function findChromium(): Promise<FoundChromium>;

/** Arguments for every launch: they work as root and in containers, and keep the browser, like the tests, on this machine. */
export const chromiumArgs: readonly string[];
