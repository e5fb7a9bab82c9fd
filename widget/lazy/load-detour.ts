import type { Detours } from '../flow/detours.ts';
import { within } from '../within.ts';

export type Detour = typeof import('../detour/index.ts');

/** The chunk's own name, as with that of the second (element/load-lazy.ts). */
declare const DETOUR_CHUNK: string | undefined;

/**
 * Where the second chunk came only under another address, the third one has to ask for it by that address as well
 * (build/lazy-chunks.ts): a browser may remember the failure of the first.
 */
const OWN_RETRY = /retry=\d+/;

let detour: Detour | null = null;
let loading: Promise<Detour> | null = null;
let failures = 0;

/** The third chunk, for all elements of the page. */
export const detours: Detours<Detour> = {
  get now() {
    return detour;
  },
  load() {
    loading ??= load();
    return loading;
  },
};

async function load(): Promise<Detour> {
  try {
    const own = OWN_RETRY.exec(import.meta.url);
    const isAgain = typeof DETOUR_CHUNK === 'string' && (failures || own);
    detour = await within<Detour>(
      isAgain ? import(`${DETOUR_CHUNK}?${own ? `${own[0]}&` : ''}again=${failures}`) : import('../detour/index.ts'),
    );
    return detour;
  } catch (error) {
    failures++;
    throw error;
  } finally {
    loading = null;
  }
}
