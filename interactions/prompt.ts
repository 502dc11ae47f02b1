/** What a prompt of the sign-in conversation is made of. `index.ts` does what all of them share. */

import type { ParameterizedContext } from 'koa';
import type { Clock } from '../src/base/clock.ts';
import type { Log } from '../src/base/log.ts';
import type { Signups } from '../src/billing/types.ts';
import type { Config } from '../src/config.ts';
import type { Directory } from '../src/directory/directory.ts';
import type { Identity } from '../src/directory/users.ts';
import type { Federation } from '../src/federation/federation.ts';
import type { Linking } from '../src/federation/transactions.ts';
import type { Conversation, Conversations, PromptResult } from '../src/oidc/conversation.ts';
import type { Cookies } from '../src/web/cookies.ts';
import type { Csrf } from '../src/web/csrf.ts';
import type { Form } from '../src/web/form.ts';
import type { Html } from '../src/web/html.ts';
import type { PromptForm } from '../views/layout.ts';

export interface InteractionDependencies {
  conversations: Conversations;
  federation: Pick<Federation, 'providers' | 'start' | 'finish'>;
  directory: Pick<Directory, 'signIn' | 'user' | 'account' | 'usableAccounts' | 'membership'> & {
    invitations: Pick<Directory['invitations'], 'of'>;
    domains: Pick<Directory['domains'], 'offers'>;
  };
  csrf: Csrf;
  cookies: Cookies;
  config: Config;
  log: Log;
  clock: Clock;
  /** Absent where nothing is sold by Stripe. */
  signups: Pick<Signups, 'unfinished'> | undefined;
  /** Somebody who is signed in already comes back with one more identity. @returns where to go on */
  addIdentity(
    ctx: ParameterizedContext,
    found: { identity: Identity; linking: Linking },
  ): Promise<string>;
  /** Whether this browser came by an invitation that is of use. */
  isInvited(ctx: ParameterizedContext): Promise<boolean>;
}

/** Where plans are chosen, where that is a way to an account. */
export function plansAddress({ config, signups }: InteractionDependencies): string | undefined {
  return signups === undefined ? undefined : (config.signup.plans ?? '/signup');
}

/** One request of a browser at a conversation. */
export interface Visit {
  ctx: ParameterizedContext;
  conversation: Conversation;
  /** Of the page's address. */
  query: Form;
  /** For the forms of the page. */
  form: PromptForm;
}

/** What a prompt comes to. Only `index.ts` acts on it. */
export type Outcome =
  | { page: Html; status?: number }
  | { address: string }
  | { result: PromptResult };

/** Why a page is shown again. */
export interface Refusal {
  /** The status of the page. */
  status: number;
  message?: string;
}

export interface Prompt {
  show(deps: InteractionDependencies, visit: Visit, refusal?: Refusal): Promise<Outcome>;
  submit(deps: InteractionDependencies, visit: Visit, fields: Form): Promise<Outcome>;
}

/** How the person is called who is signed in. */
export async function nameOf(
  { directory }: InteractionDependencies,
  user: string | undefined,
): Promise<string | undefined> {
  if (user === undefined) return undefined;
  const document = (await directory.user(user))?.document;
  return document?.email ?? document?.name;
}

/** Back to the app, which learns that nothing came of it (OpenID Connect Core §3.1.2.6). */
export function denied(description: string): Outcome {
  return { result: { error: 'access_denied', error_description: description } };
}
