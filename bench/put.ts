import type { Benchmark } from './harness.ts';
export const putBenchmark: Benchmark = { name: 'put', about: '', run: async () => [] };
