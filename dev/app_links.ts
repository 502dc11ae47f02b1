/**
 * A browser app without an OpenID Connect library: a page with links to sign in and out, and a script
 * that asks for tokens. What an integrator reads is in `links_app/`; this is the web server for it.
 */

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { listen } from './listen.ts';
import type { Listening } from './listen.ts';
import { style } from './look.ts';

export interface LinksAppOptions {
  port: number;
  /** Where this app is: on the same site as Tollgate. */
  url: string;
  /** Tollgate. */
  issuer: string;
  service: string;
}

export async function startLinksApp(options: LinksAppOptions): Promise<Listening> {
  const { port, url, issuer, service } = options;
  const read = (name: string) => readFile(new URL(`links_app/${name}`, import.meta.url), 'utf8');
  const values = { issuer, service, return: encodeURIComponent(`${url}/`) };
  const page = Object.entries(values).reduce(
    (text, [name, value]) => text.replaceAll(`{{${name}}}`, value),
    await read('index.html'),
  );
  const files: Record<string, { type: string; text: string }> = {
    '/': { type: 'text/html', text: page },
    '/app.js': { type: 'text/javascript', text: await read('app.js') },
    '/style.css': { type: 'text/css', text: style },
  };
  const policy = `default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src ${issuer} ${service}`;
  const server = createServer((request, response) => {
    const file = files[new URL(request.url ?? '/', url).pathname];
    response.writeHead(file === undefined ? 404 : 200, {
      'content-type': `${file?.type ?? 'text/plain'}; charset=utf-8`,
      'content-security-policy': policy,
      'cache-control': 'no-store',
    });
    response.end(file?.text);
  });
  return listen(server, port);
}
