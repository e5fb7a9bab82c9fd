import { UpstreamError } from '../clients/outbound.ts';

/** What the diagnosis found out about one thing that can be wrong. */
export interface Check {
  /** Never renamed: programs read it. */
  id: string;
  /** `skip`: could not be tried; `detail` has the reason. */
  status: 'ok' | 'warn' | 'fail' | 'skip';
  /** One sentence. */
  detail: string;
  /** What to do about it; null where nothing is to be done. */
  remedy: string | null;
}

export const ok = (id: string, detail: string): Check => ({ id, status: 'ok', detail, remedy: null });
export const skip = (id: string, detail: string): Check => ({ id, status: 'skip', detail, remedy: null });
export const warn = (id: string, detail: string, remedy: string): Check => ({ id, status: 'warn', detail, remedy });
export const fail = (id: string, detail: string, remedy: string): Check => ({ id, status: 'fail', detail, remedy });

const NAMES = { plaid: 'Plaid', finix: 'Finix' } as const;

/** A call that failed, with the provider's message and what its code asks an operator to do. */
export function failedCall(id: string, error: unknown, status: 'warn' | 'fail' = 'fail'): Check {
  if (!(error instanceof UpstreamError)) throw error;
  const { service, call, code, failure, details } = error;
  const name = NAMES[service];
  if (failure === 'busy' || failure === 'lost') {
    const remedy =
      details.remedy ??
      `Check the network and proxies between here and ${name}, and ${name}’s status page; then try again.`;
    return { id, status, detail: `${name} gave no usable answer to ${call} (${code}).`, remedy };
  }
  const words = details.providerMessage ? `: ${details.providerMessage}` : '';
  const request = details.requestId ? ` (request ${details.requestId})` : '';
  return {
    id,
    status,
    detail: `${name} refused ${call} with ${code}${words}${request}.`,
    remedy: details.remedy ?? `Look up ${code} in docs/errors.md, or give ${name}’s support the request.`,
  };
}
