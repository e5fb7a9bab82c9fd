import { afterEach, beforeEach, expect, test, vi } from 'vitest';

/**
 * What a merchant's unit test does with a page that holds the tag. Vitest reports every uncaught exception of the DOM
 * and every unhandled rejection as a failure of the run.
 */
export function testInTestDom(name: string): void {
  let warnings: string[] = [];
  beforeEach(() => {
    warnings = [];
    vi.spyOn(console, 'warn').mockImplementation((text: string) => void warnings.push(text));
  });
  afterEach(() => {
    document.body.replaceChildren();
    vi.restoreAllMocks();
  });

  test(`importing the package in ${name} throws nothing, and warns why only the fallback is shown`, async () => {
    document.body.innerHTML = '<form><finix-bank-connect name="bank"></finix-bank-connect></form>';
    vi.resetModules();
    const { FinixBankConnect } = await import('../../../widget/index.ts');
    expect(FinixBankConnect).toBeTypeOf('function');
    expect(warnings.filter((text) => text.includes('newer browser'))).toHaveLength(1);
    expect(customElements.get('finix-bank-connect')).not.toBe(FinixBankConnect);
  });

  test(`a page with the tag renders in ${name}, takes properties, and receives the events that a test sends`, async () => {
    await import('../../../widget/index.ts');
    const element = document.createElement('finix-bank-connect');
    const received: unknown[] = [];
    element.addEventListener('fbc-connected', (event) => received.push(event.detail.connections));
    element.fetchClientSecret = async () => 'ses_1_secret_a';
    element.setAttribute('name', 'bank');
    document.body.append(element);
    element.remove();
    document.body.append(element);
    element.dispatchEvent(new CustomEvent('fbc-connected', { bubbles: true, detail: { connections: [] } }));
    expect(received).toEqual([[]]);
    expect(document.querySelector('finix-bank-connect')).toBe(element);
  });
}
