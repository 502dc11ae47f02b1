/**
 * The prompts of the sign-in conversation over HTTP. What they share is here, once: the conversation
 * is loaded, a form is taken from our own pages only, an answer to another prompt than the present
 * one changes nothing (F18), and the conversation is finished. Which prompt comes next is not known
 * here: the authorization endpoint says it.
 */

import Router from '@koa/router';
import type { ParameterizedContext } from 'koa';
import { Problem } from '../src/base/errors.ts';
import type { Conversation } from '../src/oidc/conversation.ts';
import { readForm, singleQuery } from '../src/web/form.ts';
import type { Form } from '../src/web/form.ts';
import { continueTo, sendPage } from '../src/web/page.ts';
import { messagePage } from '../views/message.ts';
import { texts } from '../views/texts.ts';
import { callback, callbackForm, callbackPath } from './callback.ts';
import { consent } from './consent.ts';
import { locked } from './locked.ts';
import { login } from './login.ts';
import type { InteractionDependencies, Outcome, Prompt, Visit } from './prompt.ts';
import { selectAccount } from './select_account.ts';

export { assets } from './assets.ts';
export { createFailurePages } from './failure.ts';
export type { InteractionDependencies } from './prompt.ts';

const prompts: ReadonlyMap<string, Prompt> = new Map([
  ['login', login],
  ['select_account', selectAccount],
  ['locked', locked],
  ['consent', consent],
]);

export function routes(deps: InteractionDependencies): Router {
  const router = new Router();
  router.get('/interaction/:uid', async (ctx) => {
    const visit = await visitOf(deps, ctx, singleQuery(ctx));
    await act(deps, visit, await promptOf(deps, visit).show(deps, visit));
  });
  router.post('/interaction/:uid', async (ctx) => {
    // The address of a form has no query; what it says is not listened to.
    const visit = await visitOf(deps, ctx, new Map());
    await act(deps, visit, await take(deps, visit));
  });
  router.get(callbackPath, (ctx) => callback(deps, ctx));
  router.post(callbackPath, (ctx) => callbackForm(ctx));
  return router;
}

async function visitOf(
  { conversations, csrf }: InteractionDependencies,
  ctx: ParameterizedContext,
  query: Form,
): Promise<Visit> {
  const conversation = await conversations.load(ctx);
  const form = {
    action: addressOf(conversation),
    step: conversation.prompt.name,
    csrf: csrf.token(ctx),
  };
  return { ctx, conversation, query, form };
}

function addressOf({ uid }: Conversation): string {
  return `/interaction/${encodeURIComponent(uid)}`;
}

function promptOf({ config }: InteractionDependencies, { conversation }: Visit): Prompt {
  const { unknownTitle, unknownSentence } = texts.prompts;
  const unknown = (): Promise<Outcome> =>
    Promise.resolve({
      status: 404,
      page: messagePage(unknownTitle, unknownSentence, config.brand),
    });
  return prompts.get(conversation.prompt.name) ?? { show: unknown, submit: unknown };
}

/** Takes a posted form: nothing happens unless it is ours, and answers the present prompt. */
async function take(deps: InteractionDependencies, visit: Visit): Promise<Outcome> {
  const { ctx, conversation } = visit;
  const fields = await readForm(ctx);
  try {
    deps.csrf.require(ctx, fields);
  } catch (error) {
    throw withInteraction(error, conversation.uid);
  }
  const prompt = promptOf(deps, visit);
  if (fields.get('step') !== conversation.prompt.name) {
    return prompt.show(deps, visit, { status: 400 });
  }
  return prompt.submit(deps, visit, fields);
}

/** So that the page of the failure leads back here. */
function withInteraction(error: unknown, uid: string): unknown {
  if (!(error instanceof Problem)) return error;
  return new Problem(error.code, error.status, error.message, {
    cause: error.cause,
    details: { ...error.details, interaction: uid },
  });
}

async function act(
  { conversations }: InteractionDependencies,
  { ctx, conversation }: Visit,
  outcome: Outcome,
): Promise<void> {
  if ('page' in outcome) sendPage(ctx, outcome.page, outcome.status);
  else if ('address' in outcome) continueTo(ctx, outcome.address);
  else continueTo(ctx, await conversations.finish(conversation, outcome.result));
}
