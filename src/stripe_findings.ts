/** What was found at Stripe, for a terminal. */

import type { Finding } from './billing/setup/setup.ts';
import { table } from './command_store.ts';

export function findingsTable(findings: readonly Finding[]): string {
  if (findings.length === 0) return '';
  const rows = findings.map(({ state, what, id }) => [state, what, id ?? '']);
  return table([['STATE', 'WHAT', 'AT STRIPE'], ...rows]);
}

/** A line for each thing that is to be done, with all that it is to be done for. */
export function toDo(findings: readonly Finding[]): string {
  const about = new Map<string, string[]>();
  for (const { what, says, remedy } of findings) {
    if (remedy === undefined) continue;
    const sentence = says === undefined ? remedy : `${says} ${remedy}`;
    about.set(sentence, [...(about.get(sentence) ?? []), what]);
  }
  return [...about].map(([sentence, whats]) => `${whats.join(', ')}: ${sentence}\n`).join('');
}

/** @param isFinal otherwise what is missing could be made by asking for it */
export function summaryOf(isFinal: boolean, findings: readonly Finding[]): string {
  const count = (state: Finding['state']) => findings.filter((one) => one.state === state).length;
  const [missing, different, made] = [count('missing'), count('different'), count('made')];
  const parts = [
    ...(made > 0 ? [`${made} made`] : []),
    ...(missing > 0 ? [`${missing} missing`] : []),
    ...(different > 0 ? [`${different} different`] : []),
  ];
  if (parts.length === 0) return 'Stripe has all that the configuration wants.\n';
  const hint = !isFinal && missing > 0 ? ' Nothing is made without --yes.' : '';
  return `${parts.join(', ')}.${hint}\n`;
}
