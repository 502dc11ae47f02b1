/**
 * What is measured, for Prometheus. The only file that imports its client; loaded where the configuration asks for it.
 * The registry is this process's own, not the package's.
 */

import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { measures as table } from './measures.ts';
import type { MeasureName, Measures } from './measures.ts';

export interface Metrics extends Measures {
  /** In the text format of Prometheus. */
  text(): Promise<string>;
  contentType: string;
}

type Values = Record<string, string>;

/** Of one metric. What comes beyond is counted together: a defect must not fill the memory of two programs. */
const mostSeries = 1000;
const beyond = 'other';

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const { counters, gauges, histograms } = register(registry);
  const tellers: ((measures: Measures) => void)[] = [];
  const seen = new Map<string, Set<string>>();

  function bounded(name: MeasureName, labels: Values): Values {
    const known = seen.get(name) ?? new Set();
    seen.set(name, known);
    const key = JSON.stringify(Object.values(labels));
    if (known.has(key)) return labels;
    if (known.size >= mostSeries) {
      return Object.fromEntries(Object.keys(labels).map((label) => [label, beyond]));
    }
    known.add(key);
    return labels;
  }

  const metrics: Metrics = {
    count: (name, labels) => counters.get(name)?.inc(bounded(name, labels)),
    observe: (name, labels, seconds) =>
      histograms.get(name)?.observe(bounded(name, labels), Math.max(0, seconds)),
    set(name, labels, value) {
      const gauge = gauges.get(name);
      if (value === undefined) gauge?.remove(labels);
      else gauge?.set(bounded(name, labels), value);
    },
    whenAsked: (tell) => void tellers.push(tell),
    async text() {
      for (const tell of tellers) tell(metrics);
      return registry.metrics();
    },
    contentType: registry.contentType,
  };
  metrics.whenAsked(() =>
    metrics.set('tollgate_resident_memory_bytes', {}, process.memoryUsage.rss()),
  );
  return metrics;
}

function register(registry: Registry) {
  const counters = new Map<string, Counter>();
  const gauges = new Map<string, Gauge>();
  const histograms = new Map<string, Histogram>();
  for (const [name, measure] of Object.entries(table)) {
    const { type, help, labels } = measure;
    const options = { name, help, labelNames: [...labels], registers: [registry] };
    if (type === 'counter') counters.set(name, new Counter(options));
    else if (type === 'gauge') gauges.set(name, new Gauge(options));
    else histograms.set(name, new Histogram({ ...options, buckets: [...measure.buckets] }));
  }
  // What nobody has set is not known, rather than 0.
  for (const [name, gauge] of gauges)
    if (table[name as MeasureName].labels.length === 0) gauge.remove();
  return { counters, gauges, histograms };
}
