import type { RootShell } from './root-shell.ts';

/** Writes noise over what the boot loader remembers: over the one of two copies that it reads first, or over both. */
export async function tearEnvironment(root: RootShell, copies: 'first' | 'both'): Promise<void> {
  // Where the copy lies: firmware/boot/boot.cmd.
  const places = copies === 'first' ? [0] : [0, 4 * 1024 ** 2];
  for (const place of places) {
    const words = `bs=4096 count=4 seek=${place / 4096}`;
    await root.run(
      `dd if=/dev/urandom of=/dev/aetherstore/env ${words} iflag=fullblock conv=notrunc,fsync 2>&1`,
    );
  }
}
