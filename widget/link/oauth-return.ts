import { toJson } from '../session/json.ts';
import { attempt, KEY_PREFIX } from '../session/tab-storage.ts';
import { STATE_PARAMETER } from './may-return.ts';

export const AWAY_KEY = `${KEY_PREFIX}away`;

/** What is needed to go on after a bank's own page, or Plaid's, has taken the place of this one. */
export interface Leave {
  /** Absent where Link ends at Plaid and only the server learns of it. */
  linkToken?: string;
  clientSecret: string;
  /** Milliseconds since 1970; nothing can be gone on with afterwards. */
  until: number;
}

export interface Return extends Leave {
  /** Exactly the address that the bank's page came back to, as Plaid asks for it. */
  receivedRedirectUri: string;
}

export interface AwayStore {
  /** Link is in front of the customer now: from here on the page may be left without another word. */
  write(leave: Leave): void;
  clear(): void;
  /** What this element left with, once: a refresh finds nothing. */
  take(): Return | null;
  /** After `take`, where a bank's page has come back in vain: to a tab that did not leave, or too late to go on. */
  readonly stray: Stray | null;
}

export type Stray = 'return_elsewhere' | 'expired';

/** Who may have left: an element among its like on the page. */
export interface Named {
  readonly name: string | null;
}

interface Entry extends Leave {
  /** Which element it was: its name, and its place among those on the page. */
  name: string;
  index: number;
  path: string;
  scrollY: number;
}

const USED = 'finix-bank-connect:used';

/**
 * Link reports the bank's page only after it has ended, so what the way back needs is written down whenever Link opens.
 * It lies in `sessionStorage`, because the way back leads to this tab and this origin, and is gone with the tab; it is
 * taken away when Link ends, and worthless after `until`, when Plaid itself forgets the link token. With it a script of
 * this page could do nothing that it can't do without. No public token ever lies there.
 */
export function createAwayStore(element: Named, peers: () => Named[]): AwayStore {
  let stray: Stray | null = null;
  return {
    get stray() {
      return stray;
    },
    write(leave) {
      const name = element.name ?? '';
      const place = { name, index: named(peers(), name).indexOf(element) };
      const entry: Entry = { ...leave, ...place, path: location.pathname, scrollY: globalThis.scrollY };
      attempt(() => sessionStorage.setItem(AWAY_KEY, toJson(entry)));
    },
    clear() {
      attempt(() => sessionStorage.removeItem(AWAY_KEY));
    },
    take() {
      const { href } = location;
      const stateId = new URL(href).searchParams.get(STATE_PARAMETER);
      const entry = attempt(() => JSON.parse(sessionStorage.getItem(AWAY_KEY) ?? 'null') as Entry | null);
      // The customer went back or refreshed: this return was used, and the address means nothing any more.
      const isUsed = stateId && attempt(() => sessionStorage.getItem(USED)) === stateId;
      stray = stateId && !isUsed && !entry && peers()[0] === element ? 'return_elsewhere' : null;
      if (isUsed || stray) cleanAddress();
      if (!entry || !isMeant(element, peers(), entry)) return null;
      // Link was open and the page was reloaded: a fresh Link is all there is.
      if (entry.linkToken && !stateId) return null;
      attempt(() => sessionStorage.removeItem(AWAY_KEY));
      if (stateId) {
        attempt(() => sessionStorage.setItem(USED, stateId));
        cleanAddress();
      }
      stray = entry.until <= Date.now() ? 'expired' : null;
      if (stray) return null;
      // Unless the page, or the customer, has gone somewhere already.
      if (entry.path === location.pathname && !globalThis.scrollY && !location.hash) {
        globalThis.scrollTo({ top: entry.scrollY, behavior: 'instant' });
      }
      const { linkToken, clientSecret, until } = entry;
      return { linkToken, clientSecret, until, receivedRedirectUri: href };
    },
  };
}

/** The same element where it is there; on a page made for coming back, the first. */
function isMeant(element: Named, peers: Named[], { name, index }: Entry): boolean {
  const same = named(peers, name);
  return (same[index] ?? same[0] ?? peers[0]) === element;
}

function named(peers: Named[], name: string): Named[] {
  return peers.filter((one) => (one.name ?? '') === name);
}

function cleanAddress(): void {
  const url = new URL(location.href);
  url.searchParams.delete(STATE_PARAMETER);
  // Refused in documents without an address of their own, and when a page asks too often.
  attempt(() => history.replaceState(history.state, '', url));
}
