import type { ConnectBackend } from './connect-backend.ts';
import { createCalls } from './http-backend.ts';
import * as failures from './request-failures.ts';

export type { ConnectBackend, SessionAnswer } from './connect-backend.ts';
export { sessionIdOf } from './http-backend.ts';

export interface HttpBackendOptions {
  /** For tests and for pages that wrap it. */
  fetch?: typeof fetch;
}

/** The element's own way to ask a server, for a backend that changes only some of it. */
export function createHttpBackend(endpoint: string, options: HttpBackendOptions = {}): ConnectBackend {
  return createCalls(endpoint, async () => failures, options.fetch);
}
