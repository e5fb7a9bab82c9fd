import { randomUUID } from 'node:crypto';
import { signIn } from '../bank.ts';
import type { Context } from '../context.ts';
import { iso } from '../ids.ts';
import { findInstitution, INSTITUTIONS } from '../institutions.ts';
import { isKnownCode, plaidErrorObject } from '../plaid/errors.ts';
import { openItem } from '../plaid/sandbox.ts';
import type { Person, Scenario } from '../scenario.ts';
import { findScenario, MFA_CODE, PASSWORDS, SCENARIOS } from '../scenarios.ts';
import {
  isOffered,
  openAccounts,
  type SimulatedAccount,
  type SimulatedItem,
  type SimulatedLinkSession,
  type SimulatedLinkToken,
} from '../state.ts';
import { returnAddress, stateIn } from './oauth.ts';
import { fail, linkAccount, type Reply } from './replies.ts';

/** The server's half of Link: one session for each time that Link is loaded, all its decisions. */
export class LinkSessions {
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  /** Begins with a link token, or with the id in a Hosted Link address. */
  start(given: { link_token?: unknown; hosted_id?: unknown; received_redirect_uri?: unknown }): Reply {
    const token = this.#tokenOf(given);
    if (!token || this.#isOver(token)) return fail('expired', 'INVALID_LINK_TOKEN');
    if (typeof given.received_redirect_uri === 'string') return this.#return(token, given.received_redirect_uri);
    const session: SimulatedLinkSession = {
      link_session_id: randomUUID(),
      link_token: token.link_token,
      started_at: this.#context.now(),
      finished_at: null,
      institution: this.#itemToUpdate(token)?.institution ?? null,
      scenario: null,
      signed_in: false,
      code_asked: false,
      oauth: null,
      accounts: [],
      result: null,
      exit: null,
    };
    token.sessions.push(session);
    this.#context.state.sessions.set(session.link_session_id, session);
    return { next: 'consent', ...this.#facts(session, token) };
  }

  /** Goes on where the bank's page left off, once. */
  #return(token: SimulatedLinkToken, address: string): Reply {
    const stateId = stateIn(address, token);
    if (stateId === undefined) {
      const error = plaidErrorObject(
        'INVALID_FIELD',
        'oauth uri does not contain a valid oauth_state_id query parameter',
      );
      return { next: 'expired', error };
    }
    const session = this.#byState(stateId);
    if (!session?.oauth || session.oauth.outcome === 'waiting') return fail('expired', 'OAUTH_STATE_ID_NOT_FOUND');
    if (session.link_token !== token.link_token) return fail('expired', 'INCORRECT_LINK_TOKEN');
    if (session.oauth.returned) return fail('expired', 'OAUTH_STATE_ID_ALREADY_PROCESSED');
    session.oauth.returned = true;
    return { ...this.oauthState(session.link_session_id), ...this.#facts(session, token), is_return: true };
  }

  #facts(session: SimulatedLinkSession, token: SimulatedLinkToken): Record<string, unknown> {
    return {
      link_session_id: session.link_session_id,
      client_name: token.client_name.length > 30 ? 'This Application' : token.client_name,
      appearance: token.appearance_mode,
      is_update: token.update_item_id !== null,
      multiple: token.link_customization_name === 'multiple',
      completion_redirect_uri: token.hosted?.completion_redirect_uri ?? null,
      institution: session.institution,
      institutions: INSTITUTIONS,
      username: this.#personOf(token)?.username ?? this.#context.settings.username,
      hints: SCENARIOS.map(({ username, description }) => ({ username, description })),
    };
  }

  /** Once more at every step: the token may have run out, or the simulator may have been reset. */
  #live(id: unknown): { session: SimulatedLinkSession; token: SimulatedLinkToken } | null {
    const session = typeof id === 'string' ? this.#context.state.sessions.get(id) : undefined;
    const token = session && this.#context.state.linkTokens.get(session.link_token);
    if (!session || !token || session.finished_at !== null || this.#isOver(token)) return null;
    return { session, token };
  }

  #isOver = (token: SimulatedLinkToken): boolean => token.expires_at <= this.#context.now();

  #tokenOf({ link_token, hosted_id }: { link_token?: unknown; hosted_id?: unknown }): SimulatedLinkToken | undefined {
    if (typeof link_token === 'string') return this.#context.state.linkTokens.get(link_token);
    if (typeof hosted_id !== 'string') return undefined;
    return [...this.#context.state.linkTokens.values()].find(({ hosted }) => hosted?.id === hosted_id);
  }

  #personOf({ client_user_id }: SimulatedLinkToken): Person | undefined {
    return this.#context.state.people.get(client_user_id ?? '');
  }

  #itemToUpdate({ update_item_id }: SimulatedLinkToken): SimulatedItem | undefined {
    const item = this.#context.state.items.get(update_item_id ?? '');
    return item?.removed ? undefined : item;
  }

  open(id: unknown): Reply {
    if (!this.#live(id)) return fail('expired', 'INVALID_LINK_TOKEN');
    this.#report('open', id);
    return { next: 'consent' };
  }

  institution(id: unknown, institutionId: unknown, isWebview: boolean): Reply {
    const live = this.#live(id);
    if (!live) return fail('expired', 'INVALID_LINK_TOKEN');
    const found = findInstitution(String(institutionId));
    if (!found) return fail('error', 'INVALID_INSTITUTION');
    live.session.institution = found;
    this.#report('institution chosen', id);
    if (found.health === 'down') return fail('error', 'INSTITUTION_DOWN');
    if (!found.oauth) return { next: 'credentials' };
    const how = isWebview ? 'redirect' : 'popup';
    // A webview opens no window for the bank, and without an address to come back to the bank cannot take the page's
    // place.
    if (isWebview && returnAddress(live.token, '') === null) return { next: 'oauth', how: 'nowhere' };
    live.session.oauth = { state_id: randomUUID(), how, outcome: 'waiting', returned: false };
    return { next: 'oauth', how, url: `/link/oauth/${live.session.oauth.state_id}` };
  }

  credentials(id: unknown, username: unknown, password: unknown): Reply {
    const live = this.#live(id);
    if (!live) return fail('expired', 'INVALID_LINK_TOKEN');
    if (!live.session.institution) return fail('error', 'INVALID_INSTITUTION');
    this.#report('credentials sent', id);
    const scenario = this.#scenarioFor(live.token, username);
    const word = String(password);
    const code = word.startsWith(PASSWORDS.errorPrefix) ? word.slice(PASSWORDS.errorPrefix.length) : '';
    if (isKnownCode(code)) return fail(code === 'INVALID_CREDENTIALS' ? 'retry' : 'error', code);
    if (!scenario || (word !== PASSWORDS.good && word !== PASSWORDS.device))
      return fail('retry', 'INVALID_CREDENTIALS');
    live.session.scenario = scenario;
    if (word === PASSWORDS.device) {
      live.session.code_asked = true;
      return { next: 'code' };
    }
    return this.#signedIn(live.session, live.token, scenario);
  }

  code(id: unknown, code: unknown): Reply {
    const live = this.#live(id);
    if (!live) return fail('expired', 'INVALID_LINK_TOKEN');
    const { session, token } = live;
    if (!session.code_asked || !session.scenario || code !== MFA_CODE) return fail('retry', 'INVALID_MFA');
    return this.#signedIn(session, token, session.scenario);
  }

  /** In update mode only the Item's own user can sign in. */
  #scenarioFor(token: SimulatedLinkToken, username: unknown): Scenario | undefined {
    const scenario = findScenario(String(username));
    const item = this.#itemToUpdate(token);
    if (token.update_item_id !== null && item?.scenario !== scenario) return undefined;
    return scenario;
  }

  #signedIn(session: SimulatedLinkSession, token: SimulatedLinkToken, scenario: Scenario): Reply {
    if (scenario.link) return fail(scenario.link.shown === 'expired' ? 'expired' : 'error', scenario.link.error_code);
    const item = this.#itemToUpdate(token);
    if (token.update_item_id !== null && !item) return fail('error', 'ITEM_NOT_FOUND');
    if (item) signIn(item, this.#context.now());
    const open = item && !token.update_account_selection ? item.accounts : openAccounts(scenario);
    if (open.length === 0) return fail('error', 'NO_ACCOUNTS');
    session.accounts = item
      ? open.map((account) => this.#knownAs(item, account))
      : open.filter((a) => isOffered(a, token));
    if (session.accounts.length === 0) return fail('error', 'NO_AUTH_ACCOUNTS');
    session.scenario = scenario;
    session.signed_in = true;
    if (item && !token.update_account_selection) return this.#succeed(session, item, item.accounts);
    return {
      next: 'accounts',
      accounts: session.accounts.map(({ account_id, name, mask, subtype, available, current }) => ({
        id: account_id,
        name,
        mask,
        subtype,
        balance: available ?? current,
      })),
    };
  }

  /** An account that the Item already has keeps its id. */
  #knownAs(item: SimulatedItem, account: SimulatedAccount): SimulatedAccount {
    return item.accounts.find(({ mask, subtype }) => mask === account.mask && subtype === account.subtype) ?? account;
  }

  choose(id: unknown, ids: unknown): Reply {
    const live = this.#live(id);
    if (!live) return fail('expired', 'INVALID_LINK_TOKEN');
    const { session, token } = live;
    const { institution, scenario } = session;
    const chosen = session.accounts.filter(({ account_id }) => Array.isArray(ids) && ids.includes(account_id));
    const isSingle = token.link_customization_name !== 'multiple';
    if (!session.signed_in || !institution || !scenario || chosen.length === 0 || (isSingle && chosen.length > 1)) {
      return fail('error', 'INVALID_ACCOUNT_ID');
    }
    const item = this.#itemToUpdate(token);
    if (item) {
      item.accounts = chosen;
      return this.#succeed(session, item, chosen);
    }
    const fresh = openItem(this.#context, {
      institution,
      scenario,
      accounts: chosen,
      products: [...token.products, ...token.required_if_supported_products, ...token.optional_products],
      consented: token.additional_consented_products,
      webhook: token.webhook,
      person: this.#personOf(token),
    });
    return this.#succeed(session, fresh, chosen);
  }

  #succeed(session: SimulatedLinkSession, item: SimulatedItem, accounts: SimulatedAccount[]): Reply {
    const { state, lifetimes } = this.#context;
    const token = state.linkTokens.get(session.link_token);
    item.products = [...new Set([...item.products, ...(token?.products ?? [])])];
    item.consented = [...new Set([...item.consented, ...(token?.additional_consented_products ?? [])])];
    session.finished_at = this.#context.now();
    session.result = {
      public_token: state.newPublicToken(item.item_id, this.#context.now(), lifetimes),
      institution: { name: item.institution.name, institution_id: item.institution.institution_id },
      accounts: accounts.map(linkAccount),
    };
    this.#report('success', session.link_session_id);
    const { public_token, ...metadata } = session.result;
    this.#tellHosted(session, 'SUCCESS', public_token);
    return {
      next: 'success',
      public_token,
      metadata: { ...metadata, link_session_id: session.link_session_id, transfer_status: null },
    };
  }

  /** The tiles of an embedded search; refused where Plaid documents that none exists. */
  embedded(linkToken: unknown): Reply {
    const token = this.#tokenOf({ link_token: linkToken });
    if (!token || this.#isOver(token)) return fail('expired', 'INVALID_LINK_TOKEN');
    if (token.update_item_id === null && !token.hosted) return { next: 'institutions', institutions: INSTITUTIONS };
    const error = plaidErrorObject('INVALID_FIELD', 'embedded search works with neither update mode nor Hosted Link');
    return { next: 'expired', error };
  }

  /** The bank's own window asks who it is for. */
  oauthBank(stateId: unknown): { name: string; color: string; username: string } | null {
    const session = this.#byState(stateId);
    if (!session?.institution) return null;
    const token = this.#context.state.linkTokens.get(session.link_token);
    const username = (token && this.#personOf(token)?.username) ?? this.#context.settings.username;
    return { name: session.institution.name, color: session.institution.color, username };
  }

  oauthAnswer(stateId: unknown, isGranted: boolean, username: unknown): Reply {
    const session = this.#byState(stateId);
    const live = this.#live(session?.link_session_id);
    if (!session?.oauth || !live) return fail('error', 'INVALID_LINK_TOKEN');
    const scenario = this.#scenarioFor(live.token, username);
    if (isGranted && !scenario) return fail('retry', 'INVALID_CREDENTIALS');
    session.scenario = scenario ?? null;
    session.oauth.outcome = isGranted ? 'granted' : 'declined';
    this.#report(isGranted ? 'bank granted access' : 'bank access declined', live.session.link_session_id);
    const { how, state_id } = session.oauth;
    return { next: 'success', return_to: how === 'redirect' ? returnAddress(live.token, state_id) : null };
  }

  /** Asked by the frame while the bank's window is open. */
  oauthState(id: unknown): Reply {
    const live = this.#live(id);
    if (!live?.session.oauth) return fail('expired', 'INVALID_LINK_TOKEN');
    const { session, token } = live;
    if (session.oauth?.outcome === 'waiting') return { next: 'oauth' };
    if (session.oauth?.outcome === 'declined' || !session.scenario) return fail('error', 'INSUFFICIENT_CREDENTIALS');
    return this.#signedIn(session, token, session.scenario);
  }

  #byState(stateId: unknown): SimulatedLinkSession | undefined {
    return [...this.#context.state.sessions.values()].find(({ oauth }) => oauth !== null && oauth.state_id === stateId);
  }

  exit(id: unknown, status: unknown, errorCode: unknown): Reply {
    const session = typeof id === 'string' ? this.#context.state.sessions.get(id) : undefined;
    const code = typeof errorCode === 'string' ? errorCode : null;
    this.#report(code ? `exit ${code}` : 'exit', id);
    if (session && session.finished_at === null) {
      session.exit = { status: typeof status === 'string' ? status : null, error_code: code };
      // A hosted page can be opened again as long as its token lives, so only the last word is kept.
      session.finished_at = this.#context.now();
      this.#tellHosted(session, 'EXITED', null);
    }
    return { next: 'consent' };
  }

  /** A Hosted Link is reported by Plaid's webhook, because no page learns of it. */
  #tellHosted(
    { link_session_id, link_token }: SimulatedLinkSession,
    status: string,
    public_token: string | null,
  ): void {
    const { state, webhooks } = this.#context;
    const token = state.linkTokens.get(link_token);
    if (!token) return;
    if (public_token) webhooks.plaidLink(token, 'ITEM_ADD_RESULT', { link_session_id, public_token });
    const public_tokens = public_token ? [public_token] : [];
    webhooks.plaidLink(token, 'SESSION_FINISHED', {
      status,
      link_session_id,
      public_tokens,
      ...(public_token ? { public_token } : {}),
    });
  }

  #report(what: string, id: unknown): void {
    const at = iso(this.#context.now());
    this.#context.emit({ at, service: 'link', what, status: 200, ms: 0 });
    const session = typeof id === 'string' ? this.#context.state.sessions.get(id) : undefined;
    if (!session) return;
    const { link_session_id, link_token, institution, result } = session;
    const accounts = (result?.accounts ?? []).map(({ name, mask }) => ({ name, mask }));
    this.#context.emitLink({ at, what, link_session_id, link_token, institution: institution?.name ?? null, accounts });
  }
}
