import { readableAccent } from './accent.ts';

/** The surfaces that an accent must be readable on. */
const LIGHT_SURFACE = '#ffffff';
const DARK_SURFACE = '#17201d';
const LIGHT_ACCENT = '#17483f';
const DARK_ACCENT = '#a9dcc9';

/** @param accent the merchant's color, `#rrggbb`; undefined: ours */
export function pageStyle(accent: string | undefined): string {
  const light = readableAccent(accent ?? LIGHT_ACCENT, LIGHT_SURFACE);
  const dark = readableAccent(accent ?? DARK_ACCENT, DARK_SURFACE);
  return `
:root {
  color-scheme: light;
  --accent: ${light.color}; --on-accent: ${light.on};
  --page: #f4f6f5; --surface: ${LIGHT_SURFACE}; --text: #15201d; --muted: #55625e; --line: #d5dcd9; --ok: #e4f0eb; --alarm: #a8261c;
}
@media (prefers-color-scheme: dark) {
  :root {
    color-scheme: dark;
    --accent: ${dark.color}; --on-accent: ${dark.on};
    --page: #0e1513; --surface: ${DARK_SURFACE}; --text: #edf3f0; --muted: #a5b3ae; --line: #34423d; --ok: #243a33; --alarm: #ffb1a6;
  }
}
*, ::before, ::after { box-sizing: border-box; }
html { font: 400 100%/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; -webkit-text-size-adjust: 100%; }
body { margin: 0; min-block-size: 100vh; min-block-size: 100svh; display: flex; flex-direction: column; background: var(--page); color: var(--text); }
main { inline-size: 100%; max-inline-size: 30rem; margin: auto; padding: 1rem; }
.card { padding: 2rem 1.5rem 1.75rem; border: 1px solid var(--line); border-radius: 1.25rem; background: var(--surface); box-shadow: 0 1px 2px rgb(0 0 0 / 4%), 0 12px 32px rgb(0 0 0 / 6%); }
.merchant { display: flex; align-items: center; gap: .75rem; margin-block-end: 1.5rem; font-weight: 600; overflow-wrap: anywhere; }
.logo { flex: none; inline-size: 2.75rem; block-size: 2.75rem; border-radius: .75rem; object-fit: contain; background: #fff; border: 1px solid var(--line); }
.initial { display: grid; place-items: center; background: var(--accent); color: var(--on-accent); border: 0; font-size: 1.25rem; }
h1 { margin: 0 0 .5rem; font-size: 1.625rem; line-height: 1.2; letter-spacing: -.01em; text-wrap: balance; }
h1:focus { outline: none; }
p { margin: 0; }
.ask { color: var(--muted); margin-block-end: 1.5rem; }
.safe { display: flex; gap: .625rem; margin-block-start: 1.25rem; color: var(--muted); font-size: .9375rem; }
.safe svg { flex: none; margin-block-start: .125rem; color: var(--accent); }
button, .button { display: block; inline-size: 100%; min-block-size: 3.5rem; padding: .875rem 1.25rem; border: 0; border-radius: .75rem; background: var(--accent); color: var(--on-accent); font: inherit; font-size: 1.0625rem; font-weight: 600; line-height: 1.4; text-align: center; text-decoration: none; cursor: pointer; }
button:hover, .button:hover { filter: brightness(.95); }
button[aria-disabled="true"] { opacity: .7; cursor: progress; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; }
.notice { margin-block-start: 1rem; color: var(--alarm); }
.notice:empty { display: none; }
finix-bank-connect { display: block; --fbc-accent: var(--accent); --fbc-on-accent: var(--on-accent); --fbc-surface: var(--surface); --fbc-text: var(--text); --fbc-muted: var(--muted); }
finix-bank-connect:not(:defined) { min-block-size: 7.5rem; }
.account { display: flex; align-items: center; gap: .875rem; margin-block: 1.25rem; padding: 1rem; border-radius: .75rem; background: var(--ok); font-weight: 600; overflow-wrap: anywhere; }
.account svg { flex: none; color: var(--accent); }
.end { display: grid; gap: .75rem; }
.quiet { min-block-size: 2.75rem; background: none; color: var(--accent); border: 1px solid var(--line); }
footer { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: center; gap: .5rem 1rem; margin-block-start: 1.25rem; padding-inline: .5rem; color: var(--muted); font-size: .875rem; }
footer a { color: inherit; padding-block: .5rem; }
footer form { display: flex; align-items: center; gap: .5rem; }
select { min-block-size: 2.25rem; padding-inline: .5rem; border: 1px solid var(--line); border-radius: .5rem; background: var(--surface); color: inherit; font: inherit; }
.switch { inline-size: auto; min-block-size: 2.25rem; padding: .25rem .75rem; font-size: .875rem; }
.terms { max-block-size: 14rem; overflow: auto; margin-block-end: 1rem; padding: .75rem 1rem; border: 1px solid var(--line); border-radius: .75rem; white-space: pre-wrap; font-size: .9375rem; }
.accept { display: flex; gap: .625rem; margin-block-end: 1rem; }
[hidden] { display: none !important; }
@media (max-width: 24rem) { main { padding: 0; margin-block: 0; } .card { border: 0; border-radius: 0; box-shadow: none; } footer { padding: 0 1.5rem 1rem; } }
@media (prefers-reduced-motion: no-preference) { .card { animation: rise .3s ease-out; } @keyframes rise { from { opacity: 0; transform: translateY(.5rem); } } }
@media (forced-colors: active) { button, .button { border: 2px solid; } }
`;
}
