import type { Config } from '../config.ts';
import { type Check, fail, ok, skip } from './check.ts';

/** A page's own server answers sooner. */
const FETCH_MS = 5_000;
/** Scripts of one page that are looked into: bundlers make a few. */
const MOST_SCRIPTS = 10;
/** Larger bundles exist; a key in one is found by the next deploy's check. */
const MOST_CHARACTERS = 5_000_000;

/**
 * Looks for secrets of the server in the pages that use it and in their scripts: a key that a bundler put there can be
 * read by everyone.
 */
export async function checkPages({ allowedOrigins, secretValues }: Config): Promise<Check[]> {
  // Shorter values stand in every page.
  const secrets = secretValues.filter((value) => value.length >= 12);
  return Promise.all(
    allowedOrigins.map(async (origin): Promise<Check> => {
      const page = await read(origin);
      if (page === undefined) return skip('page', `${origin} does not answer, so its page was not looked at.`);
      const scripts = [...page.matchAll(/<script[^>]*\ssrc=["']?([^"'\s>]+)/gi)].flatMap(([, src = '']) => {
        const url = URL.canParse(src, `${origin}/`) ? new URL(src, `${origin}/`) : undefined;
        return url?.origin === origin ? [url.href] : [];
      });
      const texts = [page, ...(await Promise.all(scripts.slice(0, MOST_SCRIPTS).map(read)))];
      const isFound = texts.some((text) => secrets.some((secret) => text?.includes(secret)));
      return isFound
        ? fail(
            'page',
            `${origin} shows a secret of this server to every visitor, in its page or a script.`,
            'Replace the secret, and keep it on the server: bundlers publish variables such as VITE_… and NEXT_PUBLIC_….',
          )
        : ok('page', `${origin} shows no secret of this server.`);
    }),
  );
}

async function read(url: string): Promise<string | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(FETCH_MS) });
    return (await response.text()).slice(0, MOST_CHARACTERS);
  } catch {
    return undefined;
  }
}
