import { PASSWORDS, SCENARIOS } from './simulator/scenarios.ts';

/** How long "Copied" stays: long enough to be read twice. */
const COPIED_MS = 2_000;

/** The simulator's scenarios, each with what to type into Link for it. */
export function showScenarios(): void {
  const select = find<HTMLSelectElement>('#scenario');
  const text = find('#scenario-text');
  const username = find('#username');
  find('#password').textContent = PASSWORDS.good;
  select.append(...SCENARIOS.map((scenario) => new Option(scenario.title, scenario.username)));

  const show = () => {
    const scenario = SCENARIOS.find((candidate) => candidate.username === select.value);
    text.textContent = scenario?.description ?? '';
    username.textContent = scenario?.username ?? '';
  };
  select.addEventListener('change', show);
  show();

  for (const button of document.querySelectorAll<HTMLElement>('[data-copy]')) {
    const before = [...button.childNodes];
    let timer: ReturnType<typeof setTimeout> | undefined;
    button.addEventListener('click', async () => {
      const done = await copy(find(`#${button.dataset['copy']}`));
      find('#copied').textContent = done ? 'Copied' : 'Selected: press Ctrl+C to copy';
      clearTimeout(timer);
      button.replaceChildren(done ? 'Copied' : 'Selected');
      timer = setTimeout(() => button.replaceChildren(...before), COPIED_MS);
    });
  }
}

/** Where the clipboard is closed to pages, the text is selected instead: one key press from done. */
async function copy(source: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(source.textContent ?? '');
    return true;
  } catch {
    getSelection()?.selectAllChildren(source);
    return false;
  }
}

function find<T extends HTMLElement = HTMLElement>(selector: string): T {
  const found = document.querySelector<T>(selector);
  if (!found) throw new Error(`The page has no ${selector}.`);
  return found;
}
