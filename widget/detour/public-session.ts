import type { CreatePublicSessionRequest } from '../contract.ts';
import type { FlowError } from '../errors.ts';
import type { ConnectBackend } from '../session/backend.ts';

type Identity = NonNullable<CreatePublicSessionRequest['identity']>;

const ATTRIBUTES: Record<keyof Identity, string> = {
  first_name: 'first-name',
  last_name: 'last-name',
  email: 'email',
};

/** Of milliseconds. In this time a page gets the client secret that it has asked its server for. */
const PATIENCE = 2_000;

/**
 * The client secret of a new public session, after the server refused one.
 * - What the page knows of the person only spares typing, so a name that is too long costs the name and not the
 *   connection: what was refused is left out, once.
 * - Where there are no public sessions, the page's own secret may be on its way, and what has been pressed waits for it
 *   in place of an error.
 */
export async function createPublicAgain(
  backend: ConnectBackend,
  input: CreatePublicSessionRequest,
  thrown: unknown,
): Promise<string> {
  const { identity = {}, ...rest } = input;
  const { code, errors = [] } = (thrown ?? {}) as Partial<FlowError>;
  if (code === 'public_sessions_off') await new Promise((resolve) => setTimeout(resolve, PATIENCE));
  if (code !== 'invalid_request') throw thrown;
  const given = (Object.keys(ATTRIBUTES) as (keyof Identity)[]).filter((field) => identity[field] !== undefined);
  // A backend of the page's own may not return which.
  const isRefused = (field: string) => !errors.length || errors.some(({ path }) => path === `identity.${field}`);
  const refused = given.filter(isRefused);
  if (!refused.length) throw thrown;
  const kept = given.filter((field) => !refused.includes(field)).map((field) => [field, identity[field]]);
  const names = refused.map((field) => ATTRIBUTES[field]).join(', ');
  // The values are the customer's, and a page's log is no place for them.
  console.warn(`finix-bank-connect: the server refused ${names}; connecting goes on without.`);
  const again = kept.length ? { ...rest, identity: Object.fromEntries(kept) } : rest;
  return (await backend.createPublicSession(again)).clientSecret;
}
