import { html, type TemplateResult } from 'lit';
import { type Action, canReturn, type StoryState } from '../step.ts';

/** What the panel asks of the page around it. */
export interface Presenting {
  choose(story: string): void;
  act(action: Action): void;
  showLink(): void;
}

interface Button {
  action: Action;
  label: string;
  /** The whole sentence, where the label is a code. */
  full?: string;
  isPossible: (state: StoryState) => boolean;
}

const mayReturn = (action: Action) => ({
  action,
  isPossible: ({ order, merchant }: StoryState) => order?.state === 'sent' && canReturn(merchant, action),
});
const isUsed = ({ connection }: StoryState): boolean => connection?.status === 'active';

const RETURNS: readonly Button[] = [
  { ...mayReturn('return_R01'), label: 'R01', full: 'R01, insufficient funds: the payment is returned' },
  { ...mayReturn('return_R03'), label: 'R03', full: 'R03, account not found: the payment is returned' },
  { ...mayReturn('return_R10'), label: 'R10', full: 'R10, not authorized: the payment is returned' },
];
const EVENTS: readonly Button[] = [
  { action: 'break_login', label: 'Login breaks', isPossible: isUsed },
  { action: 'revoke', label: 'Revoked', full: 'Revoked at the bank', isPossible: isUsed },
  { action: 'debit_again', label: 'Next payment', isPossible: ({ order }) => order !== null },
];

/** One press for each thing that can happen to a bank account after the sale. */
export function laterBar(
  state: StoryState | undefined,
  { act, showLink }: Presenting,
  problem: string,
  hasServer: boolean,
): TemplateResult {
  const canRepair = hasServer && state?.connection?.status === 'needs_repair';
  const repairTitle = hasServer ? 'Repair by link' : 'Repair by link: needs npm run demo';
  const button = ({ action, label, full, isPossible }: Button) => html`<button type="button"
      ?disabled=${!state || !isPossible(state)} aria-label=${full ?? label} title=${full ?? label}
      @click=${() => act(action)}>${label}</button>`;
  return html`<div class="later" role="group" aria-label="What happens later">
    <span class="returns"><span>Returned</span>${RETURNS.map(button)}</span>
    ${EVENTS.map(button)}
    <button type="button" class=${canRepair ? 'good' : ''} ?disabled=${!canRepair} title=${repairTitle} @click=${showLink}>Repair by link</button>
    ${problem ? html`<p class="problem" role="alert">${problem}</p>` : ''}
  </div>`;
}
