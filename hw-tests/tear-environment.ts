import type { RootShell } from './root-shell.ts';

/** Writes noise over what the boot loader remembers: over the one of two copies that it reads first, or over both. */
export async function tearEnvironment(root: RootShell, copies: 'first' | 'both'): Promise<void> {
  const words = copies === 'first' ? 'bs=4096 count=1' : 'bs=16K count=2';
  await root.run(
    `dd if=/dev/urandom of=/dev/aetherstore/env ${words} iflag=fullblock conv=notrunc,fsync 2>&1`,
  );
}
