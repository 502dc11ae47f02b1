/** From sign-up to the end of a subscription: a real browser, our pages, and the simulated Stripe's. */

import { afterAll, afterEach, beforeAll, describe } from 'vitest';
import { browserIsThere } from '../kit/browser.ts';
import { openStage } from './stage.ts';
import type { Stage } from './stage.ts';
import { billingStories } from './stories/billing.ts';

describe.skipIf(!browserIsThere())('billing in a browser', { timeout: 120_000 }, () => {
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
  billingStories(() => stage);
});
