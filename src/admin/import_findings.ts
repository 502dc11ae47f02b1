/** What an import has to say of lines: how many were what, and what is wrong, of which it keeps the first ones. */

export interface Finding {
  line: number;
  field?: string;
  problem: string;
  id?: string;
}

export interface Counts {
  lines: number;
  /** To be written, or written by this run. */
  new: number;
  /** There already, as the line says. */
  unchanged: number;
  /** There already, and other by now: left as they are. */
  different: number;
}

export interface ImportReport {
  user: Counts;
  account: Counts;
  problems: number;
  /** The first of them. */
  findings: Finding[];
  /** Of accounts that are other than their lines say, the first ones. */
  differences: Finding[];
  customers: number;
  written: boolean;
}

export interface Findings {
  report: ImportReport;
  problem(finding: Finding): void;
  different(finding: Finding): void;
}

const mostKept = 100;

/** @param all is given every finding, for a file */
export function createFindings(all: (finding: Finding) => void = () => undefined): Findings {
  const none = () => ({ lines: 0, new: 0, unchanged: 0, different: 0 });
  const report: ImportReport = {
    user: none(),
    account: none(),
    problems: 0,
    findings: [],
    differences: [],
    customers: 0,
    written: false,
  };
  return {
    report,
    problem(finding) {
      report.problems += 1;
      if (report.findings.length < mostKept) report.findings.push(finding);
      all(finding);
    },
    different(finding) {
      if (report.differences.length < mostKept) report.differences.push(finding);
      all(finding);
    },
  };
}
