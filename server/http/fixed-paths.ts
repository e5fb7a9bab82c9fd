import type { Result, Router } from 'hono/router';
import { TrieRouter } from 'hono/router/trie-router';

/**
 * Looks an address without parameters up once. Hono's fastest router takes no set in which an address fits two
 * patterns, as a script's name and `/docs` do here, and its general one searches as long as a whole middleware runs.
 */
export class FixedPathRouter<T> implements Router<T> {
  readonly name = 'FixedPathRouter';
  readonly #all = new TrieRouter<T>();
  /** By path and method. Only what is registered, so that requests for anything else fill no memory. */
  readonly #found = new Map<string, Map<string, Result<T>>>();
  readonly #methods = new Set<string>();

  add(method: string, path: string, handler: T): void {
    this.#all.add(method, path, handler);
    this.#methods.add(method);
    if (!/[:*?{]/.test(path)) this.#found.set(path, new Map());
    // What was found before may lack this handler.
    for (const byMethod of this.#found.values()) byMethod.clear();
  }

  match(method: string, path: string): Result<T> {
    const byMethod = this.#found.get(path);
    if (!byMethod || !this.#methods.has(method)) return this.#all.match(method, path);
    const known = byMethod.get(method);
    if (known) return known;
    const found = this.#all.match(method, path);
    byMethod.set(method, found);
    return found;
  }
}
