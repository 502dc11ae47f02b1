/** The page of a sample service: what it heard and whom it refused of late. Nothing of a token is on it. */

import { markup } from './look.ts';
import type { Markup } from './look.ts';
import type { Lately, ServiceOptions } from './service.ts';

export function servicePage(
  { name, about }: Pick<ServiceOptions, 'name' | 'about'>,
  { heard, refused, warnings }: Lately,
): Markup {
  return markup`<h1>${name}</h1>
<p>${about} <code>GET /api/me</code> shows what it reads in an access token.</p>
<h2>Heard lately</h2>
${list(heard.map(({ heardAt, type, subject, denies }) => [time(heardAt), said(type, denies), JSON.stringify(subject)]))}
<h2>Refused lately</h2>
${list(refused.map(({ refusedAt, code }) => [time(refusedAt), code]))}
${warnings.length === 0 ? '' : markup`<h2>Warnings</h2>${list(warnings.map((code) => [code]))}`}`;
}

function list(rows: readonly (readonly string[])[]): Markup {
  const text = rows.map((row) => row.join('   ')).join('\n');
  return markup`<pre>${text === '' ? 'Nothing yet.' : text}</pre>`;
}

/** The last part of an address is the event's name; before it is whose word it is. */
function said(type: string, denies: string | undefined): string {
  const name = type.split('/').at(-1) ?? type;
  return denies === undefined ? name : `${name} (tokens of before are ${denies})`;
}

function time(at: number): string {
  return new Date(at).toISOString().slice(11, 23);
}
