import type { Metric, MetricsFormat } from '../ports/metrics.ts';
import { exportsOf } from './commonjs.ts';

/** The text format of Prometheus, version 0.0.4, by `prom-client`: loaded when somebody first asks. */
export const prometheusText: MetricsFormat = {
  contentType: 'text/plain; version=0.0.4; charset=utf-8',
  render: async (metrics: readonly Metric[]) => {
    const { Counter, Gauge, Registry } = exportsOf(await import('prom-client'));
    const registry = new Registry();
    for (const { name, help, kind, samples } of metrics) {
      const labelNames = Object.keys(samples[0]?.labels ?? {});
      const options = { name, help, labelNames, registers: [registry] };
      if (kind === 'counter') {
        const counter = new Counter(options);
        for (const { labels, value } of samples) counter.inc(labels, value);
      } else {
        const gauge = new Gauge(options);
        for (const { labels, value } of samples) gauge.set(labels, value);
      }
    }
    return registry.metrics();
  },
};
