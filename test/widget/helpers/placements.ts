/** What merchants put around a form control. `@` is where the element goes. */
export const PLACEMENTS: Record<string, string> = {
  block: '<div>@</div>',
  'a flex row next to a text': '<div style="display:flex;gap:12px"><span>Bank</span>@</div>',
  'a flex row, centered, next to a text':
    '<div style="display:flex;align-items:center;gap:12px"><span>Bank</span>@</div>',
  'a flex row, alone': '<div style="display:flex">@</div>',
  'a flex row that centers': '<div style="display:flex;justify-content:center">@</div>',
  'a flex row, growing': '<div style="display:flex"><finix-bank-connect style="flex:1"></finix-bank-connect></div>',
  'a flex column': '<div style="display:flex;flex-direction:column">@</div>',
  'a flex column, at the start': '<div style="display:flex;flex-direction:column;align-items:flex-start">@</div>',
  'a flex column, centered': '<div style="display:flex;flex-direction:column;align-items:center">@</div>',
  grid: '<div style="display:grid">@</div>',
  'a grid, at the start': '<div style="display:grid;justify-items:start">@</div>',
  'a grid, centered': '<div style="display:grid;place-items:center">@</div>',
  'a grid column of its content next to a text':
    '<div style="display:grid;grid-template-columns:auto 1fr">@<span>Bank</span></div>',
  'inline-block': '<div><div style="display:inline-block">@</div></div>',
  'inline-block itself': '<div><finix-bank-connect style="display:inline-block"></finix-bank-connect></div>',
  'fit-content': '<div style="width:fit-content">@</div>',
  'max-content, within limits': '<div style="width:max-content;max-width:100%">@</div>',
  float: '<div style="float:left">@</div>',
  'float itself': '<div style="display:flow-root"><finix-bank-connect style="float:left"></finix-bank-connect></div>',
  absolute: '<div style="position:relative;height:200px"><div style="position:absolute">@</div></div>',
  'a table cell': '<table><tbody><tr><td>Bank</td><td>@</td></tr></tbody></table>',
  'display: table-cell': '<div style="display:table"><div style="display:table-cell">@</div></div>',
  'a dialog as wide as its content':
    '<dialog open style="position:static;margin:0;padding:8px;border:0;width:fit-content">@</dialog>',
  'inline-flex': '<div><div style="display:inline-flex">@</div></div>',
  'an inline element': '<p style="margin:0"><span>@</span></p>',
  fieldset: '<fieldset style="margin:0;padding:0;border:0">@</fieldset>',
  'a column of a multi-column text': '<div style="columns:1">@</div>',
};
export const WIDTHS = [600, 240];
// The narrowest in which a button with our words can be read: next to a text, in a parent of 240 px.
export const USABLE = 150;

/** By how much what is in the element is wider than it is. */
export function overflow(element: HTMLElement): number {
  const right = element.getBoundingClientRect().right;
  const all = [...(element.shadowRoot?.querySelectorAll<HTMLElement>('.main, .card, .note, .account *') ?? [])];
  return Math.max(0, ...all.map((one) => one.getBoundingClientRect().right - right));
}
