/**
 * The order of the sign-in conversation: login, select_account, locked, consent. The first prompt with a reason
 * is shown; `interactions/` has a file for each. A prompt never names the next one: this policy does.
 */

import { decodeJwt } from 'jose';
import { errors, interactionPolicy } from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { Authorization } from './authorization.ts';
import type { Clients } from './clients.ts';

const { Check, Prompt, base } = interactionPolicy;

export function createPolicy(authorization: Authorization, clients: Clients) {
  const policy = base();
  endVainSignIns(policy);

  // A deleted or disabled user with a living session signs in again; the library would fail with a 500.
  policy
    .get('login')
    ?.checks.add(
      new Check(
        'account_missing',
        'the user of this session is not active',
        'login_required',
        ({ oidc }) => oidc.session?.accountId !== undefined && oidc.account === undefined,
      ),
    );

  const selectAccount = new Prompt(
    { name: 'select_account', requestable: true },
    new Check(
      'account_required',
      'no account is chosen',
      'account_selection_required',
      (ctx: KoaContextWithOIDC) => authorization.accountMissing(ctx),
    ),
  );
  policy.add(selectAccount, 1);

  const locked = new Prompt(
    { name: 'locked', requestable: false },
    new Check(
      'account_locked',
      'the account has no access',
      'interaction_required',
      async (ctx: KoaContextWithOIDC) => (await authorization.lockedOut(ctx)) !== undefined,
    ),
  );
  policy.add(locked, 2);

  // The library asks users of native apps each time, against impersonation by another app on the device;
  // our own apps need no consent, third parties' do.
  const consent = policy.get('consent');
  const native = consent?.checks.get('native_client_prompt');
  if (consent !== undefined && native !== undefined) {
    const ask = native.check;
    consent.checks.remove('native_client_prompt');
    consent.checks.add(
      new Check(
        'native_client_prompt',
        native.description,
        'interaction_required',
        (ctx: KoaContextWithOIDC) =>
          clients.get(ctx.oidc.client?.clientId ?? '')?.firstParty === true ? false : ask(ctx),
      ),
    );
  }
  return policy;
}

/**
 * Somebody has just signed in, and it is not whom the app asked for, or not in the way that it insists on.
 * To ask again would go round in circles where the upstream provider answers by itself, so the app hears
 * of it (OpenID Connect Core §3.1.2.1, §5.5.1.1).
 */
function endVainSignIns(policy: ReturnType<typeof base>): void {
  const login = policy.get('login');
  const refuse = (sentence: string, unmet: boolean) =>
    unmet
      ? new errors.UnmetAuthenticationRequirements(sentence)
      : new errors.LoginRequired(sentence);
  for (const reason of [
    'id_token_hint',
    'claims_id_token_sub_value',
    'essential_acrs',
    'essential_acr',
  ]) {
    const known = login?.checks.get(reason);
    if (known === undefined) throw new Error(`the library has no check ${reason}`);
    const { check } = known;
    known.check = async (ctx) => {
      const asks = (await check(ctx)) || (reason === 'id_token_hint' && isNotHinted(ctx));
      if (asks && ctx.oidc.result?.login !== undefined) {
        throw refuse(known.description, reason.startsWith('essential_acr'));
      }
      return asks;
    };
  }
}

/** The hint was verified when the request came in; on the way back the library forgets it. */
function isNotHinted({ oidc }: KoaContextWithOIDC): boolean {
  const hint = oidc.params?.id_token_hint;
  if (typeof hint !== 'string' || oidc.result?.login === undefined) return false;
  return decodeJwt(hint).sub !== oidc.session?.accountId;
}
