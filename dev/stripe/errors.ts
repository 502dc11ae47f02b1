/** An error as Stripe answers it. */

import type Stripe from 'stripe';
import type { PaymentIntent, PaymentMethod } from './objects.ts';

export interface ErrorBody {
  type: Stripe.RawErrorType;
  message: string;
  code?: string;
  decline_code?: string;
  param?: string;
  doc_url?: string;
  charge?: string;
  payment_intent?: PaymentIntent;
  payment_method?: PaymentMethod;
  request_log_url?: string;
}

export class ApiError extends Error {
  readonly status: number;
  readonly body: ErrorBody;

  constructor(status: number, body: ErrorBody) {
    super(body.message);
    this.name = 'ApiError';
    this.status = status;
    this.body =
      body.code === undefined
        ? body
        : {
            ...body,
            doc_url: `https://docs.stripe.com/error-codes/${body.code.replaceAll('_', '-')}`,
          };
  }
}

/** 400: what was asked cannot be done. */
export function invalid(message: string, param?: string, code?: string): ApiError {
  return new ApiError(400, {
    type: 'invalid_request_error',
    message,
    ...(code === undefined ? {} : { code }),
    ...(param === undefined ? {} : { param }),
  });
}

/** @param what as Stripe calls it in this sentence, such as `customer`; @param status 400 where it was named as a parameter */
export function missing(what: string, id: string, param = 'id', status = 404): ApiError {
  return new ApiError(status, {
    type: 'invalid_request_error',
    code: 'resource_missing',
    message: `No such ${what}: '${id}'`,
    param,
  });
}

/** 402: the card said no. */
export function declined(body: Omit<ErrorBody, 'type'> & { code: string }): ApiError {
  return new ApiError(402, { type: 'card_error', ...body });
}
