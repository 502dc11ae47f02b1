/** Signing in and out as people do it: a real browser, in the real world of development. */

import { afterAll, afterEach, beforeAll, describe } from 'vitest';
import { browserIsThere } from '../kit/browser.ts';
import { openStage } from './stage.ts';
import type { Stage } from './stage.ts';
import { crossSiteStories } from './stories/cross_site.ts';
import { keyboardStories } from './stories/keyboard.ts';
import { linksAppStories } from './stories/links_app.ts';
import { oidcAppStories } from './stories/oidc_app.ts';
import { policyStories } from './stories/policy.ts';
import { signOutStories } from './stories/sign_out.ts';
import { withoutScriptStories } from './stories/without_script.ts';

describe.skipIf(!browserIsThere())('in a browser', { timeout: 60_000 }, () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage();
  }, 60_000);
  afterEach(async ({ task }) => {
    const { troubles, pages } = await stage.endScene();
    const reasons = task.result?.state === 'fail' ? [...troubles, ...pages] : troubles;
    if (reasons.length > 0) throw new Error(`beside the story:\n${reasons.join('\n')}`);
  });
  afterAll(() => stage?.close());

  describe.each([
    ['the sample app', oidcAppStories],
    ['the app with links', linksAppStories],
    ['the policy of our pages', policyStories],
    ['signing out', signOutStories],
    ['without script', withoutScriptStories],
    ['other sites', crossSiteStories],
    ['by keyboard', keyboardStories],
  ])('%s', (_what, tell) => {
    tell(() => stage);
  });
});
