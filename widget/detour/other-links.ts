import type { LinkTokenResponse } from '../contract.ts';
import { ConnectError, flowError, report, toFlowError } from '../errors.ts';
import type { DetourEffect, LinkControlPort } from '../flow/detours.ts';
import type { Return } from '../link/away-store.ts';
import { prepareHosted } from '../link/hosted-link.ts';
import { loadPlaid } from '../link/load-plaid.ts';
import type { PreparedLink } from '../link/plaid-link.ts';
import { isSafeAddress } from '../link/safe-address.ts';
import { isWebview } from '../link/webview.ts';

/** The ways of Link that do not begin with a press in this page, or end elsewhere; the contract is `FlowDetour`. */

export function perform(
  effect: DetourEffect,
  control: LinkControlPort,
  back: Return | null,
  nonce: string | undefined,
): void {
  if (effect.type === 'resume') void resume(control, effect.run, back, nonce);
  else void offerHosted(control, effect.run);
}

/** Goes on with the link token that the page was left with. */
async function resume(
  control: LinkControlPort,
  run: number,
  back: Return | null,
  nonce: string | undefined,
): Promise<void> {
  const { flow } = control;
  try {
    const { linkToken = '', receivedRedirectUri, until = 0 } = back ?? {};
    const plaid = await loadPlaid({ nonce });
    if (run !== flow.state.run) return;
    control.close();
    control.use(control.prepareLink(plaid, linkToken, { receivedRedirectUri }), until);
    flow.dispatch({ type: 'prepared', run });
  } catch (error) {
    flow.dispatch({ type: 'prepare_failed', run, error: toFlowError(error) });
  }
}

/** A way around a Link that can't run here. */
async function offerHosted(control: LinkControlPort, run: number): Promise<void> {
  try {
    const token = await control.access.createLinkToken('hosted', isWebview());
    if (run !== control.flow.state.run || !token.hosted_link_url) return;
    control.close();
    control.use(hostedLink(control, token, isWebview()), token);
    control.flow.dispatch({ type: 'hosted_offered', run, authorization: token.authorization });
  } catch (error) {
    // The customer knows already that Link can't run here, and this was only a way around it; a fault is shown on the
    // console.
    toFlowError(error);
  }
}

/** @throws ConnectError `provider_misconfigured` */
export function hostedLink(
  control: LinkControlPort,
  { hosted_link_url }: LinkTokenResponse,
  leavesPage: boolean,
): PreparedLink {
  // A server of another kind may not know of Hosted Links, or may not be one to trust.
  if (!hosted_link_url || !isSafeAddress(hosted_link_url)) {
    report('the server gave no https address for Hosted Link');
    throw new ConnectError(flowError('provider_misconfigured', 'contact_merchant'));
  }
  const { flow, access } = control;
  const listener = {
    moved: () => flow.dispatch({ type: 'link_moved' }),
    left: () => flow.dispatch({ type: 'link_exited', error: null, step: 'hosted', fresh: false }),
    blocked: () => {
      if (window.parent === window) void leaveForHosted(control);
      else failInFrame(control);
    },
  };
  return prepareHosted(hosted_link_url, listener, {
    leavesPage,
    ask: () => access.backend().getSession(access.secret ?? ''),
  });
}

/** No window opens: Plaid's page takes the place of this one, with an address to come back to. */
async function leaveForHosted(control: LinkControlPort): Promise<void> {
  const { flow, access } = control;
  try {
    const token = await access.createLinkToken('hosted', true);
    if (flow.state.phase !== 'open') return;
    control.close();
    control.use(hostedLink(control, token, true), token);
    control.open();
  } catch (error) {
    flow.dispatch({ type: 'link_exited', error: toFlowError(error), step: 'hosted', fresh: false });
  }
}

/** No window opens, and Plaid's page is shown in no frame. */
function failInFrame({ flow }: LinkControlPort): void {
  report('no window opens from this frame: its sandbox needs allow-popups and allow-popups-to-escape-sandbox');
  const error = flowError('link_failed', 'contact_merchant');
  flow.dispatch({ type: 'link_exited', error, step: 'hosted', fresh: false });
}
