import { expect } from '@open-wc/testing';
import { nameOf, violations } from '../helpers/axe.ts';
import { cleanUp, connect, linkNamed, type Mounted, mount, part, reach, spoken } from '../helpers/element.ts';
import { connection, session } from '../helpers/simulated-backend.ts';
import { waitUntil } from '../helpers/wait-until.ts';

const checking = connection('con_1', 'active', 'Bank of America', '0042');
const savings = connection('con_2', 'pending_verification', 'Bank of America', '1234');
const broken = connection('con_3', 'needs_repair', 'Chase', '7777');

const cards = ({ element }: Mounted) => [
  ...(element.shadowRoot?.querySelectorAll<HTMLElement>('[part~="account"]') ?? []),
];
const buttonsIn = (box: HTMLElement) => [...box.querySelectorAll('button')];
const textOf = (box: HTMLElement) => (box.textContent ?? '').replace(/\s+/g, ' ').trim();

async function connected(
  connections = [checking, savings],
  properties: Parameters<typeof mount>[0] = {},
): Promise<Mounted> {
  const mounted = await mount(properties, ({ completeAnswers }) =>
    completeAnswers.push(session('completed', connections)),
  );
  await connect(mounted);
  return mounted;
}

describe('several connected accounts', () => {
  afterEach(cleanUp);

  it('have a card each, with their state in words', async () => {
    const mounted = await connected([checking, savings, broken]);
    expect(cards(mounted).map(nameOf)).to.deep.equal([
      'Bank of America ••0042',
      'Bank of America ••1234',
      'Chase ••7777',
    ]);
    const [first, second, third] = cards(mounted).map(textOf);
    expect(first).to.contain('Checking');
    expect(second).to.contain('Your bank is confirming this account');
    expect(third).to.contain('Sign in to your bank again');
    expect(await violations(mounted.element)).to.deep.equal([]);
  });

  it('are announced together, each with its name', async () => {
    const mounted = await connected();
    expect(spoken(mounted.element)).to.match(
      /^Bank of America ••0042 is connected\. Bank of America ••1234: Your bank is confirming/,
    );
  });

  it('are removed one by one, and the others stay', async () => {
    const mounted = await connected([checking, savings], { name: 'bank' });
    const form = document.createElement('form');
    mounted.element.replaceWith(form);
    form.append(mounted.element);
    await mounted.element.updateComplete;
    expect(new FormData(form).getAll('bank')).to.deep.equal(['con_1', 'con_2']);
    const changes: string[][] = [];
    mounted.element.addEventListener('change', () => changes.push(mounted.element.connections.map(({ id }) => id)));
    const [first] = cards(mounted);
    buttonsIn(first as HTMLElement)[0]?.click();
    await mounted.element.updateComplete;
    expect(changes).to.deep.equal([['con_2']]);
    expect(new FormData(form).getAll('bank')).to.deep.equal(['con_2']);
    expect(cards(mounted).map(nameOf)).to.deep.equal(['Bank of America ••1234']);
    expect(mounted.element.status).to.equal('pending_verification');
    await waitUntil(() => mounted.element.shadowRoot?.activeElement, 'the focus is in the element');
    linkNamed(mounted.element, 'Remove').click();
    await reach(mounted.element, 'ready');
    expect(new FormData(form).getAll('bank')).to.deep.equal([]);
  });

  it('have one "Change" for all, and no "Remove" for all', async () => {
    const mounted = await connected();
    const inCards = cards(mounted).flatMap(buttonsIn);
    const others = [...(mounted.element.shadowRoot?.querySelectorAll('button') ?? [])].filter(
      (button) => !inCards.includes(button),
    );
    expect(inCards.map(textOf)).to.deep.equal(['Remove', 'Remove']);
    expect(others.map(textOf)).to.deep.equal(['Change']);
  });

  it('can all be reached with the keyboard, in the order that is seen', async () => {
    const mounted = await connected();
    const buttons = [...(mounted.element.shadowRoot?.querySelectorAll('button') ?? [])];
    expect(buttons.every((button) => button.tabIndex === 0)).to.equal(true);
    const tops = buttons.map((button) => button.getBoundingClientRect().top);
    expect(tops).to.deep.equal([...tops].sort((a, b) => a - b));
    for (const button of buttons) {
      button.focus();
      expect(mounted.element.shadowRoot?.activeElement).to.equal(button);
      const { width, height } = button.getBoundingClientRect();
      expect(Math.min(width, height)).to.be.at.least(24);
    }
  });
});

describe('the logo of a connected bank', () => {
  afterEach(cleanUp);

  /** An image in one color, a PNG as from the server. */
  async function image(): Promise<Blob> {
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = 152;
    const context = canvas.getContext('2d');
    if (context) context.fillStyle = '#f00';
    context?.fillRect(0, 0, 152, 152);
    return new Promise((resolve, reject) =>
      canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('none')))),
    );
  }
  const logosOf = ({ element }: Mounted) => [...(element.shadowRoot?.querySelectorAll('canvas') ?? [])];

  async function withLogo(getLogo: (secret: string, id: string) => Promise<Blob | null>, connections = [checking]) {
    const mounted = await mount({}, (backend) => {
      backend.completeAnswers.push(session('completed', connections));
      Object.assign(backend, { getLogo });
    });
    await connect(mounted);
    return mounted;
  }

  it('is asked for once the bank is connected, and takes the place of the initial without moving anything', async () => {
    let give: (blob: Blob) => void = () => {};
    const asked: string[] = [];
    const mounted = await withLogo((secret, id) => {
      asked.push(`${secret} ${id}`);
      return new Promise((resolve) => {
        give = resolve;
      });
    });
    const card = part(mounted.element, 'account');
    expect(textOf(card)).to.match(/^B/);
    const boxes = () =>
      [...card.querySelectorAll('*:not(canvas)')].map((one) => JSON.stringify(one.getBoundingClientRect()));
    const before = boxes();
    give(await image());
    await waitUntil(() => logosOf(mounted).length === 1, 'the logo is there');
    expect(boxes()).to.deep.equal(before);
    expect(asked).to.deep.equal(['ses_public1_secret_abc ins_56']);
    const [logo] = logosOf(mounted);
    expect([...(logo?.getContext('2d')?.getImageData(50, 50, 1, 1).data ?? [])]).to.deep.equal([255, 0, 0, 255]);
    expect(logo?.closest('[aria-hidden="true"]')).to.not.equal(null);
    const { width, height } = logo?.getBoundingClientRect() ?? {};
    expect([width, height]).to.deep.equal([36, 36]);
    expect(await violations(mounted.element)).to.deep.equal([]);
  });

  it('is in every card of that bank', async () => {
    const mounted = await withLogo(image, [checking, savings]);
    await waitUntil(() => logosOf(mounted).length === 2, 'both logos are there');
    expect(cards(mounted).every((card) => card.querySelector('canvas'))).to.equal(true);
  });

  const failures: [string, () => Promise<Blob | null>][] = [
    ['there is none', async () => null],
    ['it can’t be fetched', () => Promise.reject(new TypeError('Failed to fetch'))],
    ['it is not an image', async () => new Blob(['<svg onload="alert(1)">'], { type: 'image/png' })],
  ];
  for (const [reason, getLogo] of failures) {
    it(`is the initial where ${reason}, and the connection is as good`, async () => {
      let isOver = false;
      const mounted = await withLogo(() => getLogo().finally(() => setTimeout(() => (isOver = true))));
      await waitUntil(() => isOver, 'the answer is there');
      await mounted.element.updateComplete;
      expect(logosOf(mounted)).to.deep.equal([]);
      expect(mounted.element.status).to.equal('connected');
      expect(mounted.log.filter((line) => line.startsWith('fbc-error'))).to.deep.equal([]);
    });
  }
});
