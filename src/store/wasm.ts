import { assert } from '../base/assert.ts';
import type { Bytes } from '../base/bytes.ts';

/** The part of the JavaScript interface of WebAssembly that is used here; Node's types do not declare it. */
declare const WebAssembly: {
  readonly Module: new (bytes: Bytes) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: Record<string, unknown> };
  readonly Memory: new (...none: never[]) => { readonly buffer: ArrayBuffer };
};

export interface WasmInstance {
  readonly memory: Bytes;
  readonly call: (name: string) => (...values: number[]) => number;
}

/** Makes an instance of a module of ours (base64, no imports but AssemblyScript's `abort`). */
export function instantiate(base64: string): WasmInstance {
  const module = new WebAssembly.Module(Buffer.from(base64, 'base64'));
  const { exports } = new WebAssembly.Instance(module, {});
  assert(exports.memory instanceof WebAssembly.Memory, 'the module exports its memory');
  return {
    memory: new Uint8Array(exports.memory.buffer),
    call: (name) => {
      const found = exports[name];
      assert(typeof found === 'function', `the module exports ${name}`);
      return found as (...values: number[]) => number;
    },
  };
}
