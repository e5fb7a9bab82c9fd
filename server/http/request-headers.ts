import { ProblemError } from '../errors.ts';
import type { Origin } from '../records/authorization.ts';
import type { AppContext, AppDeps } from './context.ts';

/** @throws ProblemError `invalid_request` when the header is no key */
export function idempotencyKey(c: AppContext): string | undefined {
  const key = c.req.header('Idempotency-Key');
  if (key !== undefined && !/^[\x21-\x7e]{1,255}$/.test(key)) {
    const errors = [{ path: 'Idempotency-Key', message: 'must be 1 to 255 visible ASCII characters' }];
    throw new ProblemError('invalid_request', { errors });
  }
  return key;
}

/** @throws ProblemError `shutting_down`: what begins now would not end in this process */
export function refuseWhenStopping({ isStopping }: Pick<AppDeps, 'isStopping'>): void {
  if (isStopping()) throw new ProblemError('shutting_down', { retryAfter: 1 });
}

/** For the receipt of what is accepted. */
export function originOf(c: AppContext): Origin {
  // Long enough for any browser's.
  return { ip: c.get('ip'), userAgent: c.req.header('User-Agent')?.slice(0, 500) ?? null };
}
