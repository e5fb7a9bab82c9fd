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
  'the first of several columns':
    '<div style="columns:2 140px;column-gap:0">@<p style="margin:0">Or pay by card.</p></div>',
  'a label in a row': '<label style="display:flex;gap:8px">Bank @</label>',
  'a label in a column':
    '<label style="display:inline-flex;flex-direction:column;align-items:flex-start">Bank @</label>',
  'a table cell after a long text':
    '<table><tbody><tr><th>Your account for refunds</th><td>@</td></tr></tbody></table>',
  'a table of fixed layout':
    '<table style="table-layout:fixed;width:100%;border-spacing:0"><tbody><tr><td style="padding:0">@</td></tr></tbody></table>',
  'grid columns of their content':
    '<div style="display:grid;grid-template-columns:auto auto;gap:8px"><span>Bank</span>@</div>',
  'grid columns that fill the row':
    '<div style="display:grid;grid-template-columns:repeat(auto-fit,minmax(200px,1fr))">@</div>',
  'a subgrid of inline-grid': '<div style="display:inline-grid">@</div>',
  'display: contents': '<div style="display:inline-block"><div style="display:contents">@</div></div>',
  'display: contents in a flex row':
    '<div style="display:flex;gap:8px"><span>Bank</span><div style="display:contents">@</div></div>',
  'a container of queries': '<div style="container-type:inline-size">@</div>',
  'contained layout and paint': '<div style="contain:layout paint;width:fit-content">@</div>',
  'content-visibility': '<div style="content-visibility:auto">@</div>',
  'a flex row that wraps': '<div style="display:flex;flex-wrap:wrap;gap:8px"><span>Bank</span>@</div>',
  'a flex row, not shrinking':
    '<div style="display:flex"><finix-bank-connect style="flex:none;max-width:100%"></finix-bank-connect></div>',
  'a flex row, from nothing':
    '<div style="display:flex"><finix-bank-connect style="flex:1 1 0;min-width:0"></finix-bank-connect></div>',
  'inline-flex itself': '<div><finix-bank-connect style="display:inline-flex"></finix-bank-connect></div>',
  'grid itself': '<div><finix-bank-connect style="display:grid"></finix-bank-connect></div>',
  'inline itself': '<div><finix-bank-connect style="display:inline"></finix-bank-connect></div>',
  'as wide as its content itself': '<div><finix-bank-connect style="width:fit-content"></finix-bank-connect></div>',
  'min-content itself': '<div><finix-bank-connect style="width:min-content"></finix-bank-connect></div>',
  'sticky, at the end':
    '<div style="display:flex;flex-direction:column"><div style="position:sticky;align-self:flex-end">@</div></div>',
  details: '<details open><summary>Pay by bank</summary>@</details>',
  'a right-to-left flex row': '<div dir="rtl" style="display:flex;gap:12px"><span>Bank</span>@</div>',
  'two columns': '<div style="columns:2;column-gap:0;column-fill:balance"><div style="column-span:all">@</div></div>',
};
export const WIDTHS = [600, 240];
// What the element takes at the least: a button with our words can be read in it, next to a text in a parent of 240 px.
export const USABLE = 144;

/** By how much what is in the element is wider than it is. */
export function overflow(element: HTMLElement): number {
  const right = element.getBoundingClientRect().right;
  const all = [...(element.shadowRoot?.querySelectorAll<HTMLElement>('.main, .card, .note, .account *') ?? [])];
  return Math.max(0, ...all.map((one) => one.getBoundingClientRect().right - right));
}
