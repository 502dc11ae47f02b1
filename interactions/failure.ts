/** The page for a failure, with the way on that this failure has. */

import type { Config } from '../src/config.ts';
import type { Failure } from '../src/web/failure.ts';
import type { Html } from '../src/web/html.ts';
import { failurePage, type Action } from '../views/message.ts';
import { texts } from '../views/texts.ts';

/** For the failure handler (`FailureOptions.renderFailure`). */
export function createFailurePages(
  config: Pick<Config, 'brand' | 'signin'>,
): (failure: Failure) => Html {
  return (failure) => failurePage({ ...failure, action: actionFor(failure, config) }, config.brand);
}

/** These are over in this browser: only the app can begin again. */
const overHere = ['interaction_expired', 'signin_other_browser'];

function actionFor(
  { code, details }: Failure,
  { brand, signin }: Pick<Config, 'brand' | 'signin'>,
): Action | undefined {
  const { interaction, retry, linking } = details;
  const known = typeof interaction === 'string' && /^[A-Za-z0-9_-]{1,64}$/.test(interaction);
  if (known && !overHere.includes(code)) {
    const other = ['domain_not_allowed', 'user_disabled', 'identity_invalid'].includes(code);
    return { href: `/interaction/${interaction}?stay=1${other ? '&other=1' : ''}` };
  }
  // They were adding a way to sign in, and are signed in.
  if (linking === true) return { href: '/account/identities', label: texts.failure.toIdentities };
  // The same request once more, as whoever caused it says.
  if (
    typeof retry === 'string' &&
    /^\/(signup|account|invitation|integrations\/stripe)\b/.test(retry)
  ) {
    return { href: retry };
  }
  if (overHere.includes(code) || code.startsWith('signin_')) {
    return { href: signin.success, label: texts.backTo(brand.name) };
  }
  return undefined;
}
