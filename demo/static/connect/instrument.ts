import { ProviderError, type Providers } from './providers.ts';
import type { ConnectionRecord, Records, SessionRecord } from './records.ts';

type Json = Record<string, unknown>;

/** The tag by which a lost answer's instrument is found, as in the server. */
const TAG = 'finix_bank_connect_connection';

/** The customer's identity at Finix: an earlier one, else a new one. */
export async function identityOf(
  { identities }: Records,
  providers: Providers,
  { request }: SessionRecord,
): Promise<string> {
  if (request.finix_identity) return request.finix_identity;
  const role = request.purpose === 'payout' ? 'RECIPIENT' : 'BUYER';
  const key = `${request.customer_id} ${role}`;
  const known = identities.get(key);
  if (known) return known;
  const body = {
    entity: request.identity ?? {},
    identity_roles: [role],
    type: 'PERSONAL',
    tags: { customer: request.customer_id },
  };
  const { id } = await providers.finix('POST', '/identities', body);
  identities.set(key, String(id));
  return String(id);
}

/**
 * A new payment instrument of the account, in place of the one of before. Where the answer is lost, Finix's list is
 * asked by the tag and nothing is created again; the server also waits for its quiet period.
 */
export async function makeInstrument(providers: Providers, connection: ConnectionRecord): Promise<void> {
  const { accessToken, accountId, view } = connection;
  const { processor_token } = await providers.plaid('/processor/token/create', {
    access_token: accessToken,
    account_id: accountId,
    processor: 'finix',
  });
  await providers.plaid('/processor/token/permissions/set', { processor_token, products: ['auth', 'identity'] });
  const tag = `${view.id}.${connection.generation}`;
  const body = {
    type: 'BANK_ACCOUNT',
    third_party: 'PLAID',
    third_party_token: processor_token,
    identity: view.finix_identity,
    tags: { [TAG]: tag },
  };
  const made = await providers.finix('POST', '/payment_instruments', body).catch(async (error: unknown) => {
    const isLost = error instanceof ProviderError && error.status === null;
    const found = isLost ? await findByTag(providers, String(view.finix_identity), tag) : undefined;
    if (!found) throw error;
    return found;
  });
  const before = view.payment_instrument;
  Object.assign(view, {
    status: 'active',
    payment_instrument: String(made['id']),
    previous_payment_instrument: before,
    fingerprint: made['fingerprint'] ?? null,
    bank_account_validation_check: made['bank_account_validation_check'] ?? null,
  });
  connection.generation += 1;
  connection.reason = null;
  if (before) await disable(providers, before);
}

export async function disable(providers: Providers, instrument: string | null): Promise<void> {
  if (instrument) await providers.finix('PUT', `/payment_instruments/${instrument}`, { enabled: false });
}

async function findByTag(providers: Providers, identity: string, tag: string): Promise<Json | undefined> {
  const query = new URLSearchParams({ owner_identity_id: identity, limit: '100' });
  const { _embedded } = await providers.finix('GET', `/payment_instruments?${query}`);
  const all = ((_embedded as Json | undefined)?.['payment_instruments'] ?? []) as { tags?: Json }[];
  return all.find(({ tags }) => tags?.[TAG] === tag);
}
