/**
 * Importing people and accounts from JSON Lines. All of the file is checked before any of it is written, and every line
 * is one write, so whatever stops it, running it again goes on. Lines may come in any order. Nobody is told: what comes
 * in this way has happened elsewhere, and long ago.
 */

import type { Clock } from '../base/clock.ts';
import type { UserDocument } from '../storage/documents.ts';
import { Conflict, Duplicate } from '../storage/store.ts';
import type { Store } from '../storage/store.ts';
import { check } from './import_check.ts';
import type { Checked, CheckDeps } from './import_check.ts';
import type { Finding, Findings, ImportReport } from './import_findings.ts';
import { createFileIndex } from './import_index.ts';
import type { FileIndex } from './import_index.ts';
import { linesOf } from './lines.ts';
import { readRecord } from './records.ts';
import type { ImportRecord, RecordContext } from './records.ts';

export interface ImportDeps extends CheckDeps, Pick<RecordContext, 'issuerOf'> {
  store: Store;
  clock: Clock;
  finishOwner: (account: string, user: string) => Promise<void>;
  findings: Findings;
}

interface Entry {
  line: number;
  record: ImportRecord;
}

/** So many are read, and written, at the same time: a store commits them together. */
const together = 256;

/** @param write otherwise it only says what it would do */
export async function importFile(
  deps: ImportDeps,
  file: string,
  { write }: { write: boolean },
): Promise<ImportReport> {
  const { findings } = deps;
  const { report } = findings;
  const context = { now: deps.clock(), issuerOf: deps.issuerOf };
  const index = createFileIndex(findings);
  for await (const entry of recordsOf(file, context, findings)) {
    report[entry.record.type].lines += 1;
    if (entry.record.type === 'account' && entry.record.fields.customer !== undefined) {
      report.customers += 1;
    }
    index.add(entry.line, entry.record);
  }
  const again = () => recordsOf(file, context);
  await inBatches(again(), (entry) => checkLine(deps, index, entry));
  if (!write || report.problems > 0) return report;
  report.written = true;
  await inBatches(again(), (entry) => writeLine(deps, context, entry));
  // Last, when all owners are there: what they own is theirs also where their own line did not say it.
  await inBatches(again(), ({ record }) => finishOwners(deps, record));
  return report;
}

async function* recordsOf(
  file: string,
  context: RecordContext,
  findings?: Findings,
): AsyncGenerator<Entry> {
  for await (const { number: line, text, problem } of linesOf(file)) {
    if (text === undefined) {
      findings?.problem({ line, problem: problem ?? '' });
      continue;
    }
    const read = readRecord(text, context);
    if ('record' in read) yield { line, record: read.record };
    else for (const one of read.complaints) findings?.problem(findingOf(line, one));
  }
}

function findingOf(line: number, { field, problem }: { field: string; problem: string }): Finding {
  return { line, ...(field === '' ? {} : { field }), problem };
}

async function inBatches(
  entries: AsyncGenerator<Entry>,
  work: (entry: Entry) => Promise<void>,
): Promise<void> {
  let batch: Entry[] = [];
  const finish = async () => {
    // Where one fails the others are not left behind: nothing is under way when this has failed.
    const outcomes = await Promise.allSettled(batch.map(work));
    batch = [];
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  };
  for await (const entry of entries) {
    if (batch.push(entry) === together) await finish();
  }
  await finish();
}

async function checkLine(deps: ImportDeps, index: FileIndex, entry: Entry): Promise<void> {
  const { findings } = deps;
  const { line, record } = entry;
  const checked = await check(deps, index, record);
  for (const one of checked.complaints) {
    findings.problem({ ...findingOf(line, one), id: record.id });
  }
  if (checked.state !== 'wrong') findings.report[record.type][checked.state] += 1;
  if (checked.state === 'different') findings.different(differenceOf(entry, checked));
}

function differenceOf({ line, record }: Entry, { fields }: Checked): Finding {
  const problem = `It is there already, and other by now: ${fields.join(', ')}. It is left as it is.`;
  return { line, id: record.id, problem };
}

async function writeLine(deps: ImportDeps, { now }: RecordContext, entry: Entry): Promise<void> {
  const { store, findings } = deps;
  const { line, record } = entry;
  const { type, id } = record;
  // Of an earlier attempt, or of somebody who was faster than this one.
  if ((await store.get(type, id)) !== undefined) return;
  try {
    await (record.type === 'user'
      ? writeUser(store, record, now)
      : writeAccount(store, record, now));
  } catch (error) {
    if (error instanceof Conflict) return;
    if (!(error instanceof Duplicate)) throw error;
    const problem = 'Somebody else got it while this was going on.';
    findings.problem({ line, id, field: error.field, problem });
  }
}

type Of<T extends ImportRecord['type']> = Extract<ImportRecord, { type: T }>;

function writeUser(store: Store, { id, fields }: Of<'user'>, now: number): Promise<number> {
  const blank: UserDocument = { status: 'active', identities: [], createdAt: now };
  return store.write('user', id, { ...blank, ...fields }, { expect: 'absent' });
}

function writeAccount(store: Store, { id, fields }: Of<'account'>, now: number): Promise<number> {
  const document = { status: 'active', createdAt: now, ...fields } as const;
  return store.write('account', id, document, { expect: 'absent' });
}

async function finishOwners(
  { finishOwner }: Pick<ImportDeps, 'finishOwner'>,
  record: ImportRecord,
): Promise<void> {
  if (record.type !== 'account') return;
  for (const owner of record.fields.owners) await finishOwner(record.id, owner);
}
