/** The address of a page of the demo: in the folder that the static demo is in, at the root otherwise. */
export function at(path: string): string {
  return `${document.documentElement.dataset['base'] ?? ''}${path}`;
}
