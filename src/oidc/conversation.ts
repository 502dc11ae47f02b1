/**
 * The sign-in conversation as the prompts see it (`interactions/`): one prompt of one authorization
 * request. A prompt shows a page, takes its form, and finishes; it never names the next prompt.
 */

import type { ParameterizedContext } from 'koa';

export type PromptName = 'create' | 'login' | 'select_account' | 'locked' | 'consent';

export interface Conversation {
  /** The interaction's uid, as in `/interaction/:uid`. Not a secret. */
  uid: string;
  prompt: { name: PromptName; reasons: string[]; details: Record<string, unknown> };
  /** The parameters of the authorization request, as far as it was accepted. */
  params: Record<string, unknown>;
  client: ConversationClient;
  /** Ids of the products that the request is about. */
  products: readonly string[];
  /** Who is signed in at this browser, if somebody is. */
  user?: string | undefined;
  /** The account that is chosen, once one is. */
  account?: string | undefined;
}

export interface ConversationClient {
  id: string;
  name: string;
  firstParty: boolean;
}

/** What a prompt may come to. */
export type PromptResult =
  | { login: { user: string; amr?: string[]; acr?: string; provider: string } }
  /** `remember`: whether it is the one for this app at their other browsers, too. */
  | { select_account: { account: string; remember: boolean } }
  /** It is not locked any more. */
  | { locked: Record<string, never> }
  | { consent: { granted: true } }
  | { error: string; error_description: string };

export interface Conversations {
  /**
   * The conversation that this browser has at `/interaction/:uid`.
   * @throws {Problem} `interaction_expired` (410) when it is over, or another browser's
   */
  load(ctx: ParameterizedContext): Promise<Conversation>;
  /**
   * By uid alone, for the upstream callback, whose path the conversation's cookie does not reach.
   * Undefined when it is over, or another browser's.
   */
  byUid(ctx: ParameterizedContext, uid: string): Promise<Conversation | undefined>;
  /** Keeps the result. @returns the address at which the authorization request goes on */
  finish(conversation: Conversation, result: PromptResult): Promise<string>;
  /**
   * "Use another sign-in": the same authorization request from the beginning, with the login prompt.
   * Changes nothing. @returns its address
   */
  startOver(conversation: Conversation): Promise<string>;
  /** The same with the prompt to choose an account. */
  chooseAgain(conversation: Conversation): Promise<string>;
}
