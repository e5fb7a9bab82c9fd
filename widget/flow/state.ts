import type { AuthorizationText, CompleteRequest, Connection, SelectableAccount } from '../contract.ts';
import type { FlowError } from '../errors.ts';

export type ElementStatus =
  | 'loading'
  | 'ready'
  | 'open'
  | 'returning'
  | 'connecting'
  | 'connected'
  | 'pending_verification'
  | 'needs_repair'
  | 'error'
  | 'blocked';

export type Phase =
  /** Nothing is in progress except, perhaps, the preparation of Link. */
  | 'rest'
  /** Reading the status of a session that this page did not see begin. */
  | 'checking'
  /** A bank's own page has sent the customer back; Link is about to go on. */
  | 'returning'
  | 'open'
  | 'submitting'
  | 'polling'
  | 'choosing'
  | 'authorizing'
  | 'done'
  | 'failed';

export interface FlowState {
  phase: Phase;
  run: number;
  /** `ready`: link token and Link handler exist. */
  link: 'none' | 'preparing' | 'ready';
  /** The customer is near: Link is worth preparing. */
  warm: boolean;
  /** The customer asked for Link and waits for it. */
  wanted: boolean;
  /** Another client secret can be had when this session cannot be used any more. */
  renewable: boolean;
  /** The session was renewed, or Link reopened, without success since; once is help, twice is a loop. */
  renewed: boolean;
  reopened: boolean;
  /** Link could not begin with what it was created with, once since the customer's last press. */
  relinked: boolean;
  /** Nothing is prepared ahead: there is nothing to prepare it with yet, or it did not help twice. A press tries. */
  idle: boolean;
  /** The customer asked for another bank in place of the one that was connected. */
  replacing: boolean;
  /** Link ends at Plaid (Hosted Link): only the server learns how. */
  hosted: boolean;
  /** The customer opens Link from a search in the page. */
  embedded: boolean;
  /** In a repair session: the connection to sign in to again. */
  repair: Connection[];
  /** What Link gave. Holds the public token; lives here and nowhere else. */
  submission: CompleteRequest | null;
  connections: Connection[];
  accounts: SelectableAccount[];
  authorization: AuthorizationText | null;
  /** To be accepted before the Link that is prepared may open: at its end this page may be gone. */
  upfront: AuthorizationText | null;
  /** The Hosted Link replaces a Link that can't run here. */
  offered: boolean;
  error: FlowError | null;
  /** 0: no word about waiting yet; 1: takes longer; 2: takes unusually long. */
  slow: 0 | 1 | 2;
  /** `undo`: removed, and the same bank can be used after all. */
  notice: 'canceled' | 'not_changed' | 'expired' | 'removed' | 'undo' | 'return_elsewhere' | null;
  /** How often the session has been read since the customer came back from Plaid's page. */
  reads: number;
}

export const initialState: FlowState = {
  phase: 'rest',
  run: 0,
  link: 'none',
  warm: false,
  wanted: false,
  renewable: false,
  renewed: false,
  reopened: false,
  relinked: false,
  idle: false,
  replacing: false,
  hosted: false,
  embedded: false,
  repair: [],
  submission: null,
  connections: [],
  accounts: [],
  authorization: null,
  upfront: null,
  offered: false,
  error: null,
  slow: 0,
  notice: null,
  reads: 0,
};

/** Only these may be used to pay with, and only these are the form's value. */
export function usable(connections: Connection[]): Connection[] {
  return connections.filter(({ status }) => status === 'active' || status === 'pending_verification');
}

export function statusOf(state: FlowState): ElementStatus {
  switch (state.phase) {
    case 'rest':
      return state.link === 'ready' ? 'ready' : 'loading';
    case 'checking':
      return 'loading';
    case 'open':
    case 'returning':
      return state.phase;
    case 'done':
      if (state.connections.some(({ status }) => status === 'active')) return 'connected';
      return usable(state.connections).length ? 'pending_verification' : 'needs_repair';
    case 'failed':
      return state.error?.code === 'script_blocked' ? 'blocked' : 'error';
    default:
      return 'connecting';
  }
}

export function isBusy(phase: Phase): boolean {
  return phase === 'submitting' || phase === 'polling';
}

/** The server has been asked about the session. */
export function isAsking(phase: Phase): boolean {
  return isBusy(phase) || isChecking(phase);
}

/** About a session that this page did not see begin, or end. */
export function isChecking(phase: Phase): boolean {
  return phase === 'checking' || phase === 'returning';
}

/** Link can be prepared again. */
export function isResting(phase: Phase): boolean {
  return phase === 'rest' || phase === 'failed';
}
