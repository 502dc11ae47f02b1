/** May this app have this? Mostly somebody else's: our own come here only by `prompt=consent`. */

import type { ProductConfig } from '../src/config.ts';
import { claimsByScope } from '../src/oidc/claims.ts';
import { openidScopes } from '../src/oidc/resources.ts';
import type { Form } from '../src/web/form.ts';
import { consentPage } from '../views/consent.ts';
import { texts } from '../views/texts.ts';
import { denied, nameOf } from './prompt.ts';
import type { InteractionDependencies, Outcome, Prompt, Refusal, Visit } from './prompt.ts';

async function show(
  deps: InteractionDependencies,
  { conversation, form }: Visit,
  refusal?: Refusal,
): Promise<Outcome> {
  const { client, params, prompt, user, account } = conversation;
  const membership =
    user === undefined || account === undefined
      ? undefined
      : await deps.directory.membership(user, account);
  const view = {
    form,
    app: client.name,
    own: client.firstParty,
    ...wanted(deps, prompt.details, params.scope),
    account: membership?.account.name,
    who: await nameOf(deps, user),
    goesTo: hostOf(params.redirect_uri),
    message: refusal?.message,
  };
  return { status: refusal?.status ?? 200, page: consentPage(view, deps.config.brand) };
}

async function submit(deps: InteractionDependencies, visit: Visit, fields: Form): Promise<Outcome> {
  const answer = fields.get('answer');
  if (answer === 'allow') return { result: { consent: { granted: true } } };
  if (answer === 'deny') return denied(texts.denied.consent);
  return show(deps, visit, { status: 400 });
}

export const consent: Prompt = { show, submit };

/** What is new in this request, or all of it where the library names nothing. */
function wanted(
  { config }: InteractionDependencies,
  details: Record<string, unknown>,
  requested: unknown,
) {
  const { missingOIDCScope, missingOIDCClaims, missingResourceScopes } = details;
  const byAudience = Object.entries(missingResourceScopes ?? {}).map(
    ([audience, scopes]: [string, unknown]) => ({ audience, scopes: strings(scopes) }),
  );
  // Tokens for a product carry the scopes of OpenID Connect, too: they are said once.
  const named = [
    ...strings(missingOIDCScope),
    ...strings(missingOIDCClaims).map(scopeOfClaim),
    ...byAudience.flatMap(({ scopes }) => scopes.filter(isOpenid)),
  ];
  if (named.length === 0 && byAudience.length === 0) {
    return { scopes: typeof requested === 'string' ? requested.split(' ') : [], resources: [] };
  }
  const resources = byAudience.map(({ audience, scopes }) => ({
    name: productName(config.products, audience),
    scopes: scopes.filter((scope) => !isOpenid(scope)),
  }));
  return { scopes: [...new Set(named)], resources };
}

function productName(products: readonly ProductConfig[], audience: string): string {
  const bare = (address: string) => address.replace(/\/$/, '');
  return products.find((product) => bare(product.audience) === bare(audience))?.name ?? audience;
}

/** A claim that was asked for by itself is said in the words of its scope. */
function scopeOfClaim(claim: string): string {
  const scopes: Record<string, readonly string[] | null> = claimsByScope;
  return Object.keys(scopes).find((scope) => scopes[scope]?.includes(claim) === true) ?? claim;
}

function isOpenid(scope: string): boolean {
  return openidScopes.some((one) => one === scope);
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}

/** Where the browser will be sent, so that people see whom they trust. */
function hostOf(address: unknown): string | undefined {
  const url = typeof address === 'string' ? URL.parse(address) : null;
  return url !== null && /^https?:$/.test(url.protocol) ? url.host : undefined;
}
