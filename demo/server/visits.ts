import { plaidUserId } from '../../server/ids.ts';
import type { MerchantConnection, Session } from '../../widget/contract.ts';
import { MERCHANTS, type MerchantKey, type Step, type StoryState } from '../step.ts';
import type { Order } from './order.ts';

/** As many as a presenter can make in an hour; the panel of a longer visit loses its beginning. */
const KEPT = 500;

/** One merchant's customer, in one visit. */
export interface Customer {
  /** The merchant's own id, under which the connect server knows them. */
  id: string;
  merchant: MerchantKey;
  visit: Visit;
  scenario: string;
  /** The session of the current checkout, so that a reload and a second tab continue with the same one. */
  session?: Promise<Session>;
  connection?: MerchantConnection;
  orders: Order[];
  link: StoryState['link'];
  isKillArmed: boolean;
}

type Listener = (event: 'step' | 'state', data: Step | StoryState) => void;

/** One browser at the demo, by a cookie, with all that it may see: its own steps. */
export class Visit {
  readonly cookie = crypto.randomUUID();
  readonly customers: Map<MerchantKey, Customer>;
  readonly #began = performance.now();
  readonly #steps: Step[] = [];
  readonly #listeners = new Set<Listener>();
  #last = 0;

  constructor() {
    const fresh = (merchant: MerchantKey): Customer => ({
      id: `cus_${crypto.randomUUID().slice(0, 8)}`,
      merchant,
      visit: this,
      scenario: 'user_good',
      orders: [],
      link: null,
      isKillArmed: false,
    });
    this.customers = new Map(MERCHANTS.map((merchant) => [merchant, fresh(merchant)]));
  }

  customer(merchant: MerchantKey): Customer {
    return this.customers.get(merchant) as Customer;
  }

  /** @returns the step, which may be completed and told again with `changed` */
  add(step: Omit<Step, 'id' | 'at'>): Step {
    const full: Step = { ...step, id: ++this.#last, at: Math.round(performance.now() - this.#began) };
    this.#steps.push(full);
    if (this.#steps.length > KEPT) this.#steps.shift();
    this.changed(full);
    return full;
  }

  changed(step: Step): void {
    for (const listener of this.#listeners) listener('step', step);
  }

  stateChanged(customer: Customer): void {
    for (const listener of this.#listeners) listener('state', stateOf(customer));
  }

  /** Everything so far, then everything that comes. @returns the way to stop */
  listen(listener: Listener): () => void {
    for (const step of this.#steps) listener('step', step);
    for (const customer of this.customers.values()) listener('state', stateOf(customer));
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

export function stateOf({ merchant, scenario, connection, orders, link, isKillArmed }: Customer): StoryState {
  const order = orders.at(-1);
  return {
    merchant,
    scenario,
    connection: connection
      ? {
          id: connection.id,
          status: connection.status,
          bank: bankName(connection),
          instrument: connection.payment_instrument,
        }
      : null,
    order: order ? { id: order.id, state: order.state } : null,
    link,
    isKillArmed,
  };
}

export function bankName({ institution, account }: Pick<MerchantConnection, 'institution' | 'account'>): string {
  return `${institution.name ?? 'Bank'} ••${account.mask ?? ''}`;
}

/**
 * What identifies a customer on the wire: ids and tokens of all three servers. An Item's id has 37 characters, a
 * `client_user_id` of the connect server 64, an id of Finix two letters and 22 characters.
 */
const NAMES =
  /\b(?:(?:link|public|access|processor)-(?:sandbox|production)-[\w-]+|(?:ID|PI|TR)[1-9A-HJ-NP-Za-km-z]{22}|[0-9a-f]{64}|[A-Za-z0-9]{37}|cus_[0-9a-f]{8}|(?:ses|con|lnk)_(?:(?!_secret_)[\w-])+)(?![\w-])|\b(?:ses)_(?:(?!_secret_)[\w-])+(?=_secret_)/g;

/** All visits, and whose customer each call is about. */
export class Visits {
  readonly #byCookie = new Map<string, Visit>();
  readonly #names = new Map<string, Customer>();

  find(cookie: string | undefined): Visit | undefined {
    return cookie === undefined ? undefined : this.#byCookie.get(cookie);
  }

  begin(): Visit {
    const visit = new Visit();
    this.#byCookie.set(visit.cookie, visit);
    for (const customer of visit.customers.values()) {
      this.#names.set(customer.id, customer);
      this.#names.set(plaidUserId(customer.id), customer);
    }
    return visit;
  }

  /** Forgets the visit; what still comes about its customers is shown to no one. */
  end(visit: Visit): void {
    this.#byCookie.delete(visit.cookie);
    for (const [name, { visit: owner }] of this.#names) if (owner === visit) this.#names.delete(name);
  }

  /** Whom a text names; undefined for no one, and where it names customers of several visits. */
  namedIn(text: string): Customer | undefined {
    const found = new Set((text.match(NAMES) ?? []).flatMap((name) => this.#names.get(name) ?? []));
    return found.size === 1 ? [...found][0] : undefined;
  }

  /** From now on these ids and tokens name that customer. The first to use one keeps it. */
  learn(customer: Customer, text: string): void {
    for (const name of text.match(NAMES) ?? []) if (!this.#names.has(name)) this.#names.set(name, customer);
  }

  all(): Iterable<Visit> {
    return this.#byCookie.values();
  }
}
