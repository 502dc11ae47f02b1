/** `tollgate import` and `tollgate export`: people and accounts from elsewhere, and to elsewhere. */

import { createWriteStream, writeFileSync } from 'node:fs';
import { chmod, rename, rm, stat } from 'node:fs/promises';
import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import type { Writable } from 'node:stream';
import { Problem } from '../base/errors.ts';
import { count } from '../command_confirm.ts';
import { json, quote, table, UsageError, withStores } from '../command_store.ts';
import type { CommandDeps } from '../command_store.ts';
import type { Config } from '../config.ts';
import { createDirectory } from '../directory/directory.ts';
import { resolveProvider } from '../federation/presets.ts';
import { reservedIds } from './rooms.ts';
import { exportAll } from './export.ts';
import { importFile } from './import.ts';
import { createFindings } from './import_findings.ts';
import type { Counts, Finding, ImportReport } from './import_findings.ts';

export interface ImportAsked {
  file: string;
  /** Where all problems go, as JSON Lines. */
  report: string | undefined;
  yes: boolean;
  json: boolean;
}

/** @throws {UsageError} */
export function importAsked(
  [file, ...rest]: readonly string[],
  options: { report?: string; yes: boolean; json: boolean },
): ImportAsked {
  if (file === undefined) throw new UsageError('import needs a file of JSON Lines.');
  if (rest.length > 0) throw new UsageError(`One file at a time: what is ${quote(rest[0])}?`);
  return { file, report: options.report, yes: options.yes, json: options.json };
}

/** @returns what is to be printed, and whether all lines are good */
export async function importPeople(
  config: Config,
  asked: ImportAsked,
): Promise<{ text: string; isGood: boolean }> {
  const { file, report: reportFile } = asked;
  const isFile = await stat(file).then(
    (found) => found.isFile(),
    () => false,
  );
  if (!isFile) throw new Problem('file_missing', 404, `There is no file ${quote(file)}.`);
  // Users and accounts are among what is kept.
  return withStores({ ...config, hot: undefined }, async (deps) => {
    const all = reportFile === undefined ? undefined : reportTo(reportFile);
    const findings = createFindings(all);
    const directory = createDirectory({ ...deps, registration: config.registration });
    const options = {
      ...deps,
      findings,
      reservedIds: reservedIds(config),
      issuerOf: issuersOf(deps),
      finishOwner: directory.finishOwner,
    };
    const report = await importFile(options, file, { write: asked.yes });
    const text = asked.json ? json(report) : printed(report, asked);
    return { text, isGood: report.problems === 0 };
  });
}

/** Its first line makes it anew. */
function reportTo(file: string): (finding: Finding) => void {
  const options = { mode: 0o600 } as const;
  writeFileSync(file, '', options);
  return (finding) => writeFileSync(file, `${JSON.stringify(finding)}\n`, { flag: 'a' });
}

/** Of providers with one issuer: a multi-tenant one has many. */
function issuersOf({ config }: CommandDeps): (provider: string) => string | undefined {
  const issuers = new Map(
    config.providers.map((provider) => [provider.id, resolveProvider(provider).issuer]),
  );
  return (provider) => {
    const issuer = issuers.get(provider);
    return issuer?.includes('{') === true ? undefined : issuer;
  };
}

const mostPrinted = 100;

function printed(report: ImportReport, asked: ImportAsked): string {
  const head = ['', 'LINES', report.written ? 'WRITTEN' : 'NEW', 'UNCHANGED', 'DIFFERENT'];
  const row = (name: string, counts: Counts) => [
    name,
    ...[counts.lines, counts.new, counts.unchanged, counts.different].map(String),
  ];
  const parts = [table([head, row('users', report.user), row('accounts', report.account)])];
  const list = [...report.findings, ...report.differences].slice(0, mostPrinted);
  if (list.length > 0) {
    const rows = list.map(({ line, id, field, problem }) => [
      String(line),
      id ?? '',
      field ?? '',
      problem,
    ]);
    parts.push(table([['LINE', 'ID', 'FIELD', ''], ...rows]));
  }
  const findings = report.problems + report.user.different + report.account.different;
  if (findings > list.length) {
    const where = asked.report ?? '--report FILE takes all of them';
    parts.push(`${findings - list.length} more: ${where}.\n`);
  }
  parts.push(`${endOf(report)}\n`);
  return parts.join('\n');
}

function endOf({ problems, written, customers }: ImportReport): string {
  const wrong = problems === 1 ? 'One problem' : `${problems} problems`;
  if (written) {
    const hint =
      customers === 0
        ? ''
        : ' What the accounts with a Stripe customer have is read by `tollgate stripe sync`.';
    return `${problems === 0 ? 'Done.' : `Done, but for ${wrong.toLowerCase()}: run it again.`}${hint}`;
  }
  if (problems > 0) return `${wrong}. Nothing was written: correct the file, and run it again.`;
  return 'All lines are good. Nothing was written. With --yes it is.';
}

export interface ExportAsked {
  /** Standard output when not given. */
  out: string | undefined;
  json: boolean;
}

/** @throws {UsageError} */
export function exportAsked(
  rest: readonly string[],
  { out, json: forPrograms }: { out?: string; json: boolean },
): ExportAsked {
  if (rest.length > 0) throw new UsageError(`What is ${quote(rest[0])}? A file is --out FILE.`);
  return { out, json: forPrograms };
}

/** @returns what is to be printed on standard error: standard output may be the export itself */
export async function exportPeople(config: Config, { out, ...asked }: ExportAsked) {
  return withStores({ ...config, hot: undefined }, async ({ store }) => {
    const to =
      out === undefined ? process.stdout : createWriteStream(`${out}.part`, { mode: 0o600 });
    const counts = await exportAll(store, (text) => print(to, text)).catch(
      async (error: unknown) => {
        if (out !== undefined) await rm(`${out}.part`, { force: true });
        throw error;
      },
    );
    if (out !== undefined) {
      to.end();
      await finished(to);
      // Also where there was one before that others could read.
      await chmod(`${out}.part`, 0o600);
      await rename(`${out}.part`, out);
    }
    if (asked.json) return json(counts);
    return `${count(counts.users, 'user')} and ${count(counts.accounts, 'account')}.\n`;
  });
}

async function print(to: Writable, text: string): Promise<void> {
  if (!to.write(text)) await once(to, 'drain');
}
