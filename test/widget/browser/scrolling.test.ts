import { aTimeout, expect, nextFrame } from '@open-wc/testing';
import { cleanUp, mount, press, reach } from '../helpers/element.ts';
import { FrameLink } from '../helpers/frame-link.ts';
import { waitUntil } from '../helpers/wait-until.ts';

const PLACE = 600;

/** A page that is scrolled, with Link open in it. */
async function opened(settings: Parameters<typeof FrameLink.install>[0] = {}) {
  document.body.style.minHeight = '5000px';
  const mounted = await mount({}, undefined, undefined, FrameLink.install(settings));
  await reach(mounted.element, 'ready');
  scrollTo(0, PLACE);
  await nextFrame();
  press(mounted.element);
  await waitUntil(() => document.body.style.overflow === 'hidden');
  return mounted;
}

async function settled(): Promise<void> {
  await aTimeout(150);
  await nextFrame();
}

describe('the page’s scrolling', () => {
  afterEach(async () => {
    await cleanUp();
    document.body.removeAttribute('style');
    document.body.className = '';
    scrollTo(0, 0);
    for (const frame of document.querySelectorAll('body > iframe')) frame.remove();
  });

  for (const leaving of ['before', 'after', 'destroyed'] as const) {
    for (const locks of ['at once', 'later'] as const) {
      it(`is free again after Link, whose frame goes ${leaving} and which locks ${locks}`, async () => {
        const { link } = await opened({ leaving, locks, jumps: true });
        link.exit();
        await settled();
        expect(document.body.style.overflow).to.equal('');
        expect(scrollY).to.equal(PLACE);
      });

      it(`is as it was before Link, not as it was when Link was prepared: ${leaving}, ${locks}`, async () => {
        const mounted = await mount({}, undefined, undefined, FrameLink.install({ leaving, locks }));
        await reach(mounted.element, 'ready');
        document.body.style.overflow = 'clip';
        press(mounted.element);
        await waitUntil(() => document.body.style.overflow === 'hidden');
        mounted.link.exit();
        await settled();
        expect(document.body.style.overflow).to.equal('clip');
      });

      it(`stays as the page has set it while Link was open: ${leaving}, ${locks}`, async () => {
        const { link } = await opened({ leaving, locks });
        document.body.style.overflow = 'scroll';
        scrollTo(0, 100);
        await settled();
        link.exit();
        await settled();
        expect(document.body.style.overflow).to.equal('scroll');
        expect(scrollY).to.equal(100);
      });

      for (const [when, wait] of [
        ['in its handler', (act: () => void) => act()],
        ['right after its handler', (act: () => void) => queueMicrotask(act)],
        ['a task after its handler', (act: () => void) => void setTimeout(act)],
        ['some time after its handler', (act: () => void) => void setTimeout(act, 100)],
      ] as const) {
        it(`stays as the page sets it ${when}: ${leaving}, ${locks}`, async () => {
          const { element, link } = await opened({ leaving, locks, jumps: true });
          element.addEventListener('fbc-canceled', () =>
            wait(() => {
              document.body.style.overflow = 'hidden';
              scrollTo(0, 1_500);
            }),
          );
          link.exit();
          await settled();
          expect(document.body.style.overflow).to.equal('hidden');
          expect(scrollY).to.equal(1_500);
        });
      }
    }
  }

  it('stays locked where the page had locked it itself, for a dialog of its own', async () => {
    document.body.style.minHeight = '5000px';
    const mounted = await mount({}, undefined, undefined, FrameLink.install());
    await reach(mounted.element, 'ready');
    document.body.style.overflow = 'hidden';
    press(mounted.element);
    mounted.link.exit();
    await settled();
    expect(document.body.style.overflow).to.equal('hidden');
  });

  it('is free where the page has closed its own dialog while Link was open', async () => {
    const mounted = await mount({}, undefined, undefined, FrameLink.install());
    await reach(mounted.element, 'ready');
    document.body.style.overflow = 'hidden';
    press(mounted.element);
    await settled();
    document.body.style.overflow = '';
    await settled();
    mounted.link.exit();
    await settled();
    expect(document.body.style.overflow).to.equal('');
  });

  it('is free again when the element leaves the page with Link open', async () => {
    const { element } = await opened({ jumps: true });
    element.remove();
    await settled();
    expect(document.body.style.overflow).to.equal('');
    expect(scrollY).to.equal(PLACE);
  });

  it('stays where the page goes after success', async () => {
    const { element, link } = await opened({ jumps: true });
    element.addEventListener('fbc-connected', () => scrollTo(0, 2_500));
    link.succeed();
    await reach(element, 'connected');
    await settled();
    expect(scrollY).to.equal(2_500);
    expect(document.body.style.overflow).to.equal('');
  });
});
