/**
 * The pages of the demo and of the simulator name addresses from the root; on a static host the root may be a folder.
 */
export async function rebase(response: Response, base: string): Promise<Response> {
  const headers = new Headers(response.headers);
  const location = headers.get('location');
  if (location?.startsWith('/')) headers.set('location', base + location.slice(1));
  const type = headers.get('content-type') ?? '';
  if (base === '/' || !/html|javascript|json/.test(type)) {
    return new Response(response.body, { status: response.status, headers });
  }
  const text = (await response.text())
    .replace('<html ', `<html data-base="${base.slice(0, -1)}" `)
    .replace(/\b(href|src|action)="\//g, `$1="${base}`)
    .replace(/(["'`])\/link\//g, `$1${base}link/`);
  return new Response(text, { status: response.status, headers });
}
