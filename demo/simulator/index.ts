export type { AchNetwork, Bank, LinkStep, ReturnOptions, SimulatorSettings, Step } from './context.ts';
export { INSTITUTIONS, type SimulatedInstitution } from './institutions.ts';
export type { Owner, OwnerScores, Person, Scenario } from './scenario.ts';
export { MFA_CODE, PASSWORDS, SCENARIOS } from './scenarios.ts';
export {
  createSimulator,
  type Ledger,
  type LedgerItem,
  SIMULATOR_CREDENTIALS,
  type Simulator,
  type SimulatorEvents,
  type SimulatorOptions,
} from './simulator.ts';
export { type RunningSimulator, startSimulator } from './start.ts';
export type { FinixResource, Lifetimes, SimulatedCall } from './state.ts';
export type { FaultKind, FaultRule } from './types.ts';
export type { Deliver, SimulatedWebhook, WebhookSettings, Webhooks } from './webhooks.ts';
