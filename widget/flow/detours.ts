import type { AuthorizationAcceptance, LinkMode, LinkTokenResponse } from '../contract.ts';
import type { FlowError } from '../errors.ts';
import type { Return } from '../link/away-store.ts';
import type { LinkOptions, PreparedLink, SearchPlace } from '../link/plaid-link.ts';
import type { PlaidGlobal } from '../link/plaid-link.types.ts';
import type { RequestFailures } from '../session/http-backend.ts';
import type { SessionAccess, SessionDetour } from '../session/session-access.ts';
import type { FlowEffect, FlowEvent, Transition } from './events.ts';
import type { FlowState } from './state.ts';

/** What the control of Link needs of the flow. */
export interface Flow {
  readonly state: FlowState;
  dispatch(event: FlowEvent): void;
}

/** What Link is made from. */
export interface LinkSource {
  /** Null for a Hosted Link. */
  plaid: PlaidGlobal | null;
  token: LinkTokenResponse;
}

/** How Link is asked for where a press on the button does not simply open it. */
export interface LinkRequest {
  mode: LinkMode;
  /** What the customer has accepted, for a Hosted Link where that was offered. */
  agreed?: { authorization: AuthorizationAcceptance; hosted: boolean };
  /** Something of the page is in front of Link. */
  isAside: boolean;
}

/** The embedded search (detour/embedded-search.ts). */
export interface LinkSearch {
  place(): HTMLElement | null;
  /** Null where it can't be had, or not any more. */
  begin(): SearchPlace | null;
  opened(): void;
}

/** What the detour needs of the control of Link (flow/link-control.ts). */
export interface LinkControlPort {
  readonly flow: Flow;
  readonly access: SessionAccess;
  /** Once there has been one. */
  search: LinkSearch | null;
  /** Where the embedded search is put; null where it can't run. */
  readonly place: (state: FlowState) => HTMLElement | null;
  obtain(mode: LinkMode, authorization?: AuthorizationAcceptance): Promise<LinkSource>;
  prepareLink(plaid: PlaidGlobal, token: string, options: LinkOptions): PreparedLink;
  use(link: PreparedLink, ends: LinkTokenResponse | number): void;
  open(): void;
  close(): void;
}

/** What the flow needs where it leaves the straight way: errors, questions, repairs, and Link elsewhere. */
export interface FlowDetour extends SessionDetour, RequestFailures {
  /** Every event in every state. */
  transition(state: FlowState, event: FlowEvent): Transition;
  obtainLink(control: LinkControlPort, request: LinkRequest): Promise<LinkSource>;
  /** Link has gone on, or can't: the return is over, and the address means nothing any more. */
  consumeReturn(): void;
  /** @param back what the page was left with, and the exact address that it was come back to */
  perform(effect: DetourEffect, control: LinkControlPort, back: Return | null, nonce: string | undefined): void;
  /** @param leavesPage Plaid's page takes the place of this one, and comes back */
  hostedLink(control: LinkControlPort, token: LinkTokenResponse, leavesPage: boolean): PreparedLink;
  /** The console learns of an error that only the merchant can do something about. */
  explain(error: FlowError, endpoint: string): void;
}

/** What only the detour decides, and carries out. */
export type DetourEffect = Extract<FlowEffect, { type: 'resume' | 'offer_hosted' }>;

/** Where the detour comes from. */
export interface Detours<Detour extends FlowDetour = FlowDetour> {
  /** Null until it has come. */
  readonly now: Detour | null;
  /** Rejects where it can't be fetched; the next call tries again. */
  load(): Promise<Detour>;
}
