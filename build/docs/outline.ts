import { DECISIONS_FOLDER, DECISIONS_PAGE } from './decisions.ts';

/** The documents in reading order, by reader. A file's title is its first heading. */
export interface Section {
  title: string;
  pages: readonly Entry[];
}

export interface Entry {
  /** Relative to the project. */
  source: string;
  /** Relative to the site; also the page's address. */
  file: string;
  /** In the navigation, where the page's heading is too long for it. */
  label?: string;
}

const page = (name: string, label?: string): Entry => ({
  source: `docs/${name}.md`,
  file: `${name}.html`,
  ...(label === undefined ? {} : { label }),
});

/** Made from the contract, so its source is no file. */
export const API_PAGE = 'api.html';

export const OUTLINE: readonly Section[] = [
  {
    title: 'Start',
    pages: [{ source: 'README.md', file: 'index.html', label: 'Overview' }, page('quickstart'), page('demo')],
  },
  {
    title: 'Your page',
    pages: [
      page('element', 'Element'),
      page('frameworks'),
      page('react', 'React, Next.js'),
      page('vue', 'Vue, Nuxt'),
      page('svelte', 'Svelte, SvelteKit'),
      page('angular'),
      page('native-apps'),
      page('styling'),
      page('languages'),
      page('hosts', 'Pages it lives on'),
      page('security', 'Page security'),
      page('errors'),
    ],
  },
  {
    title: 'Your back end',
    pages: [
      page('backend', 'Sessions, verifying, webhooks'),
      { source: API_PAGE, file: API_PAGE, label: 'API reference' },
      page('connections', 'Connections and webhooks'),
      page('links', 'Links and platforms'),
      page('ownership'),
      page('checks', 'Checks before a charge'),
      page('returns'),
      page('evidence'),
      page('testing', 'Testing with the simulator'),
      { source: 'demo/simulator/README.md', file: 'simulator.html', label: 'Simulator' },
    ],
  },
  {
    title: 'Operations',
    pages: [
      page('go-live', 'Go live'),
      page('deploy'),
      page('embed-server', 'Inside your own server'),
      page('postgresql'),
      page('secrets'),
      page('settings'),
      page('operations', 'Operating the server'),
      page('observability', 'Observability'),
      page('cli', 'Command line'),
      page('load', 'Load'),
      page('threat-model', 'Threat model'),
      { source: 'SECURITY.md', file: 'report-vulnerability.html', label: 'Reporting a vulnerability' },
    ],
  },
  {
    title: 'Project',
    pages: [
      page('fault-suite', 'Fault suite'),
      page('unverified', 'Open questions'),
      { source: DECISIONS_FOLDER, file: DECISIONS_PAGE },
      { source: 'CONTRIBUTING.md', file: 'contributing.html' },
      { source: 'CHANGELOG.md', file: 'changelog.html', label: 'Changelog' },
    ],
  },
];
