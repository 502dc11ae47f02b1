/** `/v1/test_helpers/test_clocks`: customers that are made with one live by its time. */

import type Stripe from 'stripe';
import { cancelNow } from '../engine/cancellation.ts';
import { advanceClock } from '../engine/due.ts';
import { emit } from '../engine/events.ts';
import { over } from '../engine/subscription_state.ts';
import { invalid } from '../errors.ts';
import type { TestClock } from '../objects.ts';
import { int, paging, parameters, text } from '../parameters.ts';
import { newId, now } from '../state.ts';
import type { State } from '../state.ts';
import { after, day } from '../time.ts';
import { page, route } from './route.ts';
import type { Route } from './route.ts';

const creating = parameters<Stripe.TestHelpers.TestClockCreateParams>()({
  frozen_time: int,
  name: text.max(300).optional(),
});
const advancing = parameters<Stripe.TestHelpers.TestClockAdvanceParams>()({ frozen_time: int });
const listing = parameters<Stripe.TestHelpers.TestClockListParams>()(paging);
const nothing = parameters<Stripe.TestHelpers.TestClockRetrieveParams>()({});
const root = '/v1/test_helpers/test_clocks';

export const testClockRoutes: Route[] = [
  route('POST', root, creating, (state, given) => {
    const clock: TestClock = {
      id: newId(state, 'clock'),
      object: 'test_helpers.test_clock',
      created: now(state),
      deletes_after: now(state) + 30 * day,
      frozen_time: given.frozen_time,
      livemode: false,
      name: given.name ?? null,
      status: 'ready',
      status_details: {},
    };
    state.testClocks.add(clock);
    emit(state, 'test_helpers.test_clock.created', clock);
    return clock;
  }),
  route('GET', root, listing, (state, given) => page(state.testClocks.newest(), given, root)),
  route('GET', `${root}/:id`, nothing, (state, _, id) => state.testClocks.need(id)),
  route('POST', `${root}/:id/advance`, advancing, (state, given, id) => {
    const clock = state.testClocks.need(id);
    if (given.frozen_time <= clock.frozen_time) {
      throw invalid('The time to advance to must be after the frozen time.', 'frozen_time');
    }
    requireNear(state, clock, given.frozen_time);
    clock.status = 'advancing';
    clock.status_details = { advancing: { target_frozen_time: given.frozen_time } };
    emit(state, 'test_helpers.test_clock.advancing', clock);
    // As at Stripe the answer says `advancing`, and whoever asks again is told when it is `ready`.
    const answer = structuredClone(clock);
    advanceClock(state, id, given.frozen_time);
    clock.status = 'ready';
    clock.status_details = {};
    emit(state, 'test_helpers.test_clock.ready', clock);
    return answer;
  }),
  route('DELETE', `${root}/:id`, nothing, (state, _, id) => {
    const clock = state.testClocks.need(id);
    for (const customer of state.customers.all()) {
      if (customer.test_clock !== id) continue;
      for (const subscription of state.subscriptions.all()) {
        if (subscription.customer !== customer.id || over.includes(subscription.status)) continue;
        cancelNow(state, subscription, { reason: 'cancellation_requested' });
      }
      state.customers.remove(customer.id);
      state.deletedCustomers.add(customer.id);
    }
    state.testClocks.remove(id);
    emit(state, 'test_helpers.test_clock.deleted', clock);
    return { id, object: 'test_helpers.test_clock', deleted: true };
  }),
];

/** At most two periods of the shortest subscription at a time, as at Stripe; without any, two years. */
function requireNear(state: State, clock: TestClock, target: number): void {
  let limit = after(clock.frozen_time, { interval: 'year', interval_count: 2 }, 1);
  for (const subscription of state.subscriptions.all()) {
    if (subscription.test_clock !== clock.id || over.includes(subscription.status)) continue;
    for (const item of subscription.items.data) {
      if (item.price.recurring === null) continue;
      limit = Math.min(limit, after(clock.frozen_time, item.price.recurring, 2));
    }
  }
  if (target > limit) {
    throw invalid(
      'You can only advance up to two intervals from the current frozen time, based on the shortest subscription interval on the test clock.',
      'frozen_time',
    );
  }
}
