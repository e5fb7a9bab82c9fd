import { describe, expect, test } from 'vitest';
import { arrowsIn } from './floors.ts';

const arrows = arrowsIn('widget');

describe('the chunks', () => {
  /** What an entry brings along at once: everything but types and what is imported later. */
  function broughtBy(entry: string): string[] {
    const seen = new Set<string>();
    const follow = (file: string) => {
      if (seen.has(file)) return;
      seen.add(file);
      for (const { from, to, typeOnly, dynamic } of arrows) if (from === file && !typeOnly && !dynamic) follow(to);
    };
    follow(entry);
    return [...seen].sort();
  }

  test('what a page loads before the button shows is these modules, and Lit', () => {
    expect(broughtBy('widget/embed.ts')).toEqual([
      'widget/define.ts',
      'widget/element/approach.ts',
      'widget/element/events.ts',
      'widget/element/form-control.ts',
      'widget/element/icons.ts',
      'widget/element/language.ts',
      'widget/element/load-lazy.ts',
      'widget/element/page-events.ts',
      'widget/element/properties.ts',
      'widget/element/styles.ts',
      'widget/element/view.ts',
      'widget/element/when-idle.ts',
      'widget/embed.ts',
      'widget/finix-bank-connect.ts',
      'widget/i18n/first.ts',
      'widget/i18n/given.ts',
      'widget/i18n/import-texts.ts',
      'widget/i18n/languages.ts',
      'widget/i18n/speech.ts',
      'widget/link/may-return.ts',
      'widget/session/tab-storage.ts',
      'widget/within.ts',
    ]);
  });

  test('what follows until a bank is connected has nothing of the detour, and nothing that only the detour needs', () => {
    const brought = broughtBy('widget/lazy/index.ts');
    const only = (folder: string) => brought.filter((file) => file.startsWith(folder));
    expect(only('widget/detour/')).toEqual([]);
    const texts = ['fill', 'first', 'given', 'late'].map((name) => `widget/i18n/${name}.ts`);
    expect(only('widget/i18n/')).toEqual(texts);
    const elsewhere = [
      'widget/diagnose.ts',
      'widget/link/hosted-link.ts',
      'widget/link/safe-address.ts',
      'widget/session/request-failures.ts',
    ];
    for (const file of elsewhere) expect(brought).not.toContain(file);
  });

  test('the later chunks are entered in one place each, and the languages are fetched on their own', () => {
    const later = arrows.filter(({ dynamic }) => dynamic);
    expect(later.filter(({ to }) => !to.startsWith('widget/i18n/')).map(({ from, to }) => `${from}: ${to}`)).toEqual([
      'widget/element/load-lazy.ts: widget/lazy/index.ts',
      'widget/lazy/load-detour.ts: widget/detour/index.ts',
    ]);
  });
});
