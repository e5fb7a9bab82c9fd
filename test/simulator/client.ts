import { Configuration, type CountryCode, type LinkTokenCreateRequest, PlaidApi, type Products } from 'plaid';
import { type RunningSimulator, SIMULATOR_CREDENTIALS } from '../../demo/simulator/index.ts';

/** The real SDK, pointed at a simulator. */
export function plaidClient(
  plaidUrl: string,
  more: { secret?: string; timeout?: number; version?: string } = {},
): PlaidApi {
  const { clientId, secret } = SIMULATOR_CREDENTIALS.plaid;
  return new PlaidApi(
    new Configuration({
      basePath: plaidUrl,
      baseOptions: {
        headers: {
          'PLAID-CLIENT-ID': clientId,
          'PLAID-SECRET': more.secret ?? secret,
          ...(more.version ? { 'Plaid-Version': more.version } : {}),
        },
        ...(more.timeout ? { timeout: more.timeout } : {}),
      },
    }),
  );
}

// The SDK's enums are const objects of its big module; their values are all that is needed.
export const products = (...names: string[]): Products[] => names as Products[];
export const countries = (...names: string[]): CountryCode[] => names as CountryCode[];

export function linkTokenRequest(more: Partial<LinkTokenCreateRequest> = {}): LinkTokenCreateRequest {
  return {
    client_name: 'Acme',
    language: 'en',
    country_codes: countries('US'),
    user: { client_user_id: 'cus_1' },
    products: products('auth', 'identity'),
    ...more,
  };
}

/** Awaits a refusal of the SDK's and returns Plaid's answer: never the error itself, which holds the secret. */
export async function refusal(call: Promise<unknown>): Promise<{ status: number } & Record<string, unknown>> {
  const error = await call.then(
    () => {
      throw new Error('the call was not refused');
    },
    (reason: unknown) => reason,
  );
  const { response } = error as { response?: { status: number; data: Record<string, unknown> } };
  if (!response) throw new Error('there was no answer');
  return { ...response.data, status: response.status };
}

/** An access token of a new Item, by way of the sandbox's short cut. */
export async function linkItem(
  client: PlaidApi,
  username = 'user_good',
  initial = products('auth', 'identity'),
  institution = 'ins_109508',
): Promise<{ accessToken: string; publicToken: string }> {
  const created = await client.sandboxPublicTokenCreate({
    institution_id: institution,
    initial_products: initial,
    options: { override_username: username },
  });
  const publicToken = created.data.public_token;
  const exchanged = await client.itemPublicTokenExchange({ public_token: publicToken });
  return { accessToken: exchanged.data.access_token, publicToken };
}

export async function processorToken(client: PlaidApi, accessToken: string): Promise<string> {
  const { accounts } = (await client.accountsGet({ access_token: accessToken })).data;
  const created = await client.processorTokenCreate({
    access_token: accessToken,
    account_id: accounts[0]?.account_id ?? '',
    processor: 'finix' as Parameters<PlaidApi['processorTokenCreate']>[0]['processor'],
  });
  return created.data.processor_token;
}

export interface FinixAnswer {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
}

/** A plain Finix client; `headers` given as undefined are left out. */
export async function finix(
  simulator: RunningSimulator,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string | undefined> = {},
): Promise<FinixAnswer> {
  const { username, password } = SIMULATOR_CREDENTIALS.finix;
  const all: Record<string, string | undefined> = {
    authorization: `Basic ${btoa(`${username}:${password}`)}`,
    'finix-version': '2022-02-01',
    accept: 'application/hal+json',
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...headers,
  };
  const response = await fetch(`${simulator.finixUrl}${path}`, {
    method,
    headers: Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(5000),
  });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Record<string, unknown>,
  };
}

/** The first error of a Finix answer. */
export function finixError(answer: FinixAnswer): Record<string, unknown> {
  const embedded = answer.body['_embedded'] as { errors: Record<string, unknown>[] };
  return { status: answer.status, ...embedded.errors[0] };
}
