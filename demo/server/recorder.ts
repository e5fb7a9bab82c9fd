import type { Place, Step } from '../step.ts';
import { maskedMessage, parseBody } from './mask.ts';
import type { Customer, Visits } from './visits.ts';

type Headers = Record<string, string | string[] | undefined>;

export interface SentCall {
  from: Place;
  to: Place;
  method: string;
  /** With its query. */
  path: string;
  headers: Headers;
  body: string;
}

/** How a call ended; status null: no answer came. */
export interface CallEnd {
  status: number | null;
  headers: Headers;
  body: string;
}

/** Paths that name nothing but the kind of thing that is asked for. */
const ID_IN_PATH = /\/(?:(?:ses|con|lnk|chk|cus|anon|ins)_[\w-]+|(?:ID|PI|TR)[A-Za-z0-9]{22})/g;

/** Writes calls down for the visitor whom they are about; a call that names no one is shown to no one. */
export class Recorder {
  readonly #visits: Visits;

  constructor(visits: Visits) {
    this.#visits = visits;
  }

  /** @returns takes the end of the call; undefined where the call belongs to no one so far */
  sent(call: SentCall): { customer: Customer | undefined; ended(end: CallEnd): void } {
    const { from, to, method, path, headers, body } = call;
    // Authorization carries the session's client secret, which names it.
    const asked = `${path} ${body} ${headers['authorization'] ?? ''}`;
    const customer = this.#visits.namedIn(asked);
    const started = performance.now();
    const begin = (owner: Customer): Step => {
      this.#visits.learn(owner, asked);
      return owner.visit.add({
        merchant: owner.merchant,
        kind: 'call',
        from,
        to,
        what: `${method} ${path.replace(/\?.*/, '').replace(ID_IN_PATH, '/{id}')}`,
        request: maskedMessage(headers, body === '' && path.includes('?') ? queryOf(path) : parseBody(body)),
      });
    };
    const step = customer && begin(customer);
    return {
      customer,
      ended: (end) => {
        const owner = customer ?? this.#visits.namedIn(end.body);
        if (!owner) return;
        // A list may name other customers' things, unless it was asked for by something of this one's.
        if (customer) this.#visits.learn(owner, end.body);
        const full = step ?? begin(owner);
        full.status = end.status;
        full.ms = Math.round(performance.now() - started);
        if (end.status !== null) full.response = maskedMessage(end.headers, parseBody(end.body));
        owner.visit.changed(full);
      },
    };
  }
}

function queryOf(path: string): Record<string, string> {
  return Object.fromEntries(new URL(path, 'http://localhost').searchParams);
}
