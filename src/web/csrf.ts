/**
 * Forms are taken from our own pages only. Three proofs: where the browser says that the form was
 * (`Origin`, `Sec-Fetch-Site`), a random cookie that other sites can neither read nor plant, and a
 * field with a mac over that cookie, so that even a planted cookie is of no use.
 */

import type { ParameterizedContext } from 'koa';
import { Problem } from '../base/errors.ts';
import { randomToken } from '../base/ids.ts';
import type { Secrets } from '../base/secrets.ts';
import { csrfCookie, type Cookies } from './cookies.ts';
import type { Form } from './form.ts';

export interface Csrf {
  /**
   * The value for the hidden field `csrf` of each form. Sets the cookie where it is missing.
   * @param user whose form it is, where that matters: it is of no use to who signs in at this browser next
   */
  token(ctx: ParameterizedContext, user?: string): string;
  /** @throws {Problem} `form_foreign` (403) */
  require(ctx: ParameterizedContext, form: Form, user?: string): void;
  /** The first proof alone, for what has no form. @throws {Problem} `form_foreign` (403) */
  requireOwnOrigin(ctx: ParameterizedContext): void;
}

/** The name of the hidden field. */
const csrfField = 'csrf';

const label = 'csrf';

export function createCsrf(options: { issuer: string; secrets: Secrets; cookies: Cookies }): Csrf {
  const { secrets, cookies } = options;
  const { origin } = new URL(options.issuer);
  const requireOwnOrigin = (ctx: ParameterizedContext) => {
    const reason = foreign(ctx, origin);
    if (reason) throw refused(reason);
  };
  return {
    token(ctx, user) {
      // Several forms of one page share the cookie, also when it has just been made.
      const state = ctx.state as { csrf?: string };
      state.csrf ??= validCookie(cookies.read(ctx, csrfCookie)) ?? newCookie(ctx, cookies);
      return `${secrets.version}.${secrets.mac(label, boundTo(state.csrf, user))}`;
    },
    require(ctx, form, user) {
      requireOwnOrigin(ctx);
      const cookie = validCookie(cookies.read(ctx, csrfCookie));
      const [version, mac, ...rest] = (form.get(csrfField) ?? '').split('.');
      if (cookie === undefined) throw refused('no cookie');
      if (!version || !mac || rest.length > 0) throw refused('no token');
      if (!secrets.verify(label, boundTo(cookie, user), mac, version)) throw refused('wrong token');
    },
    requireOwnOrigin,
  };
}

/** A cookie has no `{`, so that the two are never the same. */
function boundTo(cookie: string, user: string | undefined): string {
  return user === undefined ? cookie : JSON.stringify({ cookie, user });
}

function validCookie(value: string | undefined): string | undefined {
  return value !== undefined && /^[A-Za-z0-9_-]{22}$/.test(value) ? value : undefined;
}

function newCookie(ctx: ParameterizedContext, cookies: Cookies): string {
  const value = randomToken();
  cookies.write(ctx, csrfCookie, value);
  return value;
}

/** Why the browser's own words say that this request is not from one of our pages. */
function foreign(ctx: ParameterizedContext, own: string): string | undefined {
  const site = ctx.get('Sec-Fetch-Site');
  if (site !== '' && site !== 'same-origin' && site !== 'none') return `Sec-Fetch-Site ${site}`;
  const origin = ctx.get('Origin');
  if (origin === '' || origin === own) return undefined;
  // Fetch §3.2: a page with `Referrer-Policy: no-referrer`, and ours have it, posts with the origin
  // `null`, also to itself. So does a sandboxed frame of anybody: the fetch metadata, which no page
  // can write, tell them apart.
  if (origin === 'null' && site === 'same-origin') return undefined;
  return `Origin ${origin}`;
}

function refused(reason: string): Problem {
  return new Problem('form_foreign', 403, 'This form is out of date. Open the page again.', {
    cause: new Error(reason),
  });
}
