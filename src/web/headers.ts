/**
 * The headers that every answer has (security.md of OWASP's secure headers, RFC 9700 §4.2, §4.16).
 * They are set before the provider runs: its pages with a script of their own add its hash to the
 * `script-src` that they find.
 */

import type { Middleware, ParameterizedContext } from 'koa';

export interface HeaderOptions {
  issuer: string;
  /**
   * Whether a page that the library made may post to this address: it is a redirect address of the
   * client of this very request (`response_mode=form_post`).
   */
  registeredAction?: (ctx: ParameterizedContext, address: string) => boolean;
}

const policy = [
  "default-src 'none'",
  "style-src 'self'",
  "img-src 'self' data:",
  "script-src 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "form-action 'self'",
].join('; ');

/**
 * What a sign-in passes through. An app may have opened it as a popup, whose opener is lost for good
 * at the first page with `same-origin`: common client libraries then wait for ever.
 */
const popupPaths = ['/oauth2/', '/interaction/', '/integrations/', '/signin', '/signup'];

export function headers({ issuer, registeredAction }: HeaderOptions): Middleware {
  const secure = new URL(issuer).protocol === 'https:';
  return async (ctx, next) => {
    const popup = popupPaths.some((path) => ctx.path.startsWith(path));
    ctx.set({
      'Content-Security-Policy': policy,
      'X-Content-Type-Options': 'nosniff',
      'X-Frame-Options': 'DENY',
      'Referrer-Policy': 'no-referrer',
      'Cross-Origin-Opener-Policy': popup ? 'unsafe-none' : 'same-origin',
      'Cross-Origin-Resource-Policy': 'same-origin',
      'Permissions-Policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
      'Cache-Control': 'no-store',
      ...(secure ? { 'Strict-Transport-Security': 'max-age=31536000' } : {}),
    });
    await next();
    if (registeredAction) allowGeneratedForm(ctx, registeredAction);
  };
}

/**
 * The library's page for `form_post` posts itself to the client. Chromium holds every further hop
 * against the page's `form-action` as well, and where the client goes on to is the client's business:
 * no list that we could write would be long enough. So this page goes without the directive. It has
 * one form, to a registered address.
 */
function allowGeneratedForm(
  ctx: ParameterizedContext,
  registered: (ctx: ParameterizedContext, address: string) => boolean,
): void {
  if (typeof ctx.body !== 'string' || !ctx.response.is('html')) return;
  const action = /<form method="post" action="([^"]*)">/.exec(ctx.body)?.[1];
  if (action === undefined || ctx.body.match(/<form\b/gi)?.length !== 1) return;
  const address = unescape(action);
  if (!URL.canParse(address) || !registered(ctx, address)) return;
  const current = ctx.response.get('Content-Security-Policy');
  ctx.set('Content-Security-Policy', current.replace(/;\s*form-action [^;]*/, ''));
}

function unescape(text: string): string {
  return text
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}
