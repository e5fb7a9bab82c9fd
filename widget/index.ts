import { define } from './define.ts';

define();

export type { ConnectBackend, HttpBackendOptions, SessionAnswer } from './backend.ts';
export { createHttpBackend } from './backend.ts';
export type * from './contract.ts';
export { ConnectError, type ElementError, type ElementErrorCode } from './errors.ts';
export {
  FbcCanceledEvent,
  FbcConnectedEvent,
  FbcErrorEvent,
  type FbcEventMap,
  FbcNeedsRepairEvent,
  FbcOpenEvent,
  FbcPendingEvent,
  FbcStepEvent,
} from './events.ts';
export { FinixBankConnect } from './finix-bank-connect.ts';
export type { ElementStatus } from './flow-state.ts';
export type { StringKey, Strings } from './i18n/index.ts';
