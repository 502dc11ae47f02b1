/**
 * The order of the sign-in conversation: login, select_account, consent. The first prompt with a reason
 * is shown; `interactions/` has a file for each. A prompt never names the next one: this policy does.
 */

import { interactionPolicy } from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { Authorization } from './authorization.ts';
import type { Clients } from './clients.ts';

const { Check, Prompt, base } = interactionPolicy;

export function createPolicy(authorization: Authorization, clients: Clients) {
  const policy = base();

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
