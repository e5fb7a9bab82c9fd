// @vitest-environment happy-dom
import { beforeEach, expect, it, vi } from 'vitest';
import { listenToKeys } from '../../demo/story/keys.ts';

// WCAG 2.1.4: what a single character does can be turned off, by those who dictate or whose hands shake.
beforeEach(() => localStorage.clear());

/** The demo's page as it is loaded. Listeners of a page before it stay, so that each page has its own `act`. */
function load() {
  const act = vi.fn();
  document.body.innerHTML = '<dialog id="help"></dialog><p>Story</p>';
  const other = () => {};
  const frame = document.createElement('iframe');
  listenToKeys(frame, { act, visit: other, showLink: other, play: other, restart: other });
  return act;
}

const press = (key: string) =>
  document.querySelector('p')?.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, composed: true }));
const control = () => document.querySelector('[role="switch"]') as HTMLInputElement;

it('the switch of the demo’s single-key shortcuts turns them off and on, and the browser keeps it', () => {
  const act = load();
  expect(control().checked).toBe(true);
  press('m');
  expect(act.mock.calls).toEqual([['return_R01']]);

  control().click();
  press('m');
  press('?');
  expect(act).toHaveBeenCalledTimes(1);
  expect(document.querySelector('dialog')?.open).toBe(false);
  expect(localStorage.getItem('single-key-shortcuts')).toBe('off');

  control().click();
  press('a');
  expect(act.mock.calls.slice(1)).toEqual([['return_R03']]);
  expect(localStorage.getItem('single-key-shortcuts')).toBe('on');
});

it('the switch of the demo’s single-key shortcuts is off where it was left off', () => {
  localStorage.setItem('single-key-shortcuts', 'off');
  const act = load();
  expect(control().checked).toBe(false);
  press('m');
  expect(act).not.toHaveBeenCalled();
});

it('the switch of the demo’s single-key shortcuts has a label', () => {
  load();
  expect(control().closest('label')?.textContent?.trim()).toBe('Single-key shortcuts');
});
