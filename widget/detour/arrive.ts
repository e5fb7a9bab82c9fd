import { type Arrival, AWAY_KEY, type Entry, type Named, type Place, placeOf, sameIn } from '../link/away-store.ts';
import { STATE_PARAMETER } from '../link/may-return.ts';
import { toJson } from '../session/json.ts';
import { attempt } from '../session/tab-storage.ts';
import { beginReturned } from './returned-session.ts';

const USED = 'finix-bank-connect:used';

/** The element that is going on with the return. */
let taker: Named | null = null;

/** What may have left: all elements of the page, or all flows without one (headless.ts), in their order. */
interface Peers<Peer extends Named> {
  all: Peer[];
  placeOf(peer: Peer): Place;
  /** It may be on the page, where it can't be seen from here. */
  isHidden?(place: Place): boolean;
}

/**
 * What an element left with (link/away-store.ts), and whether a bank's page has come back in a way that cannot be
 * resumed.
 */
export function arrive(element: Element & Named): Arrival {
  const all = elementsIn(document, element.localName);
  return arriveAmong<Element & Named>(element, {
    all: all.includes(element) ? all : [...all, element],
    placeOf,
    isHidden,
  });
}

export function arriveAmong<Peer extends Named>(one: Peer, peers: Peers<Peer>): Arrival {
  const { href } = location;
  const stateId = stateOf(location.search);
  const entry = attempt(() => JSON.parse(sessionStorage.getItem(AWAY_KEY) ?? 'null') as Entry | null);
  // The customer went back or refreshed: this return was used, and the address means nothing any more.
  const isUsed = stateId && attempt(() => sessionStorage.getItem(USED)) === stateId;
  const unusable = stateId && !isUsed && !entry && peers.all[0] === one ? 'return_elsewhere' : null;
  if (isUsed || unusable) cleanAddress();
  const notBack: Arrival = { back: null, unusable };
  const isTaken = taker && taker !== one && peers.all.includes(taker as Peer);
  if (!entry || isTaken || !isMeant(one, peers, entry)) return notBack;
  // Link was open and the page was reloaded: a fresh Link is all there is.
  if (entry.linkToken && !stateId) return notBack;
  if (entry.until <= Date.now()) {
    consumeReturn();
    return { back: null, unusable: 'expired' };
  }
  taker = one;
  // Unless the page, or the customer, has gone somewhere already.
  if (entry.path === location.pathname && !globalThis.scrollY && !location.hash) {
    globalThis.scrollTo({ top: entry.scrollY, behavior: 'instant' });
  }
  const { linkToken, clientSecret, until } = entry;
  beginReturned(one, clientSecret);
  return { back: { linkToken, clientSecret, until, receivedRedirectUri: href }, unusable: null };
}

/** From here on neither a refresh nor another element finds the return. */
export function consumeReturn(): void {
  const stateId = stateOf(location.search);
  taker = null;
  attempt(() => sessionStorage.removeItem(AWAY_KEY));
  if (!stateId) return;
  attempt(() => sessionStorage.setItem(USED, stateId));
  cleanAddress();
}

/** The same one where it is there; on a page made for coming back, the first. */
function isMeant<Peer extends Named>(one: Peer, { all, placeOf, isHidden }: Peers<Peer>, entry: Entry): boolean {
  const { name, index, host } = entry;
  const isLeft = (peer: Peer) => {
    const place = placeOf(peer);
    // An entry of an earlier release has no tag.
    return toJson(place) === toJson({ ...place, name, index, host });
  };
  const left = all.find(isLeft);
  if (left || isHidden?.(entry)) return left === one;
  return (all.find((peer) => (peer.name ?? '') === name) ?? all[0]) === one;
}

/** In the order of the page, those in shadow trees included. */
function elementsIn(root: ParentNode, localName: string): (Element & Named)[] {
  return [...root.querySelectorAll<Element & Named>('*')].flatMap((one) => {
    if (one.localName === localName) return one;
    return one.shadowRoot ? elementsIn(one.shadowRoot, localName) : [];
  });
}

/** In a shadow tree that is closed, or not made yet. */
const isHidden = ({ host }: Place) => treeOf(host) === null;

/** Undefined where there is no such host, null where its tree can't be seen. */
function treeOf(host: Place | undefined): ParentNode | null | undefined {
  if (!host) return document;
  const outer = treeOf(host.host);
  return outer && sameIn(outer, host.localName ?? '', host.name)[host.index]?.shadowRoot;
}

/** Not by `URL`, which is the name of a variable on many a page. */
const stateOf = (search: string) => new URLSearchParams(search).get(STATE_PARAMETER);

function cleanAddress(): void {
  const { href, search } = location;
  // The rest as the page has written it, to the letter: it may compare addresses, or have signed them.
  const kept = search.slice(1).split('&');
  const rest = kept.filter((pair) => stateOf(pair) === null).join('&');
  // Whole, so that the page's `<base>` doesn't count.
  const cleaned = href.replace(search, () => rest && `?${rest}`);
  // Refused in documents without an address of their own, and when a page asks too often.
  attempt(() => history.replaceState(history.state, '', cleaned));
}
