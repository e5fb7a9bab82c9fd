import type {
  AuthorizationText,
  CompleteRequest,
  Connection,
  ConnectionStatus,
  LinkExitRequest,
  LinkTokenRequest,
  LinkTokenResponse,
  ProblemAction,
  ProblemCode,
  Purpose,
  Session,
  SessionStatus,
} from '../../../widget/contract.ts';
import { ConnectError, type FlowError } from '../../../widget/errors.ts';
import type { ConnectBackend, SessionAnswer } from '../../../widget/session/backend.ts';

type Answer = Session | ConnectError | Promise<Session>;

/** A server in memory. Answers are queued by the test; without any, all goes well. */
export class SimulatedBackend implements ConnectBackend {
  readonly calls: string[] = [];
  readonly completed: { secret: string; input: CompleteRequest }[] = [];
  readonly completeAnswers: Answer[] = [];
  readonly sessionAnswers: Answer[] = [];
  readonly linkTokenErrors: ConnectError[] = [];
  /** Life of a link token, in milliseconds. */
  tokenLife = 4 * 3_600_000;
  retryAfter = 0.01;
  /** Set to hold every link token until it is resolved. */
  hold: Promise<void> | null = null;
  readonly publicSessionErrors: ConnectError[] = [];
  publicSessions = 0;
  /** How Link ended, as the element reported it. */
  readonly exits: LinkExitRequest[] = [];
  tokens = 0;
  readonly linkTokenInputs: LinkTokenRequest[] = [];
  /** Given with every link token from then on. */
  hostedLinkUrl: string | undefined;
  purpose: Purpose = 'debit';
  /** A payment with the customer's last account was returned. */
  returned = false;
  /** Of a repair session. */
  repair: Connection | undefined;
  /** Of a Hosted Link, until it is accepted. */
  authorization: AuthorizationText | undefined;

  async createPublicSession(input: { language?: string }): Promise<{ clientSecret: string; session: Session }> {
    this.calls.push(`createPublicSession ${JSON.stringify(input)}`);
    const error = this.publicSessionErrors.shift();
    if (error) throw error;
    const id = `ses_public${++this.publicSessions}`;
    return { clientSecret: `${id}_secret_abc`, session: session('open') };
  }

  async createLinkToken(secret: string, input: LinkTokenRequest): Promise<LinkTokenResponse> {
    this.calls.push(`createLinkToken ${secret}`);
    this.linkTokenInputs.push(input);
    await this.hold;
    const error = this.linkTokenErrors.shift();
    if (error) throw error;
    if (input.authorization?.text_sha256 === this.authorization?.text_sha256) this.authorization = undefined;
    return {
      link_token: `link-sandbox-${++this.tokens}`,
      expires_at: new Date(Date.now() + this.tokenLife).toISOString(),
      merchant: { name: 'Acme' },
      purpose: this.purpose,
      ...(this.returned ? { returned: true } : {}),
      ...(this.repair ? { repair: this.repair } : {}),
      ...(this.hostedLinkUrl ? { hosted_link_url: this.hostedLinkUrl } : {}),
      ...(this.authorization ? { authorization: this.authorization } : {}),
    };
  }

  async complete(secret: string, input: CompleteRequest): Promise<SessionAnswer> {
    this.calls.push('complete');
    this.completed.push({ secret, input });
    return this.#answer(this.completeAnswers, session('completed', ['active']));
  }

  async getSession(secret: string): Promise<SessionAnswer> {
    this.calls.push(`getSession ${secret}`);
    return this.#answer(this.sessionAnswers, session('open'));
  }

  async reportExit(_secret: string, exit: LinkExitRequest): Promise<void> {
    this.exits.push(exit);
  }

  async #answer(queue: Answer[], otherwise: Session): Promise<SessionAnswer> {
    const answer = await (queue.shift() ?? otherwise);
    if (answer instanceof ConnectError) throw answer;
    return { session: answer, retryAfter: this.retryAfter };
  }
}

export function session(status: SessionStatus, connections: (ConnectionStatus | Connection)[] = []): Session {
  return {
    id: 'ses_1',
    object: 'session',
    status,
    mode: 'connect',
    merchant: { name: 'Acme' },
    purpose: 'debit',
    customer_id: 'customer_1',
    connections: connections.map((one, i) => (typeof one === 'string' ? connection(`con_${i + 1}`, one) : one)),
    error: null,
    created_at: '2026-11-01T00:00:00Z',
    updated_at: '2026-01-01T00:00:00.000Z',
    expires_at: '2026-11-02T00:00:00Z',
  };
}

/** A session that has ended without a bank. */
export function failedSession(code: ProblemCode, action: ProblemAction): Session {
  const problem = { type: '', title: '', detail: '', status: 422, request_id: 'req_1' };
  return { ...session('failed'), error: { ...problem, code, action, retryable: false } };
}

export function connection(id: string, status: ConnectionStatus = 'active', bank = 'Chase', mask = '1234'): Connection {
  return {
    id,
    object: 'connection',
    status,
    payment_instrument: status === 'pending' ? null : 'PI1',
    institution: { id: 'ins_56', name: bank },
    account: { name: 'Plaid Checking', mask, type: 'depository', subtype: 'checking' },
    created_at: '2026-11-01T00:00:00Z',
    updated_at: '2026-11-01T00:00:00Z',
  };
}

export function refusal(error: Partial<FlowError> & Pick<FlowError, 'code' | 'action'>): ConnectError {
  return new ConnectError({ retryable: false, requestId: 'req_1', ...error });
}
