import { linkSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { dataFormat } from '../../src/base/version.ts';
import type { Release } from '../slot/slot.ts';
import type { ImageTools } from '../stages/tools.ts';
import { sealAgain } from './seal.ts';
import type { Signer } from './signer.ts';

/** Boxes with another word refuse the bundle. */
export const compatible = 'aetherstore-arm64';

export interface BundleOptions {
  readonly slot: string;
  readonly release: Release;
  readonly signer: Signer;
  readonly folder: string;
  readonly output: string;
  readonly tools: ImageTools;
  /** For tests of bundles that a box must refuse. */
  readonly compatible?: string | undefined;
  readonly dataFormat?: number | undefined;
  /** Of zstd; default 19, the best: half a minute of two processors, where 9 takes two seconds and 8% more room. */
  readonly compressionLevel?: number;
}

const bestLevel = 19;

/**
 * Packs a slot into a signed bundle (RAUC, format verity): checked as it is read, over HTTP with ranges too; with the
 * hashes of its blocks, so that a box fetches only those it has not got already.
 */
export async function buildBundle(options: BundleOptions): Promise<void> {
  const { slot, release, signer, folder, output, tools, compressionLevel = bestLevel } = options;
  const content = join(folder, 'bundle');
  rmSync(content, { recursive: true, force: true });
  mkdirSync(content, { recursive: true });
  linkSync(slot, join(content, 'slot.ext4'));
  writeFileSync(
    join(content, 'manifest.raucm'),
    [
      '[update]',
      `compatible=${options.compatible ?? compatible}`,
      `version=${release.version}`,
      '',
      '[bundle]',
      'format=verity',
      '',
      '[image.rootfs]',
      'filename=slot.ext4',
      'adaptive=block-hash-index',
      '',
      // The box asks before it installs: an older program must not meet data that it cannot read.
      '[meta.aetherstore]',
      `data-format=${options.dataFormat ?? dataFormat}`,
      '',
    ].join('\n'),
  );
  rmSync(output, { force: true });
  tools.run(
    'rauc',
    [
      'bundle',
      `--cert=${signer.certificateFile}`,
      `--key=${signer.keyFile}`,
      `--mksquashfs-args=-comp zstd -Xcompression-level ${compressionLevel} -b 256K`,
      content,
      output,
    ],
    [dirname(output), folder, dirname(slot), dirname(signer.keyFile), dirname(signer.certificateFile)],
  );
  rmSync(content, { recursive: true, force: true });
  sealAgain({ bundle: output, signer, folder, tools });
}
