import { ConnectError, flowError, report } from '../errors.ts';

const WANTED = 'the string client_secret of a session (ses_…_secret_…)';

/**
 * There is no client secret, and the console shows why: never the value itself, which may be a secret of another kind.
 * @param failure what the page's function has thrown
 */
export function refuseSecret(fetchClientSecret: unknown, secret: unknown, failure?: { cause: unknown }): ConnectError {
  if (failure && typeof fetchClientSecret === 'function') report('fetchClientSecret failed', failure.cause);
  else report(reasonOf(fetchClientSecret, secret));
  const action = fetchClientSecret ? 'retry' : 'contact_merchant';
  return new ConnectError(flowError('client_secret_unavailable', action), failure);
}

function reasonOf(fetchClientSecret: unknown, secret: unknown): string {
  if (!fetchClientSecret) return `the client secret has another form; set ${WANTED}`;
  return typeof fetchClientSecret === 'function'
    ? `fetchClientSecret returned ${kindOf(secret)}; return ${WANTED}`
    : `fetchClientSecret is ${kindOf(fetchClientSecret)}; set a function that returns ${WANTED}, or a promise of it`;
}

function kindOf(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (typeof value === 'string') return value ? 'a string of another form' : 'an empty string';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
