import type { Benchmark } from './harness.ts';
export const memoryBenchmark: Benchmark = { name: 'memory', about: '', run: async () => [] };
