const LIGHT = `
  --ink: #16211f; --soft: #55635f; --line: #dfe5e2; --edge: #7d8b86; --paper: #ffffff; --wash: #f4f7f5;
  --accent: #0d6b57; --accent-deep: #0a5646; --on-accent: #ffffff; --tint: #e6f2ee;
  --bad: #a3271d; --bad-wash: #fdf0ee; --note: #fff4d6; --note-ink: #5c4300; --shade: rgb(15 26 23 / .46);
  --shadow: 0 24px 64px rgb(10 25 20 / .28), 0 2px 8px rgb(10 25 20 / .12); --scheme: light;`;
const DARK = `
  --ink: #e9f0ed; --soft: #a5b4ae; --line: #2f3b37; --edge: #72827c; --paper: #161d1b; --wash: #1f2826;
  --accent: #6fd3b5; --accent-deep: #8fe0c7; --on-accent: #07261e; --tint: #1d3a32;
  --bad: #ffb1a6; --bad-wash: #3a1d1a; --note: #3b3014; --note-ink: #ffe2a0; --shade: rgb(0 0 0 / .62);
  --shadow: 0 24px 64px rgb(0 0 0 / .6), 0 0 0 1px #2a3531; --scheme: dark;`;

/**
 * The look of the dialog. The page itself stays without a color scheme: a frame with another one than its host's is
 * painted opaque.
 */
export const DIALOG_STYLES = `
:root {${LIGHT}}
@media (prefers-color-scheme: dark) { :root:not([data-appearance='LIGHT']) {${DARK}} }
:root[data-appearance='DARK'] {${DARK}}

* { box-sizing: border-box; }
[hidden] { display: none !important; }
html, body { height: 100%; margin: 0; background: transparent; }
body { color: var(--ink); font: 400 15px/1.5 ui-sans-serif, system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif;
  -webkit-font-smoothing: antialiased; text-rendering: optimizeLegibility; }
button, input { font: inherit; color: inherit; }
h1, h2, p, ul { margin: 0; padding: 0; }
ul { list-style: none; }

.backdrop { min-height: 100%; display: grid; place-items: center; padding: 24px; background: var(--shade); opacity: 0; }
.is-open .backdrop { opacity: 1; }
.card { position: relative; display: flex; flex-direction: column; width: min(404px, 100%); height: min(660px, calc(100dvh - 48px));
  overflow: hidden; background: var(--paper); border-radius: 22px; box-shadow: var(--shadow); color-scheme: var(--scheme); outline: none; }
.notice { display: flex; gap: 7px; align-items: center; justify-content: center; padding: 8px 14px; background: var(--note);
  color: var(--note-ink); font-size: 12px; line-height: 1.35; letter-spacing: .005em; }
.notice svg { flex: none; }
.notice b { font-weight: 650; }
.bar { display: flex; align-items: center; justify-content: space-between; gap: 12px; min-height: 60px; padding: 8px 12px 0; }
.progress { display: flex; gap: 5px; }
.progress i { width: 26px; height: 3px; border-radius: 2px; background: var(--line); transition: background .25s; }
.progress i.done { background: var(--accent); }
.icon { display: grid; place-items: center; width: 44px; height: 44px; border: 0; border-radius: 12px; background: none; color: var(--soft); cursor: pointer; }
.icon:hover { background: var(--wash); color: var(--ink); }
.icon[hidden] { display: grid !important; visibility: hidden; }

.pane { flex: 1; min-height: 0; display: flex; flex-direction: column; gap: 16px; padding: 8px 28px 28px; overflow: auto; }
.pane > form { flex: 1; min-height: 0; }
h1 { font-size: 23px; font-weight: 650; line-height: 1.22; letter-spacing: -.018em; text-wrap: balance; }
h1:focus { outline: none; }
.lead { color: var(--soft); text-wrap: pretty; }
.small { font-size: 12.5px; line-height: 1.45; color: var(--soft); }
.center { text-align: center; }
.stack { display: flex; flex-direction: column; gap: 14px; }
.grow { flex: 1; }
.foot { display: flex; flex-direction: column; gap: 8px; margin-top: auto; padding-top: 12px; }

.primary, .plain { width: 100%; min-height: 48px; padding: 0 18px; border: 0; border-radius: 13px; font-weight: 600; cursor: pointer;
  transition: background .15s, transform .1s; }
.primary { background: var(--accent); color: var(--on-accent); }
.primary:hover { background: var(--accent-deep); }
.primary:active { transform: translateY(1px); }
.primary[aria-disabled='true'] { background: var(--line); color: var(--soft); cursor: default; transform: none; }
.plain { background: none; color: var(--ink); }
.plain:hover { background: var(--wash); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }

.points { display: flex; flex-direction: column; gap: 18px; padding: 6px 0; }
.points li { display: grid; grid-template-columns: 36px 1fr; gap: 14px; align-items: start; }
.points b { display: block; color: var(--ink); font-weight: 600; }
.points span.text { color: var(--soft); font-size: 14px; }
.dot { display: grid; place-items: center; width: 36px; height: 36px; border-radius: 11px; background: var(--tint); color: var(--accent); }

.field { display: flex; flex-direction: column; gap: 6px; }
.field > span { font-size: 13.5px; font-weight: 550; }
.field input { width: 100%; min-height: 48px; padding: 0 14px; border: 1px solid var(--edge); border-radius: 12px; background: var(--paper);
  font-size: 16px; transition: border-color .15s; }
.field input::placeholder { color: var(--soft); opacity: 1; }
.field input:focus { outline: 3px solid var(--accent); outline-offset: -1px; border-color: transparent; }
.field input[aria-invalid='true'] { border-color: var(--bad); }
.problem { padding: 11px 13px; border-radius: 11px; background: var(--bad-wash); color: var(--bad); font-size: 14px; }
.search input { padding-left: 42px; background: var(--wash) url("data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='18' height='18' fill='none' stroke='%237d8b86' stroke-width='1.8' stroke-linecap='round'%3E%3Ccircle cx='8' cy='8' r='5.2'/%3E%3Cpath d='m12 12 3.6 3.6'/%3E%3C/svg%3E") 14px 50% no-repeat; }

.list { margin: 0 -14px; display: flex; flex-direction: column; }
.row { display: grid; grid-template-columns: 42px minmax(0, 1fr) auto; gap: 14px; align-items: center; width: 100%; min-height: 62px; padding: 8px 14px;
  border: 0; border-radius: 14px; background: none; text-align: left; cursor: pointer; }
.row:hover { background: var(--wash); }
.row:focus-visible { outline-offset: -3px; }
.row b { display: block; font-weight: 550; line-height: 1.3; }
.row small { display: block; font-size: 12.5px; color: var(--soft); overflow-wrap: anywhere; }
.mark { display: grid; place-items: center; width: 42px; height: 42px; border-radius: 12px; background: var(--accent); color: #fff; font-size: 14px;
  font-weight: 650; letter-spacing: .02em; }
.mark.big { width: 60px; height: 60px; border-radius: 17px; font-size: 19px; }
.empty { display: flex; flex-direction: column; gap: 6px; align-items: center; padding: 36px 12px; text-align: center; color: var(--soft); }
.empty b { color: var(--ink); font-weight: 600; }

legend { margin-bottom: 10px; padding: 0; }
.accounts { display: flex; flex-direction: column; gap: 10px; border: 0; margin: 0; padding: 0; min-width: 0; }
.account { display: grid; grid-template-columns: 22px minmax(0, 1fr) auto; gap: 14px; align-items: center; min-height: 68px; padding: 11px 16px;
  border: 1px solid var(--line); border-radius: 15px; cursor: pointer; transition: border-color .15s, background .15s; }
.account:hover { border-color: var(--edge); }
.account:has(input:checked) { border-color: var(--accent); background: var(--tint); }
.account:has(input:focus-visible) { outline: 3px solid var(--accent); outline-offset: 2px; }
.account input { width: 20px; height: 20px; margin: 0; accent-color: var(--accent); outline: none; }
.account b { display: block; font-weight: 550; line-height: 1.3; }
.account small { font-size: 13px; color: var(--soft); }
.account .sum { font-variant-numeric: tabular-nums; font-size: 14px; color: var(--soft); }

details { border-radius: 13px; background: var(--wash); font-size: 13.5px; }
summary { padding: 11px 14px; border-radius: 13px; font-weight: 550; cursor: pointer; }
details ul { display: flex; flex-direction: column; max-height: 176px; padding: 0 6px 8px; overflow: auto; overscroll-behavior: contain; }
details li { flex: none; }
.hint { display: block; width: 100%; padding: 8px; border: 0; border-radius: 9px; background: none; text-align: left; cursor: pointer; }
.hint:hover { background: var(--paper); }
.hint code { display: block; font: 600 12.5px ui-monospace, 'SF Mono', Menlo, Consolas, monospace; color: var(--accent); }
.hint span { color: var(--soft); font-size: 12.5px; line-height: 1.4; display: block; }
code { font: 600 .92em ui-monospace, 'SF Mono', Menlo, Consolas, monospace; }

.middle { flex: 1; display: flex; flex-direction: column; align-items: center; justify-content: center; gap: 14px; text-align: center; }
.badge { display: grid; place-items: center; width: 68px; height: 68px; border-radius: 50%; background: var(--tint); color: var(--accent); }
.badge.bad { background: var(--bad-wash); color: var(--bad); }
.spinner { width: 38px; height: 38px; border: 3px solid var(--line); border-top-color: var(--accent); border-radius: 50%; animation: turn .9s linear infinite; }
@keyframes turn { to { transform: rotate(1turn); } }

.confirm { position: absolute; inset: 0; display: flex; align-items: flex-end; background: var(--shade); }
.sheet { width: 100%; display: flex; flex-direction: column; gap: 10px; padding: 26px 28px 22px; background: var(--paper); border-radius: 22px 22px 0 0; }
.sheet h2 { font-size: 19px; font-weight: 650; letter-spacing: -.012em; }
.sheet p { color: var(--soft); margin-bottom: 8px; }

body.bank { display: flex; flex-direction: column; background: var(--wash); color-scheme: var(--scheme); }
body.bank .pane { flex: none; width: min(420px, 100%); margin: auto; padding: 32px 28px; }

@media (prefers-reduced-motion: no-preference) {
  .backdrop { transition: opacity .18s ease-out; }
  .card { transform: translateY(10px) scale(.985); transition: transform .26s cubic-bezier(.2, .9, .3, 1); }
  .is-open .card { transform: none; }
  .pane > * { animation: rise .26s cubic-bezier(.2, .8, .3, 1) backwards; }
  .sheet { animation: rise .2s ease-out; }
  @keyframes rise { from { opacity: 0; transform: translateY(6px); } }
}
@media (prefers-reduced-motion: reduce) { .spinner { animation-duration: 3s; } .primary, .account, .progress i, .field input { transition: none; } }
@media (max-width: 479px) {
  .backdrop { padding: 0; place-items: stretch; }
  .card { width: 100%; height: 100dvh; border-radius: 0; }
  .notice { padding: 8px; font-size: 11.5px; letter-spacing: 0; text-wrap: balance; }
  .pane { padding: 4px 22px max(22px, env(safe-area-inset-bottom)); }
  .sheet { padding-bottom: max(22px, env(safe-area-inset-bottom)); }
}
@media (max-height: 520px) { .backdrop { padding: 0 24px; } .card { height: 100dvh; border-radius: 0; } .points { gap: 10px; } }
@media (forced-colors: active) { .card, .account, .primary { border: 1px solid; } }
`;
