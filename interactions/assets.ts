/** What the pages look like: stylesheets, known when the server starts. */

import { readFileSync } from 'node:fs';
import Router from '@koa/router';
import type { ParameterizedContext } from 'koa';
import type { Config } from '../src/config.ts';
import { brandStylesheet, versionOf } from '../views/stylesheet.ts';

/** Pages name the version in the address, so a new release is seen at once. */
const cacheControl = 'public, max-age=3600';

export function assets(brand: Config['brand']): Router {
  const read = (name: string) => readFileSync(new URL(`../views/${name}`, import.meta.url), 'utf8');
  const router = new Router();
  router.get('/assets/style.css', asset(read('style.css')));
  router.get('/assets/account.css', asset(read('account.css')));
  router.get('/assets/brand.css', asset(brandStylesheet(brand)));
  return router;
}

function asset(content: string) {
  const version = versionOf(content);
  return (ctx: ParameterizedContext): void => {
    ctx.set('Cache-Control', cacheControl);
    ctx.status = 200;
    ctx.etag = version;
    ctx.type = 'text/css; charset=utf-8';
    if (ctx.fresh) ctx.status = 304;
    else ctx.body = content;
  };
}
