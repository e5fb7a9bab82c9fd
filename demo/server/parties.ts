import type { Place } from '../step.ts';

/** Which calls of the connect server are worth a line; scripts and pages are not. */
export function isRecorded(method: string, path: string): boolean {
  return method !== 'OPTIONS' && /^\/(v1|webhooks)\//.test(path);
}

/** Who calls the connect server. */
export function parties(
  path: string,
  { authorization }: { authorization?: string | undefined },
  merchantKey: string,
): { from: Place; to: Place } {
  if (path.startsWith('/webhooks/plaid')) return { from: 'plaid', to: 'connect' };
  if (path.startsWith('/webhooks/finix')) return { from: 'finix', to: 'connect' };
  return { from: authorization === `Bearer ${merchantKey}` ? 'shop' : 'browser', to: 'connect' };
}
