import { type Arrival, AWAY_KEY, type Entry, type Named, sameNamed } from '../link/away-store.ts';
import { STATE_PARAMETER } from '../link/may-return.ts';
import { attempt } from '../session/tab-storage.ts';

const USED = 'finix-bank-connect:used';

/** The element that is going on with the return. */
let taker: Named | null = null;

/** What an element left with (link/away-store.ts), and whether a bank's page has come back in a way that cannot be resumed. */
export function arrive(element: Named, peers: Named[]): Arrival {
  const { href } = location;
  const stateId = new URLSearchParams(location.search).get(STATE_PARAMETER);
  const entry = attempt(() => JSON.parse(sessionStorage.getItem(AWAY_KEY) ?? 'null') as Entry | null);
  // The customer went back or refreshed: this return was used, and the address means nothing any more.
  const isUsed = stateId && attempt(() => sessionStorage.getItem(USED)) === stateId;
  const unusable = stateId && !isUsed && !entry && peers[0] === element ? 'return_elsewhere' : null;
  if (isUsed || unusable) cleanAddress();
  const notBack: Arrival = { back: null, unusable };
  const isTaken = taker && taker !== element && peers.includes(taker);
  if (!entry || isTaken || !isMeant(element, peers, entry)) return notBack;
  // Link was open and the page was reloaded: a fresh Link is all there is.
  if (entry.linkToken && !stateId) return notBack;
  if (entry.until <= Date.now()) {
    consumeReturn();
    return { back: null, unusable: 'expired' };
  }
  taker = element;
  // Unless the page, or the customer, has gone somewhere already.
  if (entry.path === location.pathname && !globalThis.scrollY && !location.hash) {
    globalThis.scrollTo({ top: entry.scrollY, behavior: 'instant' });
  }
  const { linkToken, clientSecret, until } = entry;
  return { back: { linkToken, clientSecret, until, receivedRedirectUri: href }, unusable: null };
}

/** From here on neither a refresh nor another element finds the return. */
export function consumeReturn(): void {
  const stateId = new URL(location.href).searchParams.get(STATE_PARAMETER);
  taker = null;
  attempt(() => sessionStorage.removeItem(AWAY_KEY));
  if (!stateId) return;
  attempt(() => sessionStorage.setItem(USED, stateId));
  cleanAddress();
}

/** The same element where it is there; on a page made for coming back, the first. */
function isMeant(element: Named, peers: Named[], { name, index }: Entry): boolean {
  const same = sameNamed(peers, name);
  return (same[index] ?? same[0] ?? peers[0]) === element;
}

function cleanAddress(): void {
  const { href, search } = location;
  const parameters = new URLSearchParams(search);
  parameters.delete(STATE_PARAMETER);
  const rest = String(parameters);
  // Whole, so that the page's `<base>` doesn't count.
  const cleaned = href.replace(search, () => rest && `?${rest}`);
  // Refused in documents without an address of their own, and when a page asks too often.
  attempt(() => history.replaceState(history.state, '', cleaned));
}
