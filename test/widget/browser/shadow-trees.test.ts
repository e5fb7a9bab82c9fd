import { aTimeout, expect } from '@open-wc/testing';
import { createConnect } from '../../../widget/headless.ts';
import type { FinixBankConnect } from '../../../widget/index.ts';
import { cleanUp, type Mounted, mount, press, reach } from '../helpers/element.ts';
import { SimulatedBackend } from '../helpers/simulated-backend.ts';
import { SimulatedLink } from '../helpers/simulated-link.ts';
import { waitUntil } from '../helpers/wait-until.ts';

const KEY = 'finix-bank-connect:away';
const home = location.href;

/** The page as a bank has just come back to it. */
function comeBack(state: string): void {
  const url = new URL(home);
  url.searchParams.set('oauth_state_id', state);
  history.replaceState(null, '', url);
}

/** A component of the page with an element in a shadow tree of its own. */
type Field = (tree: ShadowRoot) => ParentNode & Node;
const inTree = (mode: ShadowRootMode): Field[] => [
  (tree) => tree,
  (tree) => {
    const inner = document.createElement('x-inner');
    tree.append(document.createElement('p'), inner);
    return inner.attachShadow({ mode });
  },
];

/** "Pay from" and "Refunds to". */
async function mountFields(mode: ShadowRootMode, place: Field, name: string | null): Promise<Mounted[]> {
  const link = SimulatedLink.install();
  const fields = [document.createElement('x-field'), document.createElement('x-field')];
  const trees = fields.map((field) => place(field.attachShadow({ mode })));
  const page = document.createElement('div');
  page.append(...fields);
  const mounted: Mounted[] = [];
  for (const tree of trees) {
    const parent = document.createElement('div');
    tree.append(parent);
    const one = await mount({ name }, undefined, parent, link);
    mounted.push(one);
    // The fixture has taken the parent along.
    tree.append(parent);
  }
  document.body.append(page);
  await Promise.all(mounted.map(({ element }) => reach(element, 'ready')));
  return mounted;
}

for (const mode of ['open', 'closed'] as const) {
  for (const [depth, place] of inTree(mode).entries()) {
    for (const name of [null, 'bank_account']) {
      describe(`two elements in ${mode} shadow trees (${depth} deeper, name ${name})`, () => {
        afterEach(async () => {
          document.querySelectorAll('x-field').forEach((field) => {
            field.parentElement?.remove();
          });
          history.replaceState(null, '', home);
          await cleanUp();
        });

        for (const which of [0, 1]) {
          it(`the return of number ${which + 1} is continued by that one`, async () => {
            const before = await mountFields(mode, place, name);
            press((before[which] as Mounted).element);
            const entry = sessionStorage.getItem(KEY) ?? '';
            document.querySelector('x-field')?.parentElement?.remove();
            await aTimeout(0);
            sessionStorage.clear();
            sessionStorage.setItem(KEY, entry);
            comeBack(`${mode}${depth}${name}${which}`);
            const after = await mountFieldsReturning(mode, place, name);
            const [own, other] = which ? [after[1], after[0]] : [after[0], after[1]];
            await reach(own as FinixBankConnect, 'open');
            await reach(other as FinixBankConnect, 'ready');
          });
        }

        it('their public sessions are kept under two keys', async () => {
          await mountFields(mode, place, name);
          expect(Object.keys(sessionStorage)).to.have.length(2);
        });
      });
    }
  }
}

/** All at once, as a page that loads. */
async function mountFieldsReturning(mode: ShadowRootMode, place: Field, name: string | null) {
  SimulatedLink.install();
  const page = document.createElement('div');
  const elements = [0, 1].map(() => {
    const field = document.createElement('x-field');
    const element = document.createElement('finix-bank-connect');
    Object.assign(element, { name, backend: new SimulatedBackend() });
    place(field.attachShadow({ mode })).append(element);
    page.append(field);
    return element;
  });
  document.body.append(page);
  return elements;
}

describe('a return to a page with shadow trees', () => {
  afterEach(async () => {
    history.replaceState(null, '', home);
    document.querySelector('x-field')?.remove();
    await cleanUp();
  });

  const entry = (host?: object) => ({
    linkToken: 'link-sandbox-1',
    clientSecret: 'ses_public1_secret_abc',
    until: Date.now() + 60_000,
    name: '',
    index: 0,
    path: location.pathname,
    scrollY: 0,
    ...(host && { localName: 'finix-bank-connect', host }),
  });

  it('is left to a component whose tree is not made yet', async () => {
    sessionStorage.setItem(KEY, JSON.stringify(entry({ localName: 'x-field', name: '', index: 0 })));
    comeBack('later');
    const field = document.createElement('x-field');
    document.body.append(field);
    const outside = await mount();
    await reach(outside.element, 'ready');
    const element = document.createElement('finix-bank-connect');
    Object.assign(element, { backend: outside.backend });
    field.attachShadow({ mode: 'open' }).append(element);
    await reach(element, 'open');
    expect(outside.element.status).to.equal('ready');
  });

  it('is continued by the first element where the one that left is not on the page', async () => {
    sessionStorage.setItem(KEY, JSON.stringify(entry({ localName: 'x-field', name: '', index: 1 })));
    comeBack('gone');
    const field = document.createElement('x-field');
    document.body.prepend(field);
    const element = document.createElement('finix-bank-connect');
    Object.assign(element, { backend: new SimulatedBackend() });
    field.attachShadow({ mode: 'open' }).append(element);
    const outside = await mount();
    await reach(element, 'open');
    await reach(outside.element, 'ready');
  });

  it('is continued with an entry that an earlier release has written', async () => {
    sessionStorage.setItem(KEY, JSON.stringify(entry()));
    comeBack('earlier');
    const { element } = await mount();
    await reach(element, 'open');
  });
});

describe('two flows without an element', () => {
  afterEach(async () => {
    history.replaceState(null, '', home);
    await cleanUp();
  });

  for (const which of [0, 1]) {
    it(`the return of number ${which + 1} is continued by that one`, async () => {
      SimulatedLink.install();
      const create = () => [0, 1].map(() => createConnect({ backend: new SimulatedBackend() }));
      const before = create();
      for (const flow of before) flow.prepare();
      await waitUntil(() => before.every(({ status }) => status === 'ready'));
      expect(Object.keys(sessionStorage)).to.have.length(2);
      before[which]?.open();
      const entry = sessionStorage.getItem(KEY) ?? '';
      for (const flow of before) flow.destroy();
      sessionStorage.clear();
      sessionStorage.setItem(KEY, entry);
      comeBack(`flow${which}`);
      const after = create();
      await waitUntil(() => after[which]?.status === 'open');
      expect(after[1 - which]?.status).to.equal('loading');
      for (const flow of after) flow.destroy();
    });
  }
});
