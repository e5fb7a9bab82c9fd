import type {
  PlaidGlobal,
  PlaidHandler,
  PlaidLinkConfig,
  PlaidSuccess,
} from '../../../widget/link/plaid-link.types.ts';

/** What the element's place got, and what happened to it. */
export interface SimulatedSearch {
  readonly config: PlaidLinkConfig;
  readonly place: HTMLElement;
  /** As large as the place was at that moment. */
  readonly size: [width: number, height: number];
  destroyed: boolean;
}

/** One handler that the element created, and what happened to it. */
export interface SimulatedHandler extends PlaidHandler {
  readonly config: PlaidLinkConfig;
  opened: number;
  destroyed: boolean;
}

/** Link as the element sees it: the test plays the customer through `succeed`, `exit` and `config`. */
export class SimulatedLink implements PlaidGlobal {
  readonly handlers: SimulatedHandler[] = [];
  readonly searches: SimulatedSearch[] = [];

  static install(): SimulatedLink {
    const link = new SimulatedLink();
    globalThis.Plaid = link;
    return link;
  }

  static remove(): void {
    globalThis.Plaid = undefined;
  }

  create(config: PlaidLinkConfig): PlaidHandler {
    const handler: SimulatedHandler = {
      config,
      opened: 0,
      destroyed: false,
      open() {
        handler.opened++;
        document.body.style.overflow = 'hidden';
      },
      exit() {},
      destroy() {
        handler.destroyed = true;
      },
    };
    this.handlers.push(handler);
    return handler;
  }

  createEmbedded?(config: PlaidLinkConfig, place: HTMLElement): { destroy(): void } {
    const search: SimulatedSearch = {
      config,
      place,
      size: [place.clientWidth, place.clientHeight],
      destroyed: false,
    };
    const find = document.createElement('button');
    find.textContent = 'Search for your bank';
    place.append(find);
    this.searches.push(search);
    return {
      destroy() {
        search.destroyed = true;
        find.remove();
      },
    };
  }

  get last(): SimulatedHandler {
    const last = this.handlers.at(-1);
    if (!last) throw new Error('No Link handler was created');
    return last;
  }

  get alive(): number {
    return this.handlers.filter(({ destroyed }) => !destroyed).length;
  }

  succeed(publicToken = 'public-sandbox-1', metadata: Partial<PlaidSuccess> = {}): void {
    this.last.config.onSuccess(publicToken, {
      institution: { institution_id: 'ins_56', name: 'Chase' },
      accounts: [account('acc_1', 'Plaid Checking', '1234')],
      link_session_id: 'link-session-1',
      ...metadata,
    });
  }

  exit(code?: string, status: string | null = 'requires_credentials', type = 'ITEM_ERROR'): void {
    this.last.config.onExit(code ? { error_type: type, error_code: code } : null, { status });
  }
}

export function account(id: string, name: string, mask: string) {
  return { id, name, mask, type: 'depository', subtype: 'checking', verification_status: 'automatically_verified' };
}
