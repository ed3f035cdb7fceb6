/**
 * Compiles the AssemblyScript of `src/` into TypeScript files that hold the module as base64, because the folders
 * that use them do no I/O. `node scripts/build-wasm.ts` writes them; a test compiles again and compares.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface WasmModule {
  readonly source: string;
  readonly target: string;
  readonly constant: string;
  readonly memoryPages: number;
}

const root = fileURLToPath(new URL('..', import.meta.url));

export const wasmModules: readonly WasmModule[] = [
  {
    source: 'src/store/chunker/assembly/fastcdc.ts',
    target: 'src/store/chunker/fastcdc-wasm.ts',
    constant: 'fastcdcWasm',
    // One page for the tables, 4 MiB of window.
    memoryPages: 65,
  },
];

/** The text of the target file as compiling gives it now. */
export function compile(module: WasmModule): string {
  const folder = mkdtempSync(join(tmpdir(), 'aether-wasm-'));
  try {
    const output = join(folder, 'module.wasm');
    const compiler = join(root, 'node_modules/assemblyscript/bin/asc.js');
    const pages = String(module.memoryPages);
    const options = ['-O3', '--runtime', 'stub', '--initialMemory', pages, '--maximumMemory', pages];
    execFileSync(process.execPath, [compiler, module.source, ...options, '-o', output], { cwd: root });
    return generate(module, readFileSync(output));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function generate(module: WasmModule, wasm: Buffer): string {
  const lines = wasm.toString('base64').match(/.{1,100}/g) ?? [];
  return [
    `// Generated from ${module.source} by scripts/build-wasm.ts; do not edit.`,
    `export const ${module.constant} = [`,
    ...lines.map((line) => `  '${line}',`),
    `].join('');`,
    '',
  ].join('\n');
}

export function committed(module: WasmModule): string {
  return readFileSync(join(root, module.target), 'utf8');
}

if (process.argv[1] !== undefined && relative(process.argv[1], fileURLToPath(import.meta.url)) === '') {
  for (const module of wasmModules) {
    writeFileSync(join(root, module.target), compile(module));
    console.log(module.target);
  }
}
