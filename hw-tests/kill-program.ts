import type { RootShell } from './root-shell.ts';

/** Kills the box's program once its unit has these settings too, which are gone with the next start of the machine. */
export async function killProgram(root: RootShell, settings: readonly string[]): Promise<void> {
  const folder = '/run/systemd/system/aetherstore.service.d';
  const text = ['[Service]', ...settings].map((line) => `${line}\\n`).join('');
  await root.run(
    `mkdir -p ${folder} && printf '${text}' >${folder}/test.conf && systemctl daemon-reload && systemctl kill --signal=KILL aetherstore.service`,
  );
}
