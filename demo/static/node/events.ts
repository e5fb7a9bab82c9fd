/** In place of `node:events`: a browser has no limit to raise. */
export function setMaxListeners(): void {}
