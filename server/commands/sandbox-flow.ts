import { remedyFor } from '../clients/plaid-remedies.ts';
import { type PlainAnswer, type PlainCalls, refusalOf } from '../clients/plain-calls.ts';
import type { Config } from '../config.ts';
import { masked } from './masked.ts';

/** One call of the flow, as it is printed. */
export interface SandboxStep {
  title: string;
  call: string;
  request: unknown;
  status: number;
  request_id: string | null;
  ms: number;
  answer: unknown;
  /** Null where it went well. */
  remedy: string | null;
}

/** A bank of Plaid's Sandbox without OAuth. */
const BANK = 'ins_109508';
/** The owner of Plaid's test user. */
const PERSON = { first_name: 'Alberta', last_name: 'Charleson', email: 'accountholder0@example.com' };

type Fields = Record<string, unknown>;

/**
 * The way of Finix's integration guide, from a link token to a payment instrument, with the calls that this server
 * makes and without the server: what fails here fails at the provider. Plaid's Sandbox has a short cut in the place of
 * Link.
 * @returns whether every step went well
 */
export async function runSandboxFlow(
  { plaid: settings }: Pick<Config, 'plaid'>,
  calls: PlainCalls,
  report: (step: SandboxStep) => void,
  { keep = false }: { keep?: boolean } = {},
): Promise<boolean> {
  const step = async (
    title: string,
    call: string,
    request: Fields,
    send: () => Promise<PlainAnswer>,
  ): Promise<Fields> => {
    const started = performance.now();
    const answer = await send();
    const { code } = refusalOf(answer);
    report({
      title,
      call,
      request: masked(request),
      status: answer.status,
      request_id: answer.requestId ?? null,
      ms: Math.round(performance.now() - started),
      answer: masked(answer.body),
      remedy: answer.isOk
        ? null
        : (remedyFor(call.replace(/^POST \//, ''), code) ?? `Look up ${code} in docs/errors.md.`),
    });
    if (!answer.isOk) throw new FlowEnded();
    return answer.body;
  };
  const plaid = (title: string, path: string, body: Fields) =>
    step(title, `POST ${path}`, body, () => calls.plaid(path, body));
  const finix = (title: string, method: 'POST' | 'PUT', path: string, body: Fields) =>
    step(title, `${method} ${path}`, body, () => calls.finix(method, path, body));

  let accessToken: unknown;
  let instrument: unknown;
  let isWell = true;
  try {
    await plaid('Plaid: a link token, with the products that Finix reads', '/link/token/create', {
      client_name: settings.clientName,
      language: 'en',
      country_codes: settings.countryCodes,
      user: { client_user_id: 'finix-bank-connect-sandbox' },
      products: ['auth', 'identity'],
    });
    const { public_token } = await plaid(
      'Plaid: a public token, as Link’s onSuccess gives it',
      '/sandbox/public_token/create',
      {
        institution_id: BANK,
        initial_products: ['auth', 'identity'],
      },
    );
    ({ access_token: accessToken } = await plaid('Plaid: the access token', '/item/public_token/exchange', {
      public_token,
    }));
    const { accounts } = await plaid('Plaid: the accounts', '/accounts/get', { access_token: accessToken });
    const account = (Array.isArray(accounts) ? accounts : []).find(({ subtype }: Fields) => subtype === 'checking');
    const { processor_token } = await plaid('Plaid: a processor token for Finix', '/processor/token/create', {
      access_token: accessToken,
      account_id: (account as Fields | undefined)?.['account_id'],
      processor: 'finix',
    });
    const identity = await finix('Finix: an identity for the customer', 'POST', '/identities', {
      entity: PERSON,
      identity_roles: ['BUYER'],
      type: 'PERSONAL',
    });
    ({ id: instrument } = await finix('Finix: the payment instrument', 'POST', '/payment_instruments', {
      type: 'BANK_ACCOUNT',
      third_party: 'PLAID',
      third_party_token: processor_token,
      identity: identity['id'],
    }));
  } catch (error) {
    if (!(error instanceof FlowEnded)) throw error;
    isWell = false;
  }
  if (keep) return isWell;
  try {
    if (typeof instrument === 'string') {
      await finix('Finix: disable it again', 'PUT', `/payment_instruments/${instrument}`, { enabled: false });
    }
    if (typeof accessToken === 'string') {
      await plaid('Plaid: remove the Item again', '/item/remove', { access_token: accessToken });
    }
  } catch (error) {
    if (!(error instanceof FlowEnded)) throw error;
    isWell = false;
  }
  return isWell;
}

/** A provider refused a step, which was reported. */
class FlowEnded extends Error {}
