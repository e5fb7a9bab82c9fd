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
}

/** How the page was come to (detour/arrive.ts). */
export interface Arrival {
  /** What this element left with; to be found until Link has gone on with it. */
  back: Return | null;
  /** A return that cannot be resumed: to a tab that did not leave, or after the link token's end. */
  unusable: UnusableReturn | null;
}

export type UnusableReturn = 'return_elsewhere' | 'expired';

/** Who may have left: an element, or a flow without one. */
export interface Named {
  readonly name: string | null;
}

/**
 * Which element it is, among those of its tag and name in its tree, and after it the one that the tree belongs to: the
 * shadow trees of a page know nothing of each other.
 */
export interface Place {
  localName?: string;
  name: string;
  index: number;
  host?: Place;
}

export interface Entry extends Leave, Place {
  path: string;
  scrollY: number;
}

/**
 * Link reports the bank's page only after it has ended, so what the way back needs is written down whenever Link opens.
 * It is in `sessionStorage`, because the way back leads to this tab and this origin, and is gone with the tab; it is
 * taken away when Link ends, and worthless after `until`, when Plaid itself forgets the link token. With it a script of
 * this page could do nothing that it can't do without. No public token is ever there.
 */
export function createAwayStore(place: () => Place): AwayStore {
  let written = '';
  return {
    write(leave) {
      const entry: Entry = { ...leave, ...place(), path: location.pathname, scrollY: globalThis.scrollY };
      written = toJson(entry);
      attempt(() => sessionStorage.setItem(AWAY_KEY, written));
    },
    clear() {
      // The entry of another element, whose Link may be open, stays.
      attempt(() => sessionStorage.getItem(AWAY_KEY) === written && sessionStorage.removeItem(AWAY_KEY));
    },
  };
}

/** Whether an element of this tab has left, or a bank's page has come back to it. */
export function mayArrive(): boolean {
  return location.search.includes(STATE_PARAMETER) || !!attempt(() => sessionStorage.getItem(AWAY_KEY));
}

export function placeOf(element: Element & Partial<Named>): Place {
  const { localName, name } = element;
  const root = element.getRootNode() as ShadowRoot;
  const index = sameIn(root, localName, name).indexOf(element);
  return { localName, name: name ?? '', index, host: root instanceof ShadowRoot ? placeOf(root.host) : undefined };
}

export function sameIn(root: ParentNode, localName: string, name?: string | null): Element[] {
  const all = [...root.querySelectorAll<Element & Partial<Named>>(localName)];
  return all.filter((one) => (one.name ?? '') === (name ?? ''));
}
