import csp from './snippets/csp.txt?raw';
import next from './snippets/next.tsx?raw';
import react from './snippets/react.tsx?raw';
import scriptTag from './snippets/script-tag.html?raw';
import node from './snippets/session.mjs?raw';
import php from './snippets/session.php?raw';
import python from './snippets/session.py?raw';
import curl from './snippets/session.sh?raw';
import svelte from './snippets/svelte.svelte?raw';
import vue from './snippets/vue.vue?raw';
import type { SnippetKind } from './write-snippet.ts';

export interface Snippet {
  label: string;
  kind: SnippetKind;
  source: string;
}

/** Each is a file that a test compiles or runs: the page first, then the server, then the policy. */
export const SNIPPETS: readonly Snippet[] = [
  { label: 'Script tag', kind: 'markup', source: scriptTag },
  { label: 'React', kind: 'jsx', source: react },
  { label: 'Vue', kind: 'markup', source: vue },
  { label: 'Svelte', kind: 'markup', source: svelte },
  { label: 'Next.js', kind: 'jsx', source: next },
  { label: 'curl', kind: 'session', source: curl },
  { label: 'Node', kind: 'session', source: node },
  { label: 'Python', kind: 'session', source: python },
  { label: 'PHP', kind: 'session', source: php },
  { label: 'CSP', kind: 'policy', source: csp },
];
