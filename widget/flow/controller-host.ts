import type { CreatePublicSessionRequest, LinkMode } from '../contract.ts';
import type { AwayStore } from '../link/oauth-return.ts';
import type { ConnectBackend } from '../session/backend.ts';
import type { SecretStore } from '../session/client-secret-store.ts';
import type { FlowEffect } from './events.ts';
import type { FlowState } from './state.ts';

/** What the flow needs to know of its surroundings; asked for whenever it is needed, so it may change at any time. */
export interface ControllerSettings {
  /** Null where neither an endpoint nor a backend is known. */
  backend: ConnectBackend | null;
  clientSecret: string | null;
  fetchClientSecret: (() => Promise<string>) | null;
  /** For a public session, where there is no client secret. */
  publicSession: CreatePublicSessionRequest;
  mode: LinkMode;
  language: string | undefined;
  nonce: string | undefined;
}

export interface ControllerHost {
  settings(): ControllerSettings;
  /** Keeps the client secret of a public session over a reload. */
  store: SecretStore;
  /** What is needed after a bank's own page has taken the place of this one. */
  away: AwayStore;
  /** Where the embedded search is put; null where it can't run. */
  place(state: FlowState): HTMLElement | null;
  /** The state has changed; what follows from it must be in place on return, because events come next. */
  changed(state: FlowState): void;
  emit(effect: Extract<FlowEffect, { type: 'emit' }>): void;
}
