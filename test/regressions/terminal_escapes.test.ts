/** Commands show what receivers have said (`err` of RFC 8936). It must not steer the operator's terminal. */

import { expect, test } from 'vitest';
import { table } from '../../src/command_store.ts';

test('a cell has no control characters', () => {
  const said = 'refused: \u001B]0;owned\u0007\u009B2J\r\nall is well';
  expect(table([['A'], [said]])).toBe('A\nrefused: ?]0;owned??2J??all is well\n');
});
