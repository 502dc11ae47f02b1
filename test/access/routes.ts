/** Every route that a server answers, read off its routers as they are mounted. */

import Router from '@koa/router';
import type { AccountRoute } from '../../src/account/visit.ts';

export interface Served {
  /** Such as `GET /account/members`. */
  name: string;
  method: string;
  path: string;
  /** What a page of the account room declares. */
  account?: AccountRoute;
}

/** @param start makes the server, with all of its routers */
export async function served<T>(start: () => Promise<T>): Promise<{ made: T; routes: Served[] }> {
  const routers = new Set<Router>();
  const { routes } = Router.prototype;
  Router.prototype.routes = function mounted(this: Router) {
    routers.add(this);
    return routes.call(this);
  };
  try {
    const made = await start();
    return { made, routes: [...routers].flatMap(routesOf) };
  } finally {
    Router.prototype.routes = routes;
  }
}

/** What answers to every method (to refuse it) is `ANY`. */
function routesOf(router: Router): Served[] {
  return router.stack.flatMap(({ methods, path, stack }) => {
    const declared = stack.at(-1) as { route?: AccountRoute } | undefined;
    const known = methods.filter((method) => method !== 'HEAD');
    return (known.length > mostMethods ? ['ANY'] : known).map((method) => ({
      name: `${method} ${String(path)}`,
      method,
      path: String(path),
      ...(declared?.route && { account: declared.route }),
    }));
  });
}

const mostMethods = 5;
