import type { CompleteRequest } from '../../widget/contract.ts';
import type { TestServer } from './server.ts';

export interface Way {
  institution?: string;
  username?: string;
  pick?: (ids: string[]) => string[];
}

/**
 * A customer connects a bank in the simulator's Link, as the page or a Hosted Link. Gives what Link's `onSuccess`
 * would.
 */
export async function throughLink(
  server: TestServer,
  start: { link_token: string } | { hosted_id: string },
  { institution = 'ins_109511', username = 'user_good', pick = (ids) => ids.slice(0, 1) }: Way = {},
): Promise<CompleteRequest> {
  async function step(path: string, body: object): Promise<Record<string, unknown>> {
    const response = await fetch(`${server.upstream.url}/link/api/${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    return (await response.json()) as Record<string, unknown>;
  }
  const { link_session_id, is_update } = await step('start', start);
  const at = { session: link_session_id };
  if (!is_update) await step('institution', { ...at, institution_id: institution });
  const signedIn = await step('credentials', { ...at, username, password: 'pass_good' });
  const ids = pick(((signedIn['accounts'] ?? []) as { id: string }[]).map(({ id }) => id));
  // Update mode asks for no accounts.
  const end = is_update ? signedIn : await step('accounts', { ...at, account_ids: ids });
  const { public_token, metadata } = end;
  if (typeof public_token !== 'string') throw new Error('Link gave no public token');
  const given = metadata as Pick<CompleteRequest, 'accounts' | 'institution'>;
  return { public_token, accounts: given.accounts, institution: given.institution ?? null };
}
