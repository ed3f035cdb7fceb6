import { rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Board } from '../board.ts';
import type { ImageTools } from '../stages/tools.ts';

/** Bytes of U-Boot's environment that are read from a 32-bit checksum on. */
export interface EnvironmentImage {
  readonly variables: readonly string[];
  readonly bytes: number;
  readonly output: string;
  readonly tools: ImageTools;
}

/** Makes an environment as U-Boot reads it: CRC-32, then `name=value` with a zero after each (mkenvimage(1)). */
export function makeEnvironment({ variables, bytes, output, tools }: EnvironmentImage): void {
  const text = `${output}.txt`;
  writeFileSync(text, variables.map((variable) => `${variable}\n`).join(''));
  tools.run('mkenvimage', ['-s', String(bytes), '-o', output, text], [dirname(output)]);
  rmSync(text);
}

/**
 * What a board's U-Boot does: our script, at once. By itself it would wait for a key, which gives whoever is at the
 * serial line its shell, start USB and look for EFI and network boot: seconds of each start. An environment that cannot
 * be read means those defaults, which find our script in the end.
 */
export function loaderVariables({ environment }: Board['boot']): readonly string[] {
  const script =
    'if load $devtype $devnum:$distro_bootpart $scriptaddr boot.scr; then source $scriptaddr; fi';
  return [
    'bootdelay=-2',
    `devtype=${environment.device}`,
    'distro_bootpart=1',
    `bootcmd=for devnum in 0 1 2; do ${script}; done; bootflow scan`,
    ...environment.variables,
  ];
}
