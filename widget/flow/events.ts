import type { AuthorizationAcceptance, AuthorizationText, CompleteRequest, Connection, Session } from '../contract.ts';
import type { FlowError, LinkTrace } from '../errors.ts';
import type { UnusableReturn } from '../link/away-store.ts';
import type { ElementStatus, FlowState } from './state.ts';

/** What can happen to the flow (reducer.ts), and what it decides. */
export type FlowEvent =
  /**
   * `hosted`: Link may have ended at Plaid in the meantime, so the server may know more than this page. `unusable`: a
   * bank's page has come back to a tab that can't go on from there.
   */
  | {
      type: 'start';
      known: boolean;
      renewable: boolean;
      hosted?: boolean;
      returning?: boolean;
      unusable?: UnusableReturn | null;
    }
  /** A bank's own page has sent the customer back, in the middle of Link. */
  | { type: 'return' }
  | { type: 'warm' }
  | { type: 'press' }
  /** A press that waits for Link counts no more: the element is disabled, or its form reset. */
  | { type: 'withdraw' }
  /** `authorization`: to be accepted before this Link is opened. */
  | {
      type: 'prepared';
      run: number;
      hosted?: boolean;
      embedded?: boolean;
      authorization?: AuthorizationText;
      repair?: Connection[];
    }
  | { type: 'prepare_failed'; run: number; error: FlowError }
  | { type: 'expiring' }
  /** What Link is prepared for, the language for one, has changed. */
  | { type: 'outdated' }
  /** Another Link is open on the page, or this one opens only by what the customer does in it. */
  | { type: 'link_busy' }
  /** The customer has opened Link from within the page, in the embedded search. */
  | { type: 'link_opened' }
  /** The session went on without a word from Link: it ended at Plaid, or elsewhere. */
  | { type: 'link_moved' }
  /** Where Link's script can't run, a Hosted Link can still be opened. */
  | { type: 'hosted_offered'; run: number; authorization?: AuthorizationText }
  | { type: 'press_hosted' }
  | { type: 'link_succeeded'; submission: CompleteRequest }
  /** `fresh`: soon after it was opened. `plaid`: Plaid's code for an error. */
  | ({ type: 'link_exited'; step: string; fresh: boolean } & LinkFailure)
  /** Link reports, before it is opened, that it can't be. */
  | ({ type: 'link_failed' } & LinkFailure)
  /** The page has taken the embedded search away. */
  | { type: 'search_lost' }
  /** Link would open beneath something of the page. */
  | { type: 'covered' }
  /** What of the page made Link unreachable is gone. */
  | { type: 'uncovered' }
  | { type: 'answered'; run: number; session: Session; retryAfter: number }
  | { type: 'unanswered'; run: number; error: FlowError }
  | { type: 'slow' }
  | { type: 'choose'; ids: string[] }
  | { type: 'accept' }
  | { type: 'decline' }
  | { type: 'act' }
  | { type: 'online' }
  | { type: 'change' }
  /** One of several accounts, or all of them. */
  | { type: 'remove'; id?: string }
  | { type: 'reset' }
  /** As `reset`, and another session takes the place of this one. */
  | { type: 'restart' }
  | { type: 'leave' };

/** An error of ours, or one that Link reported by a code of Plaid's (detour/link-errors.ts). */
export interface LinkFailure {
  error: FlowError | null;
  plaid?: string | null;
  trace?: LinkTrace;
}

/** What a session has come to, as the status of the element. */
export type Outcome = Extract<ElementStatus, 'connected' | 'pending_verification' | 'needs_repair'>;

export type FlowEffect =
  /** Session, link token, script and handler; answered by `prepared` or `prepare_failed`. */
  /** `agreed`: with what the customer has accepted, for a Hosted Link where that was offered. */
  | { type: 'prepare'; run: number; agreed?: { authorization: AuthorizationAcceptance; hosted: boolean } }
  | { type: 'open' }
  /** Go on with the Link that a bank's page came back to; answered as `prepare` is. */
  | { type: 'resume'; run: number }
  /** Answered by `hosted_offered`, or not at all. */
  | { type: 'offer_hosted'; run: number }
  /** Destroy the handler, if there is one. */
  | { type: 'close' }
  | { type: 'submit'; run: number; submission: CompleteRequest }
  /** `delay` in seconds. Answered, like `submit`, by `answered` or `unanswered`. */
  | { type: 'read'; run: number; delay: number }
  /** Drop the client secret, so that the next preparation gets another. */
  | { type: 'forget' }
  | { type: 'emit'; name: 'open' | 'error' | Outcome }
  | { type: 'emit'; name: 'step'; step: string }
  | { type: 'emit'; name: 'canceled'; step: string; trace: LinkTrace };

export interface Transition {
  state: FlowState;
  effects: FlowEffect[];
}
