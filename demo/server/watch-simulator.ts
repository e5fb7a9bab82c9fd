import type { RunningSimulator, SimulatedCall } from '../simulator/index.ts';
import type { Recorder } from './recorder.ts';
import type { Customer, Visits } from './visits.ts';

/** Writes down what reaches Plaid and Finix, and what customers do in Link, as it happens. */
export function watchSimulator(
  { simulator }: Pick<RunningSimulator, 'simulator'>,
  visits: Visits,
  recorder: Recorder,
  onCreateInstrument: (customer: Customer, call: SimulatedCall) => void,
): void {
  const open = new Map<SimulatedCall, ReturnType<Recorder['sent']>>();
  simulator.on('call', (call) => {
    const { service, method, path, query, body } = call;
    if (service === 'link') return;
    const isDebit = method === 'POST' && path === '/transfers';
    const search = Object.keys(query).length > 0 ? `?${new URLSearchParams(query)}` : '';
    const sent = recorder.sent({
      from: isDebit ? 'shop' : 'connect',
      to: service,
      method,
      path: `${path}${search}`,
      headers: {},
      body: body === undefined ? '' : JSON.stringify(body),
    });
    open.set(call, sent);
    if (sent.customer && method === 'POST' && path === '/payment_instruments') onCreateInstrument(sent.customer, call);
  });
  simulator.on('answered', (call) => {
    const { status, response } = call;
    open.get(call)?.ended({ status, headers: {}, body: response === null ? '' : (JSON.stringify(response) ?? '') });
    open.delete(call);
  });
  simulator.on('link', ({ what, link_token, institution, accounts }) => {
    const customer = visits.namedIn(link_token);
    if (!customer) return;
    const bank = accounts.map(({ name, mask }) => `${name} ••${mask ?? ''}`).join(', ');
    customer.visit.add({
      merchant: customer.merchant,
      kind: 'link',
      from: 'browser',
      to: 'plaid',
      what,
      facts: { ...(institution ? { bank: institution } : {}), ...(bank ? { accounts: bank } : {}) },
    });
  });
}
