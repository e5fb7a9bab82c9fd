import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { dist } from './built-server.ts';

/** Bytes after brotli, the way they travel. */
export interface BundleFigures {
  /** What must arrive before the button shows: the script and what it imports at once, Lit included. */
  first_bytes: number;
  /** What is loaded when the customer comes near. */
  later_bytes: number;
}

interface Facts {
  brotli_bytes: number;
  chunks: { brotli_bytes: number; load: 'first' | 'later' }[];
}

export function measureBundle(): BundleFigures {
  const { brotli_bytes, chunks } = JSON.parse(readFileSync(join(dist, 'cdn', 'integrity.json'), 'utf8')) as Facts;
  const sum = (load: string) =>
    chunks.reduce((bytes, chunk) => bytes + (chunk.load === load ? chunk.brotli_bytes : 0), 0);
  return { first_bytes: brotli_bytes + sum('first'), later_bytes: sum('later') };
}
