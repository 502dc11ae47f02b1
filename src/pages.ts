/** The library's own pages and the pages of failures, drawn by `views/`: glue of the composition root. */

import type { Middleware } from 'koa';
import type { Config } from './config.ts';
import type { Log } from './base/log.ts';
import type { SignoutQuestion } from './links/signout.ts';
import type { OidcPages } from './oidc/provider.ts';
import { Problem } from './base/errors.ts';
import { answer } from './web/failure.ts';
import type { Failure } from './web/failure.ts';
import type { Html } from './web/html.ts';
import { sendPage } from './web/page.ts';
import { createFailurePages } from '../interactions/index.ts';
import { submittingPage } from '../views/continue.ts';
import { continuePage } from '../views/continue.ts';
import { signedOutPage, signOutPage, signOutQuestion, stayedPage } from '../views/signout.ts';

export interface Pages {
  oidc: OidcPages;
  failure(failure: Failure): Html;
  /** The page that goes on by itself, after a form. */
  continue(address: string): Html;
  /** What a link of another site to `/signout` leads to. */
  signOutQuestion(question: SignoutQuestion): Html;
  /** Dresses the library's pages that post themselves. */
  submitting: Middleware;
}

export function createPages({ config, log }: { config: Config; log: Log }): Pages {
  const { brand } = config;
  const failure = createFailurePages(config);
  return {
    failure,
    continue: (address) => continuePage(address, brand),
    signOutQuestion: (question) => signOutQuestion(question, brand),
    async submitting(ctx, next) {
      await next();
      if (typeof ctx.body !== 'string' || !ctx.response.is('html')) return;
      ctx.body = submittingPage(ctx.body, brand)?.text ?? ctx.body;
    },
    oidc: {
      signOut(ctx, form) {
        const app = ctx.oidc.client?.clientName;
        sendPage(ctx, signOutPage({ form, app, stay: '/oauth2/logout/success' }, brand));
        return Promise.resolve();
      },
      // Who answered the question with no comes here, too.
      async signedOut(ctx) {
        const { accountId, authorizations } = await ctx.oidc.provider.Session.get(ctx);
        const { client } = ctx.oidc;
        // The address says of which app; whether they have left it, only the session does.
        const left = client !== undefined && authorizations?.[client.clientId] === undefined;
        const stayed = () => stayedPage(brand, left ? client.clientName : undefined);
        sendPage(ctx, accountId === undefined ? signedOutPage(brand) : stayed());
      },
      // Nothing can be sent to the client: the person sees it, with the id that finds the log line.
      error(ctx, out, cause) {
        const problem = new Problem(
          out.error,
          ctx.status,
          out.error_description ?? 'The app sent a request that cannot be answered.',
          { cause },
        );
        answer(ctx, problem, { log, renderFailure: failure });
        return Promise.resolve();
      },
    },
  };
}
