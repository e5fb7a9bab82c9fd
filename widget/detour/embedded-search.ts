import type { Flow, LinkSearch } from '../flow/detours.ts';
import type { FlowState } from '../flow/state.ts';
import type { LinkHandler, SearchPlace } from '../link/plaid-link.ts';
import type { PlaidGlobal, PlaidLinkConfig } from '../link/plaid-link.types.ts';
import { fromLinkError } from './link-errors.ts';

// A page that takes the search away again and again has no place for it.
const MOST_LOST = 3;

/** The search in the page that Link is opened from, for as long as the page and Plaid allow it. */
export class EmbeddedSearch implements LinkSearch {
  #isAllowed = true;
  #lost = 0;
  readonly #flow: Flow;
  readonly #find: (state: FlowState) => HTMLElement | null;

  constructor(flow: Flow, find: (state: FlowState) => HTMLElement | null) {
    this.#flow = flow;
    this.#find = find;
  }

  place(): HTMLElement | null {
    return this.#isAllowed ? this.#find(this.#flow.state) : null;
  }

  begin(): SearchPlace | null {
    const place = this.place();
    return (
      place && {
        create: (plaid, config) => embed(plaid, config, place),
        watch: () => watchPlace(place, () => this.#wasLost()),
        isRefusal: (plaid) => !plaid || fromLinkError({ error_code: plaid }).code !== 'link_expired',
        refused: () => {
          this.#isAllowed = false;
          this.#flow.dispatch({ type: 'expiring' });
        },
      }
    );
  }

  opened(): void {
    this.#lost = 0;
  }

  #wasLost(): void {
    if (++this.#lost >= MOST_LOST) this.#isAllowed = false;
    this.#flow.dispatch({ type: 'search_lost' });
  }
}

/**
 * The real script takes no element that is not in the page, and none without space; a button doesn't need what it
 * throws for.
 */
function embed(plaid: PlaidGlobal, config: PlaidLinkConfig, place: HTMLElement): LinkHandler {
  try {
    // What a copy of the page brought along is not a search.
    place.replaceChildren();
    if (plaid.createEmbedded) return plaid.createEmbedded(config, place);
  } catch {
    place.replaceChildren();
  }
  return plaid.create(config);
}

// Plaid's script may put another frame into the search's place; this long after the first is gone, it would be there.
const EMPTY_FOR = 250;

/** The search is in the page's own document, where the page can take it away, in any way and at any time. */
function watchPlace(place: HTMLElement, lost: () => void): () => void {
  const parent = place.parentNode;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = () => {
    clearTimeout(timer);
    observer.disconnect();
  };
  const isLost = () => place.parentNode !== parent || !place.hasChildNodes();
  const observer = new MutationObserver(() => {
    clearTimeout(timer);
    const report = () => {
      if (!isLost()) return;
      stop();
      lost();
    };
    if (place.parentNode === parent) timer = setTimeout(report, EMPTY_FOR);
    else report();
  });
  for (const node of [place, parent]) if (node) observer.observe(node, { childList: true });
  return stop;
}
