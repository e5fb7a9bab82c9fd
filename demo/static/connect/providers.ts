import type { Simulator } from '../../simulator/simulator.ts';
import { SIMULATOR_CREDENTIALS } from '../../simulator/simulator.ts';

type Json = Record<string, unknown>;

/** A definite no of a provider, or no answer after several tries. */
export class ProviderError extends Error {
  override readonly name = 'ProviderError';

  constructor(
    readonly service: 'plaid' | 'finix',
    readonly status: number | null,
    /** The provider's own; `NO_ANSWER` where none came. */
    readonly code: string,
  ) {
    super(`${service}: ${code}`);
  }
}

export interface Providers {
  plaid(path: string, body: Json): Promise<Json>;
  finix(method: 'GET' | 'POST' | 'PUT', path: string, body?: Json): Promise<Json>;
}

/** The simulated providers answer within two seconds, the slowest scenario included, or never. */
const TIMEOUT_MS = 4_000;
/** More than the simulator's scenarios refuse in a row. */
const TRIES = 4;
const PAUSE_MS = 400;

/** The simulator's Plaid and Finix, called in the same page. What is only "not now" is asked again. */
export function createProviders(app: Simulator['app'], origin: string): Providers {
  const { plaid, finix } = SIMULATOR_CREDENTIALS;
  const plaidHeaders = {
    'PLAID-CLIENT-ID': plaid.clientId,
    'PLAID-SECRET': plaid.secret,
    'Plaid-Version': '2020-09-14',
  };
  const finixHeaders = {
    Authorization: `Basic ${btoa(`${finix.username}:${finix.password}`)}`,
    'Finix-Version': '2022-02-01',
    Accept: 'application/hal+json',
  };

  async function once(service: 'plaid' | 'finix', method: string, path: string, body?: Json): Promise<Json> {
    const headers = { ...(service === 'plaid' ? plaidHeaders : finixHeaders), 'Content-Type': 'application/json' };
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await app.fetch(
      new Request(`${origin}/${service}${path}`, { method, headers, signal, body: body && JSON.stringify(body) }),
    );
    if (signal.aborted) throw new ProviderError(service, null, 'NO_ANSWER');
    const json = (await response.json().catch(() => ({}))) as Json;
    if (response.ok) return json;
    throw new ProviderError(service, response.status, codeOf(json));
  }

  async function call(service: 'plaid' | 'finix', method: string, path: string, body?: Json): Promise<Json> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await once(service, method, path, body);
      } catch (error) {
        if (!(error instanceof ProviderError) || attempt === TRIES || !isNotNow(error)) throw error;
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * attempt));
      }
    }
  }

  return {
    plaid: (path, body) => call('plaid', 'POST', path, body),
    finix: (method, path, body) => call('finix', method, path, body),
  };
}

function isNotNow({ status }: ProviderError): boolean {
  return status === 429 || (status !== null && status >= 500);
}

/** Plaid's or Finix's. */
function codeOf({ error_code, _embedded }: Json): string {
  const [first] = ((_embedded as Json | undefined)?.['errors'] ?? []) as Json[];
  return String(error_code ?? first?.['code'] ?? 'UNKNOWN');
}
