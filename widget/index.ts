import { define } from './define.ts';

define();

export type * from './contract.ts';
export { FbcErrorEvent, FbcOpenEvent } from './element/events.ts';
export { ConnectError, type ElementError, type ElementErrorCode, type LinkTrace } from './errors.ts';
export { FinixBankConnect } from './finix-bank-connect.ts';
export type { ElementStatus } from './flow/state.ts';
export type { StringKey, Strings } from './i18n/index.ts';
export {
  FbcCanceledEvent,
  FbcConnectedEvent,
  type FbcEventMap,
  FbcNeedsRepairEvent,
  FbcPendingEvent,
  FbcStepEvent,
} from './lazy/events.ts';
export type { ConnectBackend, HttpBackendOptions, SessionAnswer } from './session/backend.ts';
export { createHttpBackend } from './session/backend.ts';
