import type { LinkMode } from '../contract.ts';
import type { Arrival, AwayStore } from '../link/away-store.ts';
import type { SessionHost, SessionSettings } from '../session/session-access.ts';
import type { Detours } from './detours.ts';
import type { FlowEffect } from './events.ts';
import type { FlowState } from './state.ts';

/** What the flow needs to know in addition. */
export interface ControllerSettings extends SessionSettings {
  /** Address of the server, where the page or its script names one. */
  endpoint: string;
  mode: LinkMode;
  nonce: string | undefined;
}

export interface ControllerHost extends SessionHost {
  settings(): ControllerSettings;
  detours: Detours;
  /** Nothing may be pressed, nor may Link open for a press of before. */
  isOff(): boolean;
  /** What is needed after a bank's own page has taken the place of this one. */
  away: AwayStore;
  /** The return that this page was loaded by, if any; called once. */
  arrive(): Arrival | undefined;
  /** Where the embedded search is put; null where it can't run. */
  place(state: FlowState): HTMLElement | null;
  /**
   * Whether something of the page is in front of everything that Link shows: then Link is opened in a window of its
   * own.
   * @param isOpening checks what is drawn as well, which takes the browser longer
   */
  isCovered(isOpening?: boolean): boolean;
  /** Whether that keeps every click from Link; the console learns of it in any case. */
  hidesLink(): boolean;
  /** The state has changed; what follows from it must be in place on return, because events come next. */
  changed(state: FlowState): void;
  emit(effect: Extract<FlowEffect, { type: 'emit' }>): void;
}
