/** Stripe's search queries, as far as they are about metadata, e-mail address and name. */

import { invalid } from '../errors.ts';
import type { Customer } from '../objects.ts';

const clause =
  /^(?:metadata\[(["'])(?<key>.{1,40}?)\1\]|(?<field>email|name))\s*(?<operator>[:~])\s*(["'])(?<value>.*)\5$/;

/** @throws {ApiError} where the query is another one */
export function searchQuery(query: string): (customer: Customer) => boolean {
  const joined = / OR /i.test(query) ? 'OR' : 'AND';
  const tests = query.split(new RegExp(` ${joined} `, 'i')).map((part) => test(part.trim()));
  return (customer) =>
    joined === 'OR' ? tests.some((one) => one(customer)) : tests.every((one) => one(customer));
}

function test(part: string): (customer: Customer) => boolean {
  const groups = clause.exec(part)?.groups;
  if (groups === undefined) {
    throw invalid(`This simulator does not understand the query: ${part.slice(0, 200)}`, 'query');
  }
  const { key, field, operator, value = '' } = groups;
  return (customer) => {
    const has =
      key !== undefined
        ? customer.metadata[key]
        : field === 'email'
          ? customer.email
          : customer.name;
    if (has === undefined || has === null) return false;
    return operator === '~'
      ? has.toLowerCase().includes(value.toLowerCase())
      : has.toLowerCase() === value.toLowerCase();
  };
}
