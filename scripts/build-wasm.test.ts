import assert from 'node:assert/strict';
import { test } from 'node:test';
import { committed, compile, wasmModules } from './build-wasm.ts';

for (const module of wasmModules) {
  test(`${module.target} is what its source compiles to`, () => {
    assert.equal(committed(module), compile(module), 'run node scripts/build-wasm.ts');
  });
}
