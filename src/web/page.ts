/** Sends pages, and sends browsers on. */

import type { Middleware, ParameterizedContext } from 'koa';
import { Problem } from '../base/errors.ts';
import { html, type Html } from './html.ts';

export function sendPage(ctx: ParameterizedContext, page: Html, status = 200): void {
  ctx.status = status;
  ctx.set('Cache-Control', 'no-store');
  ctx.type = 'text/html; charset=utf-8';
  ctx.body = page.text;
}

/**
 * Sends the browser on. A page that posted gets a page back that goes on by itself, because Chromium
 * holds every hop that follows a form against the `form-action` of the page with the form; a GET is
 * redirected. Never 307 or 308, which would post the form again to somebody else (T10).
 * @param url absolute, or a path on our own host
 */
export function continueTo(ctx: ParameterizedContext, url: string): void {
  const address = safeAddress(url);
  if (ctx.method === 'GET' || ctx.method === 'HEAD') {
    ctx.status = 303;
    ctx.set('Location', address);
    ctx.set('Cache-Control', 'no-store');
    ctx.type = 'text';
    ctx.body = 'See other.\n';
    return;
  }
  continueByPage(ctx, address);
}

/** For a GET that a form of ours may have sent: Chromium holds what follows against the form's page, too. */
export function continueByPage(ctx: ParameterizedContext, url: string): void {
  ctx.remove('Location');
  const { renderContinue = interstitial } = ctx.state as ContinueState;
  sendPage(ctx, renderContinue(safeAddress(url)));
}

interface ContinueState {
  renderContinue?: (address: string) => Html;
}

/**
 * Does the same to redirects that answer a posted form and were not made by us, such as the
 * library's. What no browser asked for stays a redirect.
 * @param renderContinue how the page that goes on looks; a plain one when not given
 */
export function interstitials(renderContinue?: (address: string) => Html): Middleware {
  return async (ctx, next) => {
    Object.assign(ctx.state, { renderContinue });
    await next();
    const address = ctx.response.get('Location');
    const redirected = ctx.status >= 300 && ctx.status < 400 && address !== '';
    if (!redirected || ctx.method === 'GET' || ctx.method === 'HEAD') return;
    if (ctx.accepts('json', 'html') === 'html') continueTo(ctx, address);
    else if (ctx.status === 307 || ctx.status === 308) ctx.status = 303;
  };
}

const dangerous = new Set(['javascript:', 'data:', 'vbscript:', 'blob:', 'file:', 'about:']);

/** Control characters would be dropped by the browser; schemes that run something must not be met. */
function safeAddress(text: string): string {
  const own = text.startsWith('/') && !/^\/[/\\]/.test(text);
  const base = own ? 'https://own.invalid' : undefined;
  const url = URL.canParse(text, base) ? new URL(text, base) : undefined;
  if (!url || /[\s\p{Cc}]/u.test(text) || dangerous.has(url.protocol)) {
    throw new Problem('address_unfit', 500, 'There is nowhere to go on to.');
  }
  return own ? `${url.pathname}${url.search}${url.hash}` : url.href;
}

function interstitial(address: string): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="refresh" content="0;url=${address}" />
        <title>One moment</title>
        <link rel="stylesheet" href="/assets/style.css" />
      </head>
      <body>
        <main>
          <p><a href="${address}" rel="noreferrer">Continue</a></p>
        </main>
      </body>
    </html>`;
}
