import type {
  CompleteRequest,
  CreatePublicSessionRequest,
  LinkExitRequest,
  LinkTokenRequest,
  LinkTokenResponse,
  Session,
} from '../contract.ts';

export interface SessionAnswer {
  session: Session;
  /** Seconds until it is worth asking again; meant for a session that is `processing`. */
  retryAfter: number;
}

/**
 * What the element asks of a server. Replace it through the element's `backend` property to go through an own route or
 * to test without one. Every method rejects with a `ConnectError`. `clientSecret` is the customer's permission for one
 * session.
 */
export interface ConnectBackend {
  createPublicSession(input: CreatePublicSessionRequest): Promise<{ clientSecret: string; session: Session }>;
  createLinkToken(clientSecret: string, input: LinkTokenRequest): Promise<LinkTokenResponse>;
  /** Must be safe to repeat with the same public token. */
  complete(clientSecret: string, input: CompleteRequest): Promise<SessionAnswer>;
  getSession(clientSecret: string): Promise<SessionAnswer>;
  /**
   * How a run of Link ended without a bank, for the server's audit. Nothing waits for it, and a failure has no effect.
   */
  reportExit?(clientSecret: string, input: LinkExitRequest): Promise<void>;
  /**
   * The logo of a bank that the session has connected; null where there is none. Without this, the bank's initial is
   * shown.
   */
  getLogo?(clientSecret: string, institutionId: string): Promise<Blob | null>;
}
