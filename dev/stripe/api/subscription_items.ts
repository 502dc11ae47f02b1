/** Items of a subscription as parameters name them. */

import type { ItemChange } from '../engine/updating.ts';
import { invalid } from '../errors.ts';
import type { Price } from '../objects.ts';
import type { State } from '../state.ts';
import { mergeMetadata } from './route.ts';

/** @throws {ApiError} where it is not there, is not active, or is paid once only */
export function needPrice(state: State, id: string, param: string): Price {
  const price = state.prices.need(id, param);
  if (!price.active) {
    throw invalid(
      `The price specified is inactive. This field only accepts active prices.`,
      param,
      'resource_missing',
    );
  }
  if (price.recurring === null) {
    throw invalid(
      'The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`.',
      param,
    );
  }
  return price;
}

interface GivenItem {
  id?: string | undefined;
  price?: string | undefined;
  quantity?: number | undefined;
  deleted?: boolean | undefined;
  metadata?: Record<string, string> | null | undefined;
}

export function itemsOf(state: State, given: readonly GivenItem[]): ItemChange[] {
  return given.map((item, index) => ({
    id: item.id,
    price:
      item.price === undefined ? undefined : needPrice(state, item.price, `items[${index}][price]`),
    quantity: item.quantity,
    deleted: item.deleted,
    metadata:
      item.metadata === undefined || item.metadata === null
        ? undefined
        : mergeMetadata({}, item.metadata),
  }));
}
