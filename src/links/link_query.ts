/** What every link that browsers follow is held to, and how its parameters are read. */

import type { ParameterizedContext } from 'koa';
import type { Form } from '../web/form.ts';
import { linkProblem } from './errors.ts';

/** Scripts have nothing to fetch here. @throws {Problem} `navigation_expected` (400) */
export function requireNavigation(ctx: ParameterizedContext): void {
  const mode = ctx.get('Sec-Fetch-Mode');
  if (mode !== '' && mode !== 'navigate') throw linkProblem('navigation_expected');
}

/** What is no text of a fair length is refused. @throws {Problem} `parameter_invalid` (400) */
export function textOf(query: Form, parameter: string, longest = 255): string | undefined {
  const value = query.get(parameter);
  if (value === undefined || value === '') return undefined;
  if (value.length > longest || /\p{Cc}/u.test(value)) throw invalid(parameter);
  return value;
}

export function invalid(parameter: string): Error {
  return linkProblem('parameter_invalid', { details: { parameter } });
}
