import { isBankDown, problemOfPlaidRefusal } from '../../../server/clients/plaid-codes.ts';
import { chooseAccounts, isPendingVerification } from '../../../server/connect/choose-accounts.ts';
import { canCompare, personOf } from '../../../server/connect/owner-person.ts';
import { ProblemError, toProblem } from '../../../server/errors.ts';
import { ownerOf, readVerification } from '../../../server/records/verification.ts';
import type { CompleteRequest, ProblemCode } from '../../../widget/contract.ts';
import { disable, identityOf, makeInstrument } from './instrument.ts';
import { ProviderError, type Providers } from './providers.ts';
import { type ConnectionRecord, newConnection, type Records, type SessionRecord } from './records.ts';

type Json = Record<string, unknown>;

export interface WorkDeps {
  records: Records;
  providers: Providers;
  /** Tells the merchant. */
  changed(connection: ConnectionRecord): Promise<void>;
}

/**
 * From a public token to a payment instrument, in the order of the server's own steps and by its own rules, but in one
 * go: what fails in the middle is not resumed.
 * @throws ProblemError when the customer can go on in the same session
 */
export async function complete(deps: WorkDeps, session: SessionRecord, request: CompleteRequest): Promise<void> {
  const accepted = requireAuthorization(session, request);
  try {
    if (session.mode === 'repair') await repair(deps, session);
    else await connect(deps, session, request, accepted);
    session.status = 'completed';
    session.error = null;
  } catch (error) {
    const code = error instanceof ProviderError ? codeOf(error) : undefined;
    if (!code) throw error;
    if (error instanceof ProviderError && error.service === 'finix') {
      session.status = 'failed';
      session.error = toProblem(code, {}, '');
      return;
    }
    if (code === 'restart_required') session.status = 'restart_required';
    throw new ProblemError(code);
  }
}

function requireAuthorization({ authorization }: SessionRecord, { authorization: given }: CompleteRequest): boolean {
  if (authorization && (!given?.accepted || given.text_sha256 !== authorization.text_sha256)) {
    throw new ProblemError('authorization_required', { authorization });
  }
  return authorization !== null;
}

async function connect(
  deps: WorkDeps,
  session: SessionRecord,
  { public_token, accounts }: CompleteRequest,
  isAuthorized: boolean,
): Promise<void> {
  const { providers, records } = deps;
  session.login = session.login?.publicToken === public_token ? session.login : await exchange(providers, public_token);
  const { accessToken, itemId } = session.login;
  const read = await providers.plaid('/accounts/get', { access_token: accessToken });
  const item = read['item'] as Json;
  const found = (read['accounts'] as Json[]).map(toAccount);
  const choice = chooseAccounts(
    found,
    accounts.map(({ id }) => id),
    session.request.account_selection ?? 'single',
  );
  if (choice.kind === 'ask') throw new ProblemError('account_selection_required', { accounts: choice.accounts });
  if (choice.kind === 'refuse') throw new ProblemError(choice.code);

  const now = Date.now();
  const connections = choice.accounts.map((account) => {
    const connection = newConnection(session, { accessToken, itemId, accountId: account.id });
    const isVerified = !isPendingVerification(account);
    Object.assign(connection.view, {
      institution: { id: item['institution_id'] ?? null, name: item['institution_name'] ?? null },
      account: { name: account.name, mask: account.mask, type: account.type, subtype: account.subtype },
      verification: readVerification(
        { ...account, authMethod: (item['auth_method'] ?? null) as string | null, isVerified },
        now,
      ),
    });
    if (isAuthorized && session.authorization) {
      const at = new Date(now).toISOString();
      connection.view.authorization = {
        ...session.authorization,
        language: 'en',
        accepted_at: at,
        ip: null,
        user_agent: null,
      };
    }
    return { connection, isVerified };
  });
  await compareOwner(
    providers,
    session,
    connections.map(({ connection }) => connection),
  );
  const identity = await identityOf(records, providers, session);
  for (const { connection, isVerified } of connections) {
    connection.view.finix_identity = identity;
    if (isVerified) await makeInstrument(providers, connection);
    else connection.view.status = 'pending_verification';
    records.connections.set(connection.view.id, connection);
    session.connections.push(connection);
    await deps.changed(connection);
  }
}

async function exchange(providers: Providers, publicToken: string): Promise<NonNullable<SessionRecord['login']>> {
  const { access_token, item_id } = await providers.plaid('/item/public_token/exchange', { public_token: publicToken });
  return { publicToken, accessToken: String(access_token), itemId: String(item_id) };
}

/**
 * @throws ProblemError `owner_mismatch`, `owner_unknown` where the session requires the owner, once the login is
 * removed
 */
async function compareOwner(
  providers: Providers,
  { request }: SessionRecord,
  connections: ConnectionRecord[],
): Promise<void> {
  const [first] = connections;
  const ownership = request.ownership ?? 'report';
  if (!first || ownership === 'off' || !request.identity) return;
  const user = personOf(request.identity, first.view.verification.holder_category);
  if (!canCompare(user)) return;
  const { accounts } = await providers.plaid('/identity/match', {
    access_token: first.accessToken,
    user,
    options: { account_ids: connections.map(({ accountId }) => accountId) },
  });
  for (const { view, accountId } of connections) {
    const match = (accounts as Json[]).find(({ account_id }) => account_id === accountId) ?? {};
    const score = (field: string) => ((match[field] as Json | undefined)?.['score'] ?? null) as number | null;
    const scores = {
      name: score('legal_name'),
      email: score('email_address'),
      phone: score('phone_number'),
      address: score('address'),
    };
    view.verification.owner = ownerOf(scores, Date.now());
  }
  const { status } = first.view.verification.owner;
  if (ownership !== 'require' || status === 'match' || status === 'partial') return;
  await providers.plaid('/item/remove', { access_token: first.accessToken });
  throw new ProblemError(status === 'mismatch' ? 'owner_mismatch' : 'owner_unknown');
}

/**
 * The customer has signed in again: the connection is good, with its instrument or, after a return, with another one.
 */
async function repair({ providers, records, changed }: WorkDeps, session: SessionRecord): Promise<void> {
  const connection = records.connections.get(session.request.connection ?? '');
  if (!connection) throw new ProblemError('session_failed');
  const { item } = await providers.plaid('/item/get', { access_token: connection.accessToken });
  if ((item as Json)['error']) throw new ProblemError('restart_required');
  if (connection.reason?.startsWith('return_')) await makeInstrument(providers, connection);
  connection.view.status = 'active';
  connection.reason = null;
  session.connections = [connection];
  await changed(connection);
}

/** For a connection whose login is over. The debit is stopped before anything else. */
export async function stopDebits(
  { providers }: Pick<WorkDeps, 'providers'>,
  { view }: ConnectionRecord,
): Promise<void> {
  await disable(providers, view.payment_instrument);
}

function codeOf({ service, code, status }: ProviderError): ProblemCode {
  if (service === 'finix') return status === 422 || status === 400 ? 'instrument_refused' : 'finix_unavailable';
  if (isBankDown(code)) return 'bank_unavailable';
  return status === null || status >= 500 || status === 429 ? 'plaid_unavailable' : problemOfPlaidRefusal(code);
}

function toAccount(account: Json) {
  const text = (name: string) => (account[name] ?? null) as string | null;
  return {
    id: String(account['account_id']),
    name: text('name'),
    mask: text('mask'),
    type: text('type'),
    subtype: text('subtype'),
    verificationStatus: text('verification_status'),
    persistentAccountId: text('persistent_account_id'),
    holderCategory: text('holder_category'),
  };
}
